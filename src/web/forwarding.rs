//! The forwarding headers: what a client wrote is removed, what the upstream is told is rebuilt.
//!
//! Nothing a client writes about itself survives. Who the client is has been settled elsewhere.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{CONNECTION, HeaderName, HeaderValue, UPGRADE};

use crate::web::exchange::{Exchange, Scheme};
use crate::web::head::Headers;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Removes every header by which a request could speak for a proxy: who the client or its user is, what
/// it asked for originally, which method is really meant, and every name with another sign than letters, digits
/// and hyphens, which many upstreams read as a hyphen.
pub fn strip_forwarding(headers: &mut dyn Headers) {
    let forbidden: Vec<HeaderName> =
        headers.map().keys().filter(|name| speaks_for_a_proxy(name)).cloned().collect();
    for name in &forbidden {
        headers.remove(name);
    }
}

fn speaks_for_a_proxy(name: &HeaderName) -> bool {
    const EXACT: [&str; 26] = [
        "forwarded",
        "x-forwarded",
        "forwarded-for",
        "x-real-ip",
        "x-scheme",
        "x-client-ip",
        "x-cluster-client-ip",
        "cf-connecting-ip",
        "cf-connecting-ipv6",
        "true-client-ip",
        "fastly-client-ip",
        "x-remote-ip",
        "x-remote-addr",
        "x-rewrite-url",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-nextjs-rewrite",
        "x-matched-path",
        "x-now-route-matches",
        "x-host",
        "x-url",
        "x-http-host-override",
        "remote-user",
        "x-webauth-user",
        // Programs started by CGI read it as their proxy (CVE-2016-5385).
        "proxy",
    ];
    const PREFIXES: [&str; 7] = [
        "x-forwarded-",
        "x-original-",
        "x-middleware-",
        "x-forward-",
        "x-invoke-",
        "x-remote-",
        "x-auth-request-",
    ];
    let name = name.as_str();
    let is_alias = !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_alias || EXACT.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether proxies tell each other of the client and the request by it. A client's `Connection:` line has no say
/// in it.
pub fn is_for_proxies(name: &HeaderName) -> bool {
    *name == X_REAL_IP || name.as_str().starts_with("x-forwarded-")
}

/// Whether it is one of the headers that [`complete_forwarding`] writes.
pub fn is_completed(name: &HeaderName) -> bool {
    [X_REAL_IP, X_FORWARDED_PROTO, X_FORWARDED_PORT, X_FORWARDED_HOST].contains(name)
}

/// Writes where it is absent what rules and middlewares find in every request behind Traefik: the peer, and
/// how and for which `host` it asked.
pub fn complete_forwarding(headers: &mut dyn Headers, peer: IpAddr, scheme: Scheme, host: &str) {
    let mut complete = |name: HeaderName, value: &dyn Fn(&HeaderMap) -> Option<HeaderValue>| {
        if headers.map().get(&name).is_none_or(HeaderValue::is_empty)
            && let Some(value) = value(headers.map())
        {
            headers.insert(name, value);
        }
    };
    complete(X_REAL_IP, &|_| Some(header_value(&peer.to_string())));
    complete(X_FORWARDED_PROTO, &|map| Some(HeaderValue::from_static(forwarded_scheme(map, scheme))));
    complete(X_FORWARDED_PORT, &|_| Some(header_value(&forwarded_port(scheme, host).to_string())));
    complete(X_FORWARDED_HOST, &|_| HeaderValue::from_str(host).ok().filter(|host| !host.is_empty()));
}

/// Writes what the upstream is told about the client, one value each, in place of whatever was there.
/// `host` is the authority the client asked for, with its port if it named one.
///
/// The desk believes the leftmost X-Forwarded-For, so the list has exactly one entry.
pub fn write_forwarding(headers: &mut dyn Headers, exchange: &Exchange, host: &str) {
    let client = header_value(&exchange.client.to_string());
    headers.insert(X_REAL_IP, client.clone());
    headers.insert(X_FORWARDED_FOR, client);
    headers.insert(
        X_FORWARDED_PROTO,
        HeaderValue::from_static(forwarded_scheme(headers.map(), exchange.scheme)),
    );
    headers.insert(X_FORWARDED_PORT, header_value(&forwarded_port(exchange.scheme, host).to_string()));
    match HeaderValue::from_str(host) {
        Ok(host) => headers.insert(X_FORWARDED_HOST, host),
        Err(_) => headers.remove(&X_FORWARDED_HOST),
    }
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("addresses and ports are visible ASCII")
}

/// Traefik names the WebSocket schemes too.
fn forwarded_scheme(headers: &HeaderMap, scheme: Scheme) -> &'static str {
    match (scheme, is_websocket(headers)) {
        (Scheme::Http, false) => "http",
        (Scheme::Https, false) => "https",
        (Scheme::Http, true) => "ws",
        (Scheme::Https, true) => "wss",
    }
}

