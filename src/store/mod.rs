//! What must survive a crash: one trait set, SQLite or PostgreSQL beneath by sqlx.
//!
//! Secrets arrive here sealed (see `seal`); nothing below this module sees them in clear.

pub mod by_hand;
pub mod chronicle;
mod drafts;
mod events;
mod facts;
mod fetching;
mod fields;
mod files;
mod flows;
mod inbound;
mod ledger;
mod mail;
mod mailboxes;
mod open;
mod outbox;
mod queues;
mod sealed;
mod sessions;
mod settling;
mod shared_time;
mod sql;
mod tickets;
mod waiting;

pub mod orders;
pub mod seal;

pub use drafts::{DraftRow, Drafts};
pub use events::{EventKind, EventRow, Events, KEPT_EVENTS, NewEvent};
pub use fetching::{Fetching, UnfetchedMail};
pub use files::{FileRow, Files, NewFile, Quota};
pub use mail::{
    FirstIntent, InboundEnd, InboundRow, InboundState, Intent, Ledger, NewMail, NewOutgoing, Outbox,
    OutboxRow, OutboxState, OutgoingKind, Participant, PutOff, Reading, Seen, TicketRow,
};
pub use open::{open, open_beside};
pub use queues::{Listed, Queues, Standing, Wanted};
pub use settling::Settling;
pub use shared_time::SharedTime;
pub use waiting::Waiting;

use std::time::Duration;

use async_trait::async_trait;

use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

/// Which database holds the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAt {
    /// A file; `:memory:` for tests.
    Sqlite(std::path::PathBuf),
    Postgres(PostgresUrl),
}

/// A connection URL with its password; its Debug shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(pub String);

impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresUrl(…)")
    }
}

/// The store failed; what it held before is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store cannot be opened: {hint}")]
    Open { hint: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the store failed while it was asked to {what}")]
    Failed { what: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("a stored {what} cannot be understood")]
    Corrupt { what: &'static str },
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// A connected mail account, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxRow {
    pub id: MailboxId,
    /// `microsoft-graph` or `imap`.
    pub kind: String,
    /// The address mail arrives at and leaves from.
    pub address: String,
    pub state: MailboxState,
    /// Granted scopes as the provider returned them, space separated.
    pub scopes: String,
    pub connected_at: Timestamp,
    /// Mail received before this never becomes a ticket.
    pub accept_since: Timestamp,
    pub last_poll_at: Option<Timestamp>,
    pub last_mail_at: Option<Timestamp>,
    pub last_error: Option<String>,
    /// When the present run of errors began.
    pub failing_since: Option<Timestamp>,
    /// JSON of what an administrator chose; see the mailboxes' settings. Empty or `{}`: the defaults.
    pub settings: String,
}

/// Whether a mailbox can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxState {
    Connected,
    /// The provider says the grant is dead; an admin has to connect again.
    NeedsReconnect,
}

/// What is written about a mailbox after it was polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollResult {
    Fine { at: Timestamp, newest_mail: Option<Timestamp> },
    Failed { at: Timestamp, error: String },
}

#[async_trait]
pub trait Mailboxes: Send + Sync {
    /// Adds the mailbox, or updates the one of the same id (state Connected, errors cleared; the
    /// cursor, `accept_since` and `settings` of an earlier row kept).
    async fn connect_mailbox(&self, row: &MailboxRow) -> Result<()>;
    async fn mailboxes(&self) -> Result<Vec<MailboxRow>>;
    async fn mailbox(&self, id: &MailboxId) -> Result<Option<MailboxRow>>;
    /// Writes the state as of `at`, when a run of errors begins unless there is one.
    async fn set_mailbox_state(
        &self,
        id: &MailboxId,
        state: MailboxState,
        reason: Option<&str>,
        at: Timestamp,
    ) -> Result<()>;
    /// Replaces the settings; `false` when there is no such mailbox.
    async fn set_mailbox_settings(&self, id: &MailboxId, settings: &str) -> Result<bool>;
    /// Replaces the settings if they still are `seen`; `false` when somebody else wrote meanwhile.
    async fn change_mailbox_settings(&self, id: &MailboxId, seen: &str, settings: &str) -> Result<bool>;
    /// What waits, for each mailbox that something waits for.
    async fn waiting(&self) -> Result<Vec<(MailboxId, Waiting)>>;
    async fn record_poll(&self, id: &MailboxId, result: &PollResult) -> Result<()>;
    /// Removes the row and its sealed secrets (the records below `mailbox/<id>/`); ledger, outbox,
    /// references and the fencing number stay, and the address remembers the id. A ticket that was about to
    /// be opened for a mail is up to copies of it in other mailboxes again.
    async fn disconnect_mailbox(&self, id: &MailboxId) -> Result<()>;
    /// The id under which this address was connected before: whoever connects it again takes it, and with it
    /// what still waits.
    async fn former_mailbox(&self, address: &str) -> Result<Option<MailboxId>>;

