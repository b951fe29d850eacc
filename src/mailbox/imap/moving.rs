//! Moving a mail to another folder, also where the server cannot: then it is copied and removed, and a copy
//! that may have been made already is looked for before another is.

use mail_parser::MessageParser;

use super::answer::NO_FOLDER;
use super::cursor::{key, parse_key};
use super::session::{Session, encoded, quoted};
use super::source::{delete, present};
use crate::mailbox::MailboxError;

/// As much of two mails as is compared: it holds the lines that each server on their way has added.
const COMPARED: usize = 16 * 1024;

/// A mail that is present in the selected folder.
#[derive(Clone, Copy)]
pub(super) struct Mail<'m> {
    pub(super) folder: &'m str,
    pub(super) key: &'m str,
    pub(super) uid: u32,
}

/// Life and next UID of the target; `None` where the server moves by itself.
pub(super) async fn before(session: &mut Session, target: &str) -> Result<Option<String>, MailboxError> {
    if session.can.move_mail {
        return Ok(None);
    }
    // A folder that is not there yet holds no copy.
    let (validity, next) = session.status(target).await?.unwrap_or((0, 1));
    Ok(Some(key(validity, next)))
}

pub(super) async fn move_mail(
    session: &mut Session,
    mail: Mail<'_>,
    target: &str,
    before: Option<&str>,
) -> Result<(), MailboxError> {
    let (uid, place) = (mail.uid, quoted(&encoded(target)));
    if session.can.move_mail {
        return put(session, "MOVE", &format!("UID MOVE {uid} {place}"), &place).await;
    }
    // One that is marked has been copied before, unless its owner marked it; then he does not want it.
    if !session.search(&format!("UID {uid} UNDELETED")).await?.is_empty()
        && !is_copied(session, mail, target, before).await?
    {
        put(session, "COPY", &format!("UID COPY {uid} {place}"), &place).await?;
    }
    delete(session, uid).await
}

/// Whether the same mail has come to the target since `before`. Not before: a mail may well have come twice.
async fn is_copied(
    session: &mut Session,
    mail: Mail<'_>,
    target: &str,
    before: Option<&str>,
) -> Result<bool, MailboxError> {
    let Some((validity, next)) = before.and_then(parse_key) else { return Ok(false) };
    let Some(now) = session.status(target).await? else { return Ok(false) };
    let from = if now.0 == validity { next } else { 1 };
    if from >= now.1 {
        return Ok(false);
    }
    let Some(original) = session.mail(mail.uid, COMPARED).await? else { return Ok(false) };
    let found = holds(session, target, from, &original.bytes).await?;
    match present(session, mail.folder, mail.key).await? {
        Some(_) => Ok(found),
        None => Err(MailboxError::CursorLost),
    }
}

/// Whether `target` has a mail from the UID `from` on that begins as `original` does.
async fn holds(
    session: &mut Session,
    target: &str,
    from: u32,
    original: &[u8],
) -> Result<bool, MailboxError> {
    session.examine(&encoded(target)).await?;
    let mut uids = session.search(&criteria(from, original)).await?;
    // The last mail counts as part of every range.
    uids.retain(|&uid| uid >= from);
    for uid in uids {
        if session.mail(uid, COMPARED).await?.is_some_and(|candidate| candidate.bytes == original) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn criteria(from: u32, original: &[u8]) -> String {
    let head = MessageParser::default().parse_headers(original);
    let id = head.as_ref().and_then(|head| head.message_id());
    match id.filter(|id| id.bytes().all(|byte| (b' '..=b'~').contains(&byte))) {
        Some(id) => format!("UID {from}:* HEADER Message-ID {}", quoted(id)),
        None => format!("UID {from}:*"),
    }
}

/// Puts a mail into a folder, which is made where it is missing.
async fn put(session: &mut Session, name: &'static str, line: &str, place: &str) -> Result<(), MailboxError> {
    match session.command(name, line).await {
        Err(MailboxError::Refused { code, .. }) if code == NO_FOLDER => {
            session.command("CREATE", &format!("CREATE {place}")).await?;
            session.command(name, line).await
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_looked_for_by_an_id_that_can_stand_in_a_command() {
        for (head, wanted) in [
            ("Message-ID: <a@x>\r\n\r\n", "UID 7:* HEADER Message-ID \"a@x\""),
            ("Message-ID: <a\"b@x>\r\n\r\n", "UID 7:* HEADER Message-ID \"a\\\"b@x\""),
            ("Message-ID: <ä@x>\r\n\r\n", "UID 7:*"),
            ("Subject: none\r\n\r\n", "UID 7:*"),
        ] {
            assert_eq!(criteria(7, head.as_bytes()), wanted);
        }
    }
}
