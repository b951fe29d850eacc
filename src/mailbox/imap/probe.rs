//! "Test the connection" by IMAP and SMTP: signing in to read, the folder, signing in to send.

use super::ImapMailbox;
use crate::mailbox::{Check, MailboxError, Told};
use crate::oauth::source::Purpose;

pub(super) async fn probe(mailbox: &ImapMailbox, halves: &[Purpose]) -> Vec<Check> {
    let mut checks = Vec::new();
    for half in halves {
        let began = mailbox.clock.now();
        let (step, outcome) = match half {
            Purpose::Incoming => ("incoming", incoming(mailbox).await),
            Purpose::Outgoing => {
                let signed_in = mailbox.submission.sign_in().await;
                ("outgoing", signed_in.map(|()| Told::new("seen-outgoing")))
            }
        };
        let took = mailbox.clock.now().since(began).as_millis();
        let took_ms = u64::try_from(took).unwrap_or(u64::MAX);
        let failed = outcome.is_err();
        checks.push(Check { step, took_ms, outcome: outcome.map_err(|error| Told::from(&error)) });
        if failed {
            break;
        }
    }
    checks
}

/// In a session of its own: a test must not meet what another call is doing.
async fn incoming(mailbox: &ImapMailbox) -> Result<Told, MailboxError> {
    let mut session = mailbox.open().await?;
    let folder = session.select(&mailbox.folder).await?;
    let key = if session.can.idle { "seen-folder-idle" } else { "seen-folder" };
    session.log_out().await;
    Ok(Told::new(key).with("mails", folder.exists).with("folder", folder.name))
}
