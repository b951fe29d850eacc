//! Marks mails as read on the server once the ledger knows what became of them. Repeated freely; the
//! server's flags are for people and never decide anything.

use super::{Worker, WorkerError};
use crate::mailbox::{Mailbox, MailboxError};
use crate::store::{InboundRow, MailboxRow};

const AT_ONCE: u32 = 50;

impl Worker {
    pub(super) async fn settle(&self, row: &MailboxRow, mailbox: &dyn Mailbox) -> Result<(), WorkerError> {
        loop {
            let mails = self.parts.store.unsettled_inbound(&row.id, AT_ONCE).await?;
            if mails.is_empty() {
                return Ok(());
            }
            for mail in mails {
                self.settle_one(mailbox, &mail).await?;
                self.parts.store.settle_inbound(mail.id).await?;
            }
        }
    }

    async fn settle_one(&self, mailbox: &dyn Mailbox, mail: &InboundRow) -> Result<(), WorkerError> {
        let key = &mail.source_key;
        match mailbox.before_settling(key).await {
            Ok(None) => tolerated(mailbox.settle(key).await),
            Ok(Some(before)) => {
                // Kept before anything is done: the connection, or this process, may end half-way.
                let (store, name) = (&self.parts.store, format!("settling/{}", mail.id));
                let before = store.fact_or_insert(&name, &before).await?;
                tolerated(mailbox.settle_from(key, &before).await)?;
                Ok(store.set_fact(&name, None).await?)
            }
            Err(error) => tolerated(Err(error)),
        }
    }
}

/// Not granted: the flags are left alone. Refused: deleted or moved away meanwhile.
fn tolerated(settled: Result<(), MailboxError>) -> Result<(), WorkerError> {
    match settled {
        Ok(()) | Err(MailboxError::NotGranted { .. } | MailboxError::Refused { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
