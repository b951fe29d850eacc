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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::middleware::scene::{answered, compile, compiled, exchange, get, ip, problems, status, told};

    fn passes(yaml: &str, client: &str) -> bool {
        let verdict = compiled(yaml).request(&exchange(client, "/"), &mut get("/", &[]));
        status(verdict) == StatusCode::OK
    }

    /// Through a trusted proxy at 10.0.0.1 that wrote this X-Forwarded-For.
    fn passes_through_proxy(yaml: &str, forwarded_for: &str) -> bool {
        let exchange = Exchange { client: ip("203.0.113.7"), ..exchange("10.0.0.1", "/") };
        let mut request = get("/", &[("x-forwarded-for", forwarded_for)]);
        status(compiled(yaml).request(&exchange, &mut request)) == StatusCode::OK
    }

    #[test]
    fn a_client_outside_every_network_is_refused() {
        let yaml = "ipAllowList: {sourceRange: [192.0.2.0/24, 2001:db8::/32, 198.51.100.7]}";
        for client in ["192.0.2.1", "2001:db8::1", "198.51.100.7", "::ffff:192.0.2.9"] {
            assert!(passes(yaml, client), "{client}");
        }
        for client in ["192.0.3.1", "2001:db9::1", "198.51.100.8", "::1", "::192.0.2.1"] {
            assert!(!passes(yaml, client), "{client}");
        }
    }

    #[test]
    fn a_refusal_has_the_chosen_status_and_tells_nothing() {
        let list = compiled("ipAllowList: {sourceRange: [192.0.2.1], rejectStatusCode: 404}");
        let answer = answered(list.request(&exchange("192.0.2.2", "/api/v1/x"), &mut get("/api/v1/x", &[])));
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(!answer.body().windows(9).any(|piece| piece == b"192.0.2.2"));
        assert!(list.is_address_check());
    }

    #[test]
    fn an_empty_or_missing_list_is_no_configuration() {
        for yaml in ["ipAllowList: {}", "ipAllowList: {sourceRange: []}", "ipAllowList:"] {
            assert_eq!(problems(yaml), ["`sourceRange` is missing or empty"], "{yaml}");
        }
    }

    #[test]
    fn every_wrong_entry_is_told_with_its_place() {
        let yaml = "ipAllowList:\n  sourceRange:\n    - 10.0.0.0/8\n    - foo\n    - 10.0.0.0/33\n  rejectStatusCode: 600\n";
        let problems = problems(yaml);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].starts_with("4:7 `foo` is neither"), "{problems:?}");
        assert!(problems[1].starts_with("5:7 `10.0.0.0/33`"), "{problems:?}");
        assert!(problems[2].starts_with("6:21 600"), "{problems:?}");
    }

    #[test]
    fn host_bits_and_everybody_are_warned_of() {
        let compiled =
            compile("ipAllowList:\n  sourceRange:\n    - 10.1.2.3/8\n    - ::/0\n").expect("a list");
        let warnings: Vec<String> = compiled.warnings.iter().map(told).collect();
        assert_eq!(
            warnings,
            ["3:7 `10.1.2.3/8` has host bits set; `10.0.0.0/8` is meant", "4:7 `::/0` is everybody"]
        );
    }

    #[test]
    fn behind_a_proxy_the_client_counts_and_not_the_proxy() {
        let exchange = Exchange { client: ip("203.0.113.7"), ..exchange("10.0.0.1", "/") };
        let of = |yaml| status(compiled(yaml).request(&exchange, &mut get("/", &[])));
        assert_eq!(of("ipAllowList: {sourceRange: [10.0.0.0/8]}"), StatusCode::FORBIDDEN);
        assert_eq!(of("ipAllowList: {sourceRange: [203.0.113.0/24]}"), StatusCode::OK);
    }

    #[test]
    fn depth_counts_from_the_right_and_a_short_list_is_refused() {
        let yaml =
            |depth| format!("ipAllowList: {{sourceRange: [10.0.0.3], ipStrategy: {{depth: {depth}}}}}");
        let list = "10.0.0.4,10.0.0.3, 10.0.0.2";
        let passing: Vec<usize> = (1..6).filter(|&depth| passes_through_proxy(&yaml(depth), list)).collect();
        assert_eq!(passing, [2]);
    }

    #[test]
    fn excluded_addresses_are_passed_over_and_rubbish_ends_the_search() {
        let yaml = "ipAllowList: {sourceRange: [10.0.0.3], ipStrategy: {excludedIPs: [10.0.0.1, 10.0.0.2]}}";
        assert!(passes_through_proxy(yaml, "10.0.0.4, 10.0.0.3, 10.0.0.2, 10.0.0.1"));
        for list in ["10.0.0.3, 10.0.0.4", "10.0.0.1, 10.0.0.2", "10.0.0.3, x, 10.0.0.2", ""] {
            assert!(!passes_through_proxy(yaml, list), "{list}");
        }
    }

    #[test]
    fn nobody_speaks_for_himself() {
        let list = compiled("ipAllowList: {sourceRange: [10.0.0.3], ipStrategy: {depth: 1}}");
        let mut request = get("/", &[("x-forwarded-for", "10.0.0.3")]);
        assert_eq!(status(list.request(&exchange("203.0.113.7", "/"), &mut request)), StatusCode::FORBIDDEN);
    }

    #[test]
    fn an_ipv6_address_is_cut_to_its_subnet() {
        let yaml = "ipAllowList: {sourceRange: ['2001:db8::'], ipStrategy: {ipv6Subnet: 64}}";
        assert!(passes(yaml, "2001:db8::17"));
        assert!(!passes(yaml, "2001:db8:0:1::17"));
        assert_eq!(problems("ipAllowList: {sourceRange: ['::1'], ipStrategy: {ipv6Subnet: 0}}").len(), 1);
    }
}
