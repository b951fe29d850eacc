//! One IMAP session: commands, each with its time and its bytes, and what their answers mean. Mails are
//! never parsed by the server for us (ENVELOPE), only handed over.

use async_imap::error::Error as ImapError;
use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, NameAttribute, Response, StatusAttribute,
};
use base64::Engine as _;

use super::answer::{agrees, garbled, meaning, moment};
use crate::base::clock::Timestamp;
use crate::mailbox::MailboxError;
use crate::mailbox::wire::{Link, timed, timed_by_size};

/// Of an answer that brings no mail; a hundred thousand UIDs fit.
pub(super) const SHORT_ANSWER: u64 = 4 << 20;
/// Around a mail's own bytes.
const FRAME: u64 = 64 * 1024;

pub(super) struct Session {
    pub(super) inner: async_imap::Session<Link>,
    pub(super) host: String,
    pub(super) can: Can,
    pub(super) folder: Option<Folder>,
}

/// What the server offers beyond the base protocol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Can {
    pub(super) idle: bool,
    pub(super) move_mail: bool,
    /// UIDPLUS: expunging one mail and no other.
    pub(super) expunge_one: bool,
}

/// The selected folder as it was when it was selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) validity: u32,
    /// The UID that the next new mail gets.
    pub(super) next: u32,
    pub(super) exists: u32,
}

/// A mail as it was handed over.
pub(super) struct Handed {
    pub(super) bytes: Vec<u8>,
    pub(super) received_at: Option<Timestamp>,
}

type Outcome<T> = Result<T, MailboxError>;

