//! The id_token: who signed in, by the provider's signature.
//!
//! Signature, algorithm, issuer, audience, time and nonce are checked; nothing of the token is used
//! before (OpenID Connect Core 1.0, section 3.1.3.7).

use jsonwebtoken::jwk::{JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::base::clock::Timestamp;
use crate::base::secret::{ExposeSecret, SecretString, equal_in_constant_time};

/// Microsoft signs with RS256; ES256 is what other conforming providers use.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::RS256, Algorithm::ES256];

/// Clocks of two machines differ by no more, in seconds.
const LEEWAY: i64 = 60;

/// Why an id_token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    #[error("the id_token is not a signed token")]
    Malformed,
    #[error("the id_token is signed with an algorithm that is not allowed")]
    Algorithm,
    #[error("the id_token is signed with a key that the provider does not publish")]
    UnknownKey,
    #[error("the id_token's signature or one of its required claims is wrong")]
    Signature,
    #[error("the id_token is from another issuer")]
    Issuer,
    #[error("the id_token is for another application")]
    Audience,
    #[error("the id_token has expired or is not valid yet")]
    Time,
    #[error("the id_token belongs to another sign-in")]
    Nonce,
}

/// What the token has to say.
pub struct Expected<'e> {
    /// May hold `{tenantid}`, as Microsoft's metadata for several tenants does.
    pub issuer: &'e str,
    pub client_id: &'e str,
    pub nonce: &'e SecretString,
}

/// What a checked token says.
#[derive(Debug, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    tid: Option<String>,
    /// The sign-in name at Microsoft; its tenant's administrators give it.
    pub preferred_username: Option<String>,
    pub email: Option<String>,
    /// Only `true` counts; a text that says so does not.
    email_verified: Option<serde_json::Value>,
}

impl Claims {
    /// The address that the provider says it has verified.
    pub fn verified_email(&self) -> Option<&str> {
        let is_verified = self.email_verified.as_ref().and_then(serde_json::Value::as_bool) == Some(true);
        self.email.as_deref().filter(|_| is_verified)
    }
}

