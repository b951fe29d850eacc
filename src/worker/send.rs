//! Sends what the outbox holds. A mail that may have been sent is looked for before it is sent again.

use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::supervise::{SHORTEST_WAIT, stopping};
use super::{Point, Worker, WorkerError};
use crate::base::backoff::mail_retry;
use crate::base::report::Report;
use crate::desk::DeskError;
use crate::desk::advice::without_key;
use crate::mailbox::advice::keyed;
use crate::mailbox::{Evidence, Handover, Mailbox, MailboxError, Outgoing};
use crate::oauth::source::TokenError;
use crate::store::{MailboxRow, OutboxRow, OutgoingKind};

/// Tries are given up after this time; `MIN_TRIES` keeps a long hold from using it up.
pub(super) const GIVE_UP_AFTER: Duration = Duration::from_secs(72 * 3600);
const MIN_TRIES: u32 = 20;

/// How long a notice is worth sending.
const NEWS_FOR: Duration = Duration::from_secs(24 * 3600);

/// What the provider is asked next about a mail.
enum Step {
    Send,
    Sent,
    Wait,
}

impl Worker {
    pub(super) async fn send_due(
        &self,
        row: &MailboxRow,
        mailbox: &dyn Mailbox,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), WorkerError> {
        if self.holds().await? {
            return Ok(());
        }
        let mut failure = None;
        while let Some(mail) = self.next_outgoing(row).await? {
            if stopping(stop) {
                break;
            }
            if self.is_stale(&mail) {
                self.parts.store.outgoing_failed(mail.id, "a notice that came too late to be news").await?;
                continue;
            }
            if self.waits_for_its_ticket(&mail).await? {
                continue;
            }
            match self.send(&mail, mailbox).await {
                Ok(()) => {}
                Err(WorkerError::Mailbox(error)) => {
                    let for_all = concerns_all_mails(&error);
                    self.after_failure(&mail, &error).await?;
                    failure.get_or_insert(error);
                    if for_all {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Whatever becomes of it, a mail is not due any more after its turn.
    async fn next_outgoing(&self, row: &MailboxRow) -> Result<Option<OutboxRow>, WorkerError> {
        let due = self.parts.store.due_outgoing(&row.id, self.parts.clock.now(), 1).await?;
        Ok(due.into_iter().next())
    }

    /// A notice that waited too long, while answers were held back, tells nothing any more.
    fn is_stale(&self, mail: &OutboxRow) -> bool {
        let waited = self.parts.clock.now().since(mail.created_at);
        mail.kind != OutgoingKind::Answer && mail.dispatched_at.is_none() && waited > NEWS_FOR
    }

    async fn send(&self, mail: &OutboxRow, mailbox: &dyn Mailbox) -> Result<(), WorkerError> {
        let store = &self.parts.store;
        let Some(mime) = store.outgoing_mime(mail.id).await? else {
            return self.give_up(mail, "the stored mail is gone").await;
        };
        let message_id = format!("<{}>", mail.message_id);
        let now = self.parts.clock.now();
        let dispatched_at = mail.dispatched_at.unwrap_or(now);
        let outgoing = Outgoing { message_id: &message_id, mime: &mime, dispatched_at };
        match self.next_step(mail, mailbox, outgoing).await? {
            Step::Sent => return self.sent(mail).await,
            Step::Wait => {
                return self.send_later(mail, "it cannot be told yet whether the mail was sent").await;
            }
            Step::Send => {}
        }
        let provider_id = match &mail.provider_id {
            Some(id) => Some(id.clone()),
            None => self.prepare(mail, mailbox, outgoing).await?,
        };
        let dispatched_at = self.parts.clock.now();
        store.outgoing_dispatched(mail.id, mail.dispatched_at, dispatched_at).await?;
        (self.parts.at)(Point::DispatchWritten);
        let outgoing = Outgoing { dispatched_at, ..outgoing };
        let handover = mailbox.dispatch(outgoing, provider_id.as_deref()).await?;
        (self.parts.at)(Point::MailSent);
        self.sent(mail).await?;
        if let Err(error) = mailbox.finish(outgoing).await {
            warn!(mailbox = %mail.mailbox, error = %Report(&error), "a sent mail could not be filed");
        }
        self.tell_left_out(mail, &handover).await
    }

    /// Says at the ticket who got no copy, and sends none to those whom the server does not know. Not sent again:
    /// everybody else has the mail.
    async fn tell_left_out(&self, mail: &OutboxRow, handover: &Handover) -> Result<(), WorkerError> {
        if handover.refused.is_empty() && handover.missed.is_empty() {
            return Ok(());
        }
        let (refused, missed) = (handover.refused.len(), handover.missed.len());
        warn!(mailbox = %mail.mailbox, ticket = mail.ticket, refused, missed, "an answer left without some of its copies");
        let left_out: Vec<_> = handover.refused.iter().chain(&handover.missed).map(String::as_str).collect();
        let mut note = format!(
            "[mintgate] An answer on this ticket was mailed, but no copy of it to {}: the mail server did not take \
             the address.",
            left_out.join(", "),
        );
        if refused > 0 {
            note.push_str(&format!(" No more copies go to {}.", handover.refused.join(", ")));
        }
        match self.parts.desk.comment(&mail.ticket, &note, false).await {
            Ok(()) => {}
            Err(error @ (DeskError::Refused { .. } | DeskError::Forbidden { .. })) => {
                warn!(ticket = mail.ticket, error = %Report(&error), "the ticket takes no note");
            }
            // The next answer finds it out again, and tells it then.
            Err(error) => return Err(error.into()),
        }
        Ok(self.parts.store.leave_out(&mail.ticket, &handover.refused).await?)
    }

    async fn next_step(
        &self,
        mail: &OutboxRow,
        mailbox: &dyn Mailbox,
        outgoing: Outgoing<'_>,
    ) -> Result<Step, WorkerError> {
        let Some(dispatched_at) = mail.dispatched_at else { return Ok(Step::Send) };
        let since = self.takeovers.counted_from(&mail.mailbox, dispatched_at);
        let now = dispatched_at + self.parts.clock.now().since(since);
        let provider_id = mail.provider_id.as_deref();
        let evidence = match mailbox.evidence(outgoing, provider_id, now).await {
            Ok(evidence) => evidence,
            // The question was refused, not the mail.
            Err(error @ MailboxError::Refused { .. }) => {
                warn!(mailbox = %mail.mailbox, error = %Report(&error), "nobody tells whether an answer was sent");
                Evidence::Unknown
            }
            Err(error) => return Err(error.into()),
        };
        Ok(match evidence {
            Evidence::Sent => Step::Sent,
            Evidence::NotSent => Step::Send,
            Evidence::Unknown => Step::Wait,
            Evidence::Unprovable => {
                warn!(mailbox = %mail.mailbox, ticket = mail.ticket, comment = mail.comment,
                    "an answer goes again under its first Message-ID; it may arrive twice");
                self.parts.store.outgoing_doubled(mail.id).await?;
                Step::Send
            }
        })
    }

    async fn prepare(
        &self,
        mail: &OutboxRow,
        mailbox: &dyn Mailbox,
        outgoing: Outgoing<'_>,
    ) -> Result<Option<String>, WorkerError> {
        let provider_id = mailbox.prepare(outgoing).await?;
        (self.parts.at)(Point::DraftCreated);
        self.parts.store.outgoing_prepared(mail.id, mail.dispatched_at, provider_id.as_deref()).await?;
        Ok(provider_id)
    }

    async fn sent(&self, mail: &OutboxRow) -> Result<(), WorkerError> {
        self.parts.store.outgoing_sent(mail.id, self.parts.clock.now()).await?;
        info!(mailbox = %mail.mailbox, ticket = mail.ticket, comment = mail.comment, "an answer is sent");
        Ok(())
    }

    /// Decides about one mail after the provider failed it.
    async fn after_failure(&self, mail: &OutboxRow, error: &MailboxError) -> Result<(), WorkerError> {
        let reason = keyed(Report(error).to_string(), error);
        match error {
            MailboxError::Throttled { retry_at } => {
                let later = (*retry_at).max(self.parts.clock.now() + SHORTEST_WAIT);
                Ok(self.parts.store.postpone_outgoing(mail.id, later, &reason).await?)
            }
            MailboxError::Refused { .. } => self.give_up(mail, &reason).await,
            _ => self.send_later(mail, &reason).await,
        }
    }

    async fn send_later(&self, mail: &OutboxRow, reason: &str) -> Result<(), WorkerError> {
        let now = self.parts.clock.now();
        let tries = mail.attempts + 1;
        if tries >= MIN_TRIES && now.since(mail.created_at) >= GIVE_UP_AFTER {
            return self.give_up(mail, reason).await;
        }
        Ok(self.parts.store.postpone_outgoing(mail.id, now + mail_retry(tries), reason).await?)
    }

    async fn give_up(&self, mail: &OutboxRow, reason: &str) -> Result<(), WorkerError> {
        match self.end_unsent(mail, reason).await {
            Err(WorkerError::Desk(error)) => {
                let later = self.parts.clock.now() + mail_retry(mail.attempts + 1);
                self.parts.store.postpone_outgoing(mail.id, later, reason).await?;
                Err(error.into())
            }
            other => other,
        }
    }

    /// The agent is told at the ticket first: a crash in between tells him twice rather than never. A desk that
    /// cannot be told leaves the mail as it was.
    pub(super) async fn end_unsent(&self, mail: &OutboxRow, reason: &str) -> Result<(), WorkerError> {
        if mail.kind != OutgoingKind::Answer {
            // Nobody wrote it, so nobody has to be told.
            return Ok(self.parts.store.outgoing_failed(mail.id, reason).await?);
        }
        warn!(mailbox = %mail.mailbox, ticket = mail.ticket, comment = mail.comment, reason, "an answer is given up");
        let note = format!(
            "[mintgate] An answer on this ticket could not be mailed to the customer: {}. An administrator can have \
             it sent again (mail out-{}).",
            without_key(reason),
            mail.id,
        );
        match self.parts.desk.comment(&mail.ticket, &note, false).await {
            Ok(()) => {}
            // The ticket may be gone; the console shows the mail.
            Err(error @ (DeskError::Refused { .. } | DeskError::Forbidden { .. })) => {
                warn!(ticket = mail.ticket, error = %Report(&error), "the ticket takes no note");
            }
            Err(error) => return Err(error.into()),
        }
        self.parts.store.outgoing_failed(mail.id, reason).await?;
        self.tell_given_up(mail, reason).await
    }
}

/// Whether the next mail would only fail the same way.
fn concerns_all_mails(error: &MailboxError) -> bool {
    match error {
        MailboxError::Token(TokenError::NeedsReconnect { .. } | TokenError::Misconfigured { .. })
        | MailboxError::Token(TokenError::Unavailable { .. } | TokenError::Vault { .. })
        | MailboxError::Call(_)
        | MailboxError::Throttled { .. }
        | MailboxError::Closed { .. }
        | MailboxError::NotGranted { .. } => true,
        MailboxError::CursorLost
        | MailboxError::Refused { .. }
        | MailboxError::Server { .. }
        | MailboxError::Garbled { .. }
        | MailboxError::ForeignLink { .. } => false,
    }
}
