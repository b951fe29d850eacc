//! A client's connection as pingora gets it: TLS is done, heads are checked, requests come one by one.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::SystemTime;

use async_trait::async_trait;
use pingora::http::ResponseHeader;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::SslDigest;
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest,
    UniqueID,
};
use tokio::io::{AsyncWrite, AsyncWriteExt as _, BufWriter};
use tokio::time::Instant;

use super::deadline::{Deadline, Patience};
use super::farewell;
use super::gate::Gate;
use super::notice::Notice;
use super::transport::Transport;
use crate::web::exchange::ServerName;

/// Small answers leave in one piece with their head.
const WRITE_BUFFER: usize = 4 * 1024;

/// How every HTTP/2 connection begins (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Tells a stream that its present request is answered. Shared by the stream and whoever runs it.
#[derive(Debug, Clone, Default)]
pub struct Turn(Arc<AtomicBool>);

impl Turn {
    pub fn next(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn taken(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

/// What a stream is made of besides its bytes.
#[derive(Debug)]
pub struct Origin {
    pub peer: SocketAddr,
    pub descriptor: RawFd,
    pub tls: Option<Arc<SslDigest>>,
    pub protocol: Protocol,
    /// The name of the TLS handshake.
    pub name: Option<ServerName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// The connection.
pub struct ClientStream {
    pub(super) connection: BufWriter<Transport>,
    /// `None` for HTTP/2, which has its own framing and its own checks.
    pub(super) gate: Option<Gate>,
    /// What of HTTP/2's preface pingora has yet to see; it was taken from the client before.
    pub(super) preface: &'static [u8],
    pub(super) turn: Turn,
    pub(super) deadline: Deadline,
    /// Runs instead of reading once a head was refused.
    pub(super) farewell: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    /// The present request wants an upgrade, and no final answer was written yet.
    pub(super) awaits_switch: bool,
    pub(super) peer: IpAddr,
    pub(super) notice: Notice,
    socket: Arc<SocketDigest>,
    tls: Option<Arc<SslDigest>>,
    /// Carries the handshake's name; pingora hands it on unread.
    told: Option<Arc<ProxyDigest>>,
    protocol: Protocol,
    descriptor: RawFd,
    since: SystemTime,
}

impl ClientStream {
    /// Of an HTTP/2 connection the [`PREFACE`] must have been read.
    pub(super) fn new(transport: Transport, origin: Origin, patience: Patience, notice: Notice) -> Self {
        let socket = SocketDigest::from_raw_fd(origin.descriptor);
        // Asked from the kernel otherwise, which knows nothing of a connection that is gone.
        socket.peer_addr.get_or_init(|| Some(origin.peer.into()));
        Self {
            connection: BufWriter::with_capacity(WRITE_BUFFER, transport),
            gate: (origin.protocol == Protocol::Http1).then(Gate::new),
            preface: match origin.protocol {
                Protocol::Http1 => &[],
                Protocol::Http2 => PREFACE,
            },
            turn: Turn::default(),
            deadline: Deadline::new(patience, Instant::now()),
            farewell: None,
            awaits_switch: false,
            peer: origin.peer.ip(),
            notice,
            socket: Arc::new(socket),
            tls: origin.tls,
            told: origin.name.map(told),
            protocol: origin.protocol,
            descriptor: origin.descriptor,
            since: SystemTime::now(),
        }
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whoever runs the stream calls [`Turn::next`] on it between two requests.
    pub fn turn(&self) -> Turn {
        self.turn.clone()
    }

    /// Only the server can open a tunnel, and only for a request that asked for one.
    fn watch_for_switch(&mut self, written: &[u8]) {
        const INFORMATIONAL: &[u8] = b"HTTP/1.1 1";
        const SWITCHING: &[u8] = b"HTTP/1.1 101";
        if written.starts_with(SWITCHING)
            && let Some(gate) = &mut self.gate
        {
            gate.tunnel();
        }
        self.awaits_switch = written.starts_with(INFORMATIONAL) && !written.starts_with(SWITCHING);
    }
}

impl std::fmt::Debug for ClientStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientStream").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.awaits_switch {
            this.watch_for_switch(bytes);
        }
        Pin::new(&mut this.connection).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_shutdown(context)
    }
}

#[async_trait]
impl Shutdown for ClientStream {
    async fn shutdown(&mut self) {
        if let Err(error) = self.connection.shutdown().await {
            tracing::debug!(%error, "a client was gone before its connection was closed");
        } else if self.gate.as_ref().is_some_and(Gate::leaves_unread) {
            farewell::linger(&mut self.connection).await;
        }
    }
}

impl UniqueID for ClientStream {
    fn id(&self) -> i32 {
        self.descriptor
    }
}

impl Ssl for ClientStream {
    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.tls.clone()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        Some(match self.protocol {
            Protocol::Http1 => ALPN::H1,
            Protocol::Http2 => ALPN::H2,
        })
    }
}

impl GetTimingDigest for ClientStream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        vec![Some(TimingDigest { established_ts: self.since, ..TimingDigest::default() })]
    }
}

impl GetProxyDigest for ClientStream {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.told.clone()
    }
}

/// The one place in a connection's digest that takes data of ours.
fn told(name: ServerName) -> Arc<ProxyDigest> {
    let nothing = ResponseHeader::build(http::StatusCode::OK, Some(0)).expect("200 is a status code");
    Arc::new(ProxyDigest::new(Box::new(nothing), Some(Box::new(name))))
}

impl GetSocketDigest for ClientStream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        Some(self.socket.clone())
    }
}

impl Peek for ClientStream {}
