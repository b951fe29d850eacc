//! The desk's bearer tokens: HS256 JWTs, 8 hours, signed with a key made at start.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::base::clock::Timestamp;
use crate::base::id::{hex, random_bytes};
use crate::base::secret::equal_in_constant_time;

pub(super) const LIFETIME: Duration = Duration::from_secs(8 * 3600);

/// Makes and checks tokens.
pub(super) struct Signer([u8; 32]);

impl Signer {
    pub fn random() -> Self {
        Self(random_bytes())
    }

    /// A token of `user` that ends at `expires_at`.
    pub fn sign(&self, user: &str, now: Timestamp, expires_at: Timestamp) -> String {
        let claims = json!({
            "data": {"id": user, "sessionId": hex(&random_bytes::<32>())},
            "iat": now.seconds(),
            "exp": expires_at.seconds(),
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&json!({"alg": "HS256", "typ": "JWT"})), encode(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&signed));
        format!("{signed}.{signature}")
    }

    /// The claims of a token of ours that has not expired. As in the desk, an `exp` need not be there.
    pub fn check(&self, token: &str, now: Timestamp) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if header["alg"] != "HS256" || !equal_in_constant_time(&signature, &self.mac(signed)) {
            return None;
        }
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let fresh = claims["exp"].as_i64().is_none_or(|end| now.seconds() < end);
        fresh.then_some(claims)
    }

    fn mac(&self, signed: &str) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(signed.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expired_token_is_nobodys() {
        let signer = Signer::random();
        let token = signer.sign("u", Timestamp(0), Timestamp(10_000));
        assert_eq!(signer.check(&token, Timestamp(9_999)).unwrap()["data"]["id"], "u");
        assert_eq!(signer.check(&token, Timestamp(10_000)), None);
    }

    #[test]
    fn a_token_without_a_signature_is_nobodys() {
        let unsigned =
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode("{}"));
        assert_eq!(Signer::random().check(&unsigned, Timestamp(0)), None);
    }
}
