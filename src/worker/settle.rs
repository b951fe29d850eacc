//! Marks mails as read on the server once the ledger knows what became of them. Repeated freely; the
//! server's flags are for people and never decide anything.

use std::time::Duration;

use tracing::warn;

use super::{Worker, WorkerError};
use crate::base::backoff::Backoff;
use crate::base::id::random_bytes;
use crate::base::report::Report;
use crate::mailbox::{Mailbox, MailboxError};
use crate::store::{InboundRow, MailboxRow};

const AT_ONCE: u32 = 50;

/// A mail that cannot be settled is nothing urgent.
const BACKOFF: Backoff = Backoff { floor: Duration::from_secs(60), ceiling: Duration::from_secs(3600) };

/// Refusals after which a mail stays as it is. A server that is full or under repair refuses, too.
const REFUSALS: u32 = 8;

/// Failures running after which the others have to wait, too: most likely it is the server.
const RUNNING: u32 = 3;

impl Worker {
    /// Fails only where several mails running cannot be settled, and where a connection breaks off: what came of
    /// that mail is looked for before another one like it may lie where it was to go.
    pub(super) async fn settle(&self, row: &MailboxRow, mailbox: &dyn Mailbox) -> Result<(), WorkerError> {
        let mut running = 0;
        loop {
            let now = self.parts.clock.now();
            let mails = self.parts.store.unsettled_inbound(&row.id, now, AT_ONCE).await?;
            if mails.is_empty() {
                return Ok(());
            }
            for mail in mails {
                let Some(error) = self.settle_one(mailbox, &mail).await? else {
                    running = 0;
                    continue;
                };
                running += 1;
                if running >= RUNNING {
                    return Err(error.into());
                }
            }
        }
    }

    /// Why this mail has to wait, if so.
    async fn settle_one(
        &self,
        mailbox: &dyn Mailbox,
        mail: &InboundRow,
    ) -> Result<Option<MailboxError>, WorkerError> {
        let error = match self.try_to_settle(mailbox, mail).await? {
            // Not granted: the flags are left alone.
            Ok(()) | Err(MailboxError::NotGranted { .. }) => {
                self.parts.store.settle_inbound(mail.id).await?;
                return Ok(None);
            }
            Err(error @ MailboxError::Refused { .. }) if mail.settle_tries + 1 >= REFUSALS => {
                warn!(mailbox = %mail.mailbox, mail = mail.id, error = %Report(&error),
                    "a mail stays on its server as it is");
                self.parts.store.settle_inbound(mail.id).await?;
                return Ok(None);
            }
            Err(
                error @ (MailboxError::Refused { .. }
                | MailboxError::Server { .. }
                | MailboxError::Garbled { .. }),
            ) => error,
            Err(error) => return Err(error.into()),
        };
        warn!(mailbox = %mail.mailbox, mail = mail.id, error = %Report(&error), "a mail cannot be settled yet");
        let [chance] = random_bytes::<1>();
        let next_try_at = self.parts.clock.now() + BACKOFF.wait(mail.settle_tries + 1, chance);
        self.parts.store.postpone_settling(mail.id, next_try_at).await?;
        Ok(Some(error))
    }

    /// Does it so that it can be repeated, however far an earlier try came.
    async fn try_to_settle(
        &self,
        mailbox: &dyn Mailbox,
        mail: &InboundRow,
    ) -> Result<Result<(), MailboxError>, WorkerError> {
        let key = &mail.source_key;
        let before = match mailbox.before_settling(key).await {
            Ok(None) => return Ok(mailbox.settle(key).await),
            Ok(Some(before)) => before,
            Err(error) => return Ok(Err(error)),
        };
        // Kept before anything is done: the connection, or this process, may end half-way.
        let before = self.parts.store.keep_before_settling(mail.id, &before).await?;
        Ok(mailbox.settle_from(key, &before).await)
    }
}