/// Checks `token` against the provider's published keys.
pub fn check(
    token: &SecretString,
    keys: &JwkSet,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Claims, IdTokenError> {
    let claims = signed_claims(token.expose_secret(), keys)?;
    let issuer = match &claims.tid {
        Some(tenant) => expected.issuer.replace("{tenantid}", tenant),
        None => expected.issuer.to_owned(),
    };
    if claims.iss != issuer {
        return Err(IdTokenError::Issuer);
    }
    if claims.aud != expected.client_id {
        return Err(IdTokenError::Audience);
    }
    let now = now.seconds();
    if now >= claims.exp.saturating_add(LEEWAY) || claims.nbf.is_some_and(|from| now < from - LEEWAY) {
        return Err(IdTokenError::Time);
    }
    let nonce = claims.nonce.as_deref().ok_or(IdTokenError::Nonce)?;
    if !equal_in_constant_time(nonce.as_bytes(), expected.nonce.expose_secret().as_bytes()) {
        return Err(IdTokenError::Nonce);
    }
    Ok(claims)
}

fn signed_claims(token: &str, keys: &JwkSet) -> Result<Claims, IdTokenError> {
    let header = decode_header(token).map_err(|_| IdTokenError::Malformed)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(IdTokenError::Algorithm);
    }
    let key = header.kid.as_deref().and_then(|id| keys.find(id)).ok_or(IdTokenError::UnknownKey)?;
    if key.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return Err(IdTokenError::UnknownKey);
    }
    let key = DecodingKey::from_jwk(key).map_err(|_| IdTokenError::UnknownKey)?;
    // Claims are checked by the caller, against a time that is an argument.
    let mut signature_only = Validation::new(header.alg);
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    signature_only.required_spec_claims.clear();
    let decoded = decode::<Claims>(token, &key, &signature_only);
    decoded.map(|token| token.claims).map_err(|_| IdTokenError::Signature)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const ISSUER: &str = "https://login.example/{tenantid}/v2.0";

    struct Provider {
        key: EncodingKey,
        keys: JwkSet,
    }

    impl Provider {
        fn new() -> Self {
            let pair = rcgen::KeyPair::generate().expect("a key pair");
            let key = EncodingKey::from_ec_der(&pair.serialize_der());
            let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).expect("a public key");
            public.common.key_id = Some("one".to_owned());
            Self { key, keys: JwkSet { keys: vec![public] } }
        }

        fn sign(&self, claims: &Value, key_id: &str) -> SecretString {
            let mut header = Header::new(Algorithm::ES256);
            header.kid = Some(key_id.to_owned());
            SecretString::from(encode(&header, claims, &self.key).expect("a token"))
        }

        fn check(&self, token: &SecretString) -> Result<Claims, IdTokenError> {
            let nonce = SecretString::from("the-nonce");
            let expected = Expected { issuer: ISSUER, client_id: "app", nonce: &nonce };
            check(token, &self.keys, &expected, NOW)
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://login.example/t1/v2.0", "tid": "t1", "aud": "app", "nonce": "the-nonce",
            "exp": 1_800_000_600, "nbf": 1_799_999_990, "preferred_username": "t@example.com",
        })
    }

    fn changed(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    #[test]
    fn a_signed_token_of_this_sign_in_is_taken() {
        let provider = Provider::new();
        let claims = provider.check(&provider.sign(&claims(), "one")).expect("taken");
        assert_eq!(claims.preferred_username.as_deref(), Some("t@example.com"));
    }

    #[test]
    fn every_claim_that_is_not_ours_is_refused() {
        let provider = Provider::new();
        for (name, value, expected) in [
            ("iss", json!("https://login.example/t2/v2.0"), IdTokenError::Issuer),
            ("tid", json!("t2"), IdTokenError::Issuer),
            ("aud", json!("other-app"), IdTokenError::Audience),
            ("exp", json!(1_799_999_940), IdTokenError::Time),
            ("nbf", json!(1_800_000_061), IdTokenError::Time),
            ("nonce", json!("another"), IdTokenError::Nonce),
            ("nonce", Value::Null, IdTokenError::Nonce),
        ] {
            let token = provider.sign(&changed(name, value), "one");
            assert_eq!(provider.check(&token).err(), Some(expected), "{name}");
        }
    }

    #[test]
    fn a_foreign_key_and_a_broken_signature_are_refused() {
        let (provider, stranger) = (Provider::new(), Provider::new());
        let unknown = provider.check(&stranger.sign(&claims(), "two"));
        assert_eq!(unknown.err(), Some(IdTokenError::UnknownKey));
        let forged = provider.check(&stranger.sign(&claims(), "one"));
        assert_eq!(forged.err(), Some(IdTokenError::Signature));
    }

    #[test]
    fn unsigned_tokens_and_shared_secret_signatures_are_refused() {
        let provider = Provider::new();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("one".to_owned());
        let shared = encode(&header, &claims(), &EncodingKey::from_secret(b"public key")).expect("a token");
        assert_eq!(provider.check(&shared.into()).err(), Some(IdTokenError::Algorithm));
        let unsigned = "eyJhbGciOiJub25lIiwia2lkIjoib25lIn0.e30.";
        assert_eq!(provider.check(&unsigned.into()).err(), Some(IdTokenError::Malformed));
    }

    #[test]
    fn an_address_that_the_provider_has_not_verified_is_nobodys() {
        let provider = Provider::new();
        let mut google = changed("email", json!("t@example.com"));
        for (verified, expected) in [
            (json!(true), Some("t@example.com")),
            (json!(false), None),
            (json!("true"), None),
            (Value::Null, None),
        ] {
            google["email_verified"] = verified;
            let claims = provider.check(&provider.sign(&google, "one")).expect("taken");
            assert_eq!(claims.verified_email(), expected, "{google}");
        }
    }
}
