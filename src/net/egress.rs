//! Who may be called. Decides on names and addresses; calls nobody.
//!
//! An address that a user or a mail could choose must never reach the inside of the network, so
//! anything that is not listed is refused, and listed public names may not lead to private addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::base::address::canonical;

/// The hosts that the supported providers need, national clouds of Microsoft included
/// (Microsoft Graph documentation, "National cloud deployments").
pub const PROVIDERS: &[&str] = &[
    "login.microsoftonline.com",
    "graph.microsoft.com",
    "outlook.office365.com",
    "smtp.office365.com",
    "login.microsoftonline.us",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "microsoftgraph.chinacloudapi.cn",
    "accounts.google.com",
    "oauth2.googleapis.com",
    "gmail.googleapis.com",
    "www.googleapis.com",
];

/// An entry of the rules that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is neither a host name nor an origin such as https://example.com:8443")]
pub struct EgressError {
    pub text: String,
}

/// Scheme, host and port, as browsers compare them (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// Who may be called; everybody else is refused.
#[derive(Debug, Clone, Default)]
pub struct Egress {
    /// By https only, at public addresses only.
    public: Vec<String>,
    /// Named by the operator: at any address; by https, or by http where the name is the loopback.
    trusted: Vec<String>,
    /// Named by the operator, exactly: at any address.
    origins: Vec<Origin>,
}

impl Egress {
    /// Exactly these origins, wherever they are; for the desk.
    pub fn only<I: IntoIterator<Item: AsRef<str>>>(origins: I) -> Result<Self, EgressError> {
        let origins = origins.into_iter().map(|text| read_origin(text.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { origins, ..Self::default() })
    }

    /// These hosts, by https and at public addresses; for providers, see [`PROVIDERS`].
    pub fn hosts<I: IntoIterator<Item: AsRef<str>>>(names: I) -> Result<Self, EgressError> {
        let public = names.into_iter().map(|text| read_host(text.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { public, ..Self::default() })
    }

    /// Also these, named by the operator, wherever they are. A bare host is called by https (a
    /// loopback host by http too); an origin such as `http://idp.localhost:9000` exactly as it stands.
    pub fn allow<I: IntoIterator<Item: AsRef<str>>>(mut self, entries: I) -> Result<Self, EgressError> {
        for entry in entries {
            match entry.as_ref() {
                text if text.contains("://") => self.origins.push(read_origin(text)?),
                text => self.trusted.push(read_host(text)?),
            }
        }
        Ok(self)
    }

    /// Whether `url` may be called; if not, why.
    pub(super) fn check(&self, url: &Url) -> Result<(), &'static str> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err("only http and https are spoken");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("its URL carries a user name");
        }
        let host = plain_host(url).ok_or("its URL has no host")?;
        if self.origins.iter().any(|origin| origin.is_of(url)) {
            return Ok(());
        }
        let trusted = self.trusted.contains(&host);
        if !trusted && !self.public.contains(&host) {
            return Err("it is not among the allowed hosts");
        }
        if url.scheme() == "http" && !(trusted && is_loopback_name(&host)) {
            return Err("https is required");
        }
        match host.parse() {
            Ok(address) if !trusted && !is_public(address) => Err("its address is not public"),
            _ => Ok(()),
        }
    }

    /// Whether `name` may lead to a private address.
    pub(super) fn is_trusted(&self, name: &str) -> bool {
        self.trusted.iter().any(|host| host == name) || self.origins.iter().any(|origin| origin.host == name)
    }
}

impl Origin {
    fn is_of(&self, url: &Url) -> bool {
        url.scheme() == self.scheme
            && url.port_or_known_default() == Some(self.port)
            && plain_host(url).is_some_and(|host| host == self.host)
    }
}

/// The host as it is compared: lower case, IPv6 without brackets.
pub(super) fn plain_host(url: &Url) -> Option<String> {
    Some(match url.host()? {
        Host::Domain(name) => name.to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })
}

fn read_origin(text: &str) -> Result<Origin, EgressError> {
    let refused = || EgressError { text: text.to_owned() };
    let url = Url::parse(text).map_err(|_| refused())?;
    let bare = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.query().is_none();
    match (plain_host(&url), url.port_or_known_default()) {
        (Some(host), Some(port)) if bare => Ok(Origin { scheme: url.scheme().to_owned(), host, port }),
        _ => Err(refused()),
    }
}

