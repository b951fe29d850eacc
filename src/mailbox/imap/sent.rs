//! The Sent folder: whether a mail is in it, and putting one there where the server does not.

use super::session::{Session, quoted};
use crate::mailbox::MailboxError;

/// Whether the Sent folder has a mail with `message_id`; without such a folder it has not.
pub(super) async fn holds(session: &mut Session, message_id: &str) -> Result<bool, MailboxError> {
    let Some(folder) = session.sent_folder().await? else { return Ok(false) };
    session.examine(&folder).await?;
    let found = session.search(&format!("HEADER Message-ID {}", quoted(message_id))).await?;
    Ok(!found.is_empty())
}

/// Files a sent mail; nowhere where there is no Sent folder.
pub(super) async fn file(session: &mut Session, mail: &[u8]) -> Result<(), MailboxError> {
    match session.sent_folder().await? {
        Some(folder) => session.append(&folder, mail).await,
        None => Ok(()),
    }
}
