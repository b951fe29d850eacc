//! Fetches new mail into the ledger: list, fetch, store, and only then move the cursor. It does not
//! look into a mail.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use tracing::{info, warn};

use super::fetch_again::{ALONE, breaks_off, brought, concerns_one_mail};
use super::round::Lease;
use super::trouble::backoff;
use super::{Point, Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::mailbox::{Listed, Mailbox, MailboxError, Page};
use crate::store::{MailboxRow, NewMail, UnfetchedMail};

/// A provider allows few calls at once per mailbox (Graph: four).
const PARALLEL: usize = 4;

/// Connections that end running, at one mail each, before the rest of the page is left for another time.
const ENDED_RUNNING: u32 = 2;

/// A lost cursor lists again from this long before the newest known mail; the ledger knows the doubles.
const OVERLAP: Duration = Duration::from_secs(2 * 24 * 3600);

/// First line put before the beginning of a mail that is larger than the limit.
pub(super) const CUT_LINE: &[u8] = b"X-Mintgate-Cut: only the beginning of this mail was fetched\r\n";

/// What a page brought.
pub(super) struct Stored {
    /// When the newest of its mails was received.
    pub(super) newest: Option<Timestamp>,
    pub(super) more: bool,
    /// Why its mails could not be fetched, where nothing shows that the mail server hands out others.
    pub(super) trouble: Option<MailboxError>,
}

/// A mail as it came, and when it was received.
pub(super) struct Brought {
    pub(super) raw: Vec<u8>,
    pub(super) received_at: Option<Timestamp>,
}

impl Worker {
    /// Stores the next page and moves the cursor past it.
    pub(super) async fn fetch_page(
        &self,
        row: &MailboxRow,
        mailbox: &dyn Mailbox,
        lease: Lease,
    ) -> Result<Stored, WorkerError> {
        let page = self.next_page(row, mailbox, lease).await?;
        let stored = self.store_page(row, mailbox, &page).await?;
        self.move_cursor(row, lease, Some(&page.cursor)).await?;
        (self.parts.at)(Point::CursorWritten);
        Ok(stored)
    }

    async fn next_page(
        &self,
        row: &MailboxRow,
        mailbox: &dyn Mailbox,
        lease: Lease,
    ) -> Result<Page, WorkerError> {
        let cursor = self.parts.store.cursor(&row.id).await?;
        match mailbox.list(cursor.as_deref(), since(row)).await {
            Err(MailboxError::CursorLost) if cursor.is_some() => {
                warn!(mailbox = %row.id, "the cursor is lost; the folder is listed again");
                self.move_cursor(row, lease, None).await?;
                Ok(mailbox.list(None, since(row)).await?)
            }
            page => Ok(page?),
        }
    }

    async fn move_cursor(&self, row: &MailboxRow, lease: Lease, to: Option<&str>) -> Result<(), WorkerError> {
        let moved = self.parts.store.set_cursor(&row.id, lease.fence, to).await?;
        if moved { Ok(()) } else { Err(WorkerError::LeaseLost) }
    }

    /// Stores every unknown mail of the page. A single mail that fails is known without its bytes from then on,
    /// so that it holds up neither the cursor nor the others.
    async fn store_page(
        &self,
        row: &MailboxRow,
        mailbox: &dyn Mailbox,
        page: &Page,
    ) -> Result<Stored, WorkerError> {
        let mut unknown = Vec::new();
        for listed in &page.mails {
            if !self.parts.store.knows_inbound(&row.id, &listed.key).await? {
                unknown.push(listed);
            }
        }
        let limit = self.parts.settings.max_size;
        let fetches: Vec<_> = unknown
            .into_iter()
            .map(|listed| {
                async move { (listed, brought(row.accept_since, mailbox, listed, limit).await) }.boxed()
            })
            .collect();
        let mut fetched = stream::iter(fetches).buffered(PARALLEL);
        let (mut newest, mut trouble, mut ended) = (None, None, 0);
        while let Some((listed, outcome)) = fetched.next().await {
            ended = if outcome.as_ref().is_err_and(breaks_off) { ended + 1 } else { 0 };
            match outcome {
                Ok(Some(mail)) => newest = newest.max(Some(self.store_fetched(row, listed, mail).await?)),
                Ok(None) => {}
                Err(error) if concerns_one_mail(&error) && ended < ENDED_RUNNING => {
                    self.note_unfetched(row, listed, &error).await?;
                    trouble = Some(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if self.parts.store.fetched_since(&row.id, self.parts.clock.now() - ALONE).await? {
            trouble = None;
        }
        Ok(Stored { newest, more: page.more, trouble })
    }

    async fn store_fetched(
        &self,
        row: &MailboxRow,
        listed: &Listed,
        brought: Brought,
    ) -> Result<Timestamp, WorkerError> {
        let now = self.parts.clock.now();
        let received_at = brought.received_at.unwrap_or(now);
        let mail = NewMail {
            mailbox: row.id.clone(),
            source_key: listed.key.clone(),
            received_at,
            stored_at: now,
            raw: brought.raw,
        };
        if let Some(id) = self.parts.store.add_inbound(&mail).await? {
            info!(mailbox = %row.id, mail = id, size = mail.raw.len(), "a mail is stored");
        }
        (self.parts.at)(Point::RawStored);
        Ok(received_at)
    }

    async fn note_unfetched(
        &self,
        row: &MailboxRow,
        listed: &Listed,
        error: &MailboxError,
    ) -> Result<(), WorkerError> {
        warn!(mailbox = %row.id, error = %Report(error), "a mail cannot be fetched yet");
        let now = self.parts.clock.now();
        let mail = UnfetchedMail {
            mailbox: row.id.clone(),
            source_key: listed.key.clone(),
            received_at: listed.received_at.unwrap_or(now),
            listed_at: now,
            next_try_at: now + backoff(0),
            reason: Report(error).to_string(),
        };
        Ok(self.parts.store.add_unfetched(&mail).await?)
    }
}

/// From when a listing without a cursor begins. Not from the last poll: that may have failed.
fn since(row: &MailboxRow) -> Timestamp {
    row.last_mail_at.map_or(row.accept_since, |newest| (newest - OVERLAP).max(row.accept_since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::MailboxId;
    use crate::store::MailboxState;

    const DAY: i64 = 24 * 3600 * 1000;

    fn row(last_mail_at: Option<i64>) -> MailboxRow {
        MailboxRow {
            id: MailboxId::parse("m").expect("an id"),
            kind: "microsoft-graph".to_owned(),
            address: "tickets@desk.example".to_owned(),
            state: MailboxState::Connected,
            scopes: String::new(),
            connected_at: Timestamp(0),
            accept_since: Timestamp(10 * DAY),
            last_poll_at: Some(Timestamp(90 * DAY)),
            last_mail_at: last_mail_at.map(|day| Timestamp(day * DAY)),
            last_error: None,
            failing_since: None,
            settings: String::new(),
        }
    }

    #[test]
    fn a_listing_without_cursor_overlaps_the_newest_known_mail() {
        let day = |newest| since(&row(newest)).0 / DAY;
        assert_eq!([day(None), day(Some(11)), day(Some(30))], [10, 10, 28]);
    }
}
