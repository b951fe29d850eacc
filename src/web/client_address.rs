//! Who the client is: the peer, or what trusted proxies say about it.
//!
//! What the upstream is told of it is `forwarding`'s business; which addresses are allowed, nobody's here.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::{HOST, HeaderName, HeaderValue};
use ipnet::IpNet;

use crate::base::address::canonical;
use crate::web::exchange::Scheme;
pub use crate::web::forwarding::{
    complete_forwarding, is_completed, is_websocket, strip_forwarding, write_forwarding,
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A longer chain is an attack on whoever reads it.
const MOST_HOPS: usize = 32;
const MOST_BYTES: usize = 4096;

/// Peers whose forwarding headers are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trusted {
    Nobody,
    Networks(Vec<IpNet>),
    /// Traefik's `forwardedHeaders.insecure`.
    Everybody,
}

impl Trusted {
    pub fn believes(&self, address: IpAddr) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Networks(networks) => {
                let address = canonical(address);
                networks.iter().any(|network| network.contains(&address))
            }
        }
    }
}

/// Why nobody can say who the client is. The request has to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientAddressError {
    #[error("X-Forwarded-For from a trusted proxy has an entry that is not an address")]
    Unreadable,
    #[error("X-Forwarded-For has more than {MOST_HOPS} entries or {MOST_BYTES} bytes")]
    TooLong,
}

/// The client's address, v4-mapped IPv6 as IPv4.
///
/// From a trusted peer the lines of X-Forwarded-For count as one list, read from the right: the first
/// address that is not trusted itself is the client; if all are, the leftmost.
///
/// # Errors
/// When a trusted peer sends a list that cannot be read as far as it matters, or is too long.
pub fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &Trusted) -> Result<IpAddr, ClientAddressError> {
    let peer = canonical(peer);
    if !trusted.believes(peer) || !headers.contains_key(X_FORWARDED_FOR) {
        return Ok(peer);
    }
    let mut client = peer;
    for hop in forwarded_hops(headers).ok_or(ClientAddressError::TooLong)? {
        client = hop.ok_or(ClientAddressError::Unreadable)?;
        if !trusted.believes(client) {
            break;
        }
    }
    Ok(client)
}

/// The addresses of X-Forwarded-For from right to left, `None` for an entry that is not one; `None` as a
/// whole when the list is too long to be honest.
pub fn forwarded_hops(headers: &HeaderMap) -> Option<impl Iterator<Item = Option<IpAddr>>> {
    let lines = || headers.get_all(X_FORWARDED_FOR).iter();
    let bytes: usize = lines().map(HeaderValue::len).sum();
    let hops: usize =
        lines().map(|line| 1 + line.as_bytes().iter().filter(|&&byte| byte == b',').count()).sum();
    if bytes > MOST_BYTES || hops > MOST_HOPS {
        return None;
    }
    Some(lines().rev().flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b',')).map(read_hop))
}

/// `192.0.2.1`, `2001:db8::1`, and both with a port, as some balancers write them.
fn read_hop(bytes: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(bytes).ok()?.trim_matches([' ', '\t']);
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok();
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()))
        .or_else(|| bracketed().map(IpAddr::V6))?;
    Some(canonical(address))
}

/// The scheme the client used: TLS on this connection, unless a trusted peer names another one in a
/// single X-Forwarded-Proto (`ws` and `wss` count as `http` and `https`).
pub fn scheme(peer: IpAddr, tls: bool, headers: &HeaderMap, trusted: &Trusted) -> Scheme {
    let seen = if tls { Scheme::Https } else { Scheme::Http };
    if !trusted.believes(peer) {
        return seen;
    }
    let mut lines = headers.get_all(X_FORWARDED_PROTO).iter();
    match (lines.next().map(HeaderValue::as_bytes), lines.next()) {
        (Some(b"https" | b"wss"), None) => Scheme::Https,
        (Some(b"http" | b"ws"), None) => Scheme::Http,
        _ => seen,
    }
}

