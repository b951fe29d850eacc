//! Mails are read off the async threads, within bounds of size, parts and time, with panics caught.

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::{MailFiles, Refusal, headers, pages};
use crate::mail::read::contents::page;
use crate::mail::read::{Limits, read_guarded};
use crate::mail::safe_html::sanitised;
use crate::store::InboundRow;
use crate::web::answer::Answer;

const LONGEST: Duration = Duration::from_secs(20);
/// What a mail that was cut gets in front of it.
const SPARE: usize = 1_024;

impl MailFiles {
    /// What the mail says as text, and where the rest of it is.
    pub(super) async fn mail(&self, row: &InboundRow, turn: OwnedSemaphorePermit) -> Result<Answer, Refusal> {
        let files = self.parts.store.files_of(row.id).await?;
        let message = match self.raw(row).await {
            Ok(raw) => {
                let limits = self.limits();
                let read = move || {
                    let message = read_guarded(&raw, &limits).ok()?;
                    let has_page = page(&raw, &limits).is_ok_and(|page| page.is_some());
                    Some((message, has_page))
                };
                Some(aside(read, turn).await?)
            }
            Err(Refusal::Gone) => None,
            Err(other) => return Err(other),
        };
        pages::mail(row.id, message, &files).map(headers::own_page)
    }

    /// The mail's own page, made harmless.
    pub(super) async fn page(&self, row: &InboundRow, turn: OwnedSemaphorePermit) -> Result<Answer, Refusal> {
        let raw = self.raw(row).await?;
        let limits = self.limits();
        let made = aside(move || Some(page(&raw, &limits).ok()?.map(sanitised)), turn).await?;
        let fragment = made.ok_or(Refusal::Absent)?.ok_or(Refusal::Unreadable)?;
        Ok(headers::mail_page(pages::framed(&fragment)))
    }

    fn limits(&self) -> Limits {
        Limits { bytes: self.parts.max_size + SPARE, ..Limits::default() }
    }
}

/// Runs `read` where it keeps nobody waiting. It has its turn until it ends, even when nobody waits any more.
async fn aside<T: Send + 'static>(
    read: impl FnOnce() -> Option<T> + Send + 'static,
    turn: OwnedSemaphorePermit,
) -> Result<T, Refusal> {
    let reading = tokio::task::spawn_blocking(move || {
        let done = read();
        drop(turn);
        done
    });
    match tokio::time::timeout(LONGEST, reading).await {
        Ok(Ok(Some(value))) => Ok(value),
        Ok(_) | Err(_) => Err(Refusal::Unreadable),
    }
}
