//! `Set-Cookie` lines of an upstream, rebuilt with the attributes they should have had; `sent` has the
//! `Cookie` lines of a request.
//!
//! A line that cannot be understood is dropped, never passed on half-understood. This file does not know
//! whose cookies they are, the gateway's own excepted: nobody else may set or get those.

mod sent;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use cookie::{Cookie, SameSite};
use http::header::{HeaderValue, SET_COOKIE};

pub use self::sent::{CookieError, Sent, check_cookies, cookie_value, tidy_cookies};

use crate::web::head::Headers;

/// Longest name and value together, longest attribute (RFC 6265bis section 5.6).
const LONGEST_PAIR: usize = 4096;
const LONGEST_ATTRIBUTE: usize = 1024;
/// 400 days, in seconds: browsers keep none longer (RFC 6265bis section 5.5).
const LONGEST_LIFE: i64 = 400 * 24 * 3600;

/// What the names of the gateway's own cookies begin with, in any case.
const OWN: &str = "__Host-mintgate";

/// The attributes every cookie leaves with. A `false` adds nothing and takes nothing away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardening {
    pub secure: bool,
    pub http_only: bool,
    /// At least this strict.
    pub same_site: SameSite,
    /// Whether one that is meant for one top-level site only stays so; otherwise it becomes an ordinary one.
    pub partitioned: bool,
}

impl Default for Hardening {
    fn default() -> Self {
        Self { secure: true, http_only: true, same_site: SameSite::Strict, partitioned: false }
    }
}

/// The line with every attribute rebuilt and standing once: Domain goes, Path, Max-Age (400 days at most)
/// and Expires stay (so that a deletion still deletes), and a name's prefix gets what it demands
/// (`__Host-`, `__Secure-`, `__Http-`, `__Host-Http-`, in any case). `None`: to be dropped.
pub fn harden(line: &[u8], hardening: &Hardening) -> Option<HeaderValue> {
    let text =
        std::str::from_utf8(line).ok().filter(|text| text.bytes().all(|byte| matches!(byte, b' '..=b'~')))?;
    let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
    let (name, value) = pair.split_once('=').map(|(name, value)| (name.trim(), value.trim()))?;
    if !is_name(name) || name.len() + value.len() > LONGEST_PAIR {
        return None;
    }
    let prefix = Prefix::of(name);
    let mut cookie = Cookie::new(name, value);
    let mut expires = None;
    for attribute in attributes.split(';') {
        keep(attribute, &mut cookie, &mut expires);
    }
    if !hardening.partitioned {
        cookie.set_partitioned(None);
    }
    if hardening.secure || prefix.demands_secure() {
        cookie.set_secure(true);
    }
    if hardening.http_only || prefix.demands_http_only() {
        cookie.set_http_only(true);
    }
    cookie.set_same_site(stricter(cookie.same_site(), hardening.same_site));
    if cookie.same_site() == Some(SameSite::None) || cookie.partitioned() == Some(true) {
        // Browsers refuse both without it.
        cookie.set_secure(true);
    }
    if prefix.demands_root_path() {
        cookie.set_path("/");
    }
    written(&cookie, expires)
}

/// Takes over one attribute, the last of its kind winning (RFC 6265bis section 5.7). Expires is kept as
/// text: browsers read more kinds of dates than any grammar names.
fn keep<'l>(attribute: &'l str, cookie: &mut Cookie<'l>, expires: &mut Option<&'l str>) {
    let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
    let (key, value) = (key.trim(), value.trim());
    if value.len() > LONGEST_ATTRIBUTE {
        return;
    }
    match key.to_ascii_lowercase().as_str() {
        "secure" => cookie.set_secure(true),
        "httponly" => cookie.set_http_only(true),
        "partitioned" => cookie.set_partitioned(true),
        "path" if value.starts_with('/') => cookie.set_path(value),
        "path" => cookie.unset_path(),
        "expires" if !value.is_empty() => *expires = Some(value),
        "max-age" => {
            if let Some(seconds) = max_age(value) {
                cookie.set_max_age(cookie::time::Duration::seconds(seconds));
            }
        }
        "samesite" => cookie.set_same_site(same_site(value)),
        _ => {}
    }
}

/// Seconds; a negative age means "at once", one that is no number means nothing.
fn max_age(value: &str) -> Option<i64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if value.starts_with('-') {
        return Some(0);
    }
    Some(digits.parse().unwrap_or(i64::MAX).min(LONGEST_LIFE))
}

fn same_site(value: &str) -> Option<SameSite> {
    [("strict", SameSite::Strict), ("lax", SameSite::Lax), ("none", SameSite::None)]
        .into_iter()
        .find(|(name, _)| value.eq_ignore_ascii_case(name))
        .map(|(_, same_site)| same_site)
}

fn stricter(theirs: Option<SameSite>, ours: SameSite) -> SameSite {
    match (theirs, ours) {
        (Some(SameSite::Strict), _) | (_, SameSite::Strict) => SameSite::Strict,
        (Some(SameSite::Lax), _) | (_, SameSite::Lax) => SameSite::Lax,
        (_, SameSite::None) => SameSite::None,
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';'))
}

fn written(cookie: &Cookie<'_>, expires: Option<&str>) -> Option<HeaderValue> {
    let mut line = String::new();
    write!(line, "{cookie}").ok()?;
    if let Some(expires) = expires {
        line.push_str("; Expires=");
        line.push_str(expires);
    }
    HeaderValue::from_str(&line).ok()
}

/// What a cookie's name promises about its attributes (RFC 6265bis section 4.1.3). Browsers compare
/// without regard to case; some servers do not, so neither may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    None,
    Secure,
    Host,
    Http,
    HostHttp,
}

impl Prefix {
    fn of(name: &str) -> Self {
        let starts =
            |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        // The longest first: `__Host-Http-` is also a `__Host-`.
        match () {
            () if starts("__Host-Http-") => Self::HostHttp,
            () if starts("__Host-") => Self::Host,
            () if starts("__Http-") => Self::Http,
            () if starts("__Secure-") => Self::Secure,
            () => Self::None,
        }
    }

    fn demands_secure(self) -> bool {
        self != Self::None
    }

    fn demands_http_only(self) -> bool {
        matches!(self, Self::Http | Self::HostHttp)
    }

    fn demands_root_path(self) -> bool {
        matches!(self, Self::Host | Self::HostHttp)
    }
}

/// The name a `Set-Cookie` line sets, where it sets one.
pub fn set_name(line: &[u8]) -> Option<&str> {
    let name = line.split(|&byte| byte == b'=').next()?;
    std::str::from_utf8(name).ok().map(str::trim)
}

/// Whether a cookie's name is one of the gateway's own.
fn is_own(name: &[u8]) -> bool {
    name.get(..OWN.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN.as_bytes()))
}

/// Removes the lines by which an upstream would set one of the gateway's own cookies.
pub fn drop_own_set_cookies(headers: &mut dyn Headers) {
    let lines = headers.map().get_all(SET_COOKIE);
    if !lines.iter().any(|line| set_name(line.as_bytes()).is_some_and(|name| is_own(name.as_bytes()))) {
        return;
    }
    let all: Vec<HeaderValue> = lines.iter().cloned().collect();
    headers.remove(&SET_COOKIE);
    for line in all {
        if !set_name(line.as_bytes()).is_some_and(|name| is_own(name.as_bytes())) {
            headers.append(SET_COOKIE, line);
        }
    }
}
