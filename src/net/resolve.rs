//! Names to addresses, once per connection: what was checked is what is connected to.
//!
//! Does not judge names; `egress` has done that before.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::egress::{Egress, is_localhost, is_public};

/// A name that led to an address inside the network.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that is not public")]
pub(super) struct PrivateAddress;

/// The system's resolver behind the egress rules.
pub(super) struct Resolver {
    pub(super) egress: Arc<Egress>,
    /// A proxy's own name, which may lead anywhere.
    pub(super) proxy: Option<String>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let trusted =
            self.egress.is_trusted(&name) || self.proxy.as_ref().is_some_and(|proxy| *proxy == name);
        Box::pin(async move {
            let addresses = addresses(&name).await?;
            // One private address spoils all: a name that answers both ways is an attack or a mistake.
            if !trusted && addresses.iter().any(|address| !is_public(address.ip())) {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

async fn addresses(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    if is_localhost(name) {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(loopback.map(|address| SocketAddr::new(address, 0)).to_vec());
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}
