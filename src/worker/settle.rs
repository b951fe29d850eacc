//! Marks mails as read on the server once the ledger knows what became of them. Repeated freely; the
//! server's flags are for people and never decide anything.

use super::{Worker, WorkerError};
use crate::mailbox::{Mailbox, MailboxError};
use crate::store::MailboxRow;

const AT_ONCE: u32 = 50;

impl Worker {
    pub(super) async fn settle(&self, row: &MailboxRow, mailbox: &dyn Mailbox) -> Result<(), WorkerError> {
        loop {
            let mails = self.parts.store.unsettled_inbound(&row.id, AT_ONCE).await?;
            if mails.is_empty() {
                return Ok(());
            }
            for mail in mails {
                match mailbox.settle(&mail.source_key).await {
                    // Not granted: the flags are left alone. Refused: deleted or moved away meanwhile.
                    Ok(()) | Err(MailboxError::NotGranted { .. } | MailboxError::Refused { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
                self.parts.store.settle_inbound(mail.id).await?;
            }
        }
    }
}
