//! A mailbox at any server: mail comes by IMAP and leaves by SMTP. One session is kept between calls;
//! whatever goes wrong in it ends it.

mod answer;
mod connect;
mod cursor;
mod probe;
mod sent;
mod session;
mod source;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

use self::connect::ImapDoor;
use self::session::Session;
use super::settings::{AfterProcessing, Server};
use super::smtp::{Handed, Submission, Unsent};
use super::wire::access::Access;
use super::{Check, Evidence, Fetched, Handover, MailSink, MailSource, MailboxError, Outgoing, Page, Probe};
use crate::base::clock::{Clock, Timestamp};
use crate::net::dial::Dialer;
use crate::oauth::source::Purpose;

/// A copy in the Sent folder appears late; before this time its absence proves nothing.
const COPY_APPEARS: Duration = Duration::from_secs(10 * 60);

/// Longer than any mail waits between two tries.
const UNSENT_FOR: Duration = Duration::from_secs(24 * 3600);

/// Servers end a session that is silent for half an hour (RFC 2177).
const LONGEST_IDLE: Duration = Duration::from_secs(25 * 60);

pub struct ImapMailbox {
    dialer: Arc<Dialer>,
    server: Server,
    folder: String,
    after: AfterProcessing,
    /// The provider puts what it sends into the Sent folder by itself.
    files_sent: bool,
    access: Access,
    submission: Submission,
    clock: Arc<dyn Clock>,
    slot: AsyncMutex<Option<Session>>,
    /// Life and next UID of the folder when it was last listed to its end.
    listed: Mutex<Option<(u32, u32)>>,
    /// Where the last mail was accepted and no farewell was said.
    handed: Mutex<Option<Handed>>,
    /// Mails of which a try certainly sent nothing, by Message-ID, and which try that was: another gateway may
    /// have tried since.
    unsent: Mutex<HashMap<String, Timestamp>>,
}

/// What an [`ImapMailbox`] is made of.
pub(super) struct Made {
    pub(super) dialer: Arc<Dialer>,
    pub(super) server: Server,
    pub(super) folder: Option<String>,
    pub(super) after: AfterProcessing,
    pub(super) files_sent: bool,
    pub(super) access: Access,
    pub(super) submission: Submission,
    pub(super) clock: Arc<dyn Clock>,
}

/// Runs one step in the kept session, or in a new one, and keeps the session if the step did not break it.
macro_rules! in_session {
    ($mailbox:expr, $session:ident => $step:expr) => {{
        let mut slot = $mailbox.slot.lock().await;
        let mut kept = match slot.take() {
            Some(kept) => kept,
            None => $mailbox.open().await?,
        };
        let $session = &mut kept;
        let outcome = $step.await;
        if keeps_session(outcome.as_ref().err()) {
            *slot = Some(kept);
        }
        outcome
    }};
}

impl ImapMailbox {
    pub(super) fn new(made: Made) -> Self {
        let Made { dialer, server, folder, after, files_sent, access, submission, clock } = made;
        let folder = folder.unwrap_or_else(|| "INBOX".to_owned());
        Self {
            dialer,
            server,
            folder,
            after,
            files_sent,
            access,
            submission,
            clock,
            slot: AsyncMutex::default(),
            listed: Mutex::default(),
            handed: Mutex::default(),
            unsent: Mutex::default(),
        }
    }

    async fn open(&self) -> Result<Session, MailboxError> {
        self.access.sign_in(&ImapDoor { dialer: &self.dialer, server: &self.server }).await
    }

    /// Puts a sent mail into the Sent folder, where the provider does not.
    async fn file(&self, mime: &[u8]) -> Result<(), MailboxError> {
        if self.files_sent {
            return Ok(());
        }
        in_session!(self, session => sent::file(session, mime))
    }

    fn is_certainly_unsent(&self, mail: Outgoing<'_>) -> bool {
        let noted = self.unsent.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get(mail.message_id) == Some(&mail.dispatched_at)
    }

