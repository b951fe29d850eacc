//! What another process asks of the running worker, by a row in the store. Whoever has the mailbox's lease
//! does it.

use tracing::info;

use super::round::Lease;
use super::{Worker, WorkerError};
use crate::store::MailboxRow;
use crate::store::orders::ORDER;
pub use crate::store::orders::Order;

impl Worker {
    /// Does what was asked for this mailbox before its round goes on. An order is removed once it is done.
    pub(super) async fn take_orders(&self, row: &MailboxRow, lease: Lease) -> Result<(), WorkerError> {
        let store = &self.parts.store;
        for hint in store.hints(&format!("{ORDER}{}:", row.id)).await? {
            match Order::read(&hint) {
                Some(Order::ImportSince { since, .. }) => {
                    if !store.import_since(&row.id, lease.fence, since).await? {
                        return Err(WorkerError::LeaseLost);
                    }
                    info!(mailbox = %row.id, %since, "old mail is taken in");
                }
                // The round that takes it is the look that was asked for.
                Some(Order::Poll { .. }) | None => {}
            }
            store.take_hint(&hint).await?;
        }
        Ok(())
    }
}
