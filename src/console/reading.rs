//! Mails of strangers are read off the async threads, a few at once, within bounds of time, with panics caught.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::mail::Message;
use crate::mail::read::contents::page;
use crate::mail::read::{Limits, read_guarded};
use crate::mail::safe_html::sanitised;

const LONGEST: Duration = Duration::from_secs(20);
/// Mails read at once: each may be as large as the largest that is accepted.
const AT_ONCE: usize = 2;

/// Whose turn it is to read.
#[derive(Clone)]
pub struct Reading {
    turns: Arc<Semaphore>,
    longest: Duration,
}

impl Default for Reading {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), longest: LONGEST }
    }
}

impl Reading {
    /// What the mail says, and whether it has a page of its own; `None` when it cannot be read.
    pub async fn message(&self, raw: Vec<u8>) -> Option<(Message, bool)> {
        self.aside(move || {
            let limits = Limits::default();
            let message = read_guarded(&raw, &limits).ok()?;
            Some((message, page(&raw, &limits).is_ok_and(|page| page.is_some())))
        })
        .await
    }

    /// The mail's own page, made harmless; `None` when there is none that can be shown.
    pub async fn page(&self, raw: Vec<u8>) -> Option<String> {
        self.aside(move || sanitised(page(&raw, &Limits::default()).ok()??)).await
    }

    /// The turn lasts until `read` ends, even when nobody waits for it any more.
    async fn aside<T: Send + 'static>(&self, read: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
        let turn = self.turns.clone().acquire_owned().await.expect("the semaphore is never closed");
        let reading = tokio::task::spawn_blocking(move || {
            let done = read();
            drop(turn);
            done
        });
        tokio::time::timeout(self.longest, reading).await.ok()?.ok()?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn a_reader_that_nobody_waits_for_keeps_its_turn_until_it_ends() {
        let reading = Reading { longest: Duration::from_millis(1), ..Reading::default() };
        let mut ends = Vec::new();
        for _ in 0..AT_ONCE {
            let (end, may_end) = channel::<()>();
            let read = reading.aside(move || may_end.recv().ok()).await;
            assert_eq!(read, None, "it takes too long");
            ends.push(end);
        }
        assert_eq!(reading.turns.available_permits(), 0);
        drop(ends);
        let patient = Reading { longest: LONGEST, ..reading };
        assert_eq!(patient.aside(|| Some("read")).await, Some("read"));
    }
}
