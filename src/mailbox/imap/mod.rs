//! A mailbox at any server: mail comes by IMAP and leaves by SMTP. One session is kept between calls;
//! whatever goes wrong in it ends it.

mod answer;
mod connect;
mod cursor;
mod idle;
mod moving;
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
use self::idle::Idling;
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

/// A session that was left alone for longer may have been ended by its server.
const QUIET: Duration = Duration::from_secs(30);

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
    idle_renewal: Duration,
    slot: AsyncMutex<Option<Kept>>,
    /// The session that listens for new mail. Whoever waits holds it; when he is called away, it goes on listening
    /// until somebody needs a session: to sign in anew each time uses up what providers allow.
    listening: AsyncMutex<Option<Idling>>,
    /// Life and next UID of the folder when it was last listed to its end.
    listed: Mutex<Option<(u32, u32)>>,
    /// Where the last mail was accepted and no farewell was said.
    handed: Mutex<Option<Handed>>,
    /// Mails of which a try certainly sent nothing, by Message-ID, and which try that was: another gateway may
    /// have tried since.
    unsent: Mutex<HashMap<String, Timestamp>>,
}

/// A session between two steps.
struct Kept {
    session: Session,
    since: Instant,
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
    pub(super) idle_renewal: Duration,
}

/// Runs one step in the kept session, or in a new one, and keeps the session if the step did not break it.
macro_rules! in_session {
    ($mailbox:expr, $session:ident => $step:expr) => {{
        let mut slot = $mailbox.slot.lock().await;
        let mut kept = $mailbox.session(slot.take()).await?;
        let $session = &mut kept;
        let outcome = $step.await;
        if keeps_session(outcome.as_ref().err()) {
            *slot = Some(Kept { session: kept, since: Instant::now() });
        }
        outcome
    }};
}

impl ImapMailbox {
    pub(super) fn new(made: Made) -> Self {
        let Made { dialer, server, folder, after, files_sent, access, submission, clock, idle_renewal } =
            made;
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
            idle_renewal,
            slot: AsyncMutex::default(),
            listening: AsyncMutex::default(),
            listed: Mutex::default(),
            handed: Mutex::default(),
            unsent: Mutex::default(),
        }
    }

    async fn open(&self) -> Result<Session, MailboxError> {
        self.access.sign_in(&ImapDoor { dialer: &self.dialer, server: &self.server }).await
    }

    /// The kept session if it still holds, or the one that listens, or a new one.
    async fn session(&self, kept: Option<Kept>) -> Result<Session, MailboxError> {
        if let Some(Kept { mut session, since }) = kept
            && (since.elapsed() < QUIET || session.answers().await)
        {
            return Ok(session);
        }
        let listening = self.listening.try_lock().ok().and_then(|mut listening| listening.take());
        if let Some(listening) = listening
            && let Ok(session) = listening.end().await
        {
            return Ok(session);
        }
        self.open().await
    }

    async fn keep(&self, session: Session) {
        *self.slot.lock().await = Some(Kept { session, since: Instant::now() });
    }

    /// A session that listens, unless the server cannot or there is something new already.
    async fn listen(&self) -> Result<Listening, MailboxError> {
        let mut session = {
            let mut slot = self.slot.lock().await;
            let kept = slot.take();
            self.session(kept).await?
        };
        if !session.can.idle {
            self.keep(session).await;
            return Ok(Listening::Never);
        }
        let now = session.select(&self.folder).await?;
        let listed = *self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        // Of mail that came since the folder was listed nobody would tell.
        if listed != Some((now.validity, now.next)) {
            self.keep(session).await;
            return Ok(Listening::Told);
        }
        Ok(Listening::Now(Box::new(Idling::begin(session).await?)))
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
        in_session!(self, session => source::settle(session, &self.folder, key, &self.after, None))
    }

    async fn before_settling(&self, _: &str) -> Result<Option<String>, MailboxError> {
        let AfterProcessing::Move { folder } = &self.after else { return Ok(None) };
        in_session!(self, session => moving::before(session, folder))
    }

    async fn settle_from(&self, key: &str, before: &str) -> Result<(), MailboxError> {
        in_session!(self, session => source::settle(session, &self.folder, key, &self.after, Some(before)))
    }

    async fn wait_for_change(&self, limit: Duration) -> Result<(), MailboxError> {
        let end = Instant::now() + limit;
        let mut listening = self.listening.lock().await;
        loop {
            let idling = match listening.take() {
                Some(idling) => idling,
                None => match self.listen().await? {
                    Listening::Now(idling) => *idling,
                    Listening::Told => return Ok(()),
                    Listening::Never => {
                        drop(listening);
                        tokio::time::sleep_until(end).await;
                        return Ok(());
                    }
                },
            };
            let renewal = idling.since + self.idle_renewal;
            // It stays in its place while it is waited for: whoever waits may be called away.
            let waiting = listening.insert(idling);
            let rest = renewal.min(end).saturating_duration_since(Instant::now());
            let told = waiting.arrival(rest).await;
            let idling = listening.take().expect("put there above");
            let told = told?;
            self.keep(idling.end().await?).await;
            if told || Instant::now() >= end {
                return Ok(());
            }
        }
    }
}

/// Whether a server tells of new mail.
enum Listening {
    Now(Box<Idling>),
    /// It has told already.
    Told,
    Never,
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
