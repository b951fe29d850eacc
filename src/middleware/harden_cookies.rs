//! `plugin: hardenCookies`: cookies that the upstream sets leave with Secure, HttpOnly and
//! SameSite=Strict, each `Set-Cookie` line on its own; requests whose cookies nobody can read for sure do
//! not arrive.
//!
//! How hard is said by the process (`EXCHANGE_COOKIE_*`), once for all routers, and by exceptions for single
//! cookies here; what a line means is `web::cookie`'s business.

use std::collections::BTreeMap;

use cookie::SameSite;
use http::StatusCode;
use http::header::{HeaderName, SET_COOKIE};
use prometheus_client::metrics::counter::Counter;
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Middleware, Verdict};
use crate::web::answer::short;
use crate::web::cookie::{CookieError, Hardening, check_cookies, harden, set_name};
use crate::web::exchange::Exchange;
use crate::web::head::{RequestHead, ResponseHead};

/// Obsolete (RFC 6265 section 9.4), read by nobody who should.
const SET_COOKIE2: HeaderName = HeaderName::from_static("set-cookie2");
/// Where the desk's web client keeps its session.
const SESSION: &str = "session";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Names of cookies that the upstream's own script has to read: they stay without HttpOnly.
    readable: Vec<String>,
    /// Cookies that other sites' links or pages have to bring: `lax` or `none` by name.
    same_site: BTreeMap<String, Spanned<String>>,
    /// Names of cookies that may be Partitioned.
    partitioned: Vec<String>,
}

struct HardenCookies {
    hardening: Hardening,
    readable: Vec<String>,
    same_site: BTreeMap<String, SameSite>,
    partitioned: Vec<String>,
    dropped: Counter,
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let mut errors = Vec::new();
        let mut same_site = BTreeMap::new();
        for (name, text) in &self.same_site {
            match text.value.to_ascii_lowercase().as_str() {
                "strict" => drop(same_site.insert(name.clone(), SameSite::Strict)),
                "lax" => drop(same_site.insert(name.clone(), SameSite::Lax)),
                "none" => drop(same_site.insert(name.clone(), SameSite::None)),
                _ => errors.push(SpecError::at(text, "SameSite is `strict`, `lax` or `none`")),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Compiled::clean(HardenCookies {
            hardening: parts.cookies.clone(),
            readable: self.readable.clone(),
            same_site,
            partitioned: self.partitioned.clone(),
            dropped: parts.dropped_cookies.clone(),
        }))
    }
}

impl HardenCookies {
    fn hardening_of(&self, line: &[u8]) -> Hardening {
        let Some(name) = set_name(line) else { return self.hardening.clone() };
        let is_in = |names: &[String]| names.iter().any(|listed| listed == name);
        Hardening {
            secure: self.hardening.secure,
            http_only: self.hardening.http_only && !is_in(&self.readable),
            same_site: self.same_site.get(name).copied().unwrap_or(self.hardening.same_site),
            partitioned: is_in(&self.partitioned),
        }
    }
}

