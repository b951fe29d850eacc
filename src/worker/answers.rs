//! What becomes of the public comments on one ticket: those that agents wrote for the customer go into the
//! outbox, once; of the others the ticket says why they were not mailed.
//!
//! Which tickets are looked at is not decided here.

use std::collections::BTreeSet;

use tracing::info;

use super::discover::Look;
use super::hold::Fate;
use super::letters::{Letter, Posted};
use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::desk::{Comment, TicketView};
use crate::mail::compose::Quoted;
use crate::mail::desk_text::reference_of;
use crate::store::{MailboxRow, OutgoingKind, TicketRow};

const UNCLEAR_NOTE: &str = "[mintgate] What was answered here was not mailed by the mail gateway: it was written \
    while the desk's own SMTP provider was being set or removed, or while the gateway did not look, so the desk \
    may have mailed it already. If the customer did not get it, please write it again.";
const NOBODY_NOTE: &str =
    "[mintgate] This answer was not mailed: the mail that opened this ticket named no sender.";
const ADDRESS_NOTE: &str = "[mintgate] This answer was not mailed: the customer's address cannot be used.";
const STRANGER_NOTE: &str = "[mintgate] A public comment on this ticket was not mailed: who wrote it signs in at the \
    customers' portal and does not work at the desk.";

/// What is to be done about a comment that the outbox does not know.
enum Verdict {
    Mail,
    /// Not ours to mail; the note says so at the ticket, where somebody would expect otherwise.
    Skip(Option<&'static str>),
}

impl Worker {
    /// How many mails were put into the outbox.
    pub(super) async fn look_at(
        &self,
        row: &TicketRow,
        view: &TicketView,
        look: &Look,
    ) -> Result<u32, WorkerError> {
        let mut found = 0;
        let mut skipped = Vec::new();
        for comment in view.comments.iter().filter(|comment| is_for_customers(comment)) {
            let is_old = !row.by_mail && comment.created_at < row.opened_at;
            if is_old || self.parts.store.knows_outgoing(&row.id, &comment.id).await? {
                continue;
            }
            match self.verdict(row, view, comment, look).await? {
                Verdict::Mail => found += u32::from(self.queue(row, view, comment).await?),
                Verdict::Skip(note) => skipped.push((comment, note)),
            }
        }
        self.skip(row, &skipped).await?;
        Ok(found + self.follow_closing(row, view).await?)
    }

    async fn verdict(
        &self,
        row: &TicketRow,
        view: &TicketView,
        comment: &Comment,
        look: &Look,
    ) -> Result<Verdict, WorkerError> {
        let Some(user) = comment.user_id.as_deref() else { return Ok(Verdict::Skip(None)) };
        if user == look.bot || self.is_of_an_earlier_bot(row, comment).await? {
            return Ok(Verdict::Skip(None));
        }
        if !self.works_at_desk(user, comment.created_at).await? {
            // Whoever opened the ticket in the portal may write there; nobody expects a mail of it.
            let is_own_ticket = view.line.creator.as_deref() == Some(user);
            return Ok(Verdict::Skip((!is_own_ticket).then_some(STRANGER_NOTE)));
        }
        Ok(match look.history.fate(comment.created_at) {
            Fate::Mail if row.requester.is_empty() => Verdict::Skip(Some(NOBODY_NOTE)),
            Fate::Mail => Verdict::Mail,
            Fate::LeaveToDesk => Verdict::Skip(None),
            Fate::Unclear => Verdict::Skip(Some(UNCLEAR_NOTE)),
        })
    }

    /// An agent's answer by mail that another bot user brought here: it was mailed as what it is.
    async fn is_of_an_earlier_bot(&self, row: &TicketRow, comment: &Comment) -> Result<bool, WorkerError> {
        match reference_of(&comment.text) {
            Some(mark) => Ok(self.parts.store.knows_outgoing(&row.id, &by_mail(mark)).await?),
            None => Ok(false),
        }
    }

