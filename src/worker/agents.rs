//! The addresses of the people who work at the desk, asked for now and then. Knows nothing of mails.

use std::time::Duration;

use tokio::sync::Mutex;
use tracing::warn;

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::desk::DeskError;

/// Somebody who left the desk writes as an agent for this long at most.
const FRESH_FOR: Duration = Duration::from_secs(300);

/// What the desk said last, and when.
#[derive(Default)]
pub(super) struct Agents(Mutex<Option<(Timestamp, Vec<String>)>>);

impl Worker {
    /// Addresses of agents, without the bot's; none where the desk does not tell.
    pub(super) async fn agents(&self) -> Result<Vec<String>, WorkerError> {
        let mut known = self.agents.0.lock().await;
        let now = self.parts.clock.now();
        if let Some((at, addresses)) = known.as_ref()
            && *at <= now
            && now.since(*at) < FRESH_FOR
        {
            return Ok(addresses.clone());
        }
        let addresses = self.ask_for_agents().await?;
        *known = Some((now, addresses.clone()));
        Ok(addresses)
    }

    async fn ask_for_agents(&self) -> Result<Vec<String>, WorkerError> {
        let bot = self.parts.desk.bot_user().await?;
        match self.parts.desk.people().await {
            Ok(people) => {
                Ok(people.into_iter().filter(|one| one.id != bot.id).map(|one| one.email).collect())
            }
            // Their mails are then nobody's of the ticket; the mail itself must not wait for it.
            Err(
                error @ (DeskError::Refused { .. } | DeskError::Forbidden { .. } | DeskError::Garbled { .. }),
            ) => {
                warn!(error = %Report(&error), "the desk does not tell who works there; nobody answers by mail");
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }
}
