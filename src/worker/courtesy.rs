//! Mails that no agent wrote: that a ticket was opened, that a mail was too large. Never to a machine, never
//! often, never to somebody who writes like one.

use std::time::Duration;

use tracing::warn;

use super::desk_action::Job;
use super::letters::Letter;
use super::reading::Read;
use super::{Worker, WorkerError};
use crate::base::report::Report;
use crate::mail::template::Placeholder;
use crate::mail::{message_id, same_address};
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
        if kind == OutgoingKind::Acknowledgement && self.answers_an_acknowledgement(job, ticket).await? {
            return Ok(false);
        }
        Ok(!self.writes_like_a_loop(job).await?)
    }

    /// Whether the mail is most likely a machine's answer to what was acknowledged before: it refers to a mail of
    /// ours, or its sender was told within a day under another address of the same domain, as helpdesks have one
    /// for each ticket. A web form names its own address and each time somebody else's to reply to, which is fine.
    async fn answers_an_acknowledgement(
        &self,
        job: &Job<'_>,
        ticket: &TicketRow,
    ) -> Result<bool, WorkerError> {
        let Read { message, reading, .. } = job.read;
        let ours = |id: &String| message_id::proven_ticket(&self.parts.message_ids, id).is_some();
        if message.parents.iter().any(ours) {
            return Ok(true);
        }
        let since = self.parts.clock.now() - ONCE_IN;
        let Some(told) = self.parts.store.acknowledged_lately(&reading.sender, since).await? else {
            return Ok(false);
        };
        let from = message.from.as_ref().map_or("", |from| from.address.as_str());
        let same_domain = [told.as_str(), &ticket.requester]
            .into_iter()
            .all(|one| domain(one).eq_ignore_ascii_case(domain(from)));
        if same_domain {
            let now = self.parts.clock.now();
            self.tell_of_loop(job, format!("A sender asks to be answered under ever new addresses ({now})"))
                .await?;
        }
        Ok(same_domain)
    }

    async fn writes_like_a_loop(&self, job: &Job<'_>) -> Result<bool, WorkerError> {
        let now = self.parts.clock.now();
        let lately = self.parts.store.inbound_from(&job.read.reading.sender, now - BURST).await?;
        if lately <= MOST_IN_BURST {
            return Ok(false);
        }
        self.tell_of_loop(job, format!("A sender wrote {lately} mails in ten minutes ({now})")).await?;
        Ok(true)
    }

    async fn tell_of_loop(&self, job: &Job<'_>, seen: String) -> Result<(), WorkerError> {
        self.parts.meters.loop_suppressed();
        warn!(mailbox = %job.row.id, mail = job.mail.id, seen, "a sender writes like a loop and gets no notice");
        let told = format!("{seen}; no notices go there.");
        Ok(self.parts.store.set_fact(LOOP_FACT, Some(&told)).await?)
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

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
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
