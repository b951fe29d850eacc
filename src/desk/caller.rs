//! Whose session a request carries.
//!
//! The desk reads the token from Authorization, whatever the scheme word; its web client keeps it in the
//! cookie `session`. Nothing here knows whether the token is good.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue, USER_AGENT};

use crate::base::secret::{SecretString, equal_in_constant_time};
use crate::web::cookie::{Sent, cookie_value};

/// Where the desk's web client keeps its token.
const COOKIE: &str = "session";

/// Whoever makes a request, as far as the desk can tell sessions apart.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The desk's session token.
    pub token: SecretString,
    pub user_agent: Option<HeaderValue>,
    pub client: IpAddr,
}

/// Why a request names no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    #[error("the request carries no session")]
    Absent,
    /// Two that differ, one that is sent twice, or another scheme than Bearer: the desk might take
    /// another one than was asked about.
    #[error("the request does not say clearly which session is its own")]
    Unclear,
}

impl Caller {
    /// The caller behind `headers`: by `Authorization: Bearer` or the `session` cookie; where both are
    /// sent they have to agree.
    ///
    /// # Errors
    /// When no session is named, or not clearly one.
    pub fn of(headers: &HeaderMap, client: IpAddr) -> Result<Self, NoSession> {
        Self::of_session(headers, client, |_| false)
    }

    /// The same, where `is_unset` knows the words that a script without a token sends in its place.
    ///
    /// # Errors
    /// As [`Caller::of`].
    pub fn of_session(
        headers: &HeaderMap,
        client: IpAddr,
        is_unset: fn(&str) -> bool,
    ) -> Result<Self, NoSession> {
        let cookie = match cookie_value(headers, COOKIE) {
            Sent::Several => return Err(NoSession::Unclear),
            Sent::None | Sent::One("") => None,
            Sent::One(value) => Some(value),
        };
        let said = |token: &&str| !is_unset(token);
        let token = match (bearer(headers)?.filter(said), cookie.filter(said)) {
            (None, None) => return Err(NoSession::Absent),
            (Some(bearer), Some(cookie)) if !equal_in_constant_time(bearer.as_bytes(), cookie.as_bytes()) => {
                return Err(NoSession::Unclear);
            }
            (Some(token), _) | (None, Some(token)) => SecretString::from(token),
        };
        Ok(Self { token, user_agent: headers.get(USER_AGENT).cloned(), client })
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, NoSession> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(NoSession::Unclear);
    }
    let line = line.to_str().map_err(|_| NoSession::Unclear)?;
    let (scheme, token) = line.split_once(' ').ok_or(NoSession::Unclear)?;
    let is_one_word = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if scheme.eq_ignore_ascii_case("bearer") && is_one_word {
        Ok(Some(token))
    } else {
        Err(NoSession::Unclear)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;
    use crate::base::secret::ExposeSecret;

    fn token(lines: &[(&'static str, &'static str)]) -> Result<String, NoSession> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let caller = Caller::of(&headers, IpAddr::from([203, 0, 113, 7]))?;
        Ok(caller.token.expose_secret().to_owned())
    }

    #[test]
    fn a_session_is_found_in_either_place_or_the_same_in_both() {
        assert_eq!(token(&[("authorization", "Bearer x")]).as_deref(), Ok("x"));
        assert_eq!(token(&[("cookie", "a=b; session=x")]).as_deref(), Ok("x"));
        assert_eq!(token(&[("authorization", "bearer x"), ("cookie", "session=x")]).as_deref(), Ok("x"));
        assert_eq!(token(&[("authorization", "Bearer x"), ("cookie", "session=")]).as_deref(), Ok("x"));
    }

    #[test]
    fn no_session_is_told_from_an_unclear_one() {
        assert_eq!(token(&[]), Err(NoSession::Absent));
        assert_eq!(token(&[("cookie", "session=; a=b")]), Err(NoSession::Absent));
        let unclear: [&[(&str, &str)]; 9] = [
            &[("authorization", "Bearer x"), ("cookie", "session=y")],
            &[("authorization", "Bearer x"), ("authorization", "Bearer x")],
            &[("cookie", "session=x; session=x")],
            &[("cookie", "session=x"), ("cookie", "session=y")],
            &[("authorization", "Basic x")],
            &[("authorization", "Bearer x y")],
            &[("authorization", "Bearer  x")],
            &[("authorization", "Bearer ")],
            &[("authorization", "x"), ("cookie", "session=x")],
        ];
        for lines in unclear {
            assert_eq!(token(lines), Err(NoSession::Unclear), "{lines:?}");
        }
    }
}
