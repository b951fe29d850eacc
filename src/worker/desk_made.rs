//! Takes up tickets that were made at the desk and carry a customer's address: their answers go by mail too.

use std::time::Duration;

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::desk::TicketLine;
use crate::store::{MailboxRow, MailboxState, TicketRow};

/// The desk's list has no paging, so it is not asked for often.
const LIST_EVERY: Duration = Duration::from_secs(600);

/// When the list was read last, in milliseconds since 1970.
const LISTED_FACT: &str = "desk_listed_at";

impl Worker {
    pub(super) async fn take_up_desk_made(&self, bot: &str) -> Result<(), WorkerError> {
        let store = &self.parts.store;
        let now = self.parts.clock.now();
        let listed_at = self.listed_at().await?;
        if listed_at.is_some_and(|at| now.since(at) < LIST_EVERY && at <= now) {
            return Ok(());
        }
        let rows = store.mailboxes().await?;
        let Some(sender) = rows.iter().find(|row| row.state == MailboxState::Connected) else {
            return Ok(());
        };
        for line in self.parts.desk.tickets().await? {
            if is_to_be_mailed(&line, bot) {
                store.add_ticket(&conversation(line, sender, listed_at.unwrap_or(now))).await?;
            }
        }
        Ok(store.set_fact(LISTED_FACT, Some(&now.0.to_string())).await?)
    }

    /// The same for one ticket that was just written to; its conversation, if its answers go by mail.
    pub(super) async fn take_up_one(
        &self,
        line: TicketLine,
        bot: &str,
    ) -> Result<Option<TicketRow>, WorkerError> {
        let store = &self.parts.store;
        let rows = store.mailboxes().await?;
        let sender = rows.iter().find(|row| row.state == MailboxState::Connected);
        let Some(sender) = sender.filter(|_| is_to_be_mailed(&line, bot)) else { return Ok(None) };
        let listed_at = self.listed_at().await?.unwrap_or(self.parts.clock.now());
        let row = conversation(line, sender, listed_at);
        store.add_ticket(&row).await?;
        Ok(store.ticket(&row.id).await?)
    }

    async fn listed_at(&self) -> Result<Option<Timestamp>, WorkerError> {
        let fact = self.parts.store.fact(LISTED_FACT).await?;
        Ok(fact.and_then(|text| text.parse().ok()).map(Timestamp))
    }
}

/// Made by somebody else than the bot, open, and with an address.
fn is_to_be_mailed(line: &TicketLine, bot: &str) -> bool {
    line.creator.as_deref() != Some(bot) && !line.closed && line.email.contains('@')
}

/// A conversation whose answers are mailed from its beginning, or from when it was first seen: what was
/// written before that, the customer knows or was not meant to.
fn conversation(line: TicketLine, sender: &MailboxRow, listed_at: Timestamp) -> TicketRow {
    TicketRow {
        id: line.id,
        mailbox: sender.id.clone(),
        requester: line.email,
        requester_name: line.name,
        subject: line.title,
        participants: Vec::new(),
        references: Vec::new(),
        thread_index: None,
        closed: false,
        by_mail: false,
        opened_at: line.created_at.max(listed_at),
        swept_at: Timestamp(0),
    }
}
