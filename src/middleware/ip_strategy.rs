//! `ipStrategy`: which address a middleware goes by, as Traefik names the choices.
//!
//! Traefik's first choice is the peer. Here it is the client as the entry point's
//! `forwardedHeaders.trustedIPs` makes it out, which is the peer wherever no proxy is trusted: one
//! setting says whom to believe. This file does not know who is trusted, nor what the address is for.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::base::address::{canonical, parse_network};
use crate::middleware::registry::SpecError;
use crate::web::client_address::forwarded_hops;
use crate::web::exchange::Exchange;
use crate::web::head::Headers;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StrategySpec {
    depth: usize,
    #[serde(rename = "excludedIPs")]
    excluded_ips: Vec<Spanned<String>>,
    ipv6_subnet: Option<Spanned<u8>>,
}

/// The choice, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Strategy {
    which: Which,
    /// IPv6 addresses are cut to this prefix.
    ipv6_prefix: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    /// The client the entry point made out.
    Client,
    /// The n-th from the right of X-Forwarded-For; 1 is what the nearest proxy wrote.
    Depth(usize),
    /// The first from the right of X-Forwarded-For that is in none of these networks.
    NotIn(Vec<IpNet>),
}

impl StrategySpec {
    pub(super) fn compile(&self, errors: &mut Vec<SpecError>, warnings: &mut Vec<SpecError>) -> Strategy {
        let which = match self {
            Self { depth, .. } if *depth > 0 => Which::Depth(*depth),
            Self { excluded_ips, .. } if !excluded_ips.is_empty() => {
                Which::NotIn(read_networks(excluded_ips, errors, warnings))
            }
            _ => Which::Client,
        };
        let prefix = self.ipv6_subnet.as_ref();
        if let Some(given) = prefix.filter(|given| !(1..=128).contains(&given.value)) {
            errors.push(SpecError::at(given, "`ipv6Subnet` is a prefix length from 1 to 128"));
        }
        Strategy { which, ipv6_prefix: prefix.map(|given| given.value) }
    }
}

impl Strategy {
    /// Where no strategy is given.
    pub(super) const CLIENT: Self = Self { which: Which::Client, ipv6_prefix: None };

    /// Whether it is the client's whole address, as the entry point made it out.
    pub(super) fn is_plain(&self) -> bool {
        *self == Self::CLIENT
    }

    /// The address; `None` when there is none to be believed.
    pub(super) fn address(&self, exchange: &Exchange, headers: &dyn Headers) -> Option<IpAddr> {
        let address = canonical(self.whole(exchange, headers)?);
        match (address, self.ipv6_prefix) {
            (IpAddr::V6(v6), Some(prefix)) => {
                Ipv6Net::new(v6, prefix).ok().map(|net| IpAddr::V6(net.trunc().addr()))
            }
            (address, _) => Some(address),
        }
    }

    fn whole(&self, exchange: &Exchange, headers: &dyn Headers) -> Option<IpAddr> {
        if self.which == Which::Client {
            return Some(exchange.client);
        }
        // Whoever does not come through a trusted proxy writes X-Forwarded-For himself.
        if !exchange.is_through_proxy() {
            return None;
        }
        let mut hops = forwarded_hops(headers.map())?;
        match &self.which {
            Which::Client => None,
            Which::Depth(depth) => hops.nth(depth - 1)?,
            Which::NotIn(networks) => {
                // An entry that is no address ends the search: what is left of it is hearsay.
                let excluded = |address: &IpAddr| networks.iter().any(|network| network.contains(address));
                hops.map_while(|hop| hop).find(|address| !excluded(address))
            }
        }
    }
}

/// Networks as operators write them. Host bits are masked and told, as is one that is everybody.
pub(super) fn read_networks(
    texts: &[Spanned<String>],
    errors: &mut Vec<SpecError>,
    warnings: &mut Vec<SpecError>,
) -> Vec<IpNet> {
    let mut networks = Vec::with_capacity(texts.len());
    for text in texts {
        match parse_network(text.value.trim()) {
            Err(error) => errors.push(SpecError::at(text, error.to_string())),
            Ok(network) => {
                if network.host_bits_masked {
                    let message = format!("`{}` has host bits set; `{}` is meant", text.value, network.range);
                    warnings.push(SpecError::at(text, message));
                }
                if network.range.prefix_len() == 0 {
                    warnings.push(SpecError::at(text, format!("`{}` is everybody", text.value)));
                }
                networks.push(network.range);
            }
        }
    }
    networks
}
