//! Mails that the mail server lists and did not hand over: fetched again until it does. One is put aside only
//! when the server has refused it for a day while it hands out others, and a person can have it fetched again.

use std::time::Duration;

use tracing::{info, warn};

use super::inbound::{Brought, CUT_LINE};
use super::trouble::backoff;
use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::mailbox::{Fetched, Listed, Mailbox, MailboxError};
use crate::store::{InboundEnd, InboundRow, MailboxRow, PutOff};
use crate::web::call::CallError;

/// As long as another mail was fetched within this time, a mail that cannot be is alone with its trouble.
pub(super) const ALONE: Duration = Duration::from_secs(3600);

/// A mail is tried for at least this long.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Failures running after which the others have to wait, too: most likely it is the server.
const RUNNING: u32 = 4;

/// A connection that ends says more about the server than a refusal does, and costs more time.
const BROKEN_OFF_COUNTS: u32 = 2;

const GONE: &str = "gone from the mail server before it could be fetched";

impl Worker {
    /// Fetches what is due. Fails when nothing shows that the trouble is that of single mails.
    pub(super) async fn fetch_again(
        &self,
        row: &MailboxRow,
        mailbox: &dyn Mailbox,
    ) -> Result<(), WorkerError> {
        let (mut after, mut running, mut trouble) = (None, 0, None);
        while running < RUNNING {
            let now = self.parts.clock.now();
            let due = self.parts.store.unfetched_inbound(&row.id, now, after, 1).await?;
            let Some(mail) = due.first() else { break };
            after = Some((mail.received_at, mail.id));
            match self.fetch_one_again(row, mailbox, mail).await? {
                None => running = 0,
                Some(error) => {
                    running += if breaks_off(&error) { BROKEN_OFF_COUNTS } else { 1 };
                    trouble = Some(error);
                }
            }
        }
        let Some(error) = trouble else { return Ok(()) };
        let alone = self.parts.store.fetched_since(&row.id, self.parts.clock.now() - ALONE).await?;
        if alone { Ok(()) } else { Err(error.into()) }
    }

    /// Why this mail could still not be fetched, if so.
    async fn fetch_one_again(
        &self,
        row: &MailboxRow,
        mailbox: &dyn Mailbox,
        mail: &InboundRow,
    ) -> Result<Option<MailboxError>, WorkerError> {
        let store = &self.parts.store;
        // What was noted as its time may have been that of its listing.
        let listed = Listed { key: mail.source_key.clone(), received_at: None };
        let accept_since = if mail.accepted { mail.received_at } else { row.accept_since };
        match brought(accept_since, mailbox, &listed, self.parts.settings.max_size).await {
            Ok(Some(brought)) => {
                let received_at = brought.received_at.unwrap_or(mail.received_at);
                store.fill_inbound(mail.id, &brought.raw, received_at, self.parts.clock.now()).await?;
                info!(mailbox = %row.id, mail = mail.id, "a mail is fetched after all");
                Ok(None)
            }
            Ok(None) => {
                let end = InboundEnd::Ignored { reason: GONE.to_owned(), ticket: None };
                store.end_inbound(mail.id, None, &end, None, self.parts.clock.now()).await?;
                Ok(None)
            }
            Err(error) if concerns_one_mail(&error) => {
                self.after_failed_fetch(row, mail, &error).await?;
                Ok(Some(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn after_failed_fetch(
        &self,
        row: &MailboxRow,
        mail: &InboundRow,
        error: &MailboxError,
    ) -> Result<(), WorkerError> {
        warn!(mailbox = %row.id, mail = mail.id, error = %Report(error), "a mail cannot be fetched yet");
        let now = self.parts.clock.now();
        let reason = Report(error).to_string();
        let tried = now.since(mail.stored_at) >= PATIENCE;
        if tried && self.parts.store.fetched_since(&row.id, now - ALONE).await? {
            return self.put_aside(mail, &format!("the mail server does not hand it over: {reason}")).await;
        }
        self.postpone(mail, backoff(mail.attempts), &reason, PutOff::Trouble).await
    }
}

/// Fetches a mail; `None` when it is not there any more, or turns out to be from before `accept_since`.
pub(super) async fn brought(
    accept_since: Timestamp,
    mailbox: &dyn Mailbox,
    listed: &Listed,
    limit: usize,
) -> Result<Option<Brought>, MailboxError> {
    let told = match listed.received_at {
        Some(at) => Some(at),
        None => mailbox.received_at(&listed.key).await?,
    };
    // Somebody touched an old mail: the listing names it without its time, and it is nothing new.
    if listed.received_at.is_none() && told.is_some_and(|at| at < accept_since) {
        return Ok(None);
    }
    Ok(match mailbox.fetch(&listed.key, limit).await? {
        Fetched::Gone => None,
        Fetched::Raw { bytes, received_at } => {
            Some(Brought { raw: bytes, received_at: received_at.or(told) })
        }
        Fetched::TooLarge { beginning, received_at } => {
            Some(Brought { raw: [CUT_LINE, &beginning].concat(), received_at: received_at.or(told) })
        }
    })
}

/// Whether other mails of the same mailbox may well be fetched after this. A connection that ends may do so at
/// this mail every time; several running are the server's.
pub(super) fn concerns_one_mail(error: &MailboxError) -> bool {
    matches!(error, MailboxError::Refused { .. } | MailboxError::Server { .. } | MailboxError::Garbled { .. })
        || breaks_off(error)
}

/// Whether the connection ended, or nothing more came over it.
pub(super) fn breaks_off(error: &MailboxError) -> bool {
    matches!(error, MailboxError::Call(CallError::Broken { .. } | CallError::Timeout { .. }))
}
