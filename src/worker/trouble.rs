//! What becomes of a mail that cannot be read, or that the desk does not take.

use std::time::Duration;

use tracing::warn;

use super::desk_action::{Job, UNSETTLED};
use super::{Worker, WorkerError};
use crate::base::backoff::Backoff;
use crate::base::id::random_bytes;
use crate::desk::DeskError;
use crate::store::{InboundEnd, InboundRow, InboundState, PutOff};

/// Tries to read a mail before it is quarantined.
const READ_TRIES: u32 = 3;

/// Refusals by the desk before a mail is quarantined. More than one: a desk that is being updated may
/// refuse what it takes a minute later.
const DESK_TRIES: u32 = 5;

const BACKOFF: Backoff = Backoff { floor: Duration::from_secs(5), ceiling: Duration::from_secs(300) };

/// How long a desk that takes other mails may answer this one with its own failure.
const DESK_PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Within this time another mail must have become part of a ticket, for the desk to be well.
const WELL: Duration = Duration::from_secs(3600);

impl Worker {
    /// Keeps the mail for another try, unless the desk will never take it.
    pub(super) async fn after_failure_of_desk(
        &self,
        job: &Job<'_>,
        error: DeskError,
    ) -> Result<(), WorkerError> {
        let mail = job.mail;
        let refused = refuses_this_mail(&error);
        if (refused && mail.refusals + 1 >= DESK_TRIES) || self.is_alone_in_failing(mail, &error).await? {
            return self.put_aside(mail, &error.to_string()).await;
        }
        let mut wait = backoff(mail.attempts);
        if error.may_have_applied() {
            wait = wait.max(UNSETTLED);
        }
        let put_off = if refused { PutOff::Refusal } else { PutOff::Trouble };
        self.postpone(mail, wait, &error.to_string(), put_off).await?;
        Err(error.into())
    }

    /// Whether the desk has failed over this mail for a day, and not over others.
    async fn is_alone_in_failing(&self, mail: &InboundRow, error: &DeskError) -> Result<bool, WorkerError> {
        let now = self.parts.clock.now();
        Ok(matches!(error, DeskError::Refused { status: 500.., .. })
            && now.since(mail.stored_at) >= DESK_PATIENCE
            && self.parts.store.ended_since(now - WELL).await?)
    }

    pub(super) async fn unreadable(&self, mail: &InboundRow, reason: &str) -> Result<(), WorkerError> {
        // A mail with an intent was readable once; it is never given up for one bad moment.
        if mail.state == InboundState::Intent || mail.refusals + 1 < READ_TRIES {
            return self.postpone(mail, backoff(mail.attempts), reason, PutOff::Refusal).await;
        }
        self.put_aside(mail, reason).await
    }

    pub(super) async fn put_aside(&self, mail: &InboundRow, reason: &str) -> Result<(), WorkerError> {
        warn!(mailbox = %mail.mailbox, mail = mail.id, reason, "a mail is quarantined");
        let end = InboundEnd::Quarantined { reason: reason.to_owned() };
        self.parts.store.end_inbound(mail.id, None, &end, None, self.parts.clock.now()).await?;
        self.tell_put_aside(mail, reason).await
    }
}

/// A clear no to what is in the mail. What any mail would meet (sign-in, rights, a missing route, a brake)
/// is no fault of this one.
fn refuses_this_mail(error: &DeskError) -> bool {
    matches!(error, DeskError::Refused { status: 400 | 411 | 413 | 414 | 415 | 422 | 431, .. })
}

/// Wait after a try, when `failed` tries failed before it.
pub(super) fn backoff(failed: u32) -> Duration {
    let [chance] = random_bytes::<1>();
    BACKOFF.wait(failed + 1, chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_mail_alone_would_meet_ends_in_quarantine() {
        let refused = |status| refuses_this_mail(&DeskError::Refused { what: "open a ticket", status });
        assert!([400, 413, 422].into_iter().all(refused));
        assert!(![401, 403, 404, 409, 429, 500, 503].into_iter().any(refused));
    }
}
