//! Which of the agents' answers the desk mails itself. While it has an SMTP provider it mails every
//! public comment; a second mail of ours is what must not happen.
//!
//! The desk only tells what is set now, so what was seen at each look is kept, and a comment is judged
//! by the time it was made.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::desk::advice::Hold;

/// The fact that says, in one sentence for the console, why no answers are sent now.
pub const HOLD_FACT: &str = "outbound_hold";

const HISTORY_FACT: &str = "desk_smtp_history";

/// Comments carry the desk's time, looks carry ours.
const CLOCKS_APART: Duration = Duration::from_secs(5);

/// What becomes of a public comment of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is ours to mail (perhaps later, when nothing holds any more).
    Mail,
    /// The desk has mailed it.
    LeaveToDesk,
    /// It was made while the desk's provider was being set or removed; nobody can tell.
    Unclear,
}

/// A change that happened somewhere between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Between {
    before: i64,
    after: i64,
}

/// When the desk had an SMTP provider, as far as it was seen: the last such period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SmtpHistory {
    set: bool,
    seen_at: i64,
    was_set: Option<Between>,
    was_removed: Option<Between>,
}

impl SmtpHistory {
    fn first(set: bool, now: Timestamp) -> Self {
        // Nobody knows since when: every comment there is may have been mailed.
        let was_set = set.then_some(Between { before: i64::MIN, after: i64::MIN });
        Self { set, seen_at: now.0, was_set, was_removed: None }
    }

    fn seen(self, set: bool, now: Timestamp) -> Self {
        let change = Some(Between { before: self.seen_at, after: now.0 });
        match (self.set, set) {
            (false, true) => Self { set, seen_at: now.0, was_set: change, was_removed: None },
            (true, false) => Self { set, seen_at: now.0, was_removed: change, ..self },
            _ => Self { seen_at: now.0, ..self },
        }
    }

    /// What becomes of a comment made at `at`.
    pub(super) fn fate(&self, at: Timestamp) -> Fate {
        let Some(set) = self.was_set else { return Fate::Mail };
        match set.place(at) {
            Place::Before => return Fate::Mail,
            Place::Within => return Fate::Unclear,
            Place::After => {}
        }
        match self.was_removed.map(|removed| removed.place(at)) {
            None | Some(Place::Before) => Fate::LeaveToDesk,
            Some(Place::Within) => Fate::Unclear,
            Some(Place::After) => Fate::Mail,
        }
    }
}

/// Where a moment lies as seen from a change.
enum Place {
    Before,
    Within,
    After,
}

impl Between {
    fn place(self, at: Timestamp) -> Place {
        if at + CLOCKS_APART <= Timestamp(self.before) {
            Place::Before
        } else if at < Timestamp(self.after) + CLOCKS_APART {
            Place::Within
        } else {
            Place::After
        }
    }
}

impl Worker {
    /// Asks the desk for its own mail settings and writes down what follows from them.
    pub(super) async fn look_at_own_mail(&self) -> Result<SmtpHistory, WorkerError> {
        let own = self.parts.desk.has_own_mail().await?;
        let now = self.parts.clock.now();
        let known = self.parts.store.fact(HISTORY_FACT).await?;
        let history = match known.as_deref().map(serde_json::from_str::<SmtpHistory>) {
            Some(Ok(history)) => history.seen(own.smtp, now),
            Some(Err(_)) => {
                warn!(
                    "what was known of the desk's SMTP provider cannot be read; comments so far are left to the desk"
                );
                SmtpHistory::first(true, now).seen(own.smtp, now)
            }
            None => SmtpHistory::first(own.smtp, now),
        };
        let text = serde_json::to_string(&history).expect("numbers and flags are JSON");
        self.parts.store.set_fact(HISTORY_FACT, Some(&text)).await?;
        self.tell_hold(Hold::because_of(own, now)).await?;
        Ok(history)
    }

    /// Keeps the first telling, which has the time since when.
    async fn tell_hold(&self, hold: Option<Hold>) -> Result<(), WorkerError> {
        let told = self.parts.store.fact(HOLD_FACT).await?;
        let known = told.as_deref().and_then(Hold::read);
        match (&told, &hold) {
            (None, None) => return Ok(()),
            (Some(_), Some(hold)) if known.is_some_and(|known| known.key == hold.key) => return Ok(()),
            _ => {}
        }
        let text = hold.map(|hold| hold.told());
        Ok(self.parts.store.set_fact(HOLD_FACT, text.as_deref()).await?)
    }

    /// Whether answers wait now.
    pub(super) async fn holds(&self) -> Result<bool, WorkerError> {
        Ok(self.parts.store.fact(HOLD_FACT).await?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(history: SmtpHistory, times: &[i64]) -> Vec<Fate> {
        times.iter().map(|&at| history.fate(Timestamp(at * SECOND))).collect()
    }

    const SECOND: i64 = 1000;

    fn look(set: bool, at: i64, earlier: SmtpHistory) -> SmtpHistory {
        earlier.seen(set, Timestamp(at * SECOND))
    }

    #[test]
    fn without_a_provider_every_comment_is_ours() {
        let history = look(false, 200, SmtpHistory::first(false, Timestamp(100 * SECOND)));
        assert_eq!(fates(history, &[50, 150, 250]), [Fate::Mail; 3]);
    }

    #[test]
    fn a_provider_that_was_always_there_has_mailed_everything() {
        let history = SmtpHistory::first(true, Timestamp(100 * SECOND));
        assert_eq!(fates(history, &[50, 150]), [Fate::LeaveToDesk; 2]);
    }

    #[test]
    fn comments_are_judged_by_when_they_were_made() {
        use Fate::{LeaveToDesk, Mail, Unclear};
        let before = SmtpHistory::first(false, Timestamp(100 * SECOND));
        let set = look(true, 300, look(true, 200, before));
        let removed = look(false, 500, look(false, 400, set));
        assert_eq!(
            fates(set, &[95, 99, 150, 204, 205, 350]),
            [Mail, Unclear, Unclear, Unclear, LeaveToDesk, LeaveToDesk]
        );
        let told = fates(removed, &[95, 150, 205, 295, 299, 350, 404, 405, 450]);
        assert_eq!(told, [Mail, Unclear, LeaveToDesk, LeaveToDesk, Unclear, Unclear, Unclear, Mail, Mail]);
    }
}