    /// Takes or renews the right to work a mailbox for `span`, by the clock of [`SharedTime`]; the fencing
    /// number, or `None` while another holder has it. With no span the right is given back. A lease that ends
    /// far in the future was taken by a clock that was ahead, and counts as over.
    async fn lease(
        &self,
        id: &MailboxId,
        holder: &str,
        span: Duration,
        own: Timestamp,
    ) -> Result<Option<i64>>;
    /// The newest fencing number; `None` while nobody has had the mailbox.
    async fn fence(&self, id: &MailboxId) -> Result<Option<i64>>;
    async fn cursor(&self, id: &MailboxId) -> Result<Option<String>>;
    /// Accepts mail from `since` on and forgets the cursor, if `fence` is still the newest (otherwise
    /// `false`). Mails that were left alone only because they were older are new again; those whose bytes are
    /// dropped are to be fetched.
    async fn import_since(&self, id: &MailboxId, fence: i64, since: Timestamp) -> Result<bool>;
    /// Writes the cursor if `fence` is still the newest; `false` when another holder took over.
    async fn set_cursor(&self, id: &MailboxId, fence: i64, cursor: Option<&str>) -> Result<bool>;
}

/// A sealed record: `name` is unique, `version` counts writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    pub name: String,
    pub version: i64,
    pub sealed: Vec<u8>,
}

#[async_trait]
pub trait SealedRecords: Send + Sync {
    async fn sealed(&self, name: &str) -> Result<Option<SealedRow>>;
    /// Writes `sealed` as version `expected + 1` if the stored version is `expected` (0: absent).
    /// `false` when somebody else wrote in between.
    async fn put_sealed(&self, name: &str, expected: i64, sealed: &[u8]) -> Result<bool>;
    async fn delete_sealed(&self, name: &str) -> Result<()>;
    /// Deletes the record if the stored version is `expected`; `false` when it is not, or nothing is there.
    async fn delete_sealed_version(&self, name: &str, expected: i64) -> Result<bool>;
    async fn sealed_names(&self) -> Result<Vec<String>>;
}

/// An OAuth flow on its way; the secret parts are sealed in `sealed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRow {
    /// Shown in the URL of the completion page; not a secret, useless without the session.
    pub id: String,
    /// SHA-256 of `state`.
    pub state_hash: Vec<u8>,
    /// [`crate::web::local::Admin::session`] of the admin who started.
    pub session: Vec<u8>,
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// The parked authorization code or error, sealed; `None` until the callback came.
    pub parked: Option<Vec<u8>>,
    pub parked_at: Option<Timestamp>,
}

#[async_trait]
pub trait Flows: Send + Sync {
    /// Adds a flow unless `session` has `per_session` open ones or all sessions together have
    /// `in_all`; then `false`. Expired flows are removed first.
    async fn start_flow(&self, row: &FlowRow, now: Timestamp, per_session: u32, in_all: u32) -> Result<bool>;
    async fn flow_by_state(&self, state_hash: &[u8], now: Timestamp) -> Result<Option<FlowRow>>;
    /// Parks what the callback brought, once; `false` if the flow is unknown, expired or has one already.
    async fn park_flow(&self, id: &str, parked: &[u8], now: Timestamp) -> Result<bool>;
    /// Removes and returns the flow if it belongs to `session`; of two callers one gets it.
    async fn take_flow(&self, id: &str, session: &[u8], now: Timestamp) -> Result<Option<FlowRow>>;
}

