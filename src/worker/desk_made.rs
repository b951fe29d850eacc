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
        let listed_at = store.fact(LISTED_FACT).await?.and_then(|text| text.parse().ok()).map(Timestamp);
        if listed_at.is_some_and(|at| now.since(at) < LIST_EVERY && at <= now) {
            return Ok(());
        }
        let rows = store.mailboxes().await?;
        let Some(sender) = rows.iter().find(|row| row.state == MailboxState::Connected) else {
            return Ok(());
        };
        for line in self.parts.desk.tickets().await? {
            let is_ours = line.creator.as_deref() == Some(bot);
            if !is_ours && !line.closed && line.email.contains('@') {
                store.add_ticket(&conversation(line, sender, listed_at.unwrap_or(now))).await?;
            }
        }
        Ok(store.set_fact(LISTED_FACT, Some(&now.0.to_string())).await?)
    }
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