    fn note_unsent(&self, mail: Outgoing<'_>, unsent: bool) {
        let mut noted = self.unsent.lock().unwrap_or_else(PoisonError::into_inner);
        // Without this one, what was given up would stay for ever; without a note a mail is looked for.
        noted.retain(|_, at| mail.dispatched_at.since(*at) < UNSENT_FOR);
        if unsent {
            noted.insert(mail.message_id.to_owned(), mail.dispatched_at);
        } else {
            noted.remove(mail.message_id);
        }
    }
}

fn keeps_session(failure: Option<&MailboxError>) -> bool {
    matches!(failure, None | Some(MailboxError::CursorLost | MailboxError::Refused { .. }))
}

#[async_trait]
impl MailSource for ImapMailbox {
    async fn list(&self, cursor: Option<&str>, since: Timestamp) -> Result<Page, MailboxError> {
        let (page, folder) = in_session!(self, session => async {
            let page = source::page(session, &self.folder, cursor, since).await?;
            Ok((page, session.folder.clone()))
        })?;
        let end = folder.filter(|_| !page.more).map(|folder| (folder.validity, folder.next));
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = end;
        Ok(page)
    }

    async fn fetch(&self, key: &str, limit: usize) -> Result<Fetched, MailboxError> {
        in_session!(self, session => source::fetch(session, &self.folder, key, limit))
    }

    async fn settle(&self, key: &str) -> Result<(), MailboxError> {
        in_session!(self, session => source::settle(session, &self.folder, key, &self.after))
    }

    async fn wait_for_change(&self, limit: Duration) -> Result<(), MailboxError> {
        let kept = self.slot.lock().await.take();
        let mut session = match kept {
            Some(session) => session,
            None => self.open().await?,
        };
        if !session.can.idle {
            *self.slot.lock().await = Some(session);
            tokio::time::sleep(limit).await;
            return Ok(());
        }
        let now = session.select(&self.folder).await?;
        let listed = *self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        // Of mail that came since the folder was listed nobody would tell.
        let mut told = listed != Some((now.validity, now.next));
        let end = Instant::now() + limit;
        while !told && Instant::now() < end {
            let rest = end.saturating_duration_since(Instant::now());
            (session, told) = session.idle(rest.min(LONGEST_IDLE)).await?;
        }
        *self.slot.lock().await = Some(session);
        Ok(())
    }
}

#[async_trait]
impl MailSink for ImapMailbox {
    /// There are no drafts: a mail is known by its Message-ID alone.
    async fn prepare(&self, _: Outgoing<'_>) -> Result<Option<String>, MailboxError> {
        Ok(None)
    }

    async fn dispatch(&self, mail: Outgoing<'_>, _: Option<&str>) -> Result<Handover, MailboxError> {
        self.note_unsent(mail, false);
        match self.submission.submit(mail.mime).await {
            Ok((handed, handover)) => {
                *self.handed.lock().unwrap_or_else(PoisonError::into_inner) = Some(handed);
                Ok(handover)
            }
            Err(Unsent::Certainly(error)) => {
                self.note_unsent(mail, true);
                Err(error)
            }
            Err(Unsent::Perhaps(error)) => Err(error),
        }
    }

    async fn finish(&self, mail: Outgoing<'_>) -> Result<(), MailboxError> {
        let handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handed) = handed {
            handed.say_goodbye(&self.submission.server.host).await;
        }
        self.file(mail.mime).await
    }

    async fn evidence(
        &self,
        mail: Outgoing<'_>,
        _: Option<&str>,
        now: Timestamp,
    ) -> Result<Evidence, MailboxError> {
        if self.is_certainly_unsent(mail) {
            return Ok(Evidence::NotSent);
        }
        let found = in_session!(self, session => sent::holds(session, mail.message_id))?;
        Ok(match found {
            true => Evidence::Sent,
            false if now.since(mail.dispatched_at) < COPY_APPEARS => Evidence::Unknown,
            false => Evidence::Unprovable,
        })
    }
}

#[async_trait]
impl Probe for ImapMailbox {
    async fn probe(&self) -> Vec<Check> {
        probe::probe(self, &[Purpose::Incoming, Purpose::Outgoing]).await
    }

    async fn probe_half(&self, purpose: Purpose) -> Vec<Check> {
        probe::probe(self, &[purpose]).await
    }
}
