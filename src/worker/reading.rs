//! Reads a stored mail without letting it hurt the process: bounded size, parts and time, off the
//! async threads, panics caught.

use std::time::Duration;

use super::Worker;
use super::inbound::CUT_LINE;
use crate::base::report::Report;
use crate::mail::Message;
use crate::mail::read::{Limits, read_guarded};

const LONGEST: Duration = Duration::from_secs(20);

/// A stored mail, read.
pub(super) struct Read {
    pub(super) message: Message,
    /// Only its beginning was fetched.
    pub(super) cut: bool,
}

impl Worker {
    /// The mail, or in one sentence why it cannot be read.
    pub(super) async fn read(&self, raw: Vec<u8>) -> Result<Read, String> {
        if raw.is_empty() {
            return Err("the mail server did not hand the mail over".to_owned());
        }
        let cut = raw.starts_with(CUT_LINE);
        let limits = Limits { bytes: self.parts.settings.max_size + CUT_LINE.len(), ..Limits::default() };
        let reading = tokio::task::spawn_blocking(move || read_guarded(&raw, &limits));
        match tokio::time::timeout(LONGEST, reading).await {
            Ok(Ok(Ok(message))) => Ok(Read { message, cut }),
            Ok(Ok(Err(error))) => Err(Report(&error).to_string()),
            Ok(Err(_)) => Err("the mail made its reader fail".to_owned()),
            Err(_) => Err(format!("reading the mail took longer than {} s", LONGEST.as_secs())),
        }
    }
}
