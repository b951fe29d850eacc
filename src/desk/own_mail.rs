//! Whether the desk itself sends or fetches mail. What follows from it is the worker's to decide.

use serde::Deserialize;
use serde_json::Value;

use super::session::SMALL;
use super::{Desk, DeskError};

/// The desk's own mail settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnMail {
    /// An SMTP provider is set: the desk mails every public comment to the requester by itself.
    pub smtp: bool,
    /// E-mail queues that the desk reads mail from by itself.
    pub queues: usize,
}

#[derive(Deserialize)]
struct EmailReply {
    #[serde(default)]
    active: Option<bool>,
    #[serde(default)]
    email: Option<Value>,
}

#[derive(Deserialize)]
struct QueuesReply {
    queues: Vec<Value>,
}

impl EmailReply {
    /// A provider that is set but not active counts: the desk's mailing code does not look at `active`.
    fn has_provider(&self) -> bool {
        self.active == Some(true) || self.email.is_some()
    }
}

impl Desk {
    /// Asks for both settings.
    pub async fn has_own_mail(&self) -> Result<OwnMail, DeskError> {
        let email: EmailReply = self.read("show its mail provider", "/api/v1/config/email", SMALL).await?;
        let queues: QueuesReply =
            self.read("list its e-mail queues", "/api/v1/email-queues/all", SMALL).await?;
        Ok(OwnMail { smtp: email.has_provider(), queues: queues.queues.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(text: &str) -> bool {
        serde_json::from_str::<EmailReply>(text).expect("an answer of the desk").has_provider()
    }

    #[test]
    fn a_provider_is_seen_active_or_not() {
        assert!(!provider(r#"{"success":true,"active":false}"#));
        assert!(provider(
            r#"{"success":true,"active":true,"email":{"host":"127.0.0.1"},"verification":true}"#
        ));
        assert!(provider(r#"{"success":true,"active":false,"email":{"host":"127.0.0.1"}}"#));
    }
}
