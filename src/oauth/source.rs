//! How a worker, the console or a middleware gets a valid access token.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::base::secret::SecretString;

/// What a token is for; each resource has its own access token from the same refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Microsoft Graph.
    #[default]
    Graph,
    /// IMAP and SMTP of the provider.
    Mail,
}

/// A token that is valid now, and what was granted with it.
#[derive(Debug, Clone)]
pub struct AccessToken {
    pub secret: SecretString,
    pub expires_at: Timestamp,
    /// Granted scopes, lower case, without the resource's prefix: `mail.readwrite`.
    pub scopes: Vec<String>,
}

impl AccessToken {
    /// Whether `scope` (such as `Mail.ReadWrite`) was granted.
    pub fn grants(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted.eq_ignore_ascii_case(scope))
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("mailbox `{mailbox}` has to be connected again: {reason}")]
    NeedsReconnect { mailbox: MailboxId, reason: String },
    #[error("the app registration has to be put right: {reason}")]
    Misconfigured { reason: String },
    #[error("the identity provider gives no token now; next try at {retry_at}")]
    Unavailable { retry_at: Timestamp, source: Option<Box<dyn std::error::Error + Send + Sync>> },
    #[error("the vault cannot be read")]
    Vault { source: Box<dyn std::error::Error + Send + Sync> },
}

/// Gives valid tokens. Never shows a refresh token or the client secret.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token of `mailbox` for `resource`, refreshed when needed; one refresh for many callers.
    async fn token(&self, mailbox: &MailboxId, resource: Resource) -> Result<AccessToken, TokenError>;

    /// A new token after the resource refused `refused` with 401, unless a newer one is already there.
    async fn renew(
        &self,
        mailbox: &MailboxId,
        resource: Resource,
        refused: &AccessToken,
    ) -> Result<AccessToken, TokenError>;
}

/// What a password opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Reading mail.
    Incoming,
    /// Sending mail; the one for reading where none of its own is kept.
    Outgoing,
}

/// Gives the passwords of mailboxes that sign in with one.
#[async_trait]
pub trait PasswordSource: Send + Sync {
    /// `NeedsReconnect` where none is kept.
    async fn password(&self, mailbox: &MailboxId, purpose: Purpose) -> Result<SecretString, TokenError>;
}
