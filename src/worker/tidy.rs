//! Drops what is no longer needed: the bytes of mails that are done or sent, after the time the operator chose,
//! files that no mail at the desk has, orders and waiting answers of mailboxes that are gone.

use std::time::Duration;

use tracing::info;

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::store::orders::{ORDER, mailbox_of};

const EVERY: Duration = Duration::from_secs(3600);
/// Few enough that nobody waits long for the store.
const AT_ONCE: u32 = 200;

/// How long files stay that nothing names: far longer than a mail is ever on its way to the desk.
const FILES_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// And those of a ticket that the desk does not show any more: a desk that is restored from a backup of last
/// month finds them still.
const FILES_OF_GONE_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Two gateways' clocks may differ by this much without anything being done anew.
const CLOCKS_APART: Duration = Duration::from_secs(600);

/// When it was tidied last, in milliseconds since 1970.
const TIDIED_FACT: &str = "mail_tidied_at";

impl Worker {
    /// Tidies, if nobody has within the last hour.
    pub(super) async fn tidy(&self) -> Result<(), WorkerError> {
        let store = &self.parts.store;
        let now = self.parts.clock.now();
        let tidied_at = store.fact(TIDIED_FACT).await?.and_then(|text| text.parse().ok()).map(Timestamp);
        if tidied_at.is_some_and(|at| now.since(at) < EVERY && at <= now) {
            return Ok(());
        }
        if let Some(keep) = self.parts.settings.policy.keep_raw {
            self.drop_old_raw(now - keep).await?;
            self.drop_sent(now - keep).await?;
        }
        self.drop_orphaned_orders().await?;
        store.unmark_swept_after(now + CLOCKS_APART).await?;
        let swept = store.sweep_files(now - FILES_KEPT, now - FILES_OF_GONE_KEPT).await?;
        if swept > 0 {
            info!(swept, "files that no mail at the desk has are dropped");
        }
        store.set_fact(TIDIED_FACT, Some(&now.0.to_string())).await?;
        // Last: it needs the desk, and everything else does not.
        self.give_up_of_disconnected().await
    }

    /// Mails whose files nothing else knows of are kept.
    async fn drop_old_raw(&self, before: Timestamp) -> Result<(), WorkerError> {
        let mut dropped = 0;
        loop {
            let some = self.parts.store.drop_old_raw(before, AT_ONCE).await?;
            dropped += some;
            if some == 0 {
                break;
            }
        }
        if dropped > 0 {
            info!(dropped, "the bytes of old mails are dropped");
        }
        Ok(())
    }

    async fn drop_sent(&self, before: Timestamp) -> Result<(), WorkerError> {
        while self.parts.store.drop_sent_mime(before, AT_ONCE).await? > 0 {}
        Ok(())
    }

    /// Nobody takes an order for a mailbox that is disconnected.
    async fn drop_orphaned_orders(&self) -> Result<(), WorkerError> {
        let store = &self.parts.store;
        for hint in store.hints(ORDER).await? {
            if let Some(mailbox) = mailbox_of(&hint)
                && store.mailbox(&mailbox).await?.is_none()
            {
                store.take_hint(&hint).await?;
            }
        }
        Ok(())
    }
}
