//! Mails that no agent wrote: that a ticket was opened, that a mail was too large. Never to a machine, never
//! often, never to somebody who writes like one.

use std::time::Duration;

use tracing::warn;

use super::desk_action::Job;
use super::letters::Letter;
use super::{Worker, WorkerError};
use crate::base::report::Report;
use crate::mail::same_address;
use crate::mail::template::Placeholder;
use crate::store::{OutgoingKind, TicketRow};

/// One notice of a kind to one address in this time.
const ONCE_IN: Duration = Duration::from_secs(24 * 3600);
/// A notice on a mail that came longer ago than this says nothing new: old mail is being taken in.
const NEWS_FOR: Duration = Duration::from_secs(24 * 3600);

/// More mails of one sender than this in `BURST` are a loop, or not worth an answer.
const MOST_IN_BURST: u64 = 10;
const BURST: Duration = Duration::from_secs(600);

/// Tells the console that a sender's mails are no longer answered.
const LOOP_FACT: &str = "mail_loop";

impl Worker {
    /// Puts into the outbox what the sender of a new ticket's mail is told. Before the mail ends, so that it
    /// is not forgotten.
    pub(super) async fn greet(&self, job: &Job<'_>, ticket: &TicketRow) -> Result<(), WorkerError> {
        let is_new = self.parts.store.ticket(&ticket.id).await?.is_none();
        let acknowledge = is_new && self.style(job.row)?.acknowledge;
        let by_requester =
            job.read.message.from.as_ref().is_some_and(|from| same_address(&from.address, &ticket.requester));
        let too_large = job.read.cut && (is_new || by_requester);
        let wanted = [(acknowledge, OutgoingKind::Acknowledgement), (too_large, OutgoingKind::TooLarge)];
        for (_, kind) in wanted.into_iter().filter(|(wanted, _)| *wanted) {
            if self.may_tell(job, ticket, kind).await? {
                self.tell(job, ticket, kind).await?;
            }
        }
        Ok(())
    }

    async fn may_tell(
        &self,
        job: &Job<'_>,
        ticket: &TicketRow,
        kind: OutgoingKind,
    ) -> Result<bool, WorkerError> {
        let now = self.parts.clock.now();
        let stale = now.since(job.mail.received_at) > NEWS_FOR;
        if stale || job.read.message.automatic.is_some() || is_nobody(&ticket.requester) {
            return Ok(false);
        }
        if self.parts.store.sent_lately(kind, &ticket.requester, now - ONCE_IN).await? {
            return Ok(false);
        }
        Ok(!self.writes_like_a_loop(job).await?)
    }

    async fn writes_like_a_loop(&self, job: &Job<'_>) -> Result<bool, WorkerError> {
        let now = self.parts.clock.now();
        let lately = self.parts.store.inbound_from(&job.read.reading.sender, now - BURST).await?;
        if lately <= MOST_IN_BURST {
            return Ok(false);
        }
        self.parts.meters.loop_suppressed();
        warn!(mailbox = %job.row.id, mail = job.mail.id, lately, "a sender writes like a loop and gets no notice");
        let told = format!("A sender wrote {lately} mails in ten minutes ({now}); no notices go there.");
        self.parts.store.set_fact(LOOP_FACT, Some(&told)).await?;
        Ok(true)
    }

    async fn tell(&self, job: &Job<'_>, ticket: &TicketRow, kind: OutgoingKind) -> Result<(), WorkerError> {
        let Some(sender) = self.mailbox_for(ticket).await? else { return Ok(()) };
        let named = self.template(kind).names(Placeholder::TicketNumber) || self.marks_subjects();
        let number = if named {
            match self.parts.desk.ticket(&ticket.id).await {
                Ok(view) => view.map(|view| view.number),
                // A notice without its number would be worse than none; the ticket itself is safe.
                Err(error) => {
                    warn!(ticket = ticket.id, error = %Report(&error), "a notice is left out");
                    return Ok(());
                }
            }
        } else {
            None
        };
        let about = match kind {
            OutgoingKind::TooLarge => format!("too large:{}", job.mail.id),
            _ => "acknowledgement".to_owned(),
        };
        let letter = Letter {
            kind,
            about: &about,
            date: self.parts.clock.now(),
            text: "",
            ticket_number: number,
            quoted: None,
            already_has_it: &[],
        };
        self.post(ticket, &sender, &letter).await?;
        Ok(())
    }
}

/// Addresses that say themselves that nobody reads there.
fn is_nobody(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let plain: String = local.chars().filter(|one| one.is_ascii_alphanumeric()).collect();
    address.is_empty()
        || ["noreply", "donotreply", "mailerdaemon", "postmaster", "bounce", "bounces"]
            .contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_where_nobody_reads() {
        let nobody = ["", "No-Reply@x.example", "do_not_reply@x.example", "MAILER-DAEMON@x.example"];
        assert!(nobody.into_iter().all(is_nobody));
        assert!(!["ada@x.example", "reply@x.example"].into_iter().any(is_nobody));
    }
}
