//! `Set-Cookie` lines of an upstream, rebuilt with the attributes they should have had; and the `Cookie`
//! lines of a request.
//!
//! A line that cannot be understood is dropped, never passed on half-understood. This file does not know
//! whose cookies they are.

use std::fmt::Write as _;

use cookie::{Cookie, SameSite};
use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

use crate::web::head::Headers;

/// Longest name and value together, longest attribute (RFC 6265bis section 5.6).
const LONGEST_PAIR: usize = 4096;
const LONGEST_ATTRIBUTE: usize = 1024;
/// What a request may carry in cookies.
const LONGEST_REQUEST_COOKIES: usize = 8192;
const MOST_REQUEST_COOKIES: usize = 100;

/// The attributes every cookie leaves with. A `false` adds nothing and takes nothing away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardening {
    pub secure: bool,
    pub http_only: bool,
    /// At least this strict.
    pub same_site: SameSite,
}

impl Default for Hardening {
    fn default() -> Self {
        Self { secure: true, http_only: true, same_site: SameSite::Strict }
    }
}

/// The line with every attribute rebuilt and standing once: Domain and Partitioned go, Path, Max-Age and
/// Expires stay (so that a deletion still deletes), and a name's prefix gets what it demands
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
    if hardening.secure || prefix.demands_secure() {
        cookie.set_secure(true);
    }
    if hardening.http_only || prefix.demands_http_only() {
        cookie.set_http_only(true);
    }
    cookie.set_same_site(stricter(cookie.same_site(), hardening.same_site));
    if cookie.same_site() == Some(SameSite::None) {
        // Browsers refuse SameSite=None without it.
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
    Some(digits.parse().unwrap_or(i64::MAX))
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

/// How often a cookie came with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent<'h> {
    None,
    One(&'h str),
    /// More than once, or not readable: nobody can say which value the upstream would take.
    Several,
}

/// The cookie `name` of a request, over all its `Cookie` lines.
pub fn cookie_value<'h>(headers: &'h HeaderMap, name: &str) -> Sent<'h> {
    let lines = || headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let pairs = || lines().flat_map(|line| line.split(|&byte| byte == b';'));
    let too_much = lines().map(<[u8]>::len).sum::<usize>() > LONGEST_REQUEST_COOKIES
        || pairs().nth(MOST_REQUEST_COOKIES).is_some();
    let mut found = Sent::None;
    for pair in pairs() {
        let Some(at) = pair.iter().position(|&byte| byte == b'=') else { continue };
        if pair[..at].trim_ascii() != name.as_bytes() {
            continue;
        }
        found = match (found, std::str::from_utf8(pair[at + 1..].trim_ascii())) {
            (Sent::None, Ok(value)) if !too_much => Sent::One(value),
            _ => Sent::Several,
        };
    }
    found
}

