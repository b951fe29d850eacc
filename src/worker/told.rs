//! What administrators are to know of, as events: when a mailbox began to fail and when it worked again, when it
//! had to wait, and mails that need a person.

use super::{Worker, WorkerError};
use crate::base::audit::Outcome;
use crate::base::id::MailboxId;
use crate::store::{EventKind, InboundRow, MailboxRow, NewEvent, OutboxRow, PollResult};

impl Worker {
    async fn tell_event(
        &self,
        mailbox: &MailboxId,
        kind: EventKind,
        outcome: Outcome,
        detail: impl Into<String>,
    ) -> Result<(), WorkerError> {
        let event = NewEvent::new(self.parts.clock.now(), kind, outcome, detail).about(mailbox);
        Ok(self.parts.store.add_event(&event).await?)
    }

    /// Tells what has changed since `row` was read: a failure that goes on is no news.
    pub(super) async fn tell_turn(&self, row: &MailboxRow, result: &PollResult) -> Result<(), WorkerError> {
        match (result, row.failing_since) {
            (PollResult::Failed { error, .. }, None) => {
                self.tell_event(&row.id, EventKind::Mailbox, Outcome::Failure, error).await
            }
            (PollResult::Fine { .. }, Some(_)) => {
                self.tell_event(&row.id, EventKind::Mailbox, Outcome::Success, "works again").await
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn tell_throttled(&self, mailbox: &MailboxId) -> Result<(), WorkerError> {
        let detail = "the mail server asks to wait";
        self.tell_event(mailbox, EventKind::Mailbox, Outcome::Failure, detail).await
    }

    pub(super) async fn tell_put_aside(&self, mail: &InboundRow, reason: &str) -> Result<(), WorkerError> {
        let detail = format!("in-{} put aside: {reason}", mail.id);
        self.tell_event(&mail.mailbox, EventKind::Mail, Outcome::Failure, detail).await
    }

    pub(super) async fn tell_given_up(&self, mail: &OutboxRow, reason: &str) -> Result<(), WorkerError> {
        let detail = format!("out-{} given up: {reason}", mail.id);
        self.tell_event(&mail.mailbox, EventKind::Mail, Outcome::Failure, detail).await
    }
}