/// The port the client named, otherwise its scheme's own.
fn forwarded_port(scheme: Scheme, host: &str) -> u16 {
    let named = host
        .rsplit_once(':')
        .filter(|(_, port)| !port.ends_with(']'))
        .and_then(|(_, port)| port.parse().ok());
    named.unwrap_or(match scheme {
        Scheme::Https => 443,
        Scheme::Http => 80,
    })
}

/// Whether the request asks for the WebSocket protocol (RFC 6455 section 4.1).
pub fn is_websocket(headers: &HeaderMap) -> bool {
    has_token(headers, &CONNECTION, "upgrade") && has_token(headers, &UPGRADE, "websocket")
}

/// Whether one of the comma-separated values of `name` is `token`.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter();
    let mut values = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    values.any(|value| value.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::path::canonical;

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

    fn exchange(client: &str, scheme: Scheme) -> Exchange {
        Exchange {
            peer: ip("192.0.2.1"),
            client: ip(client),
            scheme,
            tls: scheme == Scheme::Https,
            port: 8443,
            path: canonical("/", &[]).expect("a path"),
        }
    }

    #[test]
    fn no_word_of_a_client_about_itself_survives() {
        let mut headers = head(&[
            ("forwarded", "for=10.0.0.1"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-prefix", "/x"),
            ("x-forwarded-tls-client-cert", "x"),
            ("x-real-ip", "10.0.0.1"),
            ("x-scheme", "https"),
            ("cf-connecting-ip", "10.0.0.1"),
            ("true-client-ip", "10.0.0.1"),
            ("x-client-ip", "10.0.0.1"),
            ("x-original-url", "/admin"),
            ("x-rewrite-url", "/admin"),
            ("x-http-method-override", "DELETE"),
            ("x-middleware-subrequest", "middleware"),
            ("x_forwarded_for", "10.0.0.1"),
            ("x.forwarded.for", "10.0.0.1"),
            ("x!real~ip", "10.0.0.1"),
            ("proxy", "http://evil.example"),
            ("x-invoke-path", "/admin"),
            ("x-invoke-status", "200"),
            ("x-matched-path", "/admin"),
            ("remote-user", "admin"),
            ("x-remote-user", "admin"),
            ("x-auth-request-email", "admin"),
            ("accept", "*/*"),
        ]);
        strip_forwarding(&mut headers);
        assert_eq!(headers, head(&[("accept", "*/*")]));
    }

    #[test]
    fn the_upstream_is_told_one_value_each() {
        let mut headers = head(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "7.7.7.7")]);
        write_forwarding(&mut headers, &exchange("203.0.113.7", Scheme::Https), "desk.example.com");
        let expected = head(&[
            ("x-forwarded-for", "203.0.113.7"),
            ("x-real-ip", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "443"),
            ("x-forwarded-host", "desk.example.com"),
        ]);
        assert_eq!(headers, expected);
    }

    #[test]
    fn what_a_proxy_has_said_is_completed_and_not_replaced() {
        let told = [("x-real-ip", "203.0.113.7"), ("x-forwarded-proto", "https")];
        let mut headers = head(&told);
        complete_forwarding(&mut headers, ip("10.0.0.1"), Scheme::Https, "desk.example");
        let all = [told[0], told[1], ("x-forwarded-port", "443"), ("x-forwarded-host", "desk.example")];
        assert_eq!(headers, head(&all));
        assert!(all.iter().all(|(name, _)| is_completed(&HeaderName::from_static(name))));
    }

    #[test]
    fn the_port_is_the_one_the_client_named() {
        let told = |host| forwarded_port(Scheme::Http, host);
        assert_eq!(
            [told("a.test:8080"), told("[::1]:81"), told("[::1]"), told("a.test")],
            [8080, 81, 80, 80]
        );
    }

    #[test]
    fn a_websocket_keeps_its_scheme() {
        let mut headers = head(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]);
        write_forwarding(&mut headers, &exchange("203.0.113.7", Scheme::Https), "a.test");
        assert_eq!(headers[X_FORWARDED_PROTO], "wss");
    }
}
