//! Where agents' answers are looked for: a hint (the store's hints, the desk's notifications), or a slow sweep
//! over all conversations. What is there is the truth of `GET /ticket/:id`; what becomes of it is not decided here.

use std::collections::BTreeSet;
use std::time::Duration;

use tracing::{info, warn};

use super::hold::SmtpHistory;
use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::desk::DeskError;
use crate::desk::advice::with_key;
use crate::store::TicketRow;
use crate::web::call::CallError;

/// Every conversation is looked at this often, whatever the hints say.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// And this often where nothing hints at it: the desk notifies the bot of its own tickets only.
const SWEEP_DESK_MADE_EVERY: Duration = Duration::from_secs(300);
/// Conversations per look, so that a sweep is spread out.
const SWEEP_AT_ONCE: u32 = 20;

/// Hint at a ticket, followed by the desk's id of it.
const TICKET_HINT: &str = "ticket:";
const HINTS_AT_ONCE: usize = 100;

/// A look begins nothing more after this time: a slow desk must not keep new hints waiting behind old ones.
const LONGEST_LOOK: Duration = Duration::from_secs(60);

/// Id of the newest notification whose ticket was looked at.
const NOTIFICATION_FACT: &str = "desk_notification";
/// Why the desk cannot be asked, while that is so.
pub(super) const DESK_FAILURE_FACT: &str = "desk_failure";

/// What one look at the desk goes by.
pub(super) struct Look {
    pub(super) bot: String,
    pub(super) history: SmtpHistory,
    until: Timestamp,
}

/// What came of looking at one ticket.
enum Looked {
    Found(u32),
    /// The desk did not show it now.
    Later,
    /// The desk shows nothing that can be read; asking again soon would not help.
    Spoilt,
}

impl Worker {
    /// Looks for agents' answers; how many were put into the outbox.
    pub(super) async fn discover(&self) -> Result<u32, WorkerError> {
        if self.parts.store.mailboxes().await?.is_empty() {
            // What the desk mails by itself meanwhile is not to be mailed once a mailbox is there.
            if let Err(error) = self.note_own_mail().await {
                info!(error = %Report(&error), "the desk does not tell whether it mails by itself");
            }
            return Ok(0);
        }
        // Kept before anything is asked: the desk may be down.
        for ticket in self.parts.written.take_about() {
            self.hint_at(&ticket).await?;
        }
        let found = self.look_for_answers().await;
        let failure = match &found {
            Err(WorkerError::Desk(error)) => Some(with_key(&Report(error).to_string(), error)),
            Err(failure @ WorkerError::Staff { source }) => {
                Some(with_key(&Report(failure).to_string(), source))
            }
            _ => None,
        };
        if self.parts.store.fact(DESK_FAILURE_FACT).await? != failure {
            self.parts.store.set_fact(DESK_FAILURE_FACT, failure.as_deref()).await?;
        }
        found
    }

    async fn look_for_answers(&self) -> Result<u32, WorkerError> {
        let history = self.look_at_own_mail().await?;
        let bot = self.parts.desk.bot_user().await?.id;
        let look = Look { bot, history, until: self.parts.clock.now() + LONGEST_LOOK };
        // A list that cannot be had keeps nobody's answer waiting.
        let taken_up = self.take_up_desk_made(&look.bot).await;
        let found = self.follow_hints(&look).await?
            + self.follow_notifications(&look).await?
            + self.sweep(&look).await?;
        taken_up.map(|()| found)
    }

    /// Each hint is taken when its turn comes: a look that is broken off leaves the others where they are.
    async fn follow_hints(&self, look: &Look) -> Result<u32, WorkerError> {
        let hints = self.parts.store.hints(TICKET_HINT).await?;
        let (mut found, mut later) = (0, Vec::new());
        for hint in hints.iter().take(HINTS_AT_ONCE) {
            if self.is_over(look) {
                self.looks.ring();
                break;
            }
            let Some(ticket) = hint.strip_prefix(TICKET_HINT) else { continue };
            // Another gateway may look at it.
            if !self.parts.store.take_hint(hint).await? {
                continue;
            }
            match self.look_at_one(ticket, look).await {
                Ok(Looked::Found(more)) => found += more,
                Ok(Looked::Later) => later.push(ticket),
                Ok(Looked::Spoilt) => {}
                Err(error) => {
                    later.push(ticket);
                    self.hint_at_all(&later).await?;
                    return Err(error);
                }
            }
        }
        // Last, so that the others have their turn before them.
        self.hint_at_all(&later).await?;
        Ok(found)
    }

    async fn hint_at_all(&self, tickets: &[&str]) -> Result<(), WorkerError> {
        for ticket in tickets {
            self.hint_at(ticket).await?;
        }
        Ok(())
    }

    fn is_over(&self, look: &Look) -> bool {
        self.parts.clock.now() >= look.until
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
            let looked =
                if self.is_over(look) { Looked::Later } else { self.look_at_one(ticket, look).await? };
            found += self.count_or_hint(ticket, looked).await?;
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
            if self.is_over(look) {
                break;
            }
            let looked = self.look_at_one(&row.id, look).await?;
            found += self.count_or_hint(&row.id, looked).await?;
            self.parts.store.mark_swept(&row.id, self.parts.clock.now()).await?;
        }
        Ok(found)
    }

    async fn count_or_hint(&self, ticket: &str, looked: Looked) -> Result<u32, WorkerError> {
        match looked {
            Looked::Found(found) => return Ok(found),
            Looked::Later => self.hint_at(ticket).await?,
            Looked::Spoilt => {}
        }
        Ok(0)
    }

    /// Looks at a conversation; one that the desk cannot show does not keep the others from being looked at.
    async fn look_at_one(&self, ticket: &str, look: &Look) -> Result<Looked, WorkerError> {
        let looked = match self.parts.store.ticket(ticket).await? {
            Some(row) => self.look_at_ticket(&row, look).await,
            None => self.look_at_unknown(ticket, look).await,
        };
        let error = match looked {
            Ok(found) => return Ok(Looked::Found(found)),
            Err(WorkerError::Desk(error)) => error,
            Err(error) => return Err(error),
        };
        let came_to = match &error {
            DeskError::Garbled { .. } | DeskError::Call { source: CallError::TooLarge { .. }, .. } => {
                Looked::Spoilt
            }
            DeskError::Refused { .. } => Looked::Later,
            // A desk that answers something else fails this ticket alone.
            DeskError::Call { .. } if self.note_own_mail().await.is_ok() => Looked::Later,
            _ => return Err(error.into()),
        };
        warn!(ticket, error = %Report(&error), "a ticket cannot be looked at");
        Ok(came_to)
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
}