fn read_host(text: &str) -> Result<String, EgressError> {
    let bracketed = if text.parse::<Ipv6Addr>().is_ok() { format!("[{text}]") } else { text.to_owned() };
    let is_plain =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    match Host::parse(&bracketed) {
        Ok(Host::Domain(name)) if is_plain(&name) => Ok(name.to_ascii_lowercase()),
        Ok(Host::Ipv4(address)) => Ok(address.to_string()),
        Ok(Host::Ipv6(address)) => Ok(address.to_string()),
        _ => Err(EgressError { text: text.to_owned() }),
    }
}

/// RFC 6761, section 6.3: `localhost` and everything below it is the loopback.
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

fn is_loopback_name(host: &str) -> bool {
    is_localhost(host) || host.parse::<IpAddr>().is_ok_and(|address| canonical(address).is_loopback())
}

/// Whether an address belongs to the public internet (IANA special-purpose address registries).
pub(super) fn is_public(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 10 | 127, ..] | [224..=255, ..] => true,
        [100, second, ..] => (64..128).contains(&second),
        [169, 254, ..] | [192, 168, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] => true,
        [172, second, ..] => (16..32).contains(&second),
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // NAT64 (RFC 6052): the IPv4 address that the translator will call is what counts.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(embedded(high, low)),
        // 6to4 (RFC 3056), likewise.
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Teredo, benchmarking, ORCHID and the like; documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(egress: &Egress, url: &str) -> Result<(), &'static str> {
        egress.check(&Url::parse(url).expect("a URL"))
    }

    #[test]
    fn only_the_exact_origin_of_the_desk_is_called() {
        let desk = Egress::only(["http://127.0.0.1:5003"]).expect("rules");
        assert!(check(&desk, "http://127.0.0.1:5003/api/v1/tickets").is_ok());
        for url in [
            "https://127.0.0.1:5003/",
            "http://127.0.0.1:5004/",
            "http://localhost:5003/",
            "http://user@127.0.0.1:5003/",
            "http://127.0.0.1:5003@evil.example/",
        ] {
            assert!(check(&desk, url).is_err(), "{url}");
        }
    }

    #[test]
    fn providers_are_called_by_https_and_by_no_other_name() {
        let providers = Egress::hosts(PROVIDERS).expect("rules");
        assert!(check(&providers, "https://graph.microsoft.com/v1.0/me").is_ok());
        assert!(check(&providers, "https://GRAPH.microsoft.com/v1.0/me").is_ok());
        for url in [
            "http://graph.microsoft.com/",
            "https://graph.microsoft.com.evil.example/",
            "https://evil.example/?graph.microsoft.com",
            "https://graph.microsoft.com./",
            "https://169.254.169.254/",
            "ftp://graph.microsoft.com/",
        ] {
            assert!(check(&providers, url).is_err(), "{url}");
        }
    }

    #[test]
    fn what_the_operator_names_is_called_where_it_is() {
        let rules = Egress::hosts(PROVIDERS)
            .and_then(|rules| {
                rules.allow(["keycloak.internal", "idp.localhost", "http://10.0.0.5:9000", "::1"])
            })
            .expect("rules");
        for url in [
            "https://keycloak.internal:8443/",
            "http://idp.localhost:9000/",
            "http://10.0.0.5:9000/token",
            "http://[::1]:80/",
        ] {
            assert!(check(&rules, url).is_ok(), "{url}");
        }
        for url in ["http://keycloak.internal/", "http://10.0.0.5:9001/", "https://10.0.0.5:9000/"] {
            assert!(check(&rules, url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_listed_private_address_is_still_refused_unless_trusted() {
        let rules = Egress::hosts(["10.0.0.1", "192.88.98.1"]).expect("rules");
        assert!(check(&rules, "https://10.0.0.1/").is_err());
        assert!(check(&rules, "https://192.88.98.1/").is_ok());
    }

    #[test]
    fn entries_that_are_no_host_or_origin_are_refused() {
        for text in ["", "a/b", "a:80", "user@host", "a b", "*.example.com"] {
            assert!(Egress::hosts([text]).is_err(), "{text}");
        }
        for text in ["ftp://host", "host", "https://user@host", "https://", "https://host/?q"] {
            assert!(Egress::only([text]).is_err(), "{text}");
        }
    }

    #[test]
    fn special_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.1",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "fec0::1",
            "64:ff9b:1::1",
        ] {
            assert!(!is_public(text.parse().expect("an address")), "{text}");
        }
        for text in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808"] {
            assert!(is_public(text.parse().expect("an address")), "{text}");
        }
    }
}
