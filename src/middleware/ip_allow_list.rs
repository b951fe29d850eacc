//! `ipAllowList`: only clients of the listed networks pass.
//!
//! Traefik compares the peer unless `ipStrategy` is given. Here it is the client as the entry point's
//! `forwardedHeaders.trustedIPs` makes it out, which is the peer wherever no proxy is trusted: one
//! setting says whom to believe, for every address check alike. This file does not know who is trusted.

use std::net::IpAddr;

use http::StatusCode;
use ipnet::{IpNet, Ipv6Net};
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::base::address::{canonical, parse_network};
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Middleware, Verdict};
use crate::web::answer::short;
use crate::web::client_address::forwarded_hops;
use crate::web::exchange::Exchange;
use crate::web::head::{Headers, RequestHead};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    source_range: Vec<Spanned<String>>,
    ip_strategy: Option<StrategySpec>,
    reject_status_code: Option<Spanned<u16>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct StrategySpec {
    depth: usize,
    #[serde(rename = "excludedIPs")]
    excluded_ips: Vec<Spanned<String>>,
    ipv6_subnet: Option<Spanned<u8>>,
}

/// Which address is compared.
#[derive(Debug, PartialEq, Eq)]
enum Which {
    /// The client the entry point made out.
    Client,
    /// The n-th from the right of X-Forwarded-For; 1 is what the nearest proxy wrote.
    Depth(usize),
    /// The first from the right of X-Forwarded-For that is in none of these networks.
    NotIn(Vec<IpNet>),
}

struct IpAllowList {
    networks: Vec<IpNet>,
    which: Which,
    /// IPv6 addresses are cut to this prefix before they are compared.
    ipv6_prefix: Option<u8>,
    refusal: StatusCode,
}

impl Checked for Spec {
    fn compile(&self, _parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let mut errors = Vec::new();
        let mut warnings = Vec::new();
        if self.source_range.is_empty() {
            // An empty list would lock out the administrator too; a missing one would let nobody in unsaid.
            errors.push(
                SpecError::whole("`sourceRange` is missing or empty").hint("list at least one network"),
            );
        }
        let networks = read_networks(&self.source_range, &mut errors, &mut warnings);
        let which = self.which(&mut errors, &mut warnings);
        let ipv6_prefix = self.ipv6_prefix(&mut errors);
        let refusal = self.refusal(&mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let runs = IpAllowList { networks, which, ipv6_prefix, refusal };
        Ok(Compiled { runs: std::sync::Arc::new(runs), warnings })
    }
}

impl Spec {
    fn which(&self, errors: &mut Vec<SpecError>, warnings: &mut Vec<SpecError>) -> Which {
        match &self.ip_strategy {
            Some(strategy) if strategy.depth > 0 => Which::Depth(strategy.depth),
            Some(strategy) if !strategy.excluded_ips.is_empty() => {
                Which::NotIn(read_networks(&strategy.excluded_ips, errors, warnings))
            }
            _ => Which::Client,
        }
    }

    fn ipv6_prefix(&self, errors: &mut Vec<SpecError>) -> Option<u8> {
        let given = self.ip_strategy.as_ref()?.ipv6_subnet.as_ref()?;
        if !(1..=128).contains(&given.value) {
            errors.push(SpecError::at(given, "`ipv6Subnet` is a prefix length from 1 to 128"));
        }
        Some(given.value)
    }

    fn refusal(&self, errors: &mut Vec<SpecError>) -> StatusCode {
        let Some(given) = &self.reject_status_code else { return StatusCode::FORBIDDEN };
        match StatusCode::from_u16(given.value) {
            Ok(status) if status.canonical_reason().is_some() && given.value >= 200 => status,
            _ => {
                errors.push(SpecError::at(given, format!("{} is not an HTTP status", given.value)));
                StatusCode::FORBIDDEN
            }
        }
    }
}

fn read_networks(
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

impl IpAllowList {
    /// The address to compare; `None` when there is none to be believed.
    fn address(&self, exchange: &Exchange, headers: &dyn Headers) -> Option<IpAddr> {
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

    fn allows(&self, address: IpAddr) -> bool {
        let address = match (canonical(address), self.ipv6_prefix) {
            (IpAddr::V6(v6), Some(prefix)) => Ipv6Net::new(v6, prefix).map(|net| IpAddr::V6(net.network())),
            (other, _) => Ok(other),
        };
        address.is_ok_and(|address| self.networks.iter().any(|network| network.contains(&address)))
    }
}

impl Middleware for IpAllowList {
    fn is_address_check(&self) -> bool {
        true
    }

    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        if self.address(exchange, head).is_some_and(|address| self.allows(address)) {
            return Verdict::pass();
        }
        let path = exchange.path.text(head.uri().path());
        let sentence = "This address is not allowed here.";
        Verdict::answer(short(self.refusal, path, sentence))
    }
}
