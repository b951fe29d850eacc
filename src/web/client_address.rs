//! Who the client is: the peer, or what trusted proxies say about it.

use ipnet::IpNet;

/// Peers whose forwarding headers are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trusted {
    Nobody,
    Networks(Vec<IpNet>),
    /// Traefik's `forwardedHeaders.insecure`.
    Everybody,
}
