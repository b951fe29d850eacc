//! Access tokens that the identity provider gave out and Graph accepts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::clock::Timestamp;
use crate::base::id::random_bytes;

use super::lock;

/// Whose token it is and what it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Lower case.
    pub address: String,
    /// Without the resource's prefix: `Mail.Read`.
    pub scopes: Vec<String>,
    pub expires_at: Timestamp,
}

impl Grant {
    pub fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted.eq_ignore_ascii_case(scope))
    }
}

/// The tokens; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Grants(Arc<Mutex<HashMap<String, Grant>>>);

impl Grants {
    /// A new token. It looks like a JWT and is as long as Microsoft's, but only this map understands it.
    pub fn issue(&self, address: &str, scopes: &[&str], expires_at: Timestamp) -> String {
        let random = URL_SAFE_NO_PAD.encode(random_bytes::<900>());
        let token = format!("eyJ0eXAiOiJKV1Qi.{}.{}", &random[..860], &random[860..]);
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let grant = Grant { address: address.to_lowercase(), scopes, expires_at };
        lock(&self.0).insert(token.clone(), grant);
        token
    }

    /// The grant of a token that is known and not yet expired.
    pub fn check(&self, token: &str, now: Timestamp) -> Option<Grant> {
        lock(&self.0).get(token).filter(|grant| now < grant.expires_at).cloned()
    }

    /// Every token of `address` stops working.
    pub fn end(&self, address: &str) {
        lock(&self.0).retain(|_, grant| !grant.address.eq_ignore_ascii_case(address));
    }
}
