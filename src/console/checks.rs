//! The steps of a connection test as pages list them.

use crate::base::clock::Timestamp;
use crate::console::advice::{About, Explained, sentence};
use crate::console::language::Texts;
use crate::mailbox::{Check, Told};
use crate::oauth::advice::advise;

/// One step that was taken.
pub struct Line {
    /// Message key of the step's name.
    pub step: String,
    pub took_ms: u64,
    /// What was seen, or what is wrong.
    pub outcome: Result<String, Explained>,
}

pub fn lines(checks: &[Check], about: About<'_>, now: Timestamp, t: &Texts) -> Vec<Line> {
    let line = |check: &Check| Line {
        step: format!("check-{}", check.step),
        took_ms: check.took_ms,
        outcome: match &check.outcome {
            Ok(seen) => Ok(sentence(seen, now, t)),
            Err(told) => Err(explained(told, about, t)),
        },
    };
    checks.iter().map(line).collect()
}

fn explained(told: &Told, about: About<'_>, t: &Texts) -> Explained {
    Explained::of_check(told, about, t)
        .unwrap_or_else(|| Explained::of(&advise("", None), &told.detail, about, t))
}
