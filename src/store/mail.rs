//! What the store keeps of mail: the ledger's and the outbox's rows, and what can be asked of them. Knows no
//! database.

use async_trait::async_trait;

use super::Result;
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

/// What is to become of a mail, decided and written down before the desk is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    Open,
    Reply {
        ticket: String,
    },
    /// A comment that nobody is to act on: it neither reopens the ticket nor is it answered.
    Note {
        ticket: String,
    },
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
    /// Could not be read, or the desk refused it for good; its bytes are kept.
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
    /// When its bytes were stored; of a mail that is still to be fetched, when it was listed.
    pub stored_at: Timestamp,
    pub state: InboundState,
    pub attempts: u32,
    /// Tries in which this very mail was refused or could not be read.
    pub refusals: u32,
    pub next_try_at: Timestamp,
    /// It waited while its mailbox was disconnected: its age was judged by that connection.
    pub accepted: bool,
    /// Tries to do on the server what is to become of it.
    pub settle_tries: u32,
    /// Normalised Message-ID, once parsed.
    pub message_id: Option<String>,
    pub intent: Option<Intent>,
    pub intent_at: Option<Timestamp>,
    pub ticket: Option<String>,
    pub reason: Option<String>,
    /// What was found when it was read last; `None` before.
    pub reading: Option<Reading>,
}

impl InboundRow {
    pub fn seen(&self) -> Seen {
        Seen { state: self.state, intent_at: self.intent_at }
    }
}

/// A mail's intent as a worker saw it. Of several who saw the same, one may write the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub state: InboundState,
    pub intent_at: Option<Timestamp>,
}

/// What became of the wish to be the first of a mail's copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstIntent {
    Written,
    /// The same mail has an intent or an end in another mailbox.
    Elsewhere,
    /// The mail is not as it was seen any more.
    Overtaken,
}

/// Why a mail waits for another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOff {
    /// It is not its turn; nothing was tried.
    Turn,
    /// The try failed as it would have for any mail.
    Trouble,
    /// This mail cannot be read, or is refused for what is in it.
    Refusal,
}

/// What the ledger keeps of a mail that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Normalised.
    pub message_id: String,
    /// Keyed hash of the sender's address; empty when the mail names nobody.
    pub sender: String,
    /// Hash of what the mail says, without what servers add on its way: equal for copies.
    pub content: String,
    /// Files the mail brings.
    pub files: u32,
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
    /// Who else was addressed; gets copies of answers. Never an address of ours.
    pub participants: Vec<Participant>,
    /// The newest Message-IDs of the conversation, oldest first; becomes `References`.
    pub references: Vec<String>,
    /// `Thread-Index` of the mail that began it, by which Outlook groups; base64.
    pub thread_index: Option<String>,
    /// Whether the desk showed it as closed when it was last looked at.
    pub closed: bool,
    /// It began as a mail, not at the desk.
    pub by_mail: bool,
    /// The number people see; `None` until the desk was asked for it.
    pub number: Option<i64>,
    /// Since when the desk does not show it any more.
    pub gone_at: Option<Timestamp>,
    pub opened_at: Timestamp,
    pub swept_at: Timestamp,
}

/// Somebody who takes part in a conversation besides its requester.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Participant {
    pub name: String,
    pub address: String,
}