impl Middleware for HardenCookies {
    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let (status, sentence) = match check_cookies(head.map(), &[SESSION]) {
            Ok(()) => return Verdict::pass(),
            Err(CookieError::Twice) => (StatusCode::BAD_REQUEST, "A cookie stands there twice."),
            Err(CookieError::TooLong | CookieError::TooMany) => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "There are too many cookies.")
            }
        };
        Verdict::answer(short(status, exchange.path.text(head.uri().path()), sentence))
    }

    fn response(&self, _exchange: &Exchange, _request: &dyn RequestHead, response: &mut dyn ResponseHead) {
        response.remove(&SET_COOKIE2);
        let lines: Vec<_> = response.map().get_all(SET_COOKIE).iter().cloned().collect();
        if lines.is_empty() {
            return;
        }
        response.remove(&SET_COOKIE);
        for line in &lines {
            match harden(line.as_bytes(), &self.hardening_of(line.as_bytes())) {
                Some(hardened) => response.append(SET_COOKIE, hardened),
                None => {
                    self.dropped.inc();
                    tracing::warn!("a Set-Cookie line of the upstream that cannot be read was dropped");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::middleware::scene::{compiled, exchange, get, parts, problems, status, upstream};

    fn response(middleware: &dyn Middleware, lines: &[&'static str]) -> Vec<String> {
        let mut response = upstream(&[("set-cookie2", "x=y")]);
        for line in lines {
            response.headers_mut().append(SET_COOKIE, HeaderValue::from_static(line));
        }
        middleware.response(&exchange("192.0.2.1", "/"), &get("/", &[]), &mut response);
        assert!(!response.headers().contains_key(SET_COOKIE2));
        let lines = response.headers().get_all(SET_COOKIE).iter();
        lines.map(|line| line.to_str().expect("text").to_owned()).collect()
    }

    fn after(yaml: &str, lines: &[&'static str]) -> Vec<String> {
        response(&*compiled(&format!("plugin: {{hardenCookies: {{{yaml}}}}}")), lines)
    }

    #[test]
    fn every_line_stays_its_own_and_is_hardened() {
        let lines = after("", &["a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "c=d; Domain=x"]);
        assert_eq!(
            lines,
            [
                "a=b; HttpOnly; SameSite=Strict; Secure; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                "c=d; HttpOnly; SameSite=Strict; Secure",
            ]
        );
    }

    #[test]
    fn an_unreadable_line_takes_no_other_with_it_and_is_counted() {
        let parts = parts(std::sync::Arc::new(crate::desk::scripted::Scripted::desk()));
        let runs = Spec::default().compile(&parts).unwrap_or_else(|errors| panic!("{errors:?}")).runs;
        assert_eq!(response(&*runs, &["=b", "c=d", "e"]), ["c=d; HttpOnly; SameSite=Strict; Secure"]);
        assert_eq!(parts.dropped_cookies.get(), 2);
    }

    #[test]
    fn an_exception_is_for_its_cookie_and_its_attribute_only() {
        assert_eq!(
            after("readable: [NEXT_LOCALE]", &["NEXT_LOCALE=de; Path=/", "next_locale=de"]),
            [
                "NEXT_LOCALE=de; SameSite=Strict; Secure; Path=/",
                "next_locale=de; HttpOnly; SameSite=Strict; Secure"
            ]
        );
        assert_eq!(
            after(
                "sameSite: {sso: lax, widget: none}",
                &["sso=1; SameSite=None", "widget=1", "a=1; SameSite=Lax"]
            ),
            [
                "sso=1; HttpOnly; SameSite=Lax; Secure",
                "widget=1; HttpOnly; SameSite=None; Secure",
                "a=1; HttpOnly; SameSite=Strict; Secure",
            ]
        );
        let kept = after("partitioned: [widget]", &["widget=1; Partitioned", "a=1; Partitioned"]);
        assert!(kept[0].contains("; Partitioned") && !kept[1].contains("Partitioned"), "{kept:?}");
    }

    #[test]
    fn a_request_is_refused_when_its_cookies_can_be_read_in_two_ways() {
        let middleware = compiled("plugin: {hardenCookies: {}}");
        let ask = |cookies: &str| {
            let mut request = get("/", &[("cookie", cookies)]);
            status(middleware.request(&exchange("192.0.2.1", "/"), &mut request)).as_u16()
        };
        assert_eq!(ask("session=x; a=b"), 200);
        assert_eq!(ask("session=x; session=y"), 400);
        assert_eq!(ask(&"a=b;".repeat(200)), 431);
        assert_eq!(ask(&"a".repeat(9000)), 431);
    }

    #[test]
    fn a_same_site_that_is_none_of_the_three_is_told() {
        assert_eq!(
            problems("plugin:\n  hardenCookies:\n    sameSite: {a: loose}\n"),
            ["3:19 SameSite is `strict`, `lax` or `none`"]
        );
    }
}
