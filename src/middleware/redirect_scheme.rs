//! `redirectScheme`: sends a client to the same URL under another scheme or port.
//!
//! The scheme the client used is the exchange's: X-Forwarded-Proto counts only from a trusted proxy.

use bytes::Bytes;
use http::header::{HeaderValue, LOCATION};
use http::{Method, Response, StatusCode, Uri};
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Middleware, Verdict};
use crate::web::answer::short;
use crate::web::client_address::authority;
use crate::web::exchange::{Exchange, Scheme};
use crate::web::head::{Headers, RequestHead};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    scheme: Option<Spanned<String>>,
    port: Option<Spanned<Port>>,
    permanent: bool,
}

/// Traefik's file wants a text here; people write a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Port {
    Number(u16),
    Text(String),
}

struct RedirectScheme {
    scheme: String,
    /// As it stands in the URL; `None` where it is the scheme's own.
    port: Option<u16>,
    permanent: bool,
}

impl Checked for Spec {
    fn compile(&self, _parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let mut errors = Vec::new();
        let scheme = self.scheme(&mut errors);
        let port = self.port(&mut errors);
        let Some(scheme) = scheme.filter(|_| errors.is_empty()) else { return Err(errors) };
        let port = port.filter(|&port| Some(port) != own_port(&scheme));
        Ok(Compiled::clean(RedirectScheme { scheme, port, permanent: self.permanent }))
    }
}

impl Spec {
    fn scheme(&self, errors: &mut Vec<SpecError>) -> Option<String> {
        let hint = "https";
        let Some(given) = &self.scheme else {
            errors.push(SpecError::whole("`scheme` is missing").hint(hint));
            return None;
        };
        if matches!(given.value.as_str(), "http" | "https" | "ws" | "wss") {
            return Some(given.value.clone());
        }
        let message = format!("`{}` is not one of http, https, ws and wss", given.value);
        errors.push(SpecError::at(given, message).hint(hint));
        None
    }

    fn port(&self, errors: &mut Vec<SpecError>) -> Option<u16> {
        let given = self.port.as_ref()?;
        let number = match &given.value {
            Port::Number(number) => Some(*number),
            Port::Text(text) if text.is_empty() => return None,
            Port::Text(text) => text.parse().ok(),
        };
        let number = number.filter(|&number| number > 0);
        if number.is_none() {
            errors.push(SpecError::at(given, "`port` is a number from 1 to 65535"));
        }
        number
    }
}

fn own_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

impl RedirectScheme {
    /// Whether the client is already where it would be sent.
    fn is_there(&self, exchange: &Exchange, port: Option<u16>) -> bool {
        let same_scheme = match exchange.scheme {
            Scheme::Http => self.scheme == "http",
            Scheme::Https => self.scheme == "https",
        };
        same_scheme && port.filter(|&port| Some(port) != own_port(&self.scheme)) == self.port
    }

    fn location(&self, host: &str, uri: &Uri) -> Option<HeaderValue> {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let target = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
        HeaderValue::from_str(&format!("{}://{host}{port}{target}", self.scheme)).ok()
    }

    fn status(&self, method: &Method) -> StatusCode {
        match (self.permanent, *method == Method::GET) {
            (true, true) => StatusCode::MOVED_PERMANENTLY,
            (true, false) => StatusCode::PERMANENT_REDIRECT,
            (false, true) => StatusCode::FOUND,
            (false, false) => StatusCode::TEMPORARY_REDIRECT,
        }
    }
}

/// Host and port of an authority; `None` when it is not one.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let parsed: http::uri::Authority = authority.parse().ok()?;
    let port = parsed.port_u16();
    let host = &authority[..parsed.host().len()];
    // User information would stand in front of the host; it has no place in a request.
    (host == parsed.host()).then_some((host, port))
}

