//! What is told of clients that never got as far as a request. Who listens is not known here.

use std::net::IpAddr;
use std::sync::Arc;

/// Somebody was turned away at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Closed without an answer.
    Connection { peer: IpAddr, why: Why },
    /// Answered before anybody else saw the head.
    Request { peer: IpAddr, status: u16, reason: &'static str },
}

/// Why a connection was closed without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Too many connections, in all or from this address.
    Cap,
    /// Outside every allow-list of the entry point.
    Address,
    /// The PROXY header is missing, wrong or sent by somebody who may not.
    ProxyHeader,
    /// No TLS handshake came about, or HTTP/2 was agreed on and not spoken.
    Handshake,
}

impl Why {
    /// A word for logs and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cap => "cap",
            Self::Address => "address",
            Self::ProxyHeader => "proxyHeader",
            Self::Handshake => "handshake",
        }
    }
}

/// Called on the connection's thread; must not block.
pub type Notice = Arc<dyn Fn(&Refused) + Send + Sync>;
/// Whether somebody at an address could be let in by anything on the entry point.
pub type Admits = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;
