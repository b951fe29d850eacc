//! Takes stored mails one by one: read, decide, write the intent down, have it done, end. One bad mail
//! never keeps the next one from its turn.

use std::time::Duration;

use tokio::sync::watch;
use tracing::info;

use super::desk_action::{Job, UNSETTLED};
use super::judge::{Plan, STEP_BACK};
use super::reading::Read;
use super::supervise::stopping;
use super::{Point, Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::desk::DeskError;
use crate::mail::decide::Writer;
use crate::mail::policy::SameMail;
use crate::mail::{Mailbox, same_address};
use crate::store::{
    FirstIntent, InboundEnd, InboundRow, InboundState, Intent, MailboxRow, Participant, PutOff, Seen,
    StoreError, TicketRow,
};

/// More people than this in a conversation are most likely a mistake.
const MOST_PARTICIPANTS: usize = 20;

impl Worker {
    /// Every mail of this mailbox that is due now, oldest first.
    pub(super) async fn process_due(
        &self,
        row: &MailboxRow,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), WorkerError> {
        let (mut after, mut failure) = (None, None);
        while let Some(mail) = self.next_due(row, after).await? {
            if stopping(stop) {
                break;
            }
            after = Some((mail.received_at, mail.id));
            match self.process(row, &mail).await {
                Ok(()) => {}
                // Another worker, or a person, has it now.
                Err(WorkerError::Overtaken) => {
                    info!(mailbox = %row.id, mail = mail.id, "a mail was taken over");
                }
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
        after: Option<(Timestamp, i64)>,
    ) -> Result<Option<InboundRow>, WorkerError> {
        let due = self.parts.store.due_inbound(&row.id, self.parts.clock.now(), after, 1).await?;
        Ok(due.into_iter().next())
    }

    async fn process(&self, row: &MailboxRow, mail: &InboundRow) -> Result<(), WorkerError> {
        let Some(raw) = self.parts.store.inbound_raw(mail.id).await? else {
            return Err(StoreError::Corrupt { what: "mail without its bytes" }.into());
        };
        let read = match self.read(raw).await {
            Ok(read) => read,
            Err(reason) => return self.unreadable(mail, &reason).await,
        };
        match &mail.intent {
            Some(intent) if mail.state == InboundState::Intent => {
                self.resume(row, mail, &read, intent.clone()).await
            }
            _ => self.begin(row, mail, &read).await,
        }
    }

    async fn begin(&self, row: &MailboxRow, mail: &InboundRow, read: &Read) -> Result<(), WorkerError> {
        if self.waits_for_parent(mail, read).await? {
            return Ok(());
        }
        // One that was quarantined and is tried again may have an intent from before.
        let begun = self.parts.clock.now();
        let job = Job { row, mail, read, begun, resumed: mail.intent.is_some() };
        let plan = self.plan(row, mail, read).await?;
        match self.within_limits(plan).await? {
            Plan::Leave { reason, ticket } => self.leave(mail, read, reason, ticket).await,
            Plan::StepBack { until, reason } => {
                Ok(self.parts.store.postpone_inbound(mail.id, until, reason, PutOff::Turn).await?)
            }
            Plan::Open { .. } => {
                if let Some(begun) = self.write_first_intent(&job).await? {
                    return self.do_and_end(&Job { begun, ..job }, Intent::Open).await;
                }
                let reason = "the same mail is on its way from another mailbox";
                self.postpone(mail, STEP_BACK, reason, PutOff::Turn).await
            }
            Plan::Reply { ticket } => self.carry_out(&job, Intent::Reply { ticket }).await,
            Plan::Note { ticket } => self.carry_out(&job, Intent::Note { ticket }).await,
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
        let reason = "an earlier try may still be on its way";
        let written_at = mail.intent_at.unwrap_or(now);
        if written_at > now + UNSETTLED {
            // Written by a clock that was ahead: nobody can tell how long ago, so it is taken for new.
            if self.parts.store.renew_intent(mail.id, written_at, now).await? {
                self.postpone(mail, UNSETTLED, reason, PutOff::Turn).await?;
            }
            return Ok(());
        }
        let settled_at = self.takeovers.counted_from(&mail.mailbox, written_at) + UNSETTLED;
        if now < settled_at {
            return self.postpone(mail, settled_at.since(now), reason, PutOff::Turn).await;
        }
        self.carry_out(&Job { row, mail, read, begun: now, resumed: true }, intent).await
    }

    async fn carry_out(&self, job: &Job<'_>, intent: Intent) -> Result<(), WorkerError> {
        let begun = self.write_intent(job, job.mail.seen(), &intent).await?;
        self.do_and_end(&Job { begun, ..*job }, intent).await
    }

    async fn do_and_end(&self, job: &Job<'_>, intent: Intent) -> Result<(), WorkerError> {
        let done = match &intent {
            Intent::Open => self.open(job).await,
            Intent::Reply { ticket } => match self.reply(job, ticket).await {
                Ok(Some(conversation)) => Ok(conversation),
                Ok(None) => self.open_instead(job).await,
                Err(error) => Err(error),
            },
            Intent::Note { ticket } => return self.note_and_end(job, ticket).await,
        };
        match done {
            Ok(conversation) => self.end(job, &conversation).await,
            Err(WorkerError::Desk(error)) => self.after_failure_of_desk(job, error).await,
            Err(error) => Err(error),
        }
    }

    async fn note_and_end(&self, job: &Job<'_>, ticket: &str) -> Result<(), WorkerError> {
        match self.note(job, ticket).await {
            Ok(true) => self.write_end(job, InboundEnd::Done { ticket: ticket.to_owned() }, None).await,
            Ok(false) => {
                let reason = "an automatic mail for a ticket that is gone".to_owned();
                self.write_end(job, InboundEnd::Ignored { reason, ticket: None }, None).await
            }
            Err(WorkerError::Desk(error)) => self.after_failure_of_desk(job, error).await,
            Err(error) => Err(error),
        }
    }

    /// The ticket is gone, so the mail needs one of its own.
    async fn open_instead(&self, job: &Job<'_>) -> Result<TicketRow, WorkerError> {
        let seen = Seen { state: InboundState::Intent, intent_at: Some(job.begun) };
        let begun = self.write_intent(job, seen, &Intent::Open).await?;
        self.open(&Job { begun, resumed: false, ..*job }).await
    }

    /// Written again before a repeat too: the time in it says when the desk was last asked.
    async fn write_intent(
        &self,
        job: &Job<'_>,
        seen: Seen,
        intent: &Intent,
    ) -> Result<Timestamp, WorkerError> {
        let now = self.parts.clock.now();
        if !self.parts.store.write_intent(job.mail.id, seen, &job.read.reading, intent, now).await? {
            return Err(WorkerError::Overtaken);
        }
        (self.parts.at)(Point::IntentWritten);
        Ok(now)
    }

    /// When it was written that this mail becomes a ticket; `None` when a copy of it does.
    async fn write_first_intent(&self, job: &Job<'_>) -> Result<Option<Timestamp>, WorkerError> {
        let seen = job.mail.seen();
        if self.parts.settings.policy.same_mail == SameMail::Separate {
            return self.write_intent(job, seen, &Intent::Open).await.map(Some);
        }
        let now = self.parts.clock.now();
        match self.parts.store.write_first_intent(job.mail.id, seen, &job.read.reading, now).await? {
            FirstIntent::Written => {
                (self.parts.at)(Point::IntentWritten);
                Ok(Some(now))
            }
            FirstIntent::Elsewhere => Ok(None),
            FirstIntent::Overtaken => Err(WorkerError::Overtaken),
        }
    }

    async fn end(&self, job: &Job<'_>, conversation: &TicketRow) -> Result<(), WorkerError> {
        (self.parts.at)(Point::DeskAnswered);
        self.greet(job, conversation).await?;
        let end = InboundEnd::Done { ticket: conversation.id.clone() };
        self.write_end(job, end, Some(conversation)).await
    }

    async fn write_end(
        &self,
        job: &Job<'_>,
        end: InboundEnd,
        conversation: Option<&TicketRow>,
    ) -> Result<(), WorkerError> {
        let (mail, message_id) = (job.mail, &job.read.message.message_id);
        let now = self.parts.clock.now();
        self.parts.store.end_inbound(mail.id, Some(message_id), &end, conversation, now).await?;
        let lag = now.since(mail.received_at);
        self.parts.meters.arrived(lag);
        let lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        info!(mailbox = %mail.mailbox, mail = mail.id, lag_ms, "a mail is at the desk");
        (self.parts.at)(Point::MailEnded);
        Ok(())
    }

    async fn leave(
        &self,
        mail: &InboundRow,
        read: &Read,
        reason: String,
        ticket: Option<String>,
    ) -> Result<(), WorkerError> {
        info!(mailbox = %mail.mailbox, mail = mail.id, "a mail is left alone");
        self.parts.store.note_reading(mail.id, &read.reading).await?;
        let end = InboundEnd::Ignored { reason, ticket };
        let now = self.parts.clock.now();
        let message_id = Some(read.message.message_id.as_str());
        Ok(self.parts.store.end_inbound(mail.id, message_id, &end, None, now).await?)
    }

    pub(super) async fn postpone(
        &self,
        mail: &InboundRow,
        wait: Duration,
        reason: &str,
        put_off: PutOff,
    ) -> Result<(), WorkerError> {
        let next_try_at = self.parts.clock.now() + wait;
        Ok(self.parts.store.postpone_inbound(mail.id, next_try_at, reason, put_off).await?)
    }
}

/// Whether the desk may well take the next mail after this.
fn concerns_one_mail(error: &DeskError) -> bool {
    matches!(error, DeskError::Refused { .. } | DeskError::Garbled { .. })
}

/// A conversation that begins with the mail of `job`.
pub(super) fn conversation(
    job: &Job<'_>,
    ticket: String,
    requester: (String, String),
    own: &[String],
    now: Timestamp,
) -> TicketRow {
    let message = &job.read.message;
    let row = TicketRow {
        id: ticket,
        mailbox: job.mail.mailbox.clone(),
        requester: requester.0,
        requester_name: requester.1,
        subject: message.subject.clone(),
        participants: Vec::new(),
        references: message.references.clone(),
        thread_index: job.read.thread_index.clone(),
        closed: false,
        by_mail: true,
        number: None,
        gone_at: None,
        opened_at: now,
        // Looked at soon: an answer may have been faster than the ledger.
        swept_at: Timestamp(0),
    };
    // Not the sender: where answers go to somebody else, he asked for that.
    with_people(with_reference(row, job.read), message.to.iter().chain(&message.cc), own)
}

/// The conversation with one more mail: the newest reference, and whoever takes part in it. An agent does not,
/// and his mail reopens nothing.
pub(super) fn continued(row: TicketRow, read: &Read, own: &[String], by: Writer) -> TicketRow {
    let message = &read.message;
    let sender = message.from.iter().filter(|_| by == Writer::Customer);
    let closed = row.closed && by == Writer::Agent;
    let row = TicketRow { closed, ..with_reference(row, read) };
    with_people(row, sender.chain(&message.to).chain(&message.cc), own)
}

fn with_reference(mut row: TicketRow, read: &Read) -> TicketRow {
    let id = &read.message.message_id;
    row.references.retain(|known| known != id);
    row.references.push(id.clone());
    row
}

fn with_people<'p>(
    mut row: TicketRow,
    people: impl Iterator<Item = &'p Mailbox>,
    own: &[String],
) -> TicketRow {
    for Mailbox { name, address } in people {
        let known = own.iter().any(|own| same_address(own, address))
            || same_address(&row.requester, address)
            || row.participants.iter().any(|one| same_address(&one.address, address));
        if !known && !address.is_empty() && row.participants.len() < MOST_PARTICIPANTS {
            row.participants.push(Participant { name: name.clone(), address: address.clone() });
        }
    }
    row
}
