//! Incoming mail by IMAP: by UID beyond the last one seen, in pages; whole mails by partial fetch; what
//! becomes of a mail afterwards.

use super::cursor::{Cursor, key, parse_key};
use super::moving::{self, Mail};
use super::session::{Folder, Session};
use crate::base::clock::Timestamp;
use crate::mailbox::settings::AfterProcessing;
use crate::mailbox::{Fetched, Listed, MailboxError, Page};

/// Mails of a page.
const PAGE: usize = 50;
/// UIDs that one search covers, and how many searches a page is worth; empty ranges are passed in larger
/// steps. An answer is one line, and all UIDs of the largest step fit into the longest line that is taken.
const WINDOW: u64 = 10_000;
const LARGEST_WINDOW: u64 = 80_000;
const SEARCHES: u32 = 8;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// The next page after `cursor`; see [`crate::mailbox::MailSource::list`].
pub(super) async fn page(
    session: &mut Session,
    folder: &str,
    cursor: Option<&str>,
    since: Timestamp,
) -> Result<Page, MailboxError> {
    let now = session.select(folder).await?;
    let (seen, floor) = match cursor.map(Cursor::parse).transpose()? {
        Some(cursor) if cursor.validity != now.validity || cursor.folder != folder => {
            return Err(MailboxError::CursorLost);
        }
        Some(cursor) => (cursor.uid, None),
        None => (before(session, &now, since).await?, Some(since)),
    };
    let (uids, reached) = beyond(session, &now, seen).await?;
    let mut mails = match uids.is_empty() {
        true => Vec::new(),
        false => session.received(&uids).await?,
    };
    mails.sort_unstable();
    // The search went by the server's day; the listing goes by the moment.
    mails.retain(|(_, received)| floor.is_none_or(|floor| received.is_none_or(|received| received >= floor)));
    let mails = mails
        .into_iter()
        .map(|(uid, received_at)| Listed { key: key(now.validity, uid), received_at })
        .collect();
    let cursor = Cursor { validity: now.validity, uid: reached, folder }.text();
    Ok(Page { mails, cursor, more: reached.saturating_add(1) < now.next })
}

/// The UID before the first mail of `since`'s day. A day earlier: servers count days in their own zone.
async fn before(session: &mut Session, now: &Folder, since: Timestamp) -> Result<u32, MailboxError> {
    let day = imap_date(Timestamp(since.0.saturating_sub(DAY_MS).max(0)));
    let mut from = 1;
    while from <= now.exists {
        let to = from.saturating_add(narrow(LARGEST_WINDOW) - 1).min(now.exists);
        let found = session.search(&format!("{from}:{to} SINCE {day}")).await?;
        if let Some(first) = found.first() {
            return Ok(first.saturating_sub(1));
        }
        from = to.saturating_add(1);
    }
    Ok(now.next.saturating_sub(1))
}

/// Some UIDs beyond `seen`, and up to where they are complete.
async fn beyond(session: &mut Session, now: &Folder, seen: u32) -> Result<(Vec<u32>, u32), MailboxError> {
    let last = u64::from(now.next.saturating_sub(1));
    if now.exists == 0 {
        return Ok((Vec::new(), narrow(last).max(seen)));
    }
    let (mut reached, mut window) = (u64::from(seen), WINDOW);
    for _ in 0..SEARCHES {
        if reached >= last {
            break;
        }
        let (from, to) = (reached + 1, (reached + window).min(last));
        let mut uids = session.search(&format!("UID {from}:{to}")).await?;
        uids.retain(|&uid| (from..=to).contains(&u64::from(uid)));
        if uids.len() > PAGE {
            uids.truncate(PAGE);
            let reached = uids[PAGE - 1];
            return Ok((uids, reached));
        }
        reached = to;
        if !uids.is_empty() {
            return Ok((uids, narrow(reached)));
        }
        window = LARGEST_WINDOW;
    }
    Ok((Vec::new(), narrow(reached)))
}

fn narrow(uid: u64) -> u32 {
    u32::try_from(uid).unwrap_or(u32::MAX)
}

/// `1-Feb-1994` (RFC 9051, `date`), in UTC.
fn imap_date(moment: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // 1994-02-01T…
    let text = moment.rfc3339();
    let month: usize = text[5..7].parse().expect("a month of two digits");
    format!("{}-{}-{}", &text[8..10], MONTHS[month - 1], &text[..4])
}

pub(super) async fn fetch(
    session: &mut Session,
    folder: &str,
    key: &str,
    limit: usize,
) -> Result<Fetched, MailboxError> {
    let Some(uid) = present(session, folder, key).await? else { return Ok(Fetched::Gone) };
    // One byte more tells whether there is more.
    let Some(mut handed) = session.mail(uid, limit.saturating_add(1)).await? else {
        return Ok(Fetched::Gone);
    };
    let received_at = handed.received_at;
    if handed.bytes.len() <= limit {
        return Ok(Fetched::Raw { bytes: handed.bytes, received_at });
    }
    handed.bytes.truncate(limit);
    Ok(Fetched::TooLarge { beginning: handed.bytes, received_at })
}

/// What is to become of a processed mail. Each can be repeated; `before` is what [`moving::before`] said before the
/// first try.
pub(super) async fn settle(
    session: &mut Session,
    folder: &str,
    key: &str,
    after: &AfterProcessing,
    before: Option<&str>,
) -> Result<(), MailboxError> {
    if *after == AfterProcessing::Leave {
        return Ok(());
    }
    let Some(uid) = present(session, folder, key).await? else { return Ok(()) };
    match after {
        AfterProcessing::Leave => Ok(()),
        AfterProcessing::MarkRead => {
            session.command("STORE", &format!("UID STORE {uid} +FLAGS.SILENT (\\Seen)")).await
        }
        AfterProcessing::Move { folder: target } => {
            moving::move_mail(session, Mail { folder, key, uid }, target, before).await
        }
        AfterProcessing::Delete => delete(session, uid).await,
    }
}

/// The key's UID if the folder still lives the same life.
pub(super) async fn present(
    session: &mut Session,
    folder: &str,
    key: &str,
) -> Result<Option<u32>, MailboxError> {
    let Some((validity, uid)) = parse_key(key) else { return Ok(None) };
    let selected = match &session.folder {
        Some(selected) if selected.name == folder => selected.validity,
        _ => session.select(folder).await?.validity,
    };
    Ok((selected == validity).then_some(uid))
}

/// Without UIDPLUS the mail is only marked: expunging would take along what others marked.
pub(super) async fn delete(session: &mut Session, uid: u32) -> Result<(), MailboxError> {
    session.command("STORE", &format!("UID STORE {uid} +FLAGS.SILENT (\\Seen \\Deleted)")).await?;
    if session.can.expunge_one {
        session.command("EXPUNGE", &format!("UID EXPUNGE {uid}")).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_spelt_as_imap_does() {
        assert_eq!(imap_date(Timestamp(1_795_219_323_000)), "21-Nov-2026");
        assert_eq!(imap_date(Timestamp(0)), "01-Jan-1970");
    }
}
