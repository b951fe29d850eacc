//! `plugin: secureHeaders`: what the desk's answers should have told browsers and caches.
//!
//! Headers that make a browser careful, no sharing with other origins, nothing stored that belongs to a
//! session or to the admin's pages. It stands last in a router's chain, so that what an operator writes
//! under `headers` has the last word. The pages' Content-Security-Policy is another middleware's.

use std::sync::Arc;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderName,
    HeaderValue, ORIGIN, PRAGMA, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;

use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Middleware, Verdict};
use crate::web::answer::short;
use crate::web::cookie::{Sent, cookie_value};
use crate::web::exchange::{Exchange, Scheme};
use crate::web::head::{RequestHead, ResponseHead};
use crate::web::path::is_at_or_below;
use crate::web::sender::Sender;

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// What an answer gets unless it says so itself. Referrers stay within the desk: with none at all a
/// browser would name no origin on the desk's own forms either.
const CAREFUL: [(HeaderName, HeaderValue); 4] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (
        PERMISSIONS_POLICY,
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];
/// A year (RFC 6797 section 6.1).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What lets pages of other origins read an answer.
const SHARED: [HeaderName; 7] = [
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
    ALLOW_PRIVATE_NETWORK,
];

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// False passes the desk's answers as they are.
    enabled: bool,
}

impl Default for Spec {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl Checked for Spec {
    fn compile(&self, _parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        if self.enabled {
            return Ok(Compiled::clean(SecureHeaders));
        }
        let message = "the headers are off: the desk lets every site read its API's answers";
        Ok(Compiled { runs: Arc::new(Off), warnings: vec![SpecError::whole(message)] })
    }
}

/// `enabled: false`.
struct Off;

impl Middleware for Off {}

struct SecureHeaders;

impl Middleware for SecureHeaders {
    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let is_preflight = *head.method() == Method::OPTIONS
            && head.map().contains_key(ORIGIN)
            && head.map().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight || Sender::of(head.map(), head.uri(), Some(exchange.scheme)) == Sender::SameOrigin {
            return Verdict::pass();
        }
        let path = exchange.path.text(head.uri().path());
        Verdict::answer(short(StatusCode::FORBIDDEN, path, "Other sites are not answered here."))
    }

    fn response(&self, exchange: &Exchange, request: &dyn RequestHead, response: &mut dyn ResponseHead) {
        for name in SHARED {
            response.remove(&name);
        }
        for (name, value) in CAREFUL {
            if !response.map().contains_key(&name) {
                response.insert(name, value);
            }
        }
        if exchange.scheme == Scheme::Https && !response.map().contains_key(STRICT_TRANSPORT_SECURITY) {
            response.insert(STRICT_TRANSPORT_SECURITY, HSTS);
        }
        let path = exchange.path.text(request.uri().path());
        if is_private(path, request.map(), response.map()) {
            response.remove(&EXPIRES);
            response.remove(&PRAGMA);
            response.insert(CACHE_CONTROL, NO_STORE);
        }
    }
}

