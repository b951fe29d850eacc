//! Takes stored mails one by one: read, decide, write the intent down, have it done, end. One bad mail
//! never keeps the next one from its turn.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::desk_action::{Job, UNSETTLED};
use super::reading::Read;
use super::supervise::stopping;
use super::{Point, Worker, WorkerError};
use crate::base::backoff::Backoff;
use crate::base::clock::Timestamp;
use crate::base::id::random_bytes;
use crate::desk::DeskError;
use crate::mail::Message;
use crate::mail::authentication::{Server, judge};
use crate::mail::decide::{Decision, Duplicate, Known, TicketHit, decide, same_content};
use crate::store::{InboundEnd, InboundRow, InboundState, Intent, MailboxRow, StoreError, TicketRow};

const AT_ONCE: u32 = 50;

/// Tries to read a mail before it is quarantined.
const READ_TRIES: u32 = 3;

/// Parents of a mail that are looked for among the mails still on their way.
const PARENTS: usize = 5;

const BACKOFF: Backoff = Backoff { floor: Duration::from_secs(5), ceiling: Duration::from_secs(300) };

impl Worker {
    /// Every mail of this mailbox that is due now, oldest first.
    pub(super) async fn process_due(
        &self,
        row: &MailboxRow,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), WorkerError> {
        let mut seen = HashSet::new();
        let mut failure = None;
        while let Some(mail) = self.next_due(row, &seen).await? {
            if stopping(stop) {
                break;
            }
            seen.insert(mail.id);
            match self.process(row, &mail).await {
                Ok(()) => {}
                Err(WorkerError::Desk(error)) if concerns_one_mail(&error) => {
                    failure.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Asked anew after every mail, so that a reply sees the ticket its parent has just become.
    async fn next_due(
        &self,
        row: &MailboxRow,
        seen: &HashSet<i64>,
    ) -> Result<Option<InboundRow>, WorkerError> {
        let mut limit = AT_ONCE;
        loop {
            let due = self.parts.store.due_inbound(self.parts.clock.now(), limit).await?;
            let all = due.len() < limit as usize;
            let next = due.into_iter().find(|mail| mail.mailbox == row.id && !seen.contains(&mail.id));
            if next.is_some() || all {
                return Ok(next);
            }
            // Mails of other mailboxes, or left for the next round, stand before ours.
            limit = limit.saturating_mul(4);
        }
    }

    async fn process(&self, row: &MailboxRow, mail: &InboundRow) -> Result<(), WorkerError> {
        let Some(raw) = self.parts.store.inbound_raw(mail.id).await? else {
            return Err(StoreError::Corrupt { what: "mail without its bytes" }.into());
        };
        let read = match self.read(raw).await {
            Ok(read) => read,
            Err(reason) => return self.unreadable(row, mail, &reason).await,
        };
        match &mail.intent {
            Some(intent) => self.resume(row, mail, &read, intent.clone()).await,
            None => self.begin(row, mail, &read).await,
        }
    }

    async fn begin(&self, row: &MailboxRow, mail: &InboundRow, read: &Read) -> Result<(), WorkerError> {
        if self.waits_for_parent(mail, &read.message).await? {
            return Ok(());
        }
        let job = Job { row, mail, read, resumed: false };
        match self.judge(row, mail, &read.message).await? {
            Decision::Ignore { reason, ticket } => self.ignore(mail, &read.message, reason, ticket).await,
            Decision::Open { .. } => self.carry_out(&job, Intent::Open).await,
            Decision::Reply { ticket, .. } => self.carry_out(&job, Intent::Reply { ticket }).await,
            Decision::Note { ticket, reason } => self.ignore(mail, &read.message, reason, Some(ticket)).await,
        }
    }

    /// Goes on with an intent of an earlier try. The desk may still be applying that try's call.
    async fn resume(
        &self,
        row: &MailboxRow,
        mail: &InboundRow,
        read: &Read,
        intent: Intent,
    ) -> Result<(), WorkerError> {
        let now = self.parts.clock.now();
        let settled_at = mail.intent_at.unwrap_or(now) + UNSETTLED;
        if now < settled_at {
            let reason = "an earlier try may still be on its way";
            return Ok(self.parts.store.postpone_inbound(mail.id, settled_at, reason).await?);
        }
        self.carry_out(&Job { row, mail, read, resumed: true }, intent).await
    }

    async fn carry_out(&self, job: &Job<'_>, intent: Intent) -> Result<(), WorkerError> {
        self.write_intent(job, &intent).await?;
        let done = match &intent {
            Intent::Open => self.open(job).await,
            Intent::Reply { ticket } => match self.reply(job, ticket).await {
                Ok(Some(conversation)) => Ok(conversation),
                Ok(None) => self.open_instead(job).await,
                Err(error) => Err(error),
            },
        };
        match done {
            Ok(conversation) => self.end(job, conversation).await,
            Err(WorkerError::Desk(error)) => self.after_failure_of_desk(job.mail, error).await,
            Err(error) => Err(error),
        }
    }

    /// The ticket is gone, so the mail needs one of its own.
    async fn open_instead(&self, job: &Job<'_>) -> Result<TicketRow, WorkerError> {
        self.write_intent(job, &Intent::Open).await?;
        self.open(&Job { resumed: false, ..*job }).await
    }

    /// Written again before a repeat too: the time in it says when the desk was last asked.
    async fn write_intent(&self, job: &Job<'_>, intent: &Intent) -> Result<(), WorkerError> {
        let now = self.parts.clock.now();
        self.parts.store.write_intent(job.mail.id, &job.read.message.message_id, intent, now).await?;
        (self.parts.at)(Point::IntentWritten);
        Ok(())
    }

    async fn end(&self, job: &Job<'_>, conversation: TicketRow) -> Result<(), WorkerError> {
        (self.parts.at)(Point::DeskAnswered);
        let (mail, message_id) = (job.mail, &job.read.message.message_id);
        let end = InboundEnd::Done { ticket: conversation.id.clone() };
        let now = self.parts.clock.now();
        self.parts.store.end_inbound(mail.id, Some(message_id), &end, Some(&conversation), now).await?;
        info!(mailbox = %mail.mailbox, mail = mail.id, ticket = conversation.id, "a mail is at the desk");
        (self.parts.at)(Point::MailEnded);
        Ok(())
    }

    async fn ignore(
        &self,
        mail: &InboundRow,
        message: &Message,
        reason: String,
        ticket: Option<String>,
    ) -> Result<(), WorkerError> {
        info!(mailbox = %mail.mailbox, mail = mail.id, "a mail is left alone");
        let end = InboundEnd::Ignored { reason, ticket };
        let now = self.parts.clock.now();
        Ok(self.parts.store.end_inbound(mail.id, Some(&message.message_id), &end, None, now).await?)
    }

    /// Keeps the mail for another try; nothing the desk does makes a mail a bad one.
    async fn after_failure_of_desk(&self, mail: &InboundRow, error: DeskError) -> Result<(), WorkerError> {
        let mut wait = backoff(mail.attempts);
        if error.may_have_applied() {
            wait = wait.max(UNSETTLED);
        }
        self.postpone(mail, wait, &error.to_string()).await?;
        Err(error.into())
    }

    async fn unreadable(&self, row: &MailboxRow, mail: &InboundRow, reason: &str) -> Result<(), WorkerError> {
        // A mail with an intent was readable once; it is never given up for one bad moment.
        if mail.state == InboundState::Intent || mail.attempts + 1 < READ_TRIES {
            return self.postpone(mail, backoff(mail.attempts), reason).await;
        }
        warn!(mailbox = %mail.mailbox, mail = mail.id, reason, "a mail is quarantined");
        let end = InboundEnd::Quarantined { reason: reason.to_owned() };
        self.parts.store.end_inbound(mail.id, None, &end, None, self.parts.clock.now()).await?;
        self.announce_quarantine(row, mail, reason).await;
        Ok(())
    }

    async fn postpone(&self, mail: &InboundRow, wait: Duration, reason: &str) -> Result<(), WorkerError> {
        let next_try_at = self.parts.clock.now() + wait;
        Ok(self.parts.store.postpone_inbound(mail.id, next_try_at, reason).await?)
    }

    /// Whether a mail this one answers is about to become a ticket; then it is left for the next round.
    async fn waits_for_parent(&self, mail: &InboundRow, message: &Message) -> Result<bool, WorkerError> {
        let store = &self.parts.store;
        if store.ticket_by_message_ids(&message.parents).await?.is_some() {
            return Ok(false);
        }
        for parent in message.parents.iter().take(PARENTS) {
            let earlier = store.inbound_by_message_id(&mail.mailbox, parent, mail.id).await?;
            if earlier.is_some_and(|earlier| earlier.state == InboundState::Intent) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn judge(
        &self,
        row: &MailboxRow,
        mail: &InboundRow,
        message: &Message,
    ) -> Result<Decision, WorkerError> {
        let settings = &self.parts.settings;
        let own_addresses: Vec<String> =
            [Some(&row.address), settings.from_address.as_ref(), settings.reply_to.as_ref()]
                .into_iter()
                .flatten()
                .cloned()
                .collect();
        let ticket = self.parts.store.ticket_by_message_ids(&message.parents).await?;
        let known = Known {
            own_addresses: &own_addresses,
            message_id_key: &self.parts.message_ids,
            ticket: ticket.map(|ticket| TicketHit {
                id: ticket.id,
                requester: ticket.requester,
                ..TicketHit::default()
            }),
            duplicate: self.duplicate(mail, message).await?,
            accept_since: row.accept_since,
            received_at: mail.received_at,
            authentication: judge(message, &Server::microsoft()),
        };
        Ok(decide(message, &known))
    }

    async fn duplicate(
        &self,
        mail: &InboundRow,
        message: &Message,
    ) -> Result<Option<Duplicate>, WorkerError> {
        let store = &self.parts.store;
        let Some(earlier) = store.inbound_by_message_id(&mail.mailbox, &message.message_id, mail.id).await?
        else {
            return Ok(None);
        };
        let Some(raw) = store.inbound_raw(earlier.id).await? else { return Ok(None) };
        let same_content = self.read(raw).await.is_ok_and(|other| same_content(&other.message, message));
        Ok(Some(Duplicate { ticket: earlier.ticket, same_content }))
    }
}

/// Wait after a try, when `failed` tries failed before it.
fn backoff(failed: u32) -> Duration {
    let [chance] = random_bytes::<1>();
    BACKOFF.wait(failed + 1, chance)
}

/// Whether the desk may well take the next mail after this.
fn concerns_one_mail(error: &DeskError) -> bool {
    matches!(error, DeskError::Refused { .. } | DeskError::Garbled { .. })
}

/// A conversation that begins with `mail`.
pub(super) fn conversation(
    mail: &InboundRow,
    message: &Message,
    ticket: String,
    requester: (String, String),
    now: Timestamp,
) -> TicketRow {
    TicketRow {
        id: ticket,
        mailbox: mail.mailbox.clone(),
        requester: requester.0,
        requester_name: requester.1,
        subject: message.subject.clone(),
        references: with_own_id(message.references.clone(), message),
        opened_at: now,
        // Looked at soon: an answer may have been faster than the ledger.
        swept_at: Timestamp(0),
    }
}

/// The references of a conversation with `message` as the newest.
pub(super) fn with_own_id(mut references: Vec<String>, message: &Message) -> Vec<String> {
    references.retain(|id| *id != message.message_id);
    references.push(message.message_id.clone());
    references
}