impl Session {
    /// Asks what the server can, now that it knows who asks.
    pub(super) async fn begin(inner: async_imap::Session<Link>, host: &str) -> Outcome<Self> {
        let can = Can { idle: false, move_mail: false, expunge_one: false };
        let mut session = Self { inner, host: host.to_owned(), can, folder: None };
        let mut told = Vec::new();
        let take = |response: &Response<'_>| {
            if let Response::Capabilities(some) = response {
                told.extend(some.iter().filter_map(|one| match one {
                    Capability::Atom(name) => Some(name.to_ascii_uppercase()),
                    _ => None,
                }));
            }
        };
        session.ask("CAPABILITY", "CAPABILITY", SHORT_ANSWER, take).await?;
        let has = |name: &str| told.iter().any(|one| one == name);
        session.can = Can { idle: has("IDLE"), move_mail: has("MOVE"), expunge_one: has("UIDPLUS") };
        Ok(session)
    }

    /// Says a command and hands over each part of its answer, which may have `bytes`. The library's own ways
    /// to ask take a refusal, and a connection that ends, for an answer without anything in it: mail would
    /// count as gone.
    async fn ask(
        &mut self,
        name: &'static str,
        line: &str,
        bytes: u64,
        mut take: impl FnMut(&Response<'_>),
    ) -> Outcome<()> {
        self.inner.get_mut().allow(bytes);
        let heard = self.inner.get_mut().heard();
        let inner = &mut self.inner;
        let asked = timed_by_size(&self.host, &heard, bytes, async {
            let said = inner.run_command(line).await?;
            loop {
                let told = inner.read_response().await?.ok_or(ImapError::ConnectionLost)?;
                match told.parsed() {
                    Response::Done { tag, status, outcome } if *tag == said => {
                        return agrees(status, outcome);
                    }
                    part => take(part),
                }
            }
        });
        asked.await?.map_err(|error| meaning(&self.host, name, error))
    }

    /// Selects `name` (UTF-8), also when it is selected already: only then is `next` of now.
    pub(super) async fn select(&mut self, name: &str) -> Outcome<Folder> {
        self.inner.get_mut().allow(SHORT_ANSWER);
        self.folder = None;
        let told = timed(&self.host, self.inner.select(encoded(name))).await?;
        let told = told.map_err(|error| meaning(&self.host, "SELECT", error))?;
        let validity = told.uid_validity.ok_or_else(|| garbled("a folder without UIDVALIDITY"))?;
        let next = told.uid_next.ok_or_else(|| garbled("a folder without UIDNEXT"))?;
        let folder = Folder { name: name.to_owned(), validity, next, exists: told.exists };
        self.folder = Some(folder.clone());
        Ok(folder)
    }

    /// Life and next UID of a folder (UTF-8) that need not be selected; `None` when it is not there.
    pub(super) async fn status(&mut self, name: &str) -> Outcome<Option<(u32, u32)>> {
        let (mut validity, mut next) = (None, None);
        let take = |response: &Response<'_>| {
            let Response::MailboxData(MailboxDatum::Status { status, .. }) = response else { return };
            for attribute in status {
                match attribute {
                    StatusAttribute::UidValidity(told) => validity = Some(*told),
                    StatusAttribute::UidNext(told) => next = Some(*told),
                    _ => {}
                }
            }
        };
        let line = format!("STATUS {} (UIDVALIDITY UIDNEXT)", quoted(&encoded(name)));
        match self.ask("STATUS", &line, SHORT_ANSWER, take).await {
            Ok(()) => {
                validity.zip(next).map(Some).ok_or_else(|| garbled("a folder without UIDVALIDITY or UIDNEXT"))
            }
            Err(MailboxError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// UIDs in ascending order.
    pub(super) async fn search(&mut self, criteria: &str) -> Outcome<Vec<u32>> {
        let mut uids = Vec::new();
        let take = |response: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::Search(some)) = response {
                uids.extend_from_slice(some);
            }
        };
        self.ask("SEARCH", &format!("UID SEARCH {criteria}"), SHORT_ANSWER, take).await?;
        uids.sort_unstable();
        uids.dedup();
        Ok(uids)
    }

    /// When each of `uids` was received; in no particular order, without those that are gone.
    pub(super) async fn received(&mut self, uids: &[u32]) -> Outcome<Vec<(u32, Option<Timestamp>)>> {
        let set: Vec<String> = uids.iter().map(u32::to_string).collect();
        let mut told = Vec::new();
        let take = |response: &Response<'_>| {
            let part = Fetched::of(response);
            // Word of a mail's flags may come in between.
            told.extend(part.uid.zip(part.received_at).filter(|(uid, _)| uids.contains(uid)));
        };
        let line = format!("UID FETCH {} (UID INTERNALDATE)", set.join(","));
        self.ask("FETCH", &line, SHORT_ANSWER, take).await?;
        Ok(told.into_iter().map(|(uid, date)| (uid, moment(&date))).collect())
    }

    /// The first `limit` bytes of a mail; `None` when it is gone.
    pub(super) async fn mail(&mut self, uid: u32, limit: usize) -> Outcome<Option<Handed>> {
        let (mut spoken_of, mut handed) = (false, None);
        let take = |response: &Response<'_>| {
            let part = Fetched::of(response);
            spoken_of |= part.uid == Some(uid);
            if let (Some(body), true) = (part.body, part.uid == Some(uid)) {
                let received_at = part.received_at.as_deref().and_then(moment);
                handed = Some(Handed { bytes: body.to_vec(), received_at });
            }
        };
        let line = format!("UID FETCH {uid} (UID INTERNALDATE BODY.PEEK[]<0.{limit}>)");
        self.ask("FETCH", &line, limit as u64 + FRAME, take).await?;
        if spoken_of && handed.is_none() { Err(garbled("a mail without its bytes")) } else { Ok(handed) }
    }

    /// Any command whose answer is only whether it worked.
    pub(super) async fn command(&mut self, name: &'static str, line: &str) -> Outcome<()> {
        self.inner.get_mut().allow(SHORT_ANSWER);
        let done = timed(&self.host, self.inner.run_command_and_check_ok(line)).await?;
        done.map_err(|error| meaning(&self.host, name, error))
    }

    /// The folder that the server says sent mail belongs into (RFC 6154), or one that is named so. As the
    /// server spells it.
    pub(super) async fn sent_folder(&mut self) -> Outcome<Option<String>> {
        const NAMES: [&str; 5] = ["sent", "sent items", "sent messages", "inbox.sent", "inbox/sent"];
        let (mut marked, mut named) = (None, None);
        let take = |response: &Response<'_>| {
            let Response::MailboxData(MailboxDatum::List(list)) = response else { return };
            if list.name_attributes.contains(&NameAttribute::Sent) {
                marked.get_or_insert_with(|| list.name.to_string());
            }
            if NAMES.contains(&list.name.to_ascii_lowercase().as_str()) {
                named.get_or_insert_with(|| list.name.to_string());
            }
        };
        self.ask("LIST", "LIST \"\" *", SHORT_ANSWER, take).await?;
        Ok(marked.or(named))
    }

    /// Files a mail as read into `folder`, spelt as the server does.
    pub(super) async fn append(&mut self, folder: &str, mail: &[u8]) -> Outcome<()> {
        self.inner.get_mut().allow(SHORT_ANSWER);
        let filed = timed(&self.host, self.inner.append(folder, Some("(\\Seen)"), None, mail)).await?;
        filed.map_err(|error| meaning(&self.host, "APPEND", error))
    }

    /// Selects a folder by the server's own spelling, to look into and not to change.
    pub(super) async fn examine(&mut self, folder: &str) -> Outcome<()> {
        self.inner.get_mut().allow(SHORT_ANSWER);
        self.folder = None;
        let told = timed(&self.host, self.inner.examine(folder)).await?;
        told.map(drop).map_err(|error| meaning(&self.host, "EXAMINE", error))
    }

    /// Whether the connection still holds.
    pub(super) async fn answers(&mut self) -> bool {
        self.command("NOOP", "NOOP").await.is_ok()
    }

    pub(super) async fn log_out(mut self) {
        // The session ends either way.
        drop(timed(&self.host, self.inner.logout()).await);
    }
}

