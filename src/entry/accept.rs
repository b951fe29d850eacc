//! The accept loop of one entry point, and the way of one connection from its first byte to its last.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::time::Duration;

use pingora::apps::{HttpServerApp, ServerApp};
use pingora::protocols::http::ServerSession;
use pingora::protocols::tls::SslDigest;
use pingora::server::ShutdownWatch;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, ServerConnection};

use super::bind::Bound;
use super::deadline::Patience;
use super::limits::{Limits, Place, Share};
use super::notice::{Admits, Notice, Refused, Why};
use super::proxy_header;
use super::stream::{ClientStream, Origin, PREFACE, Protocol, Turn};
use super::transport::Transport;
use crate::base::address::canonical;
use crate::web::client_address::Trusted;
use crate::web::exchange::ServerName;

/// Whatever an entry point's read timeout: nobody needs longer for a head or a handshake.
const LONGEST_HEAD: Duration = Duration::from_secs(10);
/// Requests on one connection; then the client opens a new one and its memory is given back.
const MOST_REQUESTS: u32 = 10_000;
/// After a failed accept, mostly for want of file descriptors.
const BREATHER: Duration = Duration::from_millis(100);
/// First byte of a TLS record that holds a ClientHello (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// An entry point ready to serve.
pub struct Entrance<A> {
    pub bound: Bound,
    pub app: Arc<A>,
    pub tls: Arc<ServerConfig>,
    pub limits: Limits,
    /// Connections open now.
    pub open: Gauge,
    pub notice: Notice,
    /// Asked before anything of a connection is read; who is outside is closed.
    pub admits: Admits,
    /// Held by every connection; all closed once the receiver ends.
    pub alive: mpsc::Sender<()>,
}

struct Shared<A> {
    app: Arc<A>,
    tls: TlsAcceptor,
    limits: Limits,
    open: Gauge,
    notice: Notice,
    admits: Admits,
    trusted: Trusted,
    /// Who has to send a PROXY header, where one is demanded.
    proxy_header: Option<Trusted>,
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
            open: self.open,
            notice: self.notice,
            admits: self.admits,
            trusted: entry_point.trusted,
            proxy_header: entry_point.proxy_header,
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
        let place = match self.admit(peer.ip()) {
            Ok(place) => place,
            Err(why) => return (self.notice)(&Refused::Connection { peer: peer.ip(), why }),
        };
        let (shared, drain, alive) = (self.clone(), drain.clone(), self.alive.clone());
        let connection = async move {
            shared.open.inc();
            if let Err(error) = shared.run(socket, peer, place, &drain).await {
                tracing::debug!(%error, "a connection ended before it was HTTP");
            }
            shared.open.dec();
            drop(alive);
        };
        tokio::spawn(connection);
    }

    /// What can be said by the address alone.
    fn admit(&self, peer: IpAddr) -> Result<Place, Why> {
        let share = match &self.proxy_header {
            Some(senders) if !senders.believes(peer) => return Err(Why::ProxyHeader),
            Some(_) => Share::Proxy,
            None if !(self.admits)(peer) => return Err(Why::Address),
            None if self.trusted.believes(peer) => Share::Proxy,
            None => Share::Single,
        };
        self.limits.take(peer, share).ok_or(Why::Cap)
    }

    async fn run(
        &self,
        mut socket: TcpStream,
        mut peer: SocketAddr,
        mut place: Place,
        drain: &ShutdownWatch,
    ) -> io::Result<()> {
        socket.set_nodelay(true)?;
        if self.proxy_header.is_some() {
            match self.behind_proxy(&mut socket, place).await {
                Ok(found) => (peer, place) = found,
                Err(why) => {
                    (self.notice)(&Refused::Connection { peer: peer.ip(), why });
                    return Ok(());
                }
            }
        }
        let opening = async {
            match first_byte(&socket, drain).await? {
                Some(first) => self.open(socket, peer, first, drain).await,
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
        drop(place);
        Ok(())
    }

    /// The client that a PROXY header names, held to what its own address may do.
    async fn behind_proxy(&self, socket: &mut TcpStream, place: Place) -> Result<(SocketAddr, Place), Why> {
        let client = proxy_header::read(socket).await.map_err(|error| {
            tracing::debug!(%error, "a connection was closed");
            Why::ProxyHeader
        })?;
        if !(self.admits)(client.ip()) {
            return Err(Why::Address);
        }
        let place =
            if self.trusted.believes(client.ip()) { Some(place) } else { place.of_client(client.ip()) };
        place.map(|place| (client, place)).ok_or(Why::Cap)
    }

    /// Tells TLS from plain HTTP by the first byte, as one entry point may serve both. `None` when draining
    /// began before the client did.
    async fn open(
        &self,
        socket: TcpStream,
        peer: SocketAddr,
        first: u8,
        drain: &ShutdownWatch,
    ) -> io::Result<Option<ClientStream>> {
        let descriptor = socket.as_raw_fd();
        let failed =
            |_: &io::Error| (self.notice)(&Refused::Connection { peer: peer.ip(), why: Why::Handshake });
        let (transport, tls, protocol, name) = if first == TLS_HANDSHAKE {
            let mut stream = self.tls.accept(socket).await.inspect_err(failed)?;
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            if is_http2 && !takes_preface(&mut stream, drain).await.inspect_err(failed)? {
                return Ok(None);
            }
            let session = stream.get_ref().1;
            let name = session.server_name().map(|name| ServerName(name.to_ascii_lowercase().into()));
            let protocol = if is_http2 { Protocol::Http2 } else { Protocol::Http1 };
            let digest = digest(session);
            (Transport::Tls(Box::new(stream)), Some(Arc::new(digest)), protocol, name)
        } else {
            (Transport::Plain(socket), None, Protocol::Http1, None)
        };
        let origin = Origin { peer, descriptor, tls, protocol, name };
        Ok(Some(ClientStream::new(transport, origin, self.patience, self.notice.clone())))
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

/// Takes HTTP/2's preface, which whoever serves HTTP/2 would await for ever; `false` when it was not whole
/// before draining.
async fn takes_preface(stream: &mut (impl AsyncRead + Unpin), drain: &ShutdownWatch) -> io::Result<bool> {
    let (mut preface, mut drain) = ([0; PREFACE.len()], drain.clone());
    tokio::select! {
        biased;
        read = stream.read_exact(&mut preface) => read?,
        () = begins(&mut drain) => return Ok(false),
    };
    if preface != *PREFACE {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the client does not begin with HTTP/2's preface",
        ));
    }
    Ok(true)
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
