//! What `Connection:` lines name is between two neighbours (RFC 9110 section 7.6.1): of a request it ends before a
//! rule or a middleware could read it, of an answer before a middleware adds to it, as in Traefik. Knows no route.

use http::HeaderMap;
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};

use crate::web::forwarding::is_for_proxies;
use crate::web::head::Headers;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Whether the client has told that it sends no further request (RFC 9112 section 9.6).
pub fn closes(headers: &HeaderMap) -> bool {
    options(headers).any(|option| option.eq_ignore_ascii_case(b"close"))
}

/// Takes out the lines that `Connection:` names, and that line itself. What is left of it asks for the upgrade,
/// where there is one.
pub fn drop_named(headers: &mut dyn Headers) {
    if !headers.map().contains_key(CONNECTION) {
        return;
    }
    let named: Vec<HeaderName> = names(headers.map()).filter(|name| !is_kept(name)).collect();
    let upgrades = headers.map().contains_key(UPGRADE) && names(headers.map()).any(|name| name == UPGRADE);
    if options(headers.map()).any(|option| option.eq_ignore_ascii_case(b"keep-alive")) {
        headers.remove(&KEEP_ALIVE);
    }
    for name in &named {
        headers.remove(name);
    }
    if upgrades {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    } else {
        headers.remove(&CONNECTION);
    }
}

/// Takes out of a service's answer what is between the service and the gateway. How its body ends stays: whoever
/// passes the body on goes by it. Not for an answer that leaves HTTP.
pub fn drop_between(headers: &mut dyn Headers) {
    drop_named(headers);
    for name in [KEEP_ALIVE, PROXY_CONNECTION, PROXY_AUTHENTICATE, TE, TRAILER, CONNECTION, UPGRADE] {
        headers.remove(&name);
    }
}

fn options(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(CONNECTION).iter();
    lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b',')).map(<[u8]>::trim_ascii)
}

/// The names among the options; what can be no name names nothing. The two that every client sends are left
/// out, so that most requests need no name of their own here.
fn names(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    let usual =
        |option: &&[u8]| option.eq_ignore_ascii_case(b"close") || option.eq_ignore_ascii_case(b"keep-alive");
    options(headers).filter(move |option| !usual(option)).flat_map(HeaderName::from_bytes)
}

/// What belongs to the request, whoever forwards it: where it goes, how its body ends, and what proxies say of
/// its client.
fn is_kept(name: &HeaderName) -> bool {
    [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT, UPGRADE, CONNECTION].contains(name)
        || is_for_proxies(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(lines: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        drop_named(&mut headers);
        let text = |value: &HeaderValue| value.to_str().expect("text").to_owned();
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    #[test]
    fn what_any_connection_line_names_is_gone_and_so_are_the_lines() {
        let lines = [
            ("connection", "close, X-A ,x-b"),
            ("x-a", "1"),
            ("x-a", "2"),
            ("x-b", "3"),
            ("connection", ",,authorization,\t"),
            ("authorization", "Basic x"),
            ("keep-alive", "5"),
            ("connection", "keep-alive"),
            ("accept", "*/*"),
        ];
        assert_eq!(left(&lines), [("accept".to_owned(), "*/*".to_owned())]);
    }

    #[test]
    fn host_framing_and_the_word_of_proxies_stay() {
        for name in [
            "host",
            "content-length",
            "transfer-encoding",
            "expect",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-tls-client-cert",
            "x-real-ip",
        ] {
            let expected = [(name.to_owned(), "1".to_owned())];
            assert_eq!(left(&[("connection", name), (name, "1")]), expected, "{name}");
        }
    }

    #[test]
    fn an_upgrade_is_still_asked_for_where_it_is_named() {
        let upgrade = ("upgrade", "websocket");
        let kept = left(&[("connection", "keep-alive, Upgrade, x"), upgrade, ("x", "y")]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(kept, [pair("connection", "Upgrade"), pair("upgrade", "websocket")]);
        assert_eq!(left(&[("connection", "upgrade")]), []);
        assert_eq!(left(&[("connection", "close"), upgrade]), [pair("upgrade", "websocket")]);
    }

    #[test]
    fn what_a_service_says_to_the_gateway_ends_here() {
        let mut headers = HeaderMap::new();
        for name in
            ["keep-alive", "upgrade", "proxy-authenticate", "trailer", "te", "x-hop", "transfer-encoding"]
        {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static("x"));
        }
        headers.append(CONNECTION, HeaderValue::from_static("keep-alive, Upgrade, X-Hop"));
        drop_between(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["transfer-encoding"]);
    }

    #[test]
    fn a_client_closes_by_any_of_its_lines() {
        let closing = |lines: &[&'static str]| {
            let lines = lines.iter().map(|line| (CONNECTION, HeaderValue::from_static(line)));
            closes(&lines.collect())
        };
        assert!(closing(&["close"]) && closing(&["x, Close"]) && closing(&["keep-alive", "close"]));
        assert!(!closing(&[]) && !closing(&["keep-alive"]) && !closing(&["x-close, closed"]));
    }

    #[test]
    fn an_option_that_is_no_name_names_nothing() {
        let kept = left(&[("connection", "\"accept\", a b, :path"), ("accept", "*/*")]);
        assert_eq!(kept, [("accept".to_owned(), "*/*".to_owned())]);
    }
}