/// Whether nobody may keep the answer: it is an admin's page, or a page or a reply of the API to somebody
/// who has a session. What every build of the desk serves to everybody, such as scripts, may be kept.
fn is_private(path: &str, request: &HeaderMap, response: &HeaderMap) -> bool {
    let kind = response.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    let is_page = kind.eq_ignore_ascii_case("text/html");
    let has_session =
        || request.contains_key(AUTHORIZATION) || cookie_value(request, "session") != Sent::None;
    // What a page is filled with is JSON, from the API or beside the page.
    let is_told = is_page || kind.eq_ignore_ascii_case("application/json") || is_at_or_below(path, "/api");
    (is_page && is_at_or_below(path, "/admin")) || (is_told && has_session())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::middleware::scene::{compile, compiled, exchange, get, status, upstream};

    const PUBLIC: (&str, &str) = ("cache-control", "s-maxage=31536000, stale-while-revalidate");
    const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");

    fn after(scheme: Scheme, path: &str, request: &[(&str, &str)], answer: &[(&str, &str)]) -> HeaderMap {
        let exchange = Exchange { scheme, ..exchange("192.0.2.1", path) };
        let mut response = upstream(answer);
        compiled("plugin: {secureHeaders: {}}").response(&exchange, &get(path, request), &mut response);
        response.headers().clone()
    }

    #[test]
    fn an_answer_tells_a_browser_to_be_careful() {
        let headers = after(Scheme::Http, "/", &[], &[]);
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[X_FRAME_OPTIONS], "DENY");
        assert_eq!(headers[REFERRER_POLICY], "same-origin");
        assert!(headers.contains_key(PERMISSIONS_POLICY));
        assert!(!headers.contains_key(STRICT_TRANSPORT_SECURITY));
        assert_eq!(after(Scheme::Https, "/", &[], &[])[STRICT_TRANSPORT_SECURITY], "max-age=31536000");
    }

    #[test]
    fn an_answer_that_is_more_careful_stays_so() {
        let headers = after(Scheme::Https, "/", &[], &[("referrer-policy", "no-referrer")]);
        assert_eq!(headers[REFERRER_POLICY], "no-referrer");
    }

    #[test]
    fn nothing_is_shared_with_other_origins() {
        let shared = [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET, POST"),
            ("access-control-allow-headers", "*"),
            ("access-control-expose-headers", "*"),
            ("access-control-max-age", "600"),
            ("access-control-allow-private-network", "true"),
        ];
        let headers = after(Scheme::Http, "/api/v1/x", &[], &shared);
        assert!(!headers.keys().any(|name| name.as_str().starts_with("access-control")), "{headers:?}");
    }

    #[test]
    fn a_preflight_of_another_site_is_refused_and_any_other_question_is_not() {
        let asked = |method: &str, headers: &[(&str, &str)]| {
            let mut request = get("/api/v1/x", headers);
            *request.method_mut() = method.parse().expect("a method");
            let guard = compiled("plugin: {secureHeaders: {}}");
            status(guard.request(&exchange("192.0.2.1", "/api/v1/x"), &mut request))
        };
        let preflight = [
            ("host", "desk.example"),
            ("origin", "https://evil.example"),
            ("access-control-request-method", "PUT"),
        ];
        assert_eq!(asked("OPTIONS", &preflight), StatusCode::FORBIDDEN);
        let own = [("host", "desk.example"), ("origin", "http://desk.example"), preflight[2]];
        assert_eq!(asked("OPTIONS", &own), StatusCode::OK);
        assert_eq!(asked("OPTIONS", &preflight[..2]), StatusCode::OK);
        assert_eq!(asked("GET", &preflight), StatusCode::OK);
    }

    #[test]
    fn what_belongs_to_a_session_or_an_admin_is_stored_nowhere() {
        let session = ("authorization", "Bearer x");
        let cookie = ("cookie", "a=b; session=x");
        type Lines<'l> = &'l [(&'l str, &'l str)];
        let table: [(&str, Lines<'_>, Lines<'_>, bool); 10] = [
            ("/admin/smtp", &[], &[HTML, PUBLIC], true),
            ("/", &[session], &[HTML, PUBLIC], true),
            ("/", &[cookie], &[HTML, PUBLIC], true),
            ("/api/v1/tickets/all", &[session], &[("content-type", "application/json")], true),
            ("/_next/data/b/de.json", &[session], &[("content-type", "application/json"), PUBLIC], true),
            ("/", &[], &[HTML, PUBLIC], false),
            ("/auth/login", &[("cookie", "NEXT_LOCALE=de")], &[HTML, PUBLIC], false),
            ("/_next/static/a.js", &[session], &[("content-type", "text/javascript"), PUBLIC], false),
            ("/logo.svg", &[cookie], &[("content-type", "image/svg+xml"), PUBLIC], false),
            ("/api/v1/auth/check", &[], &[("content-type", "application/json")], false),
        ];
        for (path, request, answer, is_private) in table {
            let headers = after(Scheme::Http, path, request, answer);
            let is_kept_from = headers.get(CACHE_CONTROL).is_some_and(|value| value == "no-store");
            assert_eq!(is_kept_from, is_private, "{path} {request:?}");
        }
    }

    #[test]
    fn off_is_off_and_is_warned_of() {
        let off = compile("plugin: {secureHeaders: {enabled: false}}").expect("it can work");
        assert_eq!(off.warnings.len(), 1);
        let mut response = upstream(&[("access-control-allow-origin", "*")]);
        off.runs.response(&exchange("192.0.2.1", "/"), &get("/", &[]), &mut response);
        assert_eq!(response.headers().len(), 1);
    }
}
