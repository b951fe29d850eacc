//! What must survive a crash: one trait set, SQLite or PostgreSQL beneath by sqlx.
//!
//! Secrets arrive here sealed (see `seal`); nothing below this module sees them in clear.

mod drafts;
mod facts;
mod fields;
mod flows;
mod ledger;
mod mailboxes;
mod open;
mod outbox;
mod sealed;
mod sessions;
mod sql;
mod tickets;

pub mod seal;

pub use drafts::{DraftRow, Drafts};
pub use open::open;

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
    async fn set_mailbox_state(
        &self,
        id: &MailboxId,
        state: MailboxState,
        reason: Option<&str>,
    ) -> Result<()>;
    /// Replaces the settings; `false` when there is no such mailbox.
    async fn set_mailbox_settings(&self, id: &MailboxId, settings: &str) -> Result<bool>;
    async fn record_poll(&self, id: &MailboxId, result: &PollResult) -> Result<()>;
    /// Removes the row and its sealed secrets (the records below `mailbox/<id>/`); ledger, outbox,
    /// references and the fencing number stay.
    async fn disconnect_mailbox(&self, id: &MailboxId) -> Result<()>;

    /// Takes or renews the right to work a mailbox until `until`; the fencing number, or `None` while
    /// another holder has it.
    async fn lease(
        &self,
        id: &MailboxId,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<i64>>;
    async fn cursor(&self, id: &MailboxId) -> Result<Option<String>>;
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

/// What is to become of a mail, decided and written down before the desk is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    Open,
    Reply { ticket: String },
}

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InboundState {
    /// Stored, not decided.
    New,
    /// The intent is written; the desk may or may not have applied it.
    Intent,
    /// Its ticket or comment exists.
    Done,
    /// Read and left alone, with a reason.
    Ignored,
    /// Could not be read three times; its bytes are kept.
    Quarantined,
}

/// A mail as it was listed and fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    pub mailbox: MailboxId,
    /// The provider's immutable id, or `uidvalidity:uid`.
    pub source_key: String,
    pub received_at: Timestamp,
    pub stored_at: Timestamp,
    pub raw: Vec<u8>,
}

/// A line of the ledger, without the raw mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundRow {
    pub id: i64,
    pub mailbox: MailboxId,
    pub source_key: String,
    pub received_at: Timestamp,
    pub state: InboundState,
    pub attempts: u32,
    pub next_try_at: Timestamp,
    /// Normalised Message-ID, once parsed.
    pub message_id: Option<String>,
    pub intent: Option<Intent>,
    pub intent_at: Option<Timestamp>,
    pub ticket: Option<String>,
    pub reason: Option<String>,
}

/// How a mail ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundEnd {
    /// `ticket` now holds this mail.
    Done {
        ticket: String,
    },
    Ignored {
        reason: String,
        ticket: Option<String>,
    },
    Quarantined {
        reason: String,
    },
}

/// A conversation by mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRow {
    /// The desk's uuid.
    pub id: String,
    pub mailbox: MailboxId,
    /// Whom agents' answers go to.
    pub requester: String,
    pub requester_name: String,
    pub subject: String,
    /// The newest Message-IDs of the conversation, oldest first; becomes `References`.
    pub references: Vec<String>,
    pub opened_at: Timestamp,
    pub swept_at: Timestamp,
}

#[async_trait]
pub trait Ledger: Send + Sync {
    /// Stores a raw mail; `None` if (mailbox, source key) is known already.
    async fn add_inbound(&self, mail: &NewMail) -> Result<Option<i64>>;
    async fn knows_inbound(&self, mailbox: &MailboxId, source_key: &str) -> Result<bool>;
    /// Mails in state New or Intent whose next try is due, oldest received first.
    async fn due_inbound(&self, now: Timestamp, limit: u32) -> Result<Vec<InboundRow>>;
    async fn inbound(&self, id: i64) -> Result<Option<InboundRow>>;
    async fn inbound_raw(&self, id: i64) -> Result<Option<Vec<u8>>>;
    /// Another mail of this mailbox with this Message-ID that is further on (Done; or Intent, while
    /// `except` is New or came later), if any. Of two in Intent only one sees the other.
    async fn inbound_by_message_id(
        &self,
        mailbox: &MailboxId,
        message_id: &str,
        except: i64,
    ) -> Result<Option<InboundRow>>;
    /// # Errors
    /// Also when the mail has ended in the meantime: then nothing may be done for it.
    async fn write_intent(&self, id: i64, message_id: &str, intent: &Intent, now: Timestamp) -> Result<()>;
    /// Counts a failed try.
    async fn postpone_inbound(&self, id: i64, next_try_at: Timestamp, reason: &str) -> Result<()>;
    /// One transaction: the end of the mail, the conversation it belongs to (added or updated) and its
    /// Message-ID as a reference.
    ///
    /// # Errors
    /// Also when the mail has ended already; the first end stays.
    async fn end_inbound(
        &self,
        id: i64,
        message_id: Option<&str>,
        end: &InboundEnd,
        ticket: Option<&TicketRow>,
        now: Timestamp,
    ) -> Result<()>;
    /// Back to New with no attempts, for a retry by hand; `false` unless quarantined.
    async fn retry_inbound(&self, id: i64, now: Timestamp) -> Result<bool>;
    /// Mails in state Done or Ignored whose flags on the server are still to be set.
    async fn unsettled_inbound(&self, mailbox: &MailboxId, limit: u32) -> Result<Vec<InboundRow>>;
    async fn settle_inbound(&self, id: i64) -> Result<()>;
    /// Newest first.
    async fn recent_inbound(&self, state: Option<InboundState>, limit: u32) -> Result<Vec<InboundRow>>;

