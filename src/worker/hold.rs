//! Which of the agents' answers the desk mails itself. While it has an SMTP provider it mails every
//! public comment; a second mail of ours is what must not happen.
//!
//! The desk only tells what is set now, so what was seen at each look is kept, and a comment is judged
//! by the time it was made.

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::desk::OwnMail;

/// The fact that says, in one sentence for the console, why no answers are sent now.
pub const HOLD_FACT: &str = "outbound_hold";

const HISTORY_FACT: &str = "desk_smtp_history";

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
        match (self.was_set, self.was_removed) {
            (None, _) => Fate::Mail,
            (Some(set), _) if at.0 <= set.before => Fate::Mail,
            (Some(set), _) if at.0 < set.after => Fate::Unclear,
            (_, None) => Fate::LeaveToDesk,
            (_, Some(removed)) if at.0 <= removed.before => Fate::LeaveToDesk,
            (_, Some(removed)) if at.0 < removed.after => Fate::Unclear,
            _ => Fate::Mail,
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
        self.tell_hold(why_hold(own), now).await?;
        Ok(history)
    }

    /// Keeps the first telling, which has the time since when.
    async fn tell_hold(&self, why: Option<String>, now: Timestamp) -> Result<(), WorkerError> {
        let told = self.parts.store.fact(HOLD_FACT).await?;
        match (&told, &why) {
            (None, None) => return Ok(()),
            (Some(told), Some(why)) if told.starts_with(why.as_str()) => return Ok(()),
            _ => {}
        }
        let text = why.map(|why| format!("{why} Answers wait since {now}."));
        Ok(self.parts.store.set_fact(HOLD_FACT, text.as_deref()).await?)
    }

    /// Whether answers wait now.
    pub(super) async fn holds(&self) -> Result<bool, WorkerError> {
        Ok(self.parts.store.fact(HOLD_FACT).await?.is_some())
    }
}

fn why_hold(own: OwnMail) -> Option<String> {
    if own.smtp {
        return Some(
            "The desk has an SMTP provider of its own and mails agents' public comments itself; \
             remove it there (Admin, SMTP Email), or customers would get every answer twice."
                .to_owned(),
        );
    }
    (own.queues > 0).then(|| {
        "The desk has an e-mail queue of its own and makes tickets of the same mail; \
         remove it there (Admin, Email Queues)."
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(history: SmtpHistory, times: &[i64]) -> Vec<Fate> {
        times.iter().map(|&at| history.fate(Timestamp(at))).collect()
    }

    #[test]
    fn without_a_provider_every_comment_is_ours() {
        let history = SmtpHistory::first(false, Timestamp(100)).seen(false, Timestamp(200));
        assert_eq!(fates(history, &[50, 150, 250]), [Fate::Mail; 3]);
    }

    #[test]
    fn a_provider_that_was_always_there_has_mailed_everything() {
        let history = SmtpHistory::first(true, Timestamp(100));
        assert_eq!(fates(history, &[50, 150]), [Fate::LeaveToDesk; 2]);
    }

    #[test]
    fn comments_are_judged_by_when_they_were_made() {
        let history = SmtpHistory::first(false, Timestamp(100))
            .seen(true, Timestamp(200))
            .seen(true, Timestamp(300))
            .seen(false, Timestamp(400))
            .seen(false, Timestamp(500));
        let told = fates(history, &[100, 150, 200, 300, 350, 400, 450]);
        use Fate::{LeaveToDesk, Mail, Unclear};
        assert_eq!(told, [Mail, Unclear, LeaveToDesk, LeaveToDesk, Unclear, Mail, Mail]);
    }

    #[test]
    fn a_queue_alone_holds_too() {
        assert!(why_hold(OwnMail { smtp: false, queues: 1 }).is_some());
        assert!(why_hold(OwnMail { smtp: false, queues: 0 }).is_none());
    }
}
