//! Keeps a ticket from being flooded by a loop that nothing else has noticed: so many mails in an hour, in
//! either direction. What a person wrote waits, it is never dropped.

use std::time::Duration;

use tracing::warn;

use super::judge::Plan;
use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::store::OutboxRow;

const WINDOW: Duration = Duration::from_secs(3600);
/// Mails on a ticket within the window after which no automatic mail is told of any more.
const MOST_NOTES: u64 = 20;
/// And after which what persons write waits.
const MOST_REPLIES: u64 = 60;
/// Mails of ours about a ticket within the window.
const MOST_ANSWERS: u64 = 30;
const WAIT: Duration = Duration::from_secs(600);
const DAY: i64 = 24 * 3600 * 1000;

const TOO_MANY: &str = "more mail within an hour than a ticket takes";
const NOTE: &str = "[mintgate] There is very much mail on this ticket, perhaps a loop: automatic mail is no longer \
    noted here, everything else waits until there is less.";

impl Worker {
    /// `plan`, unless its ticket has had too many mails lately.
    pub(super) async fn within_limits(&self, plan: Plan) -> Result<Plan, WorkerError> {
        let (ticket, most) = match &plan {
            Plan::Note { ticket } => (ticket, MOST_NOTES),
            Plan::Reply { ticket } => (ticket, MOST_REPLIES),
            _ => return Ok(plan),
        };
        let now = self.parts.clock.now();
        if self.parts.store.ended_on(ticket, now - WINDOW).await? < most {
            return Ok(plan);
        }
        self.tell_of_flood(ticket, now).await?;
        Ok(match plan {
            Plan::Note { ticket } => Plan::Leave { reason: TOO_MANY.to_owned(), ticket: Some(ticket) },
            _ => Plan::StepBack { until: now + WAIT, reason: TOO_MANY },
        })
    }

    /// Whether the mail has to wait because so many have left about its ticket; then it is put off. One that
    /// may be on its way is never put off.
    pub(super) async fn waits_for_its_ticket(&self, mail: &OutboxRow) -> Result<bool, WorkerError> {
        let now = self.parts.clock.now();
        if mail.dispatched_at.is_some()
            || self.parts.store.sent_about(&mail.ticket, now - WINDOW).await? < MOST_ANSWERS
        {
            return Ok(false);
        }
        self.parts.store.postpone_outgoing(mail.id, now + WAIT, TOO_MANY).await?;
        self.tell_of_flood(&mail.ticket, now).await?;
        Ok(true)
    }

    /// One note a day on the ticket itself. A desk that does not take it, as for a ticket that is gone, keeps
    /// nothing else from its turn.
    async fn tell_of_flood(&self, ticket: &str, now: Timestamp) -> Result<(), WorkerError> {
        self.parts.meters.loop_suppressed();
        let about = format!("flood:{}", now.0.div_euclid(DAY));
        if self.parts.store.knows_outgoing(ticket, &about).await? {
            return Ok(());
        }
        warn!(ticket, "a ticket has more mail than it takes in an hour");
        if let Err(error) = self.parts.desk.comment(ticket, NOTE, false).await {
            warn!(ticket, error = %Report(&error), "the ticket cannot be told that it is flooded");
            return Ok(());
        }
        // After the note: a crash in between tells it twice rather than never.
        Ok(self.parts.store.skip_comment(ticket, &about, now).await?)
    }
}
