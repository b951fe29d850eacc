//! Finds the public comments that agents made and puts each into the outbox, once.
//!
//! Where to look is a hint (the store's hints, the desk's notifications, a slow sweep over all conversations); what is
//! there is the truth of `GET /ticket/:id`.

use std::collections::BTreeSet;
use std::time::Duration;

use tracing::{info, warn};

use super::hold::{Fate, SmtpHistory};
use super::letters::{Letter, Posted};
use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::desk::advice::with_key;
use crate::desk::{Comment, DeskError, TicketView};
use crate::mail::compose::Quoted;
use crate::store::{MailboxRow, OutgoingKind, TicketRow};

/// Every conversation is looked at this often, whatever the hints say.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// And this often where nothing hints at it: the desk notifies the bot of its own tickets only.
const SWEEP_DESK_MADE_EVERY: Duration = Duration::from_secs(300);
/// Conversations per look, so that a sweep is spread out.
const SWEEP_AT_ONCE: u32 = 20;

/// Hint at a ticket, followed by the desk's id of it.
const TICKET_HINT: &str = "ticket:";
const HINTS_AT_ONCE: u32 = 100;

/// Id of the newest notification whose ticket was looked at.
const NOTIFICATION_FACT: &str = "desk_notification";
/// Why the desk cannot be asked, while that is so.
pub(super) const DESK_FAILURE_FACT: &str = "desk_failure";

const UNCLEAR_NOTE: &str = "[mintgate] This answer was not mailed by the mail gateway: it was written while the \
    desk's own SMTP provider was being set or removed, so the desk may have mailed it already. If the customer \
    did not get it, please write it again.";
const NOBODY_NOTE: &str =
    "[mintgate] This answer was not mailed: the mail that opened this ticket named no sender.";

const ADDRESS_NOTE: &str = "[mintgate] This answer was not mailed: the customer's address cannot be used.";

/// What one look at the desk goes by.
struct Look {
    bot: String,
    history: SmtpHistory,
}

impl Worker {
    /// Looks for agents' answers; how many were put into the outbox.
    pub(super) async fn discover(&self) -> Result<u32, WorkerError> {
        if self.parts.store.mailboxes().await?.is_empty() {
            return Ok(0);
        }
        // Kept before anything is asked: the desk may be down.
        for ticket in self.parts.wake.take_about() {
            self.hint_at(&ticket).await?;
        }
        let found = self.look_for_answers().await;
        let failure = match &found {
            Err(WorkerError::Desk(error)) => Some(with_key(&Report(error).to_string(), error)),
            _ => None,
        };
        if self.parts.store.fact(DESK_FAILURE_FACT).await? != failure {
            self.parts.store.set_fact(DESK_FAILURE_FACT, failure.as_deref()).await?;
        }
        found
    }

    async fn look_for_answers(&self) -> Result<u32, WorkerError> {
        let history = self.look_at_own_mail().await?;
        let look = Look { bot: self.parts.desk.bot_user().await?.id, history };
        self.take_up_desk_made(&look.bot).await?;
        Ok(self.follow_hints(&look).await?
            + self.follow_notifications(&look).await?
            + self.sweep(&look).await?)
    }

