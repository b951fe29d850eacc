//! Answers that no mailbox sends any more: theirs was disconnected, or its sign-in is dead. Whoever wrote one has
//! to learn that the customer never got it. A person can still have it sent, once the mailbox is connected again.

use super::send::GIVE_UP_AFTER;
use super::{Worker, WorkerError};
use crate::base::id::MailboxId;
use crate::store::{MailboxRow, MailboxState};

const AT_ONCE: u32 = 50;

const DISCONNECTED: &str = "the mailbox it leaves by is not connected any more";
const DEAD: &str = "the mailbox it leaves by waits to be connected again";

impl Worker {
    /// Gives up what has waited too long for a sign-in that is dead. Whoever calls has the mailbox's lease.
    pub(super) async fn give_up_behind_dead_sign_in(&self, row: &MailboxRow) -> Result<(), WorkerError> {
        match row.state {
            MailboxState::NeedsReconnect => self.give_up_overdue(&row.id, DEAD).await,
            MailboxState::Connected => Ok(()),
        }
    }

    /// The same for mailboxes that are not connected any more.
    pub(super) async fn give_up_of_disconnected(&self) -> Result<(), WorkerError> {
        for (id, waiting) in self.parts.store.waiting().await? {
            if waiting.outgoing == 0 || self.parts.store.mailbox(&id).await?.is_some() {
                continue;
            }
            // Of several gateways one tells it.
            if self.take_lease(&id).await?.is_some() {
                let told = self.give_up_overdue(&id, DISCONNECTED).await;
                self.release(&id).await;
                told?;
            }
        }
        Ok(())
    }

    async fn give_up_overdue(&self, id: &MailboxId, reason: &str) -> Result<(), WorkerError> {
        // What waits for the desk to stop mailing by itself waits for that first.
        if self.holds().await? {
            return Ok(());
        }
        let since = self.parts.clock.now() - GIVE_UP_AFTER;
        for mail in self.parts.store.overdue_outgoing(id, since, AT_ONCE).await? {
            self.end_unsent(&mail, reason).await?;
        }
        Ok(())
    }
}
