//! What is known about a request once its address, host and path are settled.

use std::net::IpAddr;

use super::path::CanonicalPath;

/// The scheme the client used, as far as it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Facts that every decision about one request shares; they never change after routing.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The other end of the TCP connection (or what a trusted PROXY header says), v4-mapped undone.
    pub peer: IpAddr,
    /// The client: the peer, or what trusted proxies say in X-Forwarded-For.
    pub client: IpAddr,
    pub scheme: Scheme,
    /// Whether this very connection is TLS.
    pub tls: bool,
    /// The entry point's own port.
    pub port: u16,
    /// The one form of the path that decisions use; the original is what is forwarded.
    pub path: CanonicalPath,
}

/// The name a client asked for in its TLS handshake, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerName(pub Box<str>);

impl Exchange {
    /// Whether a trusted proxy has spoken for the client: only then do the forwarding headers of the
    /// request say more than what anybody could have written.
    pub fn is_through_proxy(&self) -> bool {
        self.client != self.peer
    }
}