/// How many mails stand where; what the console and the metrics show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    pub inbound_waiting: u64,
    pub inbound_done: u64,
    pub inbound_ignored: u64,
    pub inbound_quarantined: u64,
    pub outgoing_waiting: u64,
    pub outgoing_sent: u64,
    pub outgoing_failed: u64,
    /// Answers that customers may have got twice.
    pub outgoing_doubled: u64,
    /// When the oldest waiting mail was stored, in either direction.
    pub oldest_inbound: Option<i64>,
    pub oldest_outgoing: Option<i64>,
}

/// Small facts of the installation by name: install id, why outbound holds, the hint queue.
#[async_trait]
pub trait Facts: Send + Sync {
    async fn fact(&self, name: &str) -> Result<Option<String>>;
    async fn set_fact(&self, name: &str, value: Option<&str>) -> Result<()>;
    /// Sets the fact unless it is there; returns what is there afterwards.
    async fn fact_or_insert(&self, name: &str, value: &str) -> Result<String>;
    async fn counts(&self) -> Result<Counts>;
    /// A command to the worker or a ticket worth looking at now; duplicates are one.
    async fn add_hint(&self, hint: &str, now: Timestamp) -> Result<()>;
    /// Hints that begin with `start`, oldest first, a thousand at most.
    async fn hints(&self, start: &str) -> Result<Vec<String>>;
    /// Removes this hint; of several callers one gets `true`.
    async fn take_hint(&self, hint: &str) -> Result<bool>;
}

/// A browser's session at the desk; the desk's token is sealed in `sealed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Keyed hash of the handle.
    pub id: Vec<u8>,
    /// Keyed hash of the desk's user id.
    pub owner: Vec<u8>,
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[async_trait]
pub trait Sessions: Send + Sync {
    /// Adds a session; expired ones of everybody are removed first.
    async fn add_session(&self, row: &SessionRow, now: Timestamp) -> Result<()>;
    /// The session, unless it has ended or expired.
    async fn session(&self, id: &[u8], now: Timestamp) -> Result<Option<SessionRow>>;
    /// Ends one session; one that is gone already is no error.
    async fn end_session(&self, id: &[u8]) -> Result<()>;
    /// Ends every session of a user.
    async fn end_sessions_of(&self, owner: &[u8]) -> Result<()>;
}

/// Where a sealed field lies, with what sealing named besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealedPlace {
    /// A row of [`SealedRecords`].
    Record {
        name: String,
        version: i64,
    },
    Flow {
        id: String,
    },
    /// What a flow's callback brought.
    Parked {
        flow: String,
    },
    Session {
        id: Vec<u8>,
        expires_at: Timestamp,
    },
}

/// A sealed field as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedField {
    pub place: SealedPlace,
    pub sealed: Vec<u8>,
}

#[async_trait]
pub trait SealedFields: Send + Sync {
    /// Every sealed field; of flows and sessions only those that have not expired.
    async fn sealed_fields(&self, now: Timestamp) -> Result<Vec<SealedField>>;
    /// Puts other bytes in the field's place, its version unchanged; `false` when the field is not as it
    /// was read any more.
    async fn reseal(&self, field: &SealedField, anew: &[u8]) -> Result<bool>;
}

/// Everything the store keeps.
pub trait Store:
    Mailboxes
    + SealedRecords
    + SealedFields
    + Flows
    + Ledger
    + Fetching
    + Settling
    + Outbox
    + Queues
    + Events
    + Facts
    + Sessions
    + SharedTime
    + Drafts
    + Files
{
}

impl<
    T: Mailboxes
        + SealedRecords
        + SealedFields
        + Flows
        + Ledger
        + Fetching
        + Settling
        + Outbox
        + Queues
        + Events
        + Facts
        + Sessions
        + SharedTime
        + Drafts
        + Files,
> Store for T
{
}
