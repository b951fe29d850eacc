//! What the identity provider remembers: the app, the accounts, codes, refresh tokens, switches.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::clock::Timestamp;
use crate::base::id::{random_bytes, random_token};
use crate::base::secret::{SecretString, sha256};

use super::key::SigningKey;
use super::problem::Problem;

/// The one app registration; its ids are new at every start.
#[derive(Debug, Clone)]
pub struct Registration {
    pub client_id: String,
    pub client_secret: SecretString,
    /// The directory's id; apps of this directory only work with it, not with `common`.
    pub tenant: String,
    /// Byte for byte what an authorization request may name.
    pub redirect_uris: Vec<String>,
}

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Lower case.
    pub address: String,
    pub name: String,
}

/// What happens to a refresh token when a new one is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The old one goes on working, as at Microsoft.
    Keep,
    /// The old one works until the new one has been used.
    RetireOnUse,
    /// The old one is dead at once.
    RetireAtOnce,
}

/// Behaviours that can be switched.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether permissions were consented to.
    pub consent: bool,
    /// The permissions granted whatever is asked for; those asked for when absent.
    pub granted: Option<Vec<String>>,
    pub access_lifetime: Duration,
    pub rotation: Rotation,
    /// Scopes come back as `https://graph.microsoft.com/Mail.Read`.
    pub full_scope_names: bool,
}

/// An authorization code: ten minutes, once.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub address: String,
    pub redirect_uri: String,
    pub scopes: Vec<String>,
    /// PKCE, S256.
    pub challenge: Option<String>,
    pub nonce: Option<String>,
    pub expires_at: Timestamp,
    pub used: bool,
}

#[derive(Debug, Clone)]
pub(super) struct RefreshToken {
    pub address: String,
    pub scopes: Vec<String>,
    pub state: RefreshState,
    /// The token that this one replaces once it is used.
    pub replaces: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefreshState {
    Alive,
    Retired,
    Revoked,
}

pub(super) struct World {
    pub key: SigningKey,
    pub app: Registration,
    pub accounts: Vec<Account>,
    pub codes: HashMap<String, Code>,
    pub refresh_tokens: HashMap<String, RefreshToken>,
    pub settings: Settings,
    /// Errors that the token endpoint gives next, and how often.
    pub forced: Vec<(Problem, u32)>,
    /// Successful token answers so far.
    pub tokens_given: u32,
}

pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(600);

impl World {
    pub fn new() -> Self {
        let uuid = || uuid::Uuid::new_v4().to_string();
        let app = Registration {
            client_id: uuid(),
            client_secret: SecretString::from(format!("8Q~{}", random_token())),
            tenant: uuid(),
            redirect_uris: Vec::new(),
        };
        let settings = Settings {
            consent: true,
            granted: None,
            access_lifetime: Duration::from_secs(3599),
            rotation: Rotation::RetireOnUse,
            full_scope_names: false,
        };
        Self {
            key: SigningKey::generate(),
            app,
            accounts: Vec::new(),
            codes: HashMap::new(),
            refresh_tokens: HashMap::new(),
            settings,
            forced: Vec::new(),
            tokens_given: 0,
        }
    }

    pub fn account(&self, address: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.address.eq_ignore_ascii_case(address))
    }

    /// The error that the token endpoint is to give now, if any.
    pub fn forced(&mut self) -> Option<Problem> {
        let (problem, times) = self.forced.first_mut()?;
        let problem = problem.clone();
        *times -= 1;
        if *times == 0 {
            self.forced.remove(0);
        }
        Some(problem)
    }

    pub fn add_refresh_token(&mut self, token: RefreshToken) -> String {
        let name = format!("1.{}", long_random());
        self.refresh_tokens.insert(name.clone(), token);
        name
    }

    pub fn add_code(&mut self, code: Code) -> String {
        let name = format!("1.{}", long_random());
        self.codes.insert(name.clone(), code);
        name
    }
}

/// As long as Microsoft's codes and refresh tokens are.
fn long_random() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<750>())
}

/// The S256 challenge of a verifier (RFC 7636, 4.2).
pub(super) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}