/// What one part of a FETCH answer tells.
#[derive(Default)]
struct Fetched<'a> {
    uid: Option<u32>,
    received_at: Option<String>,
    body: Option<&'a [u8]>,
}

impl<'a> Fetched<'a> {
    fn of(response: &'a Response<'_>) -> Self {
        let mut told = Self::default();
        let Response::Fetch(_, attributes) = response else { return told };
        for attribute in attributes {
            match attribute {
                AttributeValue::Uid(uid) => told.uid = Some(*uid),
                AttributeValue::InternalDate(date) => told.received_at = Some(date.to_string()),
                AttributeValue::BodySection { section: None, data, .. } => told.body = data.as_deref(),
                _ => {}
            }
        }
        told
    }
}

/// A quoted string (RFC 9051, section 4.3). Line ends are the caller's to keep out.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A folder's name in modified UTF-7 (RFC 3501, section 5.1.3).
pub(super) fn encoded(name: &str) -> String {
    let engine = base64::engine::GeneralPurpose::new(
        &base64::alphabet::IMAP_MUTF7,
        base64::engine::general_purpose::NO_PAD,
    );
    let (mut out, mut pending) = (String::new(), Vec::new());
    for letter in name.chars().map(Some).chain([None]) {
        match letter {
            Some(letter) if !matches!(letter, ' '..='~') => {
                pending.extend(letter.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
                continue;
            }
            _ if !pending.is_empty() => {
                out.push_str(&format!("&{}-", engine.encode(&pending)));
                pending.clear();
            }
            _ => {}
        }
        match letter {
            Some('&') => out.push_str("&-"),
            Some(letter) => out.push(letter),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_are_spelt_as_the_rfc_shows() {
        for (name, spelt) in [
            ("INBOX", "INBOX"),
            ("A&B", "A&-B"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Täglich", "T&AOQ-glich"),
            ("\r\n", "&AA0ACg-"),
        ] {
            assert_eq!(encoded(name), spelt);
        }
    }

    #[test]
    fn a_quoted_string_cannot_be_left() {
        assert_eq!(quoted(r#"a" b\"#), r#""a\" b\\""#);
    }
}