    /// The ticket that knows one of these Message-IDs; the first given wins.
    async fn ticket_by_message_ids(&self, message_ids: &[String]) -> Result<Option<TicketRow>>;
    async fn ticket(&self, id: &str) -> Result<Option<TicketRow>>;
    /// Conversations least recently swept for agents' replies.
    async fn tickets_to_sweep(&self, swept_before: Timestamp, limit: u32) -> Result<Vec<TicketRow>>;
    async fn mark_swept(&self, id: &str, now: Timestamp) -> Result<()>;
}

/// Where an outgoing mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutboxState {
    Queued,
    /// Prepared at the provider (`provider_id`), perhaps sent.
    Sending,
    Sent,
    /// Given up; the reason says why.
    Failed,
}

/// An outgoing mail before it is stored; the mail is frozen from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutgoing {
    pub mailbox: MailboxId,
    pub ticket: String,
    /// The desk's comment id; (ticket, comment) is answered once.
    pub comment: String,
    /// Made before the first try, unique.
    pub message_id: String,
    pub recipient: String,
    pub mime: Vec<u8>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    pub id: i64,
    pub mailbox: MailboxId,
    pub ticket: String,
    pub comment: String,
    pub message_id: String,
    pub recipient: String,
    pub state: OutboxState,
    pub attempts: u32,
    pub next_try_at: Timestamp,
    pub provider_id: Option<String>,
    /// When the send command was about to be given the last time; a repeat needs evidence.
    pub dispatched_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub reason: Option<String>,
}

#[async_trait]
pub trait Outbox: Send + Sync {
    /// Adds the mail and its Message-ID as a reference of its ticket, in one transaction; `false` if
    /// (ticket, comment) is there already.
    async fn add_outgoing(&self, mail: &NewOutgoing) -> Result<bool>;
    async fn knows_outgoing(&self, ticket: &str, comment: &str) -> Result<bool>;
    /// Marks a comment as not to be mailed (it was made before mail was on, or by the bot).
    async fn skip_comment(&self, ticket: &str, comment: &str, now: Timestamp) -> Result<()>;
    async fn due_outgoing(&self, mailbox: &MailboxId, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>>;
    async fn outgoing_mime(&self, id: i64) -> Result<Option<Vec<u8>>>;
    /// # Errors
    /// Also when the mail was sent or given up in the meantime; so is it with `outgoing_dispatched`.
    async fn outgoing_prepared(&self, id: i64, provider_id: Option<&str>) -> Result<()>;
    async fn outgoing_dispatched(&self, id: i64, now: Timestamp) -> Result<()>;
    async fn outgoing_sent(&self, id: i64, now: Timestamp) -> Result<()>;
    async fn postpone_outgoing(&self, id: i64, next_try_at: Timestamp, reason: &str) -> Result<()>;
    async fn outgoing_failed(&self, id: i64, reason: &str) -> Result<()>;
    /// Newest first.
    async fn recent_outgoing(&self, state: Option<OutboxState>, limit: u32) -> Result<Vec<OutboxRow>>;
}

/// How many mails stand where; what the console and the metrics show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub inbound_waiting: u64,
    pub inbound_done: u64,
    pub inbound_ignored: u64,
    pub inbound_quarantined: u64,
    pub outgoing_waiting: u64,
    pub outgoing_sent: u64,
    pub outgoing_failed: u64,
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
    async fn take_hints(&self, limit: u32) -> Result<Vec<String>>;
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
    Mailboxes + SealedRecords + SealedFields + Flows + Ledger + Outbox + Facts + Sessions + Drafts
{
}

impl<T: Mailboxes + SealedRecords + SealedFields + Flows + Ledger + Outbox + Facts + Sessions + Drafts> Store
    for T
{
}