    /// Each reason is told once, however many comments it is about. Before they count as known: a crash in
    /// between tells it twice rather than never.
    async fn skip(
        &self,
        row: &TicketRow,
        skipped: &[(&Comment, Option<&'static str>)],
    ) -> Result<(), WorkerError> {
        let notes: BTreeSet<&str> = skipped.iter().filter_map(|(_, note)| *note).collect();
        for note in notes {
            self.parts.desk.comment(&row.id, note, false).await?;
        }
        for (comment, _) in skipped {
            info!(ticket = row.id, comment = comment.id, "a public comment is not ours to mail");
            self.parts.store.skip_comment(&row.id, &comment.id, self.parts.clock.now()).await?;
        }
        Ok(())
    }

    /// Puts the answer into the outbox; whether it is new.
    async fn queue(
        &self,
        row: &TicketRow,
        view: &TicketView,
        comment: &Comment,
    ) -> Result<bool, WorkerError> {
        let now = self.parts.clock.now();
        let posted = match self.mailbox_for(row).await? {
            Some(sender) => {
                let history = self.history(row, &sender).await?;
                let letter = Letter {
                    kind: OutgoingKind::Answer,
                    about: &comment.id,
                    date: comment.created_at,
                    text: &comment.text,
                    ticket_number: Some(view.number),
                    quoted: history.as_ref().map(History::quoted),
                    already_has_it: &[],
                };
                let posted = self.post(row, &sender, &letter).await?;
                self.ring_for(posted, &sender);
                posted
            }
            None => Posted::Impossible,
        };
        if posted == Posted::Impossible {
            self.parts.desk.comment(&row.id, ADDRESS_NOTE, false).await?;
            self.parts.store.skip_comment(&row.id, &comment.id, now).await?;
        }
        Ok(posted == Posted::New)
    }

    /// What the customer wrote last, where answers are to show it.
    pub(super) async fn history(
        &self,
        row: &TicketRow,
        sender: &MailboxRow,
    ) -> Result<Option<History>, WorkerError> {
        if !self.style(sender)?.quote_history {
            return Ok(None);
        }
        let store = &self.parts.store;
        let Some(mail) = store.newest_on(&row.id).await? else { return Ok(None) };
        let Some(raw) = store.inbound_raw(mail.id).await? else { return Ok(None) };
        let Ok(read) = self.read(raw).await else { return Ok(None) };
        let from = read.message.from.map(|from| if from.name.is_empty() { from.address } else { from.name });
        let (from, text) = (from.unwrap_or_default(), read.message.reply);
        Ok(Some(History { from, at: mail.received_at, text }))
    }

    /// Tells the customer that his ticket was closed, once for each closing that followed a new comment.
    async fn follow_closing(&self, row: &TicketRow, view: &TicketView) -> Result<u32, WorkerError> {
        let mut found = 0;
        if view.closed
            && !row.closed
            && !row.requester.is_empty()
            && let Some(sender) = self.mailbox_for(row).await?
            && self.style(&sender)?.closing_notice
        {
            let last = view.comments.last().map_or("nothing", |comment| comment.id.as_str());
            let letter = Letter {
                kind: OutgoingKind::Closing,
                about: &format!("closed:{last}"),
                date: self.parts.clock.now(),
                text: "",
                ticket_number: Some(view.number),
                quoted: None,
                already_has_it: &[],
            };
            let posted = self.post(row, &sender, &letter).await?;
            self.ring_for(posted, &sender);
            found = u32::from(posted == Posted::New);
        }
        if view.closed != row.closed {
            self.parts.store.note_closed(&row.id, view.closed).await?;
        }
        Ok(found)
    }

    /// Has the mailbox send at once. One that fails is tried again in its own time.
    fn ring_for(&self, posted: Posted, sender: &MailboxRow) {
        if posted == Posted::New && sender.failing_since.is_none() {
            self.bells.ring(&sender.id);
        }
    }
}

/// What an answer shows below itself.
pub(super) struct History {
    from: String,
    at: Timestamp,
    text: String,
}

impl History {
    pub(super) fn quoted(&self) -> Quoted<'_> {
        Quoted { from: &self.from, at: self.at, text: &self.text }
    }
}

/// Under what the outbox knows an agent's answer by mail.
pub(super) fn by_mail(mark: &str) -> String {
    format!("mail:{mark}")
}

/// Public, and not brought here from the requester by the desk's own mail.
fn is_for_customers(comment: &Comment) -> bool {
    comment.public && !comment.reply && comment.user_id.is_some()
}
