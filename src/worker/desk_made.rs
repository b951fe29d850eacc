//! Takes up tickets that were made at the desk and carry a customer's address: their answers go by mail too.

use std::time::Duration;

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::desk::TicketLine;
use crate::mail::same_address;
use crate::store::{MailboxRow, TicketRow};

/// The desk's list has no paging, so it is not asked for often.
pub(super) const LIST_EVERY: Duration = Duration::from_secs(600);
/// Nor much more often when somebody has written on a ticket that is not known.
pub(super) const LIST_FOR_A_HINT: Duration = Duration::from_secs(60);

/// When the list was read last, in milliseconds since 1970.
const LISTED_FACT: &str = "desk_listed_at";

impl Worker {
    /// Takes up what is new in the desk's list, at least `every` after it was read last.
    pub(super) async fn take_up_desk_made(&self, bot: &str, every: Duration) -> Result<(), WorkerError> {
        let store = &self.parts.store;
        let now = self.parts.clock.now();
        let listed_at = store.fact(LISTED_FACT).await?.and_then(|text| text.parse().ok()).map(Timestamp);
        if listed_at.is_some_and(|at| now.since(at) < every && at <= now) {
            return Ok(());
        }
        let Some(sender) = self.default_mailbox().await? else { return Ok(()) };
        let own = self.own_addresses(&sender).await?;
        for line in self.parts.desk.tickets().await? {
            let is_ours = line.creator.as_deref() == Some(bot);
            let has_customer =
                line.email.contains('@') && !own.iter().any(|own| same_address(own, &line.email));
            if !is_ours && !line.closed && has_customer {
                store.add_ticket(&conversation(line, &sender, listed_at.unwrap_or(now))).await?;
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
        number: line.number,
        gone_at: None,
        opened_at: line.created_at.max(listed_at),
        swept_at: Timestamp(0),
    }
}
