//! A session in which the server tells of new mail by itself (RFC 2177). The wait may be broken off at any moment
//! and taken up again: what is said meanwhile waits in the connection. The library's own way cannot be, since it
//! has to have heard the server agree.

use std::time::Duration;

use async_imap::error::Error as ImapError;
use async_imap::imap_proto::{MailboxDatum, RequestId, Response};
use tokio::time::{Instant, timeout};

use super::answer::{agrees, meaning};
use super::session::{SHORT_ANSWER, Session};
use crate::mailbox::MailboxError;
use crate::mailbox::wire::timed;

/// A session that does nothing but listen.
pub(super) struct Idling {
    session: Session,
    said: RequestId,
    /// The server has agreed; before that it must not be told to end.
    agreed: bool,
    pub(super) since: Instant,
}

impl Idling {
    /// Asks to be told of new mail in the selected folder.
    pub(super) async fn begin(mut session: Session) -> Result<Self, MailboxError> {
        session.inner.get_mut().allow(SHORT_ANSWER);
        let said = timed(&session.host, session.inner.run_command("IDLE")).await?;
        let said = said.map_err(|error| meaning(&session.host, "IDLE", error))?;
        Ok(Self { session, said, agreed: false, since: Instant::now() })
    }

    /// Waits until the folder gets a mail, `limit` at most; whether it did.
    pub(super) async fn arrival(&mut self, limit: Duration) -> Result<bool, MailboxError> {
        let listening = async {
            while !self.hear().await? {}
            Ok(())
        };
        match timeout(limit, listening).await {
            Ok(told) => told.map(|()| true).map_err(|error| meaning(&self.session.host, "IDLE", error)),
            Err(_) => Ok(false),
        }
    }

    /// Back to commands.
    pub(super) async fn end(mut self) -> Result<Session, MailboxError> {
        self.session.inner.get_mut().allow(SHORT_ANSWER);
        let host = self.session.host.clone();
        let ended = timed(&host, async {
            while !self.agreed {
                self.hear().await?;
            }
            self.session.inner.run_command_untagged("DONE").await?;
            loop {
                let told = self.session.inner.read_response().await?.ok_or(ImapError::ConnectionLost)?;
                if let Response::Done { tag, status, outcome } = told.parsed()
                    && *tag == self.said
                {
                    return agrees(status, outcome);
                }
            }
        });
        ended.await?.map_err(|error| meaning(&host, "IDLE", error))?;
        Ok(self.session)
    }

    /// Whether what the server says next is that there is a new mail.
    async fn hear(&mut self) -> Result<bool, ImapError> {
        let told = self.session.inner.read_response().await?.ok_or(ImapError::ConnectionLost)?;
        match told.parsed() {
            Response::MailboxData(MailboxDatum::Exists(_)) => return Ok(true),
            Response::Continue(_) => self.agreed = true,
            Response::Done { tag, status, outcome } if *tag == self.said => {
                agrees(status, outcome)?;
                // Nobody has asked for an end.
                return Err(ImapError::ConnectionLost);
            }
            _ => {}
        }
        Ok(false)
    }
}
