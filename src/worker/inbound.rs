//! Fetches new mail into the ledger: list, fetch, store, and only then move the cursor. It does not
//! look into a mail.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use tracing::{info, warn};

use super::round::Lease;
use super::{Point, Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::base::report::Report;
use crate::mailbox::{Fetched, Listed, Mailbox, MailboxError, Page};
use crate::store::{MailboxRow, NewMail};

/// A provider allows few calls at once per mailbox (Graph: four).
const PARALLEL: usize = 4;

/// A lost cursor lists again from this long before the newest known mail; the ledger knows the doubles.
const OVERLAP: Duration = Duration::from_secs(2 * 24 * 3600);

/// Rounds in which a mail may fail to be fetched before it is set aside.
const FETCH_TRIES: u32 = 5;

/// First line put before the beginning of a mail that is larger than the limit.
pub(super) const CUT_LINE: &[u8] = b"X-Mintgate-Cut: only the beginning of this mail was fetched\r\n";

/// How often single mails could not be fetched, in this process.
#[derive(Default)]
pub(super) struct Unfetchable(Mutex<HashMap<(MailboxId, String), u32>>);

impl Unfetchable {
    fn failed(&self, mailbox: &MailboxId, key: &str) -> u32 {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = tries.entry((mailbox.clone(), key.to_owned())).or_default();
        *count += 1;
        *count
    }

    fn forget(&self, mailbox: &MailboxId, key: &str) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.remove(&(mailbox.clone(), key.to_owned()));
    }
}

/// What a page brought.
pub(super) struct Stored {
    /// When the newest of its mails was received.
    pub(super) newest: Option<Timestamp>,
    pub(super) more: bool,
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
        let newest = self.store_page(row, mailbox, &page).await?;
        self.move_cursor(row, lease, Some(&page.cursor)).await?;
        (self.parts.at)(Point::CursorWritten);
        Ok(Stored { newest, more: page.more })
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

    /// Stores every unknown mail of the page. A single mail that fails holds the cursor, not the others.
    async fn store_page(
        &self,
        row: &MailboxRow,
        mailbox: &dyn Mailbox,
        page: &Page,
    ) -> Result<Option<Timestamp>, WorkerError> {
        let mut unknown = Vec::new();
        for listed in &page.mails {
            if !self.parts.store.knows_inbound(&row.id, &listed.key).await? {
                unknown.push(listed);
            }
        }
        let limit = self.parts.settings.max_size;
        let fetches: Vec<_> = unknown
            .into_iter()
            .map(|listed| async move { (listed, mailbox.fetch(&listed.key, limit).await) }.boxed())
            .collect();
        let mut fetched = stream::iter(fetches).buffered(PARALLEL);
        let (mut newest, mut failure) = (None, None);
        while let Some((listed, outcome)) = fetched.next().await {
            match self.store_fetched(row, listed, outcome).await {
                Ok(received_at) => newest = newest.max(received_at),
                Err(WorkerError::Mailbox(error)) if concerns_one_mail(&error) => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        failure.map_or(Ok(newest), |error| Err(error.into()))
    }

    async fn store_fetched(
        &self,
        row: &MailboxRow,
        listed: &Listed,
        outcome: Result<Fetched, MailboxError>,
    ) -> Result<Option<Timestamp>, WorkerError> {
        let (raw, received_at) = match outcome {
            Ok(Fetched::Gone) => return Ok(None),
            Ok(Fetched::Raw { bytes, received_at }) => (bytes, received_at),
            Ok(Fetched::TooLarge { beginning, received_at }) => {
                ([CUT_LINE, &beginning].concat(), received_at)
            }
            Err(error) if concerns_one_mail(&error) => {
                if self.unfetchable.failed(&row.id, &listed.key) < FETCH_TRIES {
                    return Err(error.into());
                }
                // An empty mail stands for it in the ledger and is quarantined there.
                warn!(mailbox = %row.id, error = %Report(&error), "a mail is set aside, it cannot be fetched");
                (Vec::new(), None)
            }
            Err(error) => return Err(error.into()),
        };
        let now = self.parts.clock.now();
        let received_at = received_at.or(listed.received_at).unwrap_or(now);
        let mail = NewMail {
            mailbox: row.id.clone(),
            source_key: listed.key.clone(),
            received_at,
            stored_at: now,
            raw,
        };
        if let Some(id) = self.parts.store.add_inbound(&mail).await? {
            info!(mailbox = %row.id, mail = id, size = mail.raw.len(), "a mail is stored");
        }
        self.unfetchable.forget(&row.id, &listed.key);
        (self.parts.at)(Point::RawStored);
        Ok(Some(received_at))
    }
}

/// From when a listing without a cursor begins. Not from the last poll: that may have failed.
fn since(row: &MailboxRow) -> Timestamp {
    row.last_mail_at.map_or(row.accept_since, |newest| (newest - OVERLAP).max(row.accept_since))
}

/// Whether other mails of the same mailbox may well be fetched after this.
fn concerns_one_mail(error: &MailboxError) -> bool {
    matches!(error, MailboxError::Refused { .. } | MailboxError::Server { .. } | MailboxError::Garbled { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
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
