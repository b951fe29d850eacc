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
pub struct Reading(Arc<Semaphore>);

impl Default for Reading {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
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

    async fn aside<T: Send + 'static>(&self, read: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
        let _turn = self.0.acquire().await.expect("the semaphore is never closed");
        let done = tokio::time::timeout(LONGEST, tokio::task::spawn_blocking(read)).await;
        done.ok()?.ok()?
    }
}
