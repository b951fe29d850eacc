//! Takes up tickets that were made at the desk and carry a customer's address: their answers go by mail too.

use std::time::Duration;

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::desk::TicketLine;
use crate::mail::same_address;
use crate::store::{MailboxRow, TicketRow};

/// The desk's list has no paging, so it is not asked for often.
const LIST_EVERY: Duration = Duration::from_secs(600);

/// When the list was read last, in milliseconds since 1970.
const LISTED_FACT: &str = "desk_listed_at";

impl Worker {
    /// Takes up what is new in the desk's list, unless it was read a short while ago.
    pub(super) async fn take_up_desk_made(&self, bot: &str) -> Result<(), WorkerError> {
        let store = &self.parts.store;
        let now = self.parts.clock.now();
        let listed_at = self.listed_at().await?;
        if listed_at.is_some_and(|at| now.since(at) < LIST_EVERY && at <= now) {
            return Ok(());
        }
        let Some(sender) = self.default_mailbox().await? else { return Ok(()) };
        let own = self.own_addresses(&sender).await?;
        for line in self.parts.desk.tickets().await? {
            if is_to_be_mailed(&line, bot, &own) {
                store.add_ticket(&conversation(line, &sender, listed_at.unwrap_or(now))).await?;
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
        let Some(sender) = self.default_mailbox().await? else { return Ok(None) };
        if !is_to_be_mailed(&line, bot, &self.own_addresses(&sender).await?) {
            return Ok(None);
        }
        let listed_at = self.listed_at().await?.unwrap_or(self.parts.clock.now());
        let row = conversation(line, &sender, listed_at);
        store.add_ticket(&row).await?;
        Ok(store.ticket(&row.id).await?)
    }

    async fn listed_at(&self) -> Result<Option<Timestamp>, WorkerError> {
        let fact = self.parts.store.fact(LISTED_FACT).await?;
        Ok(fact.and_then(|text| text.parse().ok()).map(Timestamp))
    }
}

/// Made by somebody else than the bot, open, and with an address that is none of our own.
fn is_to_be_mailed(line: &TicketLine, bot: &str, own: &[String]) -> bool {
    let has_customer = line.email.contains('@') && !own.iter().any(|own| same_address(own, &line.email));
    line.creator.as_deref() != Some(bot) && !line.closed && has_customer
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
