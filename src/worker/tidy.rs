//! Drops what is no longer needed: the bytes of mails that are done, after the time the operator chose.

use std::time::Duration;

use tracing::info;

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;

const EVERY: Duration = Duration::from_secs(3600);
/// Few enough that nobody waits long for the store.
const AT_ONCE: u32 = 200;

/// When it was tidied last, in milliseconds since 1970.
const TIDIED_FACT: &str = "mail_tidied_at";

impl Worker {
    /// Tidies, if nobody has within the last hour. Mails that bring files are kept: nothing else has them.
    pub(super) async fn tidy(&self) -> Result<(), WorkerError> {
        let Some(keep) = self.parts.settings.policy.keep_raw else { return Ok(()) };
        let store = &self.parts.store;
        let now = self.parts.clock.now();
        let tidied_at = store.fact(TIDIED_FACT).await?.and_then(|text| text.parse().ok()).map(Timestamp);
        if tidied_at.is_some_and(|at| now.since(at) < EVERY && at <= now) {
            return Ok(());
        }
        let mut dropped = 0;
        loop {
            let some = store.drop_old_raw(now - keep, AT_ONCE).await?;
            dropped += some;
            if some == 0 {
                break;
            }
        }
        if dropped > 0 {
            info!(dropped, "the bytes of old mails are dropped");
        }
        Ok(store.set_fact(TIDIED_FACT, Some(&now.0.to_string())).await?)
    }
}
