//! Which of the agents' answers the desk mails itself. While it has an SMTP provider it mails every
//! public comment; a second mail of ours is what must not happen.
//!
//! The desk only tells what is set now, so what was seen at each look is kept, and a comment is judged
//! by the time it was made. Of a long time in which nobody looked nothing is known.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::desk::advice::Hold;
use crate::desk::{DeskError, OwnMail};
use crate::web::call::CallError;

/// The fact that says, in one sentence for the console, why no answers are sent now.
pub const HOLD_FACT: &str = "outbound_hold";

const HISTORY_FACT: &str = "desk_smtp_history";

/// Comments carry the desk's time, looks carry ours.
pub(super) const CLOCKS_APART: Duration = Duration::from_secs(5);

/// Nobody sets a provider and removes it again between two looks that are no further apart. An operator who has
/// the desk looked at less often takes that for himself.
const LONGEST_GAP: Duration = Duration::from_secs(3600);
const LONGEST_GAP_IN_POLLS: u32 = 3;

/// So many stretches of which nothing is known are kept apart; beyond that the oldest two become one.
const MOST_UNKNOWN: usize = 32;

/// What becomes of a public comment of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is ours to mail (perhaps later, when nothing holds any more).
    Mail,
    /// The desk has mailed it.
    LeaveToDesk,
    /// It was made while the desk's provider was being set or removed, or while nobody looked; nobody can tell.
    Unclear,
}

/// A change that happened somewhere between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Between {
    before: i64,
    after: i64,
}

/// When the desk had an SMTP provider, as far as it was seen: the last such period, and what is uncertain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SmtpHistory {
    set: bool,
    seen_at: i64,
    was_set: Option<Between>,
    was_removed: Option<Between>,
    /// The desk answered nobody then, as far as was tried; so nobody wrote or set anything.
    #[serde(default)]
    silent_at: Option<i64>,
    /// Times without a look, and periods before the last one; oldest first.
    #[serde(default)]
    unknown: Vec<Between>,
}

impl SmtpHistory {
    fn first(set: bool, now: Timestamp) -> Self {
        // Nobody knows since when: every comment there is may have been mailed.
        let was_set = set.then_some(Between { before: i64::MIN, after: i64::MIN });
        Self { set, seen_at: now.0, was_set, was_removed: None, silent_at: None, unknown: Vec::new() }
    }

    fn seen(mut self, set: bool, now: Timestamp, longest_gap: Duration) -> Self {
        let change = Between { before: self.seen_at, after: now.0 };
        let quiet_since = self.in_touch_at();
        if now.since(quiet_since) > longest_gap {
            self.note_unknown(Between { before: quiet_since.0, after: now.0 });
        }
        match (self.set, set) {
            (false, true) => {
                if let (Some(began), Some(ended)) = (self.was_set, self.was_removed) {
                    self.note_unknown(Between { before: began.before, after: ended.after });
                }
                self.was_set = Some(change);
                self.was_removed = None;
            }
            (true, false) => self.was_removed = Some(change),
            _ => {}
        }
        Self { set, seen_at: now.0, silent_at: None, ..self }
    }

    /// The desk could not be reached at `now`. Worth noting only where no long time went by unseen before.
    fn silent(self, now: Timestamp, longest_gap: Duration) -> Self {
        if now.since(self.in_touch_at()) > longest_gap {
            return self;
        }
        Self { silent_at: Some(now.0), ..self }
    }

    fn in_touch_at(&self) -> Timestamp {
        Timestamp(self.silent_at.map_or(self.seen_at, |at| at.max(self.seen_at)))
    }

    fn note_unknown(&mut self, stretch: Between) {
        self.unknown.push(stretch);
        self.unknown.sort_by_key(|one| one.before);
        if self.unknown.len() > MOST_UNKNOWN {
            let oldest = self.unknown.remove(0);
            let next = &mut self.unknown[0];
            *next = Between { before: oldest.before, after: oldest.after.max(next.after) };
        }
    }

    /// What becomes of a comment made at `at`.
    pub(super) fn fate(&self, at: Timestamp) -> Fate {
        if self.unknown.iter().any(|stretch| matches!(stretch.place(at), Place::Within)) {
            return Fate::Unclear;
        }
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
        let (history, own) = self.note_own_mail().await?;
        self.tell_hold(Hold::because_of(own, self.parts.clock.now())).await?;
        Ok(history)
    }

    /// The same without holding anything: while no mailbox is connected, nothing waits.
    pub(super) async fn note_own_mail(&self) -> Result<(SmtpHistory, OwnMail), WorkerError> {
        let own = match self.parts.desk.has_own_mail().await {
            Ok(own) => own,
            Err(error) => {
                if is_out_of_reach(&error) {
                    self.note_silence().await?;
                }
                return Err(error.into());
            }
        };
        let now = self.parts.clock.now();
        let history = match self.smtp_history().await? {
            Some(history) => history.seen(own.smtp, now, self.longest_gap()),
            None => SmtpHistory::first(own.smtp, now),
        };
        self.keep_history(&history).await?;
        Ok((history, own))
    }

    async fn note_silence(&self) -> Result<(), WorkerError> {
        let Some(history) = self.smtp_history().await? else { return Ok(()) };
        self.keep_history(&history.silent(self.parts.clock.now(), self.longest_gap())).await
    }

