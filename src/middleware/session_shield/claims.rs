//! What the desk wrote into a session token. Read, never verified: only the desk can do that, and nothing
//! is believed here but whose session it has just handed out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::base::clock::Timestamp;

/// The payload of the desk's JWT: `{"data":{"id","sessionId"},"iat","exp"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The desk's user id.
    pub user: String,
    pub expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Payload {
    data: Data,
    exp: Option<i64>,
}

#[derive(Deserialize)]
struct Data {
    id: String,
}

impl Claims {
    /// `None` for what is no such token.
    pub fn of(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let Payload { data, exp } = serde_json::from_slice(&bytes).ok()?;
        let expires_at = exp.map(|seconds| Timestamp(seconds.saturating_mul(1000)));
        (!data.id.is_empty()).then_some(Self { user: data.id, expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn user_and_end_are_read() {
        let claims = Claims::of(&token(r#"{"data":{"id":"u1","sessionId":"x"},"iat":1,"exp":20}"#));
        assert_eq!(claims, Some(Claims { user: "u1".to_owned(), expires_at: Some(Timestamp(20_000)) }));
    }

    #[test]
    fn what_is_no_token_of_the_desk_has_no_claims() {
        for payload in ["{}", r#"{"data":{"id":""}}"#, r#"{"data":{"id":7}}"#, "rubbish"] {
            assert_eq!(Claims::of(&token(payload)), None, "{payload}");
        }
        assert_eq!(Claims::of("opaque"), None);
    }
}