impl Middleware for RedirectScheme {
    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let refused = || {
            let path = exchange.path.text(head.uri().path());
            Verdict::answer(short(StatusCode::BAD_REQUEST, path, "The request names no host."))
        };
        let headers: &dyn Headers = head;
        let Some((host, port)) = authority(head.uri(), headers.map()).and_then(split) else {
            return refused();
        };
        if self.is_there(exchange, port) {
            return Verdict::pass();
        }
        let Some(location) = self.location(host, head.uri()) else { return refused() };
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = self.status(head.method());
        answer.headers_mut().insert(LOCATION, location);
        Verdict::answer(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::middleware::scene::{answered, compiled, exchange, get, problems, status};

    fn location(yaml: &str, scheme: Scheme, host: &str, target: &str) -> String {
        let exchange = Exchange { scheme, ..exchange("192.0.2.1", "/") };
        let answer = answered(compiled(yaml).request(&exchange, &mut get(target, &[("host", host)])));
        answer.headers()[LOCATION].to_str().expect("text").to_owned()
    }

    #[test]
    fn the_same_url_under_another_scheme_or_port() {
        let table = [
            ("{scheme: https}", Scheme::Http, "a.test", "/x?y=z", "https://a.test/x?y=z"),
            ("{scheme: https}", Scheme::Http, "a.test:80", "/", "https://a.test/"),
            ("{scheme: https, port: 8443}", Scheme::Http, "a.test", "/", "https://a.test:8443/"),
            ("{scheme: https, port: '8443'}", Scheme::Https, "a.test:8000", "/", "https://a.test:8443/"),
            ("{scheme: https, port: 443}", Scheme::Https, "a.test:8000", "/", "https://a.test/"),
            ("{scheme: http, port: 8181}", Scheme::Http, "a.test:8080", "/", "http://a.test:8181/"),
            ("{scheme: wss, port: 9443}", Scheme::Http, "a.test", "/", "wss://a.test:9443/"),
            ("{scheme: https}", Scheme::Http, "[::1]:80", "/", "https://[::1]/"),
        ];
        for (options, scheme, host, target, expected) in table {
            let yaml = format!("redirectScheme: {options}");
            assert_eq!(location(&yaml, scheme, host, target), expected, "{options} {host}");
        }
    }

    #[test]
    fn whoever_is_there_is_not_sent_again() {
        let table = [
            ("{scheme: https}", Scheme::Https, "a.test"),
            ("{scheme: https}", Scheme::Https, "a.test:443"),
            ("{scheme: https, port: 8443}", Scheme::Https, "a.test:8443"),
            ("{scheme: http, port: 80}", Scheme::Http, "a.test"),
        ];
        for (options, scheme, host) in table {
            let exchange = Exchange { scheme, ..exchange("192.0.2.1", "/") };
            let redirect = compiled(&format!("redirectScheme: {options}"));
            let verdict = redirect.request(&exchange, &mut get("/", &[("host", host)]));
            assert_eq!(status(verdict), StatusCode::OK, "{options} {host}");
        }
    }

    #[test]
    fn only_a_get_may_change_its_method() {
        let table = [
            (Method::GET, false, 302),
            (Method::POST, false, 307),
            (Method::GET, true, 301),
            (Method::PUT, true, 308),
        ];
        for (method, permanent, expected) in table {
            let redirect = compiled(&format!("redirectScheme: {{scheme: https, permanent: {permanent}}}"));
            let mut request = get("/", &[("host", "a.test")]);
            *request.method_mut() = method;
            assert_eq!(status(redirect.request(&exchange("192.0.2.1", "/"), &mut request)), expected);
        }
    }

    #[test]
    fn a_host_that_is_none_is_refused() {
        let redirect = compiled("redirectScheme: {scheme: https}");
        for headers in [&[][..], &[("host", "a.test/x")], &[("host", "evil@a.test")], &[("host", "")]] {
            let verdict = redirect.request(&exchange("192.0.2.1", "/"), &mut get("/", headers));
            assert_eq!(status(verdict), StatusCode::BAD_REQUEST, "{headers:?}");
        }
    }

    #[test]
    fn a_scheme_or_port_that_cannot_be_meant_is_refused_with_its_place() {
        assert_eq!(problems("redirectScheme: {}"), ["`scheme` is missing"]);
        let problems = problems("redirectScheme:\n  scheme: ftp\n  port: http\n");
        assert!(
            problems[0].starts_with("2:11 `ftp`") && problems[1].starts_with("3:9 `port`"),
            "{problems:?}"
        );
    }
}