    async fn follow_hints(&self, look: &Look) -> Result<u32, WorkerError> {
        let hints = self.parts.store.take_hints(TICKET_HINT, HINTS_AT_ONCE).await?;
        let mut tickets = hints.iter().filter_map(|hint| hint.strip_prefix(TICKET_HINT));
        let mut found = 0;
        while let Some(ticket) = tickets.next() {
            match self.look_or_hint(ticket, look).await {
                Ok(more) => found += more,
                Err(error) => {
                    for untold in tickets {
                        self.hint_at(untold).await?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(found)
    }

    async fn hint_at(&self, ticket: &str) -> Result<(), WorkerError> {
        let hint = format!("{TICKET_HINT}{ticket}");
        Ok(self.parts.store.add_hint(&hint, self.parts.clock.now()).await?)
    }

    /// The newest notification is remembered only after every ticket behind it was looked at, or has
    /// left a hint.
    async fn follow_notifications(&self, look: &Look) -> Result<u32, WorkerError> {
        let known = self.parts.store.fact(NOTIFICATION_FACT).await?;
        let news = self.parts.desk.notifications(known.as_deref()).await?;
        let tickets: BTreeSet<&str> = news.iter().filter_map(|one| one.ticket_id.as_deref()).collect();
        let mut found = 0;
        for ticket in tickets {
            found += self.look_or_hint(ticket, look).await?;
        }
        if let Some(newest) = news.first() {
            self.parts.store.set_fact(NOTIFICATION_FACT, Some(&newest.id)).await?;
        }
        Ok(found)
    }

    async fn sweep(&self, look: &Look) -> Result<u32, WorkerError> {
        let now = self.parts.clock.now();
        let mut found = 0;
        let due = [(true, now - SWEEP_EVERY), (false, now - SWEEP_DESK_MADE_EVERY)];
        let mut rows = Vec::new();
        for (by_mail, before) in due {
            rows.extend(self.parts.store.tickets_to_sweep(by_mail, before, SWEEP_AT_ONCE).await?);
        }
        for row in rows {
            found += self.look_or_hint(&row.id, look).await?;
            self.parts.store.mark_swept(&row.id, self.parts.clock.now()).await?;
        }
        Ok(found)
    }

    /// Looks at a conversation; one that the desk cannot show now is looked at again the next time,
    /// and does not keep the others from being looked at.
    async fn look_or_hint(&self, ticket: &str, look: &Look) -> Result<u32, WorkerError> {
        let looked = match self.parts.store.ticket(ticket).await? {
            Some(row) => self.look_at_ticket(&row, look).await,
            None => self.look_at_unknown(ticket, look).await,
        };
        let error = match looked {
            Err(WorkerError::Desk(error)) => error,
            other => return other,
        };
        self.hint_at(ticket).await?;
        match error {
            DeskError::Garbled { .. } | DeskError::Refused { .. } => {
                warn!(ticket, error = %Report(&error), "a ticket cannot be looked at");
                Ok(0)
            }
            error => Err(error.into()),
        }
    }

    /// A ticket that was made at the desk since its list was read last.
    async fn look_at_unknown(&self, ticket: &str, look: &Look) -> Result<u32, WorkerError> {
        let Some(view) = self.parts.desk.ticket(ticket).await? else { return Ok(0) };
        match self.take_up_one(view.line.clone(), &look.bot).await? {
            Some(row) => self.look_at(&row, &view, look).await,
            None => Ok(0),
        }
    }

    async fn look_at_ticket(&self, row: &TicketRow, look: &Look) -> Result<u32, WorkerError> {
        let store = &self.parts.store;
        let Some(view) = self.parts.desk.ticket(&row.id).await? else {
            store.note_gone(&row.id, self.parts.clock.now()).await?;
            return Ok(0);
        };
        if row.number != Some(view.number) || row.gone_at.is_some() {
            store.note_shown(&row.id, view.number).await?;
        }
        self.look_at(row, &view, look).await
    }

    async fn look_at(&self, row: &TicketRow, view: &TicketView, look: &Look) -> Result<u32, WorkerError> {
        let mut found = 0;
        for comment in view.comments.iter().filter(|comment| is_answer(comment, &look.bot)) {
            let is_old = !row.by_mail && comment.created_at < row.opened_at;
            if !is_old && !self.parts.store.knows_outgoing(&row.id, &comment.id).await? {
                found += u32::from(self.take_up(row, view, comment, look).await?);
            }
        }
        Ok(found + self.follow_closing(row, view).await?)
    }

    /// Puts the comment into the outbox or marks it as none of ours; whether there is something to send.
    async fn take_up(
        &self,
        row: &TicketRow,
        view: &TicketView,
        comment: &Comment,
        look: &Look,
    ) -> Result<bool, WorkerError> {
        let note = match look.history.fate(comment.created_at) {
            Fate::Mail if row.requester.is_empty() => Some(NOBODY_NOTE),
            Fate::Mail => return self.queue(row, view, comment).await,
            Fate::LeaveToDesk => None,
            Fate::Unclear => Some(UNCLEAR_NOTE),
        };
        if let Some(note) = note {
            self.parts.desk.comment(&row.id, note, false).await?;
        }
        info!(ticket = row.id, comment = comment.id, "an answer is not ours to mail");
        self.parts.store.skip_comment(&row.id, &comment.id, self.parts.clock.now()).await?;
        Ok(false)
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
                self.post(row, &sender, &letter).await?
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
            found = u32::from(self.post(row, &sender, &letter).await? == Posted::New);
        }
        if view.closed != row.closed {
            self.parts.store.note_closed(&row.id, view.closed).await?;
        }
        Ok(found)
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

/// Written by a person at the desk, for the customer.
fn is_answer(comment: &Comment, bot: &str) -> bool {
    comment.public && !comment.reply && comment.user_id.as_deref().is_some_and(|user| user != bot)
}
