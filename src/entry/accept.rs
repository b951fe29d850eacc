//! The accept loop of one entry point, and the way of one connection from its first byte to its last.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::time::Duration;

use pingora::apps::{HttpServerApp, ServerApp};
use pingora::protocols::http::ServerSession;
use pingora::protocols::tls::SslDigest;
use pingora::server::ShutdownWatch;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, ServerConnection};

use super::bind::Bound;
use super::deadline::Patience;
use super::limits::{Limits, Share};
use super::stream::{ClientStream, Origin, Protocol, Turn};
use super::transport::Transport;
use crate::base::address::canonical;
use crate::web::client_address::Trusted;

/// Whatever an entry point's read timeout: nobody needs longer for a head or a handshake.
const LONGEST_HEAD: Duration = Duration::from_secs(10);
/// Requests on one connection; then the client opens a new one and its memory is given back.
const MOST_REQUESTS: u32 = 10_000;
/// After a failed accept, mostly for want of file descriptors.
const BREATHER: Duration = Duration::from_millis(100);
/// First byte of a TLS record that holds a ClientHello (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What an entry point counts.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    /// Connections open now.
    pub open: Gauge,
    /// Connections closed at once because a cap was reached.
    pub capped: Counter,
}

/// An entry point ready to serve.
pub struct Entrance<A> {
    pub bound: Bound,
    pub app: Arc<A>,
    pub tls: Arc<ServerConfig>,
    pub limits: Limits,
    pub meters: Meters,
    /// Held by every connection; all closed once the receiver ends.
    pub alive: mpsc::Sender<()>,
}

struct Shared<A> {
    app: Arc<A>,
    tls: TlsAcceptor,
    limits: Limits,
    meters: Meters,
    trusted: Trusted,
    patience: Patience,
    alive: mpsc::Sender<()>,
}

impl<A: HttpServerApp + Send + Sync + 'static> Entrance<A> {
    /// Accepts until `drain` becomes true, then closes the listening socket at once and lets the
    /// application know.
    ///
    /// # Errors
    /// When the listening socket cannot be used by this runtime.
    pub async fn serve(self, mut drain: ShutdownWatch) -> io::Result<()> {
        let listener = TcpListener::from_std(self.bound.socket)?;
        let entry_point = self.bound.entry_point;
        let head = entry_point.timeouts.read.min(LONGEST_HEAD);
        let shared = Arc::new(Shared {
            app: self.app,
            tls: TlsAcceptor::from(self.tls),
            limits: self.limits,
            meters: self.meters,
            trusted: entry_point.trusted,
            patience: Patience { head, idle: entry_point.timeouts.idle },
            alive: self.alive,
        });
        let running = drain.clone();
        loop {
            tokio::select! {
                biased;
                () = begins(&mut drain) => break,
                accepted = listener.accept() => match accepted {
                    Ok((socket, peer)) => shared.welcome(socket, peer, &running),
                    Err(error) => {
                        tracing::warn!(%error, entry_point = entry_point.name, "a connection could not be accepted");
                        sleep(BREATHER).await;
                    }
                },
            }
        }
        drop(listener);
        shared.app.http_cleanup().await;
        Ok(())
    }
}

impl<A: HttpServerApp + Send + Sync + 'static> Shared<A> {
    /// Starts the connection on this thread, where it stays.
    fn welcome(self: &Arc<Self>, socket: TcpStream, peer: SocketAddr, drain: &ShutdownWatch) {
        let peer = SocketAddr::new(canonical(peer.ip()), peer.port());
        let share = if self.trusted.believes(peer.ip()) { Share::Proxy } else { Share::Single };
        let Some(place) = self.limits.take(peer.ip(), share) else {
            self.meters.capped.inc();
            return;
        };
        let (shared, drain, alive) = (self.clone(), drain.clone(), self.alive.clone());
        let connection = async move {
            shared.meters.open.inc();
            if let Err(error) = shared.run(socket, peer, &drain).await {
                tracing::debug!(%error, "a connection ended before it was HTTP");
            }
            shared.meters.open.dec();
            drop((place, alive));
        };
        tokio::spawn(connection);
    }

    async fn run(&self, socket: TcpStream, peer: SocketAddr, drain: &ShutdownWatch) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let opening = async {
            match first_byte(&socket, drain).await? {
                Some(first) => self.open(socket, peer, first).await.map(Some),
                None => Ok(None),
            }
        };
        let Some(stream) = timeout(self.patience.head, opening).await?? else { return Ok(()) };
        let protocol = stream.protocol();
        let turn = stream.turn();
        match protocol {
            Protocol::Http2 => {
                self.app.process_new(Box::new(stream), drain).await;
            }
            Protocol::Http1 => self.requests(stream, &turn, drain).await,
        }
        Ok(())
    }

    /// Tells TLS from plain HTTP by the first byte, as one entry point may serve both.
    async fn open(&self, socket: TcpStream, peer: SocketAddr, first: u8) -> io::Result<ClientStream> {
        let descriptor = socket.as_raw_fd();
        let (transport, tls, protocol) = if first == TLS_HANDSHAKE {
            let stream = self.tls.accept(socket).await?;
            let session = stream.get_ref().1;
            let protocol = match session.alpn_protocol() {
                Some(b"h2") => Protocol::Http2,
                _ => Protocol::Http1,
            };
            let digest = digest(session);
            (Transport::Tls(Box::new(stream)), Some(Arc::new(digest)), protocol)
        } else {
            (Transport::Plain(socket), None, Protocol::Http1)
        };
        let origin = Origin { peer, descriptor, tls, protocol };
        Ok(ClientStream::new(transport, origin, self.patience))
    }

    /// One request after the other; the stream holds the next one back until its turn.
    async fn requests(&self, stream: ClientStream, turn: &Turn, drain: &ShutdownWatch) {
        let mut session = ServerSession::new_http1(Box::new(stream));
        // Between requests the stream's own deadline counts.
        session.set_keepalive(if *drain.borrow() { None } else { Some(0) });
        session.set_keepalive_reuses_remaining(Some(MOST_REQUESTS));
        while let Some(reused) = self.app.process_new_http(session, drain).await {
            let (stream, settings) = reused.consume();
            turn.next();
            session = ServerSession::new_http1(stream);
            if let Some(settings) = settings {
                settings.apply_to_session(&mut session);
            }
        }
    }
}

/// What a client begins with, left unread; `None` when it has said nothing before draining: browsers
/// connect ahead of need, and nobody waits for those.
async fn first_byte(socket: &TcpStream, drain: &ShutdownWatch) -> io::Result<Option<u8>> {
    let (mut first, mut drain) = ([0], drain.clone());
    tokio::select! {
        biased;
        peeked = socket.peek(&mut first) => peeked.map(|_| Some(first[0])),
        () = begins(&mut drain) => Ok(None),
    }
}

/// Ready once draining; also when nobody is left who could say so.
async fn begins(drain: &mut ShutdownWatch) {
    if drain.wait_for(|draining| *draining).await.is_err() {
        tracing::debug!("whoever stops the accept loop is gone");
    }
}

fn digest(session: &ServerConnection) -> SslDigest {
    let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    let version = session.protocol_version().and_then(|version| version.as_str());
    SslDigest::new(cipher.unwrap_or("unknown"), version.unwrap_or("unknown"), None, None, Vec::new())
}