#[async_trait]
pub trait Ledger: Send + Sync {
    /// Stores a raw mail; `None` if (mailbox, source key) is known already.
    async fn add_inbound(&self, mail: &NewMail) -> Result<Option<i64>>;
    async fn knows_inbound(&self, mailbox: &MailboxId, source_key: &str) -> Result<bool>;
    /// Fetched mails of this mailbox in state New or Intent whose next try is due, oldest received first; only
    /// those behind `after` (when received, id). A try that lies further ahead than anything waits was set by
    /// a clock that was ahead, and is due.
    async fn due_inbound(
        &self,
        mailbox: &MailboxId,
        now: Timestamp,
        after: Option<(Timestamp, i64)>,
        limit: u32,
    ) -> Result<Vec<InboundRow>>;
    /// When the next of this mailbox's waiting mails becomes due, after `now`.
    async fn next_inbound_try(&self, mailbox: &MailboxId, now: Timestamp) -> Result<Option<Timestamp>>;
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
    /// When an earlier mail of this mailbox, that is on its way to the same ticket, is tried next.
    async fn waits_before(&self, mail: &InboundRow, ticket: &str) -> Result<Option<Timestamp>>;
    /// Mails that ended on this ticket at or after `since`.
    async fn ended_on(&self, ticket: &str, since: Timestamp) -> Result<u64>;
    /// The newest mail that ended on this ticket.
    async fn newest_on(&self, ticket: &str) -> Result<Option<InboundRow>>;
    /// The same mail (Message-ID and content) in another mailbox that is further on, as for
    /// [`Ledger::inbound_by_message_id`].
    async fn inbound_elsewhere(&self, mail: &InboundRow, reading: &Reading) -> Result<Option<InboundRow>>;
    /// Writes what is to become of the mail, if it still is as it was seen; otherwise `false`, and nothing may
    /// be done for it.
    async fn write_intent(
        &self,
        id: i64,
        seen: Seen,
        reading: &Reading,
        intent: &Intent,
        now: Timestamp,
    ) -> Result<bool>;
    /// [`Ledger::write_intent`] to open a ticket, unless the same mail has an intent or an end in another
    /// mailbox. Of two at once one is first.
    async fn write_first_intent(
        &self,
        id: i64,
        seen: Seen,
        reading: &Reading,
        now: Timestamp,
    ) -> Result<FirstIntent>;
    /// Says that the intent written at `begun` is followed only now; `false` when it is no longer the newest.
    async fn renew_intent(&self, id: i64, begun: Timestamp, now: Timestamp) -> Result<bool>;
    /// Notes what was found in a mail that gets no intent.
    async fn note_reading(&self, id: i64, reading: &Reading) -> Result<()>;
    /// Mails of this sender that were stored at or after `since`, in all mailboxes.
    async fn inbound_from(&self, sender: &str, since: Timestamp) -> Result<u64>;
    /// Has the mail wait, and counts what was tried.
    async fn postpone_inbound(
        &self,
        id: i64,
        next_try_at: Timestamp,
        reason: &str,
        put_off: PutOff,
    ) -> Result<()>;
    /// Whether any mail became part of a ticket at or after `since`.
    async fn ended_since(&self, since: Timestamp) -> Result<bool>;
    /// One transaction: the end of the mail, the conversation it belongs to (added or updated) and its
    /// Message-ID as a reference. One that is put aside is still to be told of at the desk.
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
    /// Makes a waiting mail due now; `false` for any other.
    async fn hasten_inbound(&self, id: i64, now: Timestamp) -> Result<bool>;
    /// Ends a waiting or quarantined mail as Ignored, by hand; `false` for any other, and when it is not in
    /// the state `from`.
    async fn skip_inbound(&self, id: i64, from: InboundState, reason: &str, now: Timestamp) -> Result<bool>;
    /// Drops the bytes of mails that ended as Done or Ignored before `ended_before`, unless they belong to a
    /// ticket and bring files that nothing else knows of; at most `limit` at once. How many were dropped.
    async fn drop_old_raw(&self, ended_before: Timestamp, limit: u32) -> Result<u64>;
    /// Newest first.
    async fn recent_inbound(&self, state: Option<InboundState>, limit: u32) -> Result<Vec<InboundRow>>;

    /// The ticket that knows one of these Message-IDs; the first given wins.
    async fn ticket_by_message_ids(&self, message_ids: &[String]) -> Result<Option<TicketRow>>;
    async fn ticket(&self, id: &str) -> Result<Option<TicketRow>>;
    /// The ticket that our Message-IDs name so ([`crate::mail::message_id::short`]).
    async fn ticket_by_short(&self, short: &str) -> Result<Option<TicketRow>>;
    /// The ticket with the number people see, as far as it is known by now.
    async fn ticket_by_number(&self, number: i64) -> Result<Option<TicketRow>>;
    /// Conversations least recently swept for agents' replies; those that the desk does not show any more
    /// once a day.
    async fn tickets_to_sweep(
        &self,
        by_mail: bool,
        swept_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<TicketRow>>;
    /// Has those swept next that a clock which was ahead marked as swept after `now`; how many.
    async fn unmark_swept_after(&self, now: Timestamp) -> Result<u64>;
    async fn mark_swept(&self, id: &str, now: Timestamp) -> Result<()>;
    /// Adds a conversation that did not begin as a mail; `false` if it is known.
    async fn add_ticket(&self, ticket: &TicketRow) -> Result<bool>;
    /// Notes how the desk shows the ticket; `false` if that was known already.
    async fn note_closed(&self, id: &str, closed: bool) -> Result<bool>;
    /// Takes these addresses, in any case, off those who get copies of the ticket's answers.
    async fn leave_out(&self, id: &str, addresses: &[String]) -> Result<()>;
    /// Notes that the desk shows the ticket, under this number.
    async fn note_shown(&self, id: &str, number: i64) -> Result<()>;
    /// Notes that the desk does not show the ticket any more; the first time stays.
    async fn note_gone(&self, id: &str, now: Timestamp) -> Result<()>;
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

/// Why a mail is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutgoingKind {
    /// An agent's public comment.
    Answer,
    /// A new ticket was opened.
    Acknowledgement,
    /// The desk closed the ticket.
    Closing,
    /// The customer's mail was larger than is taken.
    TooLarge,
}

/// An outgoing mail before it is stored; the mail is frozen from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutgoing {
    pub mailbox: MailboxId,
    pub ticket: String,
    /// The desk's comment id, or what else the mail is about; (ticket, comment) is mailed once.
    pub comment: String,
    pub kind: OutgoingKind,
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
    pub kind: OutgoingKind,
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
    /// How often it was sent again although nobody could tell whether it had arrived.
    pub doubled: u32,
}

