//! The last lines of the mail log in memory, for administrators to look at: a bounded list, oldest dropped first.
//!
//! A line holds a message of ours and the fields that are named here, nothing else, whatever was logged; texts
//! among them lose addresses and tokens. No secret has a field of these names, and none is a text to begin with.

mod capture;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::clock::Timestamp;

pub use capture::Capture;

/// So many lines are kept.
pub const KEPT_LINES: usize = 500;

/// The parts of the program whose lines are kept: what works the mail.
const TARGETS: [&str; 6] = [
    "mintgate::worker",
    "mintgate::mailbox",
    "mintgate::token",
    "mintgate::desk",
    "mintgate::store",
    "mintgate::console",
];

/// The fields that are kept: numbers and ids of ours, and texts on what went wrong.
const FIELDS: [&str; 15] = [
    "mailbox", "mail", "ticket", "comment", "size", "lag_ms", "wait_ms", "lately", "dropped", "swept",
    "since", "code", "what", "reason", "error",
];

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counts from 1 since the process began.
    pub number: u64,
    pub at: Timestamp,
    pub level: Level,
    pub message: String,
    /// Name and value.
    pub fields: Vec<(&'static str, String)>,
}

/// The lines; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    newest: u64,
    kept: VecDeque<Line>,
}

impl Journal {
    /// The newest lines, newest first.
    pub fn newest(&self, most: usize) -> Vec<Line> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.kept.iter().rev().take(most).cloned().collect()
    }

    fn add(&self, at: Timestamp, level: Level, message: String, fields: Vec<(&'static str, String)>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.newest += 1;
        let number = lines.newest;
        if lines.kept.len() == KEPT_LINES {
            lines.kept.pop_front();
        }
        lines.kept.push_back(Line { number, at, level, message, fields });
    }
}
