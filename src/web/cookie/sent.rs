//! The `Cookie` lines of a request: what is in them, what may not be, and what of them an upstream gets.

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

use super::is_own;
use crate::web::head::Headers;

/// What a request may carry in cookies.
const LONGEST: usize = 8192;
const MOST: usize = 100;

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
    let too_much = check_size(headers).is_err();
    let mut found = Sent::None;
    for pair in pairs(headers) {
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

/// Why a request's cookies are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CookieError {
    #[error("the cookies have more than {LONGEST} bytes")]
    TooLong,
    #[error("there are more than {MOST} cookies")]
    TooMany,
    #[error("a cookie that says who somebody is stands there twice")]
    Twice,
}

/// Refuses more cookies than any browser sends for one site, and a second one of these `names` or of the
/// gateway's own: nobody can say which of the two the upstream would take.
///
/// # Errors
/// The first of these that is found.
pub fn check_cookies(headers: &HeaderMap, names: &[&str]) -> Result<(), CookieError> {
    if !headers.contains_key(COOKIE) {
        return Ok(());
    }
    check_size(headers)?;
    let is_twice =
        |wanted: &dyn Fn(&[u8]) -> bool| pairs(headers).filter(|pair| wanted(name_of(pair))).nth(1).is_some();
    if is_twice(&is_own) || names.iter().any(|name| is_twice(&|found| found == name.as_bytes())) {
        return Err(CookieError::Twice);
    }
    Ok(())
}

fn check_size(headers: &HeaderMap) -> Result<(), CookieError> {
    let bytes: usize = headers.get_all(COOKIE).iter().map(HeaderValue::len).sum();
    if bytes > LONGEST {
        return Err(CookieError::TooLong);
    }
    if pairs(headers).nth(MOST).is_some() {
        return Err(CookieError::TooMany);
    }
    Ok(())
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(COOKIE).iter();
    lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b';')).map(<[u8]>::trim_ascii)
}

fn name_of(pair: &[u8]) -> &[u8] {
    pair.split(|&byte| byte == b'=').next().unwrap_or(pair).trim_ascii()
}

/// Makes one `Cookie` line of what an upstream should get. Of several, as HTTP/2 clients send them (RFC 9113
/// section 8.2.3), an HTTP/1 server may look at the first alone; the gateway's own cookies are nobody
/// else's; and `$Version` and its like make old servers read the rest in another way (RFC 2965).
pub fn tidy_cookies(headers: &mut dyn Headers) {
    let is_kept = |pair: &&[u8]| !pair.is_empty() && !pair.starts_with(b"$") && !is_own(name_of(pair));
    let lines = headers.map().get_all(COOKIE).iter().count();
    if lines == 0 || (lines == 1 && pairs(headers.map()).all(|pair| is_kept(&pair))) {
        return;
    }
    let kept: Vec<&[u8]> = pairs(headers.map()).filter(is_kept).collect();
    let line = HeaderValue::from_bytes(&kept.join(&b"; "[..])).expect("header values stay one when joined");
    match line.is_empty() {
        true => headers.remove(&COOKIE),
        false => headers.insert(COOKIE, line),
    }
}
