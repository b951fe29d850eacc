//! An entry point that only sends clients to another one.

use bytes::Bytes;
use http::header::{HeaderValue, LOCATION};
use http::{Method, Response, StatusCode};
use pingora::http::RequestHeader;

use super::context::authority;
use crate::config::Redirection;
use crate::web::answer::{Answer, short};
use crate::web::exchange::Scheme;

/// The same target on the other entry point. Only a GET may change into one, so other methods get the
/// codes that keep them.
pub fn answer(redirection: &Redirection, head: &RequestHeader) -> Answer {
    let Some(location) = location(redirection, head) else {
        return short(StatusCode::BAD_REQUEST, head.uri.path(), "The host cannot be redirected.");
    };
    let get = head.method == Method::GET;
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = match (redirection.permanent, get) {
        (true, true) => StatusCode::MOVED_PERMANENTLY,
        (true, false) => StatusCode::PERMANENT_REDIRECT,
        (false, true) => StatusCode::FOUND,
        (false, false) => StatusCode::TEMPORARY_REDIRECT,
    };
    answer.headers_mut().insert(LOCATION, location);
    answer
}

fn location(redirection: &Redirection, head: &RequestHeader) -> Option<HeaderValue> {
    let authority = authority(head);
    let host = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    };
    let scheme = redirection.scheme.as_str();
    let target = std::str::from_utf8(head.raw_path()).ok()?;
    let location = match (redirection.scheme, redirection.port) {
        (Scheme::Http, 80) | (Scheme::Https, 443) => format!("{scheme}://{host}{target}"),
        (_, port) => format!("{scheme}://{host}:{port}{target}"),
    };
    HeaderValue::from_str(&location).ok().filter(|_| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: &str, target: &str, host: &str) -> RequestHeader {
        let mut head = RequestHeader::build(method, target.as_bytes(), None).expect("a head");
        head.insert_header("Host", host).expect("a header");
        head
    }

    #[test]
    fn the_target_stays_and_the_port_is_named_only_where_unusual() {
        for (port, expected) in
            [(443, "https://desk.example/a?b=c"), (8443, "https://desk.example:8443/a?b=c")]
        {
            let redirection = Redirection { scheme: Scheme::Https, port, permanent: true };
            let answer = answer(&redirection, &head("GET", "/a?b=c", "desk.example:8080"));
            assert_eq!(answer.headers()[LOCATION], expected);
        }
    }

    #[test]
    fn the_code_keeps_every_method_but_get() {
        for (permanent, method, code) in
            [(true, "GET", 301), (true, "POST", 308), (false, "GET", 302), (false, "POST", 307)]
        {
            let redirection = Redirection { scheme: Scheme::Https, port: 443, permanent };
            assert_eq!(answer(&redirection, &head(method, "/", "[::1]:80")).status(), code, "{method}");
        }
    }

    #[test]
    fn a_target_with_two_slashes_stays_on_our_host() {
        let redirection = Redirection { scheme: Scheme::Https, port: 443, permanent: true };
        let answer = answer(&redirection, &head("GET", "//evil.example/", "desk.example"));
        assert_eq!(answer.headers()[LOCATION], "https://desk.example//evil.example/");
    }
}
