//! `plugin: hardenCookies`: cookies that the upstream sets leave with Secure, HttpOnly and
//! SameSite=Strict, each `Set-Cookie` line on its own.
//!
//! How hard is said by the process (`EXCHANGE_COOKIE_*`), once for all routers; what a line means is
//! `web::cookie`'s business.

use http::header::{HeaderName, SET_COOKIE};
use serde::Deserialize;

use crate::middleware::Middleware;
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::web::cookie::{Hardening, harden, set_name};
use crate::web::exchange::Exchange;
use crate::web::head::{RequestHead, ResponseHead};

/// Obsolete (RFC 6265 section 9.4), read by nobody who should.
const SET_COOKIE2: HeaderName = HeaderName::from_static("set-cookie2");

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Names of cookies that the upstream's own script has to read: they stay without HttpOnly.
    readable_by_script: Vec<String>,
}

struct HardenCookies {
    hardening: Hardening,
    readable_by_script: Vec<String>,
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let readable_by_script = self.readable_by_script.clone();
        Ok(Compiled::clean(HardenCookies { hardening: parts.cookies.clone(), readable_by_script }))
    }
}

impl HardenCookies {
    fn hardening_of(&self, line: &[u8]) -> Hardening {
        let is_readable = |name: &str| self.readable_by_script.iter().any(|readable| readable == name);
        let http_only = self.hardening.http_only && !set_name(line).is_some_and(is_readable);
        Hardening { http_only, ..self.hardening.clone() }
    }
}

impl Middleware for HardenCookies {
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
                None => tracing::warn!("a Set-Cookie line of the upstream that cannot be read was dropped"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::middleware::scene::{exchange, get, upstream};

    fn after(lines: &[&'static str], readable: &[&str]) -> Vec<String> {
        let readable_by_script = readable.iter().map(|&name| name.to_owned()).collect();
        let middleware = HardenCookies { hardening: Hardening::default(), readable_by_script };
        let mut response = upstream(&[("set-cookie2", "x=y")]);
        for line in lines {
            response.headers_mut().append(SET_COOKIE, HeaderValue::from_static(line));
        }
        middleware.response(&exchange("192.0.2.1", "/"), &get("/", &[]), &mut response);
        assert!(!response.headers().contains_key(SET_COOKIE2));
        let lines = response.headers().get_all(SET_COOKIE).iter();
        lines.map(|line| line.to_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn every_line_stays_its_own_and_is_hardened() {
        let lines = after(&["a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "c=d; Domain=x"], &[]);
        assert_eq!(
            lines,
            [
                "a=b; HttpOnly; SameSite=Strict; Secure; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                "c=d; HttpOnly; SameSite=Strict; Secure",
            ]
        );
    }

    #[test]
    fn an_unreadable_line_takes_no_other_with_it() {
        assert_eq!(after(&["=b", "c=d"], &[]), ["c=d; HttpOnly; SameSite=Strict; Secure"]);
    }

    #[test]
    fn a_cookie_for_scripts_keeps_everything_else() {
        assert_eq!(
            after(&["NEXT_LOCALE=de; Path=/"], &["NEXT_LOCALE"]),
            ["NEXT_LOCALE=de; SameSite=Strict; Secure; Path=/"]
        );
    }
}
