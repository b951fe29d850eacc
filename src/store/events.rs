//! What happened to mailboxes and what administrators did, for people to read: a bounded list per mailbox.
//! Not the audit, which is the log's. Texts of other servers lose addresses and tokens on their way in.

use std::net::IpAddr;

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::query;

use super::sql::{Columns, FailingTo, Sql, Word, clean};
use super::{Result, StoreError};
use crate::base::audit::Outcome;
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::base::redact::redacted;

/// So many of each mailbox stay, and so many that concern no mailbox.
pub const KEPT_EVENTS: u32 = 500;

/// Characters of a detail.
const LONGEST: usize = 300;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// An administrator did something.
    Admin,
    /// Somebody left for the provider's sign-in or came back.
    SignIn,
    /// An access token was refreshed, or not.
    Token,
    /// The mailbox could be worked, or not.
    Mailbox,
    /// A mail needs a person.
    Mail,
}

impl Word for EventKind {
    const WHAT: &'static str = "kind of event";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Admin, "admin"),
        (Self::SignIn, "sign-in"),
        (Self::Token, "token"),
        (Self::Mailbox, "mailbox"),
        (Self::Mail, "mail"),
    ];
}

impl EventKind {
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

impl Word for Outcome {
    const WHAT: &'static str = "outcome";
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Success, "success"), (Self::Refused, "refused"), (Self::Failure, "failure")];
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub at: Timestamp,
    /// `None` for what concerns none or all.
    pub mailbox: Option<MailboxId>,
    pub kind: EventKind,
    pub outcome: Outcome,
    /// A few words; addresses and tokens in it are not kept.
    pub detail: String,
    /// The administrator's name.
    pub actor: Option<String>,
    /// Where the administrator came from.
    pub client: Option<IpAddr>,
}

impl NewEvent {
    pub fn new(at: Timestamp, kind: EventKind, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { at, mailbox: None, kind, outcome, detail: detail.into(), actor: None, client: None }
    }

    #[must_use]
    pub fn about(self, mailbox: &MailboxId) -> Self {
        Self { mailbox: Some(mailbox.clone()), ..self }
    }
}

/// An event as it was kept; the number grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    pub id: i64,
    pub event: NewEvent,
}

#[async_trait]
pub trait Events: Send + Sync {
    /// Adds the event and drops what is too many of its mailbox.
    async fn add_event(&self, event: &NewEvent) -> Result<()>;
    /// Newest first; of every mailbox where none is given. Only what is older than the event `before`.
    async fn events(
        &self,
        mailbox: Option<&MailboxId>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<EventRow>>;
}

fn read(row: &AnyRow) -> Result<EventRow> {
    let mailbox = row.text("mailbox")?;
    let corrupt = |what| StoreError::Corrupt { what };
    let mailbox = match mailbox.as_str() {
        "" => None,
        id => Some(MailboxId::parse(id).ok_or_else(|| corrupt("mailbox"))?),
    };
    let client = row.text_or_none("client")?;
    let client = client.map(|text| text.parse().map_err(|_| corrupt("address"))).transpose()?;
    let event = NewEvent {
        at: row.time("at")?,
        mailbox,
        kind: row.word("kind")?,
        outcome: row.word("outcome")?,
        detail: row.text("detail")?,
        actor: row.text_or_none("actor")?,
        client,
    };
    Ok(EventRow { id: row.number("id")?, event })
}

#[async_trait]
impl Events for Sql {
    async fn add_event(&self, event: &NewEvent) -> Result<()> {
        const WHAT: &str = "note an event";
        let mailbox = event.mailbox.as_ref().map_or("", MailboxId::as_str).to_owned();
        let mut transaction = self.begin(WHAT).await?;
        query(
            "INSERT INTO event (mailbox, at, kind, outcome, detail, actor, client) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(mailbox.clone())
        .bind(event.at.0)
        .bind(event.kind.word())
        .bind(event.outcome.word())
        .bind(redacted(&event.detail, LONGEST))
        .bind(event.actor.as_deref().map(clean))
        .bind(event.client.map(|client| client.to_string()))
        .execute(&mut *transaction)
        .await
        .failing_to(WHAT)?;
        query(
            "DELETE FROM event WHERE mailbox = $1 AND id <= \
             (SELECT id FROM event WHERE mailbox = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
        )
        .bind(mailbox)
        .bind(i64::from(KEPT_EVENTS))
        .execute(&mut *transaction)
        .await
        .failing_to(WHAT)?;
        transaction.commit().await.failing_to(WHAT)
    }

    async fn events(
        &self,
        mailbox: Option<&MailboxId>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<EventRow>> {
        let statement = match mailbox {
            Some(mailbox) => {
                query("SELECT * FROM event WHERE id < $1 AND mailbox = $3 ORDER BY id DESC LIMIT $2")
                    .bind(before.unwrap_or(i64::MAX))
                    .bind(i64::from(limit))
                    .bind(mailbox.as_str().to_owned())
            }
            None => query("SELECT * FROM event WHERE id < $1 ORDER BY id DESC LIMIT $2")
                .bind(before.unwrap_or(i64::MAX))
                .bind(i64::from(limit)),
        };
        self.rows("list events", statement).await?.iter().map(read).collect()
    }
}