/// Makes one `Cookie` line of several, as HTTP/2 clients send them (RFC 9113 section 8.2.3): an HTTP/1
/// server may look at the first one alone.
pub fn join_cookie_lines(headers: &mut dyn Headers) {
    let lines: Vec<&[u8]> = headers.map().get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() > 1 {
        let line = HeaderValue::from_bytes(&lines.join(b"; ".as_slice()));
        headers.insert(COOKIE, line.expect("header values stay one when joined"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hardened(line: &str) -> Option<String> {
        harden(line.as_bytes(), &Hardening::default()).map(|value| value.to_str().expect("ASCII").to_owned())
    }

    #[test]
    fn attributes_are_rebuilt_and_stand_once() {
        let table = [
            ("a=b", "a=b; HttpOnly; SameSite=Strict; Secure"),
            ("a=b; secure; HTTPONLY; SameSite=None", "a=b; HttpOnly; SameSite=Strict; Secure"),
            ("a=b; SameSite=Lax; samesite=None; Secure=x", "a=b; HttpOnly; SameSite=Strict; Secure"),
            (
                "a=b; Path=/x; Domain=.example.com; Partitioned",
                "a=b; HttpOnly; SameSite=Strict; Secure; Path=/x",
            ),
            ("a=b; Path=/x; Path=/y", "a=b; HttpOnly; SameSite=Strict; Secure; Path=/y"),
            ("a=b; Path=relative", "a=b; HttpOnly; SameSite=Strict; Secure"),
            ("a=b; ; ;Foo=bar", "a=b; HttpOnly; SameSite=Strict; Secure"),
            (" a = b c ", "a=b c; HttpOnly; SameSite=Strict; Secure"),
            ("a=", "a=; HttpOnly; SameSite=Strict; Secure"),
            ("a=\"x=y\"", "a=\"x=y\"; HttpOnly; SameSite=Strict; Secure"),
        ];
        for (line, expected) in table {
            assert_eq!(hardened(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn a_deletion_still_deletes() {
        let table = [
            ("a=; Max-Age=0", "; Max-Age=0"),
            ("a=; Max-Age=-5", "; Max-Age=0"),
            ("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
            ("a=; Expires=Thu Jan 1 1970 00:00:00 UTC", "; Expires=Thu Jan 1 1970 00:00:00 UTC"),
            ("a=; max-age=5; Expires=x, 1", "; Max-Age=5; Expires=x, 1"),
        ];
        for (line, end) in table {
            let hardened = hardened(line).expect(line);
            assert!(hardened.ends_with(end), "{hardened}");
        }
    }

    #[test]
    fn an_age_that_is_no_number_says_nothing() {
        for line in
            ["a=b; Max-Age=", "a=b; Max-Age=1.5", "a=b; Max-Age=+5", "a=b; Max-Age=--1", "a=b; Max-Age"]
        {
            assert_eq!(hardened(line).as_deref(), Some("a=b; HttpOnly; SameSite=Strict; Secure"), "{line}");
        }
    }

    #[test]
    fn a_prefix_gets_what_it_demands_in_any_case() {
        let mild = Hardening { secure: false, http_only: false, same_site: SameSite::Lax };
        let table = [
            ("__Host-a=b; Path=/x; Domain=d", "__Host-a=b; SameSite=Lax; Secure; Path=/"),
            ("__hOST-a=b", "__hOST-a=b; SameSite=Lax; Secure; Path=/"),
            ("__SECURE-a=b; Path=/x", "__SECURE-a=b; SameSite=Lax; Secure; Path=/x"),
            ("__Http-a=b", "__Http-a=b; HttpOnly; SameSite=Lax; Secure"),
            ("__Host-Http-a=b", "__Host-Http-a=b; HttpOnly; SameSite=Lax; Secure; Path=/"),
            ("a=b", "a=b; SameSite=Lax"),
        ];
        for (line, expected) in table {
            let value = harden(line.as_bytes(), &mild).expect(line);
            assert_eq!(value, expected, "{line}");
        }
    }

    #[test]
    fn hardening_never_weakens() {
        let mild = Hardening { secure: false, http_only: false, same_site: SameSite::None };
        let table = [
            ("a=b; Secure; HttpOnly; SameSite=Strict", "a=b; HttpOnly; SameSite=Strict; Secure"),
            ("a=b; SameSite=Lax", "a=b; SameSite=Lax"),
            ("a=b", "a=b; SameSite=None; Secure"),
        ];
        for (line, expected) in table {
            assert_eq!(harden(line.as_bytes(), &mild).expect(line), expected, "{line}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_dropped() {
        let long = format!("a={}", "x".repeat(LONGEST_PAIR));
        for line in [
            "",
            ";",
            "a",
            "=b",
            "=__Host-x=1",
            " =b",
            "a b=c",
            "a,b=c",
            "a=\u{1}",
            "a=b\0",
            "a=b\tc",
            "a=é",
            &long,
        ] {
            assert_eq!(hardened(line), None, "{line}");
        }
        assert_eq!(harden(b"a=\xff", &Hardening::default()), None);
    }

    #[test]
    fn an_overlong_attribute_is_left_out() {
        let line = format!("a=b; Path=/{}", "x".repeat(LONGEST_ATTRIBUTE));
        assert_eq!(hardened(&line).as_deref(), Some("a=b; HttpOnly; SameSite=Strict; Secure"));
    }

    #[test]
    fn whatever_comes_out_is_hard() {
        let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut below = |limit: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % limit as u64).expect("below a usize")
        };
        let pieces =
            "a = ; , Secure secure HttpOnly SameSite None Path / __Host- Domain Max-Age 1 - Expires \" é";
        let pieces: Vec<&str> = pieces.split(' ').chain([" ", "\u{1}"]).collect();
        let mut kept = 0;
        for _ in 0..50_000 {
            let line: String = (0..=below(12)).map(|_| pieces[below(pieces.len())]).collect();
            let Some(out) = hardened(&line) else { continue };
            kept += 1;
            let keys: Vec<&str> =
                out.split("; ").skip(1).filter_map(|attribute| attribute.split('=').next()).collect();
            for wanted in ["Secure", "HttpOnly", "SameSite"] {
                assert_eq!(keys.iter().filter(|&&key| key == wanted).count(), 1, "{line} → {out}");
            }
            assert!(out.contains("; HttpOnly; SameSite=Strict; Secure"), "{line} → {out}");
            assert_eq!(hardened(&out).as_deref(), Some(out.as_str()), "{line}");
        }
        assert!(kept > 1000, "only {kept} lines said anything");
    }

    #[test]
    fn a_cookie_of_a_request_is_found_once_or_refused() {
        let sent = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, HeaderValue::from_str(line).expect("a value"));
            }
            match cookie_value(&headers, "session") {
                Sent::One(value) => value.to_owned(),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(sent(&["a=b; session=x=y; c=d"]), "x=y");
        assert_eq!(sent(&["a=b", "session=x"]), "x");
        assert_eq!(sent(&["Session=x; xsession=y; session"]), "None");
        assert_eq!(sent(&[]), "None");
        assert_eq!(sent(&["session=x; session=x"]), "Several");
        assert_eq!(sent(&["session=x", "session=y"]), "Several");
        assert_eq!(sent(&[&"a=b;".repeat(MOST_REQUEST_COOKIES), "session=x"]), "Several");
        assert_eq!(sent(&[&format!("session={}", "x".repeat(LONGEST_REQUEST_COOKIES))]), "Several");
    }

    #[test]
    fn several_cookie_lines_become_one() {
        let mut headers = HeaderMap::new();
        join_cookie_lines(&mut headers);
        assert!(headers.is_empty());
        for line in ["a=1", "b=2; c=3", "d=4"] {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        join_cookie_lines(&mut headers);
        let lines: Vec<_> = headers.get_all(COOKIE).iter().collect();
        assert_eq!(lines, ["a=1; b=2; c=3; d=4"]);
    }
}