#[async_trait]
pub trait Outbox: Send + Sync {
    /// Adds the mail and its Message-ID as a reference of its ticket, in one transaction; `false` if
    /// (ticket, comment) is there already.
    async fn add_outgoing(&self, mail: &NewOutgoing) -> Result<bool>;
    async fn knows_outgoing(&self, ticket: &str, comment: &str) -> Result<bool>;
    /// Marks a comment as not to be mailed (it was made before mail was on, or by the bot).
    async fn skip_comment(&self, ticket: &str, comment: &str, now: Timestamp) -> Result<()>;
    /// Whether a mail of this kind to this address was added at or after `since`.
    async fn sent_lately(&self, kind: OutgoingKind, recipient: &str, since: Timestamp) -> Result<bool>;
    /// Whether somebody whose mails have this keyed hash of their sender was told that a ticket was opened, at or
    /// after `since`; to which address.
    async fn acknowledged_lately(&self, sender: &str, since: Timestamp) -> Result<Option<String>>;
    /// Mails about this ticket that were sent at or after `since`.
    async fn sent_about(&self, ticket: &str, since: Timestamp) -> Result<u64>;
    async fn due_outgoing(&self, mailbox: &MailboxId, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>>;
    /// Mails that wait in this mailbox and were due at or before `since`: nobody has tried them from then on.
    async fn overdue_outgoing(
        &self,
        mailbox: &MailboxId,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxRow>>;
    async fn outgoing(&self, id: i64) -> Result<Option<OutboxRow>>;
    async fn outgoing_mime(&self, id: i64) -> Result<Option<Vec<u8>>>;
    /// `seen` is the `dispatched_at` that the mail was read with.
    ///
    /// # Errors
    /// Also when the mail was sent or given up in the meantime, or another worker has gone on with it; so is it
    /// with `outgoing_dispatched`.
    async fn outgoing_prepared(
        &self,
        id: i64,
        seen: Option<Timestamp>,
        provider_id: Option<&str>,
    ) -> Result<()>;
    async fn outgoing_dispatched(&self, id: i64, seen: Option<Timestamp>, now: Timestamp) -> Result<()>;
    /// Counts that the mail is about to be sent again without proof.
    async fn outgoing_doubled(&self, id: i64) -> Result<()>;
    async fn outgoing_sent(&self, id: i64, now: Timestamp) -> Result<()>;
    async fn postpone_outgoing(&self, id: i64, next_try_at: Timestamp, reason: &str) -> Result<()>;
    async fn outgoing_failed(&self, id: i64, reason: &str) -> Result<()>;
    /// Gives a waiting mail up, by hand; `false` for any other, and when it is not in the state `from`.
    async fn skip_outgoing(&self, id: i64, from: OutboxState, reason: &str) -> Result<bool>;
    /// Tries again now, by hand, what failed or waits; `false` for any other.
    async fn retry_outgoing(&self, id: i64, now: Timestamp) -> Result<bool>;
    /// Drops the bytes of mails that were sent before `before`, and of notices from before it that were given up;
    /// `limit` of each at most. How many. Answers that were given up stay: a person may have them sent.
    async fn drop_sent_mime(&self, before: Timestamp, limit: u32) -> Result<u64>;
    /// Newest first.
    async fn recent_outgoing(&self, state: Option<OutboxState>, limit: u32) -> Result<Vec<OutboxRow>>;
}