    fn longest_gap(&self) -> Duration {
        LONGEST_GAP.max(self.parts.settings.poll_interval * LONGEST_GAP_IN_POLLS)
    }

    async fn smtp_history(&self) -> Result<Option<SmtpHistory>, WorkerError> {
        let known = self.parts.store.fact(HISTORY_FACT).await?;
        Ok(known.map(|text| {
            serde_json::from_str(&text).unwrap_or_else(|_| {
                warn!(
                    "what was known of the desk's SMTP provider cannot be read; comments so far are left to the desk"
                );
                SmtpHistory::first(true, self.parts.clock.now())
            })
        }))
    }

    async fn keep_history(&self, history: &SmtpHistory) -> Result<(), WorkerError> {
        let text = serde_json::to_string(history).expect("numbers and flags are JSON");
        Ok(self.parts.store.set_fact(HISTORY_FACT, Some(&text)).await?)
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

/// Nobody else reaches such a desk either; one that is only slow may be working for others.
fn is_out_of_reach(error: &DeskError) -> bool {
    let (DeskError::Call { source, .. } | DeskError::SignInCall { source }) = error else { return false };
    matches!(source, CallError::Unreachable { .. } | CallError::Broken { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(history: &SmtpHistory, times: &[i64]) -> Vec<Fate> {
        times.iter().map(|&at| history.fate(Timestamp(at * SECOND))).collect()
    }

    const SECOND: i64 = 1000;

    fn look(set: bool, at: i64, earlier: SmtpHistory) -> SmtpHistory {
        earlier.seen(set, Timestamp(at * SECOND), LONGEST_GAP)
    }

    #[test]
    fn without_a_provider_every_comment_is_ours() {
        let history = look(false, 200, SmtpHistory::first(false, Timestamp(100 * SECOND)));
        assert_eq!(fates(&history, &[50, 150, 250]), [Fate::Mail; 3]);
    }

    #[test]
    fn a_provider_that_was_always_there_has_mailed_everything() {
        let history = SmtpHistory::first(true, Timestamp(100 * SECOND));
        assert_eq!(fates(&history, &[50, 150]), [Fate::LeaveToDesk; 2]);
    }

    #[test]
    fn comments_are_judged_by_when_they_were_made() {
        use Fate::{LeaveToDesk, Mail, Unclear};
        let before = SmtpHistory::first(false, Timestamp(100 * SECOND));
        let set = look(true, 300, look(true, 200, before));
        let removed = look(false, 500, look(false, 400, set.clone()));
        assert_eq!(
            fates(&set, &[95, 99, 150, 204, 205, 350]),
            [Mail, Unclear, Unclear, Unclear, LeaveToDesk, LeaveToDesk]
        );
        let told = fates(&removed, &[95, 150, 205, 295, 299, 350, 404, 405, 450]);
        assert_eq!(told, [Mail, Unclear, LeaveToDesk, LeaveToDesk, Unclear, Unclear, Unclear, Mail, Mail]);
    }

    #[test]
    fn of_a_long_time_without_a_look_nothing_is_known() {
        use Fate::{Mail, Unclear};
        let seen = look(false, 100, SmtpHistory::first(false, Timestamp(0)));
        let within_an_hour = look(false, 3_700, seen.clone());
        assert_eq!(fates(&within_an_hour, &[50, 2_000, 3_700]), [Mail; 3]);
        let later = look(false, 9_000, look(false, 8_000, seen));
        assert_eq!(fates(&later, &[50, 200, 7_900, 8_100, 9_100]), [Mail, Unclear, Unclear, Mail, Mail]);
    }

    #[test]
    fn a_desk_that_could_not_be_reached_was_written_to_by_nobody() {
        let mut history = SmtpHistory::first(false, Timestamp(0));
        for minutes in 1..300 {
            history = history.silent(Timestamp(minutes * 60 * SECOND), LONGEST_GAP);
        }
        let back = look(false, 300 * 60, history);
        assert_eq!(fates(&back, &[30, 299 * 60]), [Fate::Mail; 2]);
        let unseen = SmtpHistory::first(false, Timestamp(0)).silent(Timestamp(9_000 * SECOND), LONGEST_GAP);
        assert_eq!(fates(&look(false, 9_100, unseen), &[8_000]), [Fate::Unclear]);
    }

    #[test]
    fn comments_of_an_earlier_providers_time_are_not_taken_for_ours() {
        let mut history = SmtpHistory::first(false, Timestamp(0));
        let first = [(true, 100), (false, 150), (false, 250)];
        let second = [(true, 260), (true, 350), (false, 360)];
        for (set, at) in first.into_iter().chain(second) {
            history = look(set, at, history);
        }
        let told = fates(&history, &[120, 200, 300, 400]);
        assert_eq!(told, [Fate::Unclear, Fate::Mail, Fate::LeaveToDesk, Fate::Mail]);
    }

    #[test]
    fn a_history_that_was_written_without_gaps_is_read() {
        let text = r#"{"set":true,"seen_at":5,"was_set":{"before":1,"after":2},"was_removed":null}"#;
        let history: SmtpHistory = serde_json::from_str(text).expect("a history");
        assert_eq!(history.fate(Timestamp(100_000)), Fate::LeaveToDesk);
    }
}
