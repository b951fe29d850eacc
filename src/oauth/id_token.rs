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
    /// The sign-in name; for people to read, not to decide by.
    pub preferred_username: Option<String>,
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
    let nonce = claims.nonce.as_deref().unwrap_or_default();
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
