//! `ipAllowList`: only clients of the listed networks pass.
//!
//! Which address that is, is `ip_strategy`'s business.

use http::StatusCode;
use ipnet::IpNet;
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::middleware::ip_strategy::{Strategy, StrategySpec, read_networks};
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Middleware, Verdict};
use crate::web::answer::short;
use crate::web::exchange::Exchange;
use crate::web::head::RequestHead;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    source_range: Vec<Spanned<String>>,
    ip_strategy: Option<StrategySpec>,
    reject_status_code: Option<Spanned<u16>>,
}

struct IpAllowList {
    networks: Vec<IpNet>,
    strategy: Strategy,
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
        let strategy = self.ip_strategy.as_ref();
        let strategy =
            strategy.map_or(Strategy::CLIENT, |strategy| strategy.compile(&mut errors, &mut warnings));
        let refusal = self.refusal(&mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let runs = IpAllowList { networks, strategy, refusal };
        Ok(Compiled { runs: std::sync::Arc::new(runs), warnings })
    }
}

impl Spec {
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

impl Middleware for IpAllowList {
    fn is_address_check(&self) -> bool {
        true
    }

    fn admitted(&self) -> Option<&[IpNet]> {
        self.strategy.is_plain().then_some(&*self.networks)
    }

    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let address = self.strategy.address(exchange, head);
        if address.is_some_and(|address| self.networks.iter().any(|network| network.contains(&address))) {
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
