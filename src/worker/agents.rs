//! The people who work at the desk, asked for now and then. Knows nothing of mails.

use std::time::Duration;

use tokio::sync::Mutex;
use tracing::warn;

use super::hold::CLOCKS_APART;
use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::desk::{DeskError, Person};

/// Somebody who left the desk writes as an agent for this long at most.
const FRESH_FOR: Duration = Duration::from_secs(300);

/// What the desk said last.
#[derive(Default)]
pub(super) struct Agents(Mutex<Option<Known>>);

struct Known {
    asked_at: Timestamp,
    /// Everybody in the list when it was told last; customers who sign in at the portal are not in it.
    people: Vec<Person>,
    /// Whether it was told when last asked.
    is_told: bool,
}

impl Known {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.asked_at <= now && now.since(self.asked_at) < FRESH_FOR
    }

    fn names(&self, user: &str) -> bool {
        self.people.iter().any(|one| one.id == user)
    }
}

impl Worker {
    /// Addresses of agents, without the bot's; none where the desk does not tell.
    pub(super) async fn agents(&self) -> Result<Vec<String>, WorkerError> {
        let mut known = self.agents.0.lock().await;
        let now = self.parts.clock.now();
        if !known.as_ref().is_some_and(|known| known.is_fresh(now)) {
            self.ask_again(&mut known, now).await?;
        }
        let Some(told) = known.as_ref().filter(|known| known.is_told) else { return Ok(Vec::new()) };
        let bot = self.parts.desk.bot_user().await?;
        Ok(told.people.iter().filter(|one| one.id != bot.id).map(|one| one.email.clone()).collect())
    }

    async fn ask_again(&self, known: &mut Option<Known>, now: Timestamp) -> Result<(), WorkerError> {
        match self.parts.desk.people().await {
            Ok(people) => *known = Some(Known { asked_at: now, people, is_told: true }),
            // Their mails are then nobody's of the ticket; the mail itself must not wait for it.
            Err(
                error @ (DeskError::Refused { .. } | DeskError::Forbidden { .. } | DeskError::Garbled { .. }),
            ) => {
                warn!(error = %Report(&error), "the desk does not tell who works there; nobody answers by mail");
                let people = known.take().map_or_else(Vec::new, |known| known.people);
                *known = Some(Known { asked_at: now, people, is_told: false });
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Whether the writer of a comment made at `at` works at the desk: anybody who is signed in may comment on
    /// any ticket, customers in the portal too.
    ///
    /// # Errors
    /// [`WorkerError::Staff`] when the desk does not tell: then the comment waits. Somebody who was in the list
    /// before is believed without it.
    pub(super) async fn works_at_desk(&self, user: &str, at: Timestamp) -> Result<bool, WorkerError> {
        let mut known = self.agents.0.lock().await;
        let now = self.parts.clock.now();
        let named = known.as_ref().is_some_and(|known| known.names(user));
        // Somebody who was not in the list may have come to the desk since.
        let is_current = |known: &Known| {
            known.is_told && known.is_fresh(now) && (named || at + CLOCKS_APART < known.asked_at)
        };
        if known.as_ref().is_some_and(is_current) {
            return Ok(named);
        }
        match self.parts.desk.people().await {
            Ok(people) => {
                let told = known.insert(Known { asked_at: now, people, is_told: true });
                Ok(told.names(user))
            }
            Err(error) if named => {
                warn!(error = %Report(&error), "the desk does not tell who works there; its last word counts");
                Ok(true)
            }
            Err(source) => Err(WorkerError::Staff { source }),
        }
    }
}
