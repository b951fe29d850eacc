//! `sourceCriterion`: whose requests are counted together, as Traefik names the choices. What is counted is
//! not this file's business.

use std::net::IpAddr;

use http::header::HeaderName;
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::base::secret::sha256;
use crate::middleware::ip_strategy::{Strategy, StrategySpec};
use crate::middleware::registry::SpecError;
use crate::web::client_address::authority;
use crate::web::exchange::Exchange;
use crate::web::head::RequestHead;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CriterionSpec {
    ip_strategy: Option<StrategySpec>,
    request_header_name: Option<Spanned<String>>,
    request_host: bool,
}

/// The choice, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Criterion {
    Address(Strategy),
    Header(HeaderName),
    Host,
}

/// Somebody who is counted. Texts are hashed: a long header must not cost memory for as long as it is
/// remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    Address(IpAddr),
    Text([u8; 32]),
}

impl CriterionSpec {
    /// `None` where no criterion is named; which one holds then differs between middlewares.
    pub(super) fn compile(
        &self,
        errors: &mut Vec<SpecError>,
        warnings: &mut Vec<SpecError>,
    ) -> Option<Criterion> {
        let header = self.request_header_name.as_ref().filter(|name| !name.value.is_empty());
        let named =
            [self.ip_strategy.is_some(), header.is_some(), self.request_host].map(usize::from).iter().sum();
        if 1_usize < named {
            let message = "`ipStrategy`, `requestHeaderName` and `requestHost` exclude each other";
            errors.push(SpecError::whole(message).hint("name one of them"));
        }
        if let Some(strategy) = &self.ip_strategy {
            return Some(Criterion::Address(strategy.compile(errors, warnings)));
        }
        if let Some(name) = header {
            let Ok(name) = HeaderName::from_bytes(name.value.as_bytes()) else {
                errors.push(SpecError::at(name, format!("`{}` is no header name", name.value)));
                return None;
            };
            return Some(Criterion::Header(name));
        }
        self.request_host.then_some(Criterion::Host)
    }
}

impl Criterion {
    pub(super) fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::Header(name) => Some(name),
            Self::Address(_) | Self::Host => None,
        }
    }

    /// Who sent the request. Requests that lack what is asked for are counted as one source, those whose
    /// address cannot be believed as their peer's.
    pub(super) fn source(&self, exchange: &Exchange, head: &dyn RequestHead) -> Source {
        match self {
            Self::Address(strategy) => {
                Source::Address(strategy.address(exchange, head).unwrap_or(exchange.peer))
            }
            Self::Header(name) => {
                Source::Text(sha256(head.map().get(name).map_or(b"", |value| value.as_bytes())))
            }
            Self::Host => {
                let host = authority(head.uri(), head.map()).unwrap_or("");
                Source::Text(sha256(host.to_ascii_lowercase().as_bytes()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::middleware::scene::{exchange, get, ip};

    fn criterion(yaml: &str) -> Result<Option<Criterion>, Vec<SpecError>> {
        let spec: CriterionSpec = serde_yaml::from_str(yaml).expect(yaml);
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let compiled = spec.compile(&mut errors, &mut warnings);
        if errors.is_empty() { Ok(compiled) } else { Err(errors) }
    }

    fn source(yaml: &str, client: &str, headers: &[(&str, &str)]) -> Source {
        let criterion = criterion(yaml).expect("it can work").expect("one is named");
        criterion.source(&exchange(client, "/"), &get("/", headers))
    }

    #[test]
    fn two_criteria_exclude_each_other() {
        for yaml in [
            "{ipStrategy: {}, requestHeaderName: Foo}",
            "{ipStrategy: {depth: 1}, requestHost: true}",
            "{requestHeaderName: Foo, requestHost: true}",
        ] {
            assert_eq!(criterion(yaml).map_err(|errors| errors.len()), Err(1), "{yaml}");
        }
        assert_eq!(criterion("{}"), Ok(None));
        assert!(criterion("{requestHeaderName: 'no name'}").is_err());
    }

    #[test]
    fn a_header_counts_by_its_value_and_a_host_without_its_case() {
        let by = |value| source("{requestHeaderName: Foo}", "192.0.2.1", &[("foo", value)]);
        assert_eq!(by("bar"), by("bar"));
        assert_ne!(by("bar"), by("baz"));
        let host = |host| source("{requestHost: true}", "192.0.2.1", &[("host", host)]);
        assert_eq!(host("desk.example"), host("DESK.example"));
        assert_ne!(host("desk.example"), host("other.example"));
    }

    #[test]
    fn ipv6_neighbours_share_a_subnet_where_one_is_given() {
        let yaml = "{ipStrategy: {ipv6Subnet: 64}}";
        assert_eq!(source(yaml, "2001:db8::1", &[]), source(yaml, "2001:db8::2", &[]));
        assert_ne!(source(yaml, "2001:db8::1", &[]), source(yaml, "2001:db8:0:1::1", &[]));
        assert_eq!(source(yaml, "192.0.2.1", &[]), Source::Address(ip("192.0.2.1")));
    }

    #[test]
    fn whoever_writes_his_own_forwarding_list_is_counted_as_the_peer() {
        let forged = source("{ipStrategy: {depth: 1}}", "203.0.113.7", &[("x-forwarded-for", "10.0.0.1")]);
        assert_eq!(forged, Source::Address(ip("203.0.113.7")));
    }
}
