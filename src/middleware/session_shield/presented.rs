//! Which credentials a request shows: a handle with its cookie, one of both, a plain token, or nothing.
//!
//! Pure; whether the session behind a pair lives is `sessions`' knowledge.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderValue};

use super::sessions::is_handle;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::desk::caller::{Caller, NoSession};
use crate::web::cookie::{Sent, cookie_value};
use crate::web::head::Headers;

/// The shield's own cookie.
pub const COOKIE_NAME: &str = "__Host-mintgate";
/// Where the desk's web client keeps what it believes to be its token.
pub const SCRIPT_COOKIE: &str = "session";

/// What a request shows.
#[derive(Debug, Clone)]
pub enum Presented {
    Nothing,
    /// A handle and the cookie that was given with it.
    Pair(SecretString),
    HandleAlone,
    CookieAlone,
    /// A token of the desk itself, or something else that is no handle.
    Plain(SecretString),
    /// Several that disagree, a forged pair, another scheme.
    Unclear,
}

impl Presented {
    /// `belongs` tells whether a cookie was given with a handle.
    pub fn of(headers: &HeaderMap, client: IpAddr, belongs: impl Fn(&str, &str) -> bool) -> Self {
        let token = match Caller::of_session(headers, client, is_unset) {
            Ok(caller) => Some(caller.token),
            Err(NoSession::Absent) => None,
            Err(NoSession::Unclear) => return Self::Unclear,
        };
        let cookie = match cookie_value(headers, COOKIE_NAME) {
            Sent::Several => return Self::Unclear,
            Sent::None | Sent::One("") => None,
            Sent::One(value) => Some(value),
        };
        match (token, cookie) {
            (None, None) => Self::Nothing,
            (None, Some(_)) => Self::CookieAlone,
            (Some(token), cookie) if is_handle(token.expose_secret()) => match cookie {
                None => Self::HandleAlone,
                Some(cookie) if belongs(token.expose_secret(), cookie) => Self::Pair(token),
                Some(_) => Self::Unclear,
            },
            (Some(token), None) => Self::Plain(token),
            (Some(_), Some(_)) => Self::Unclear,
        }
    }
}

impl Presented {
    /// For a log line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Pair(_) => "pair",
            Self::HandleAlone => "handle",
            Self::CookieAlone => "cookie",
            Self::Plain(_) => "plain",
            Self::Unclear => "unclear",
        }
    }
}

/// What the desk's web client sends while it has no token: the words of its language for that.
fn is_unset(token: &str) -> bool {
    matches!(token, "undefined" | "null")
}

/// Whether the desk's script, or the shield in its place, has left a cookie behind.
pub fn has_script_cookie(headers: &HeaderMap) -> bool {
    cookie_value(headers, SCRIPT_COOKIE) != Sent::None
}

/// Takes every session's credential out of a request; other cookies stay.
pub fn withhold(headers: &mut dyn Headers) {
    headers.remove(&AUTHORIZATION);
    withhold_cookies(headers, &[COOKIE_NAME, SCRIPT_COOKIE]);
}

/// Takes the shield's own cookie out of a request.
pub fn withhold_own(headers: &mut dyn Headers) {
    withhold_cookies(headers, &[COOKIE_NAME]);
}

fn withhold_cookies(headers: &mut dyn Headers, names: &[&str]) {
    if !headers.map().contains_key(COOKIE) {
        return;
    }
    let mut kept: Vec<&[u8]> = Vec::new();
    for line in headers.map().get_all(COOKIE) {
        let pairs = line.as_bytes().split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        kept.extend(pairs.filter(|pair| !pair.is_empty() && !names.contains(&name_of(pair))));
    }
    // Parts of header values, joined by a semicolon, are a header value.
    let line = HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok().filter(|line| !line.is_empty());
    headers.remove(&COOKIE);
    if let Some(line) = line {
        headers.insert(COOKIE, line);
    }
}

/// Empty where it is no text: such a name is none of ours.
fn name_of(pair: &[u8]) -> &str {
    let name = pair.split(|&byte| byte == b'=').next().unwrap_or(pair).trim_ascii();
    std::str::from_utf8(name).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    const HANDLE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let value = HeaderValue::from_str(&value.replace("HANDLE", HANDLE)).expect("a value");
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }

    fn shown(lines: &[(&'static str, &str)]) -> &'static str {
        let belongs = |handle: &str, cookie: &str| handle == HANDLE && cookie == "mate";
        Presented::of(&headers(lines), IpAddr::from([203, 0, 113, 7]), belongs).name()
    }

    #[test]
    fn every_combination_of_credentials_is_told_apart() {
        let table: [(&[(&str, &str)], &str); 19] = [
            (&[], "nothing"),
            (&[("authorization", "Bearer undefined")], "nothing"),
            (&[("authorization", "Bearer null"), ("cookie", "session=undefined")], "nothing"),
            (
                &[("authorization", "Bearer undefined"), ("cookie", "session=HANDLE; __Host-mintgate=mate")],
                "pair",
            ),
            (&[("authorization", "Bearer undefined"), ("cookie", "session=HANDLE")], "handle"),
            (&[("cookie", "session=; a=b")], "nothing"),
            (&[("authorization", "Bearer HANDLE"), ("cookie", "__Host-mintgate=mate")], "pair"),
            (&[("cookie", "session=HANDLE; __Host-mintgate=mate")], "pair"),
            (&[("cookie", "session=HANDLE"), ("cookie", "__Host-mintgate=mate")], "pair"),
            (&[("authorization", "Bearer HANDLE")], "handle"),
            (&[("cookie", "session=HANDLE")], "handle"),
            (&[("cookie", "__Host-mintgate=mate")], "cookie"),
            (&[("authorization", "Bearer undefined"), ("cookie", "__Host-mintgate=mate")], "cookie"),
            (&[("authorization", "Bearer a.b.c")], "plain"),
            (&[("authorization", "Bearer a.b.c"), ("cookie", "__Host-mintgate=mate")], "unclear"),
            (&[("authorization", "Bearer HANDLE"), ("cookie", "__Host-mintgate=other")], "unclear"),
            (&[("cookie", "session=HANDLE; __Host-mintgate=mate; __Host-mintgate=mate")], "unclear"),
            (&[("authorization", "Bearer HANDLE"), ("cookie", "session=x; __Host-mintgate=mate")], "unclear"),
            (&[("authorization", "Basic HANDLE"), ("cookie", "__Host-mintgate=mate")], "unclear"),
        ];
        for (lines, expected) in table {
            assert_eq!(shown(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn only_other_cookies_reach_the_desk() {
        type Lines<'l> = &'l [(&'static str, &'l str)];
        let table: [(Lines<'_>, Option<&str>); 4] = [
            (
                &[("cookie", "a=b; session=x;__Host-mintgate=y; c=d"), ("cookie", "e=f")],
                Some("a=b; c=d; e=f"),
            ),
            (&[("cookie", " session = x"), ("authorization", "Bearer x")], None),
            (&[("cookie", "sessions=x; Session=y")], Some("sessions=x; Session=y")),
            (&[], None),
        ];
        for (lines, left) in table {
            let mut headers = headers(lines);
            withhold(&mut headers);
            assert_eq!(headers.get(COOKIE).map(|line| line.to_str().expect("text")), left, "{lines:?}");
            assert!(!headers.contains_key(AUTHORIZATION));
        }
    }
}