/// The authority a request names: the URI's (HTTP/2, absolute form), otherwise the Host header's.
pub fn authority<'h>(uri: &'h http::Uri, headers: &'h HeaderMap) -> Option<&'h str> {
    let named = uri.authority().map(http::uri::Authority::as_str).filter(|text| !text.is_empty());
    named.or_else(|| headers.get(HOST).and_then(|host| host.to_str().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(networks: &[&str]) -> Trusted {
        Trusted::Networks(networks.iter().map(|text| text.parse().expect("a network")).collect())
    }

    fn head(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_says() {
        let headers = head(&[("x-forwarded-for", "10.0.0.1")]);
        let client = resolve(ip("203.0.113.9"), &headers, &trusted(&["10.0.0.0/8"]));
        assert_eq!(client, Ok(ip("203.0.113.9")));
    }

    #[test]
    fn the_first_untrusted_address_from_the_right_is_the_client() {
        let headers =
            head(&[("x-forwarded-for", "6.6.6.6, 203.0.113.7"), ("x-forwarded-for", "10.0.0.3 ,10.0.0.2")]);
        let client = resolve(ip("10.0.0.1"), &headers, &trusted(&["10.0.0.0/8"]));
        assert_eq!(client, Ok(ip("203.0.113.7")));
    }

    #[test]
    fn when_all_are_trusted_the_leftmost_is_the_client() {
        let headers = head(&[("x-forwarded-for", "10.0.0.9, 10.0.0.2")]);
        assert_eq!(resolve(ip("10.0.0.1"), &headers, &trusted(&["10.0.0.0/8"])), Ok(ip("10.0.0.9")));
    }

    #[test]
    fn rubbish_left_of_the_client_does_not_matter() {
        let headers = head(&[("x-forwarded-for", "unknown, 203.0.113.7, 10.0.0.2")]);
        assert_eq!(resolve(ip("10.0.0.1"), &headers, &trusted(&["10.0.0.0/8"])), Ok(ip("203.0.113.7")));
    }

    #[test]
    fn rubbish_where_the_client_should_stand_is_an_error() {
        for value in
            ["unknown, 10.0.0.2", "", "203.0.113.7,", "010.0.0.1", "fe80::1%eth0", "localhost", "1.2.3"]
        {
            let headers = head(&[("x-forwarded-for", value)]);
            let client = resolve(ip("10.0.0.1"), &headers, &trusted(&["10.0.0.0/8"]));
            assert_eq!(client, Err(ClientAddressError::Unreadable), "{value}");
        }
    }

    #[test]
    fn ports_and_brackets_are_understood() {
        for value in
            ["203.0.113.7:4711", "::ffff:203.0.113.7", "[::ffff:203.0.113.7]", "[::ffff:203.0.113.7]:80"]
        {
            let headers = head(&[("x-forwarded-for", value)]);
            assert_eq!(
                resolve(ip("10.0.0.1"), &headers, &Trusted::Everybody),
                Ok(ip("203.0.113.7")),
                "{value}"
            );
        }
    }

    #[test]
    fn a_mapped_peer_is_trusted_as_ipv4() {
        let headers = head(&[("x-forwarded-for", "203.0.113.7")]);
        let client = resolve(ip("::ffff:10.0.0.1"), &headers, &trusted(&["10.0.0.0/8"]));
        assert_eq!(client, Ok(ip("203.0.113.7")));
    }

    #[test]
    fn an_endless_chain_is_refused() {
        let many = vec!["10.0.0.2"; MOST_HOPS + 1].join(",");
        let wide = format!("203.0.113.7{}", " ".repeat(MOST_BYTES));
        for value in [many, wide] {
            let mut headers = HeaderMap::new();
            headers.insert(X_FORWARDED_FOR, HeaderValue::from_str(&value).expect("a value"));
            let client = resolve(ip("10.0.0.1"), &headers, &Trusted::Everybody);
            assert_eq!(client, Err(ClientAddressError::TooLong));
        }
    }

    #[test]
    fn only_a_trusted_peer_names_the_scheme() {
        let headers = head(&[("x-forwarded-proto", "https")]);
        let by = |trusted: &Trusted| scheme(ip("10.0.0.1"), false, &headers, trusted);
        assert_eq!(by(&Trusted::Nobody), Scheme::Http);
        assert_eq!(by(&Trusted::Everybody), Scheme::Https);
    }

    #[test]
    fn two_schemes_or_an_unknown_one_count_for_nothing() {
        let twice = head(&[("x-forwarded-proto", "https"), ("x-forwarded-proto", "https")]);
        for headers in
            [twice, head(&[("x-forwarded-proto", "https, http")]), head(&[("x-forwarded-proto", "bar")])]
        {
            assert_eq!(scheme(ip("10.0.0.1"), false, &headers, &Trusted::Everybody), Scheme::Http);
        }
    }
}
