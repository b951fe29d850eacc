//! One IMAP session: commands, each with its time and its bytes, and what their answers mean. Mails are
//! never parsed by the server for us (ENVELOPE), only handed over.

use std::io;
use std::time::Duration;

use async_imap::error::Error as ImapError;
use async_imap::extensions::idle::IdleResponse;
use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response};
use async_imap::types::UnsolicitedResponse;
use base64::Engine as _;
use futures_util::TryStreamExt;

use crate::base::clock::Timestamp;
use crate::mailbox::MailboxError;
use crate::mailbox::wire::limited::Excess;
use crate::mailbox::wire::{Link, broken, timed};

/// Of an answer that brings no mail; a hundred thousand UIDs fit.
const SHORT_ANSWER: u64 = 4 << 20;
/// Around a mail's own bytes.
const FRAME: u64 = 64 * 1024;

pub(super) struct Session {
    inner: async_imap::Session<Link>,
    host: String,
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
    pub(super) async fn begin(mut inner: async_imap::Session<Link>, host: &str) -> Outcome<Self> {
        inner.get_mut().allow(SHORT_ANSWER);
        let told =
            timed(host, inner.capabilities()).await?.map_err(|error| meaning(host, "CAPABILITY", error))?;
        let can = Can {
            idle: told.has_str("IDLE"),
            move_mail: told.has_str("MOVE"),
            expunge_one: told.has_str("UIDPLUS"),
        };
        Ok(Self { inner, host: host.to_owned(), can, folder: None })
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

    /// UIDs in ascending order.
    pub(super) async fn search(&mut self, criteria: &str) -> Outcome<Vec<u32>> {
        self.inner.get_mut().allow(SHORT_ANSWER);
        let found = timed(&self.host, self.inner.uid_search(criteria)).await?;
        let mut uids: Vec<u32> =
            found.map_err(|error| meaning(&self.host, "SEARCH", error))?.into_iter().collect();
        uids.sort_unstable();
        Ok(uids)
    }

    /// When each of `uids` was received; in no particular order, without those that are gone.
    pub(super) async fn received(&mut self, uids: &[u32]) -> Outcome<Vec<(u32, Option<Timestamp>)>> {
        self.inner.get_mut().allow(SHORT_ANSWER);
        let set: Vec<String> = uids.iter().map(u32::to_string).collect();
        let answer = timed(&self.host, async {
            let fetches = self.inner.uid_fetch(set.join(","), "(UID INTERNALDATE)").await?;
            fetches.try_collect::<Vec<_>>().await
        });
        let fetches = answer.await?.map_err(|error| meaning(&self.host, "FETCH", error))?;
        let told = fetches.iter().filter_map(|fetch| Some((fetch.uid?, received_at(fetch))));
        Ok(told.filter(|(uid, _)| uids.contains(uid)).collect())
    }

    /// The first `limit` bytes of a mail; `None` when it is gone.
    pub(super) async fn mail(&mut self, uid: u32, limit: usize) -> Outcome<Option<Handed>> {
        self.inner.get_mut().allow(limit as u64 + FRAME);
        let query = format!("(UID INTERNALDATE BODY.PEEK[]<0.{limit}>)");
        let answer = timed(&self.host, async {
            let mut fetches = self.inner.uid_fetch(uid.to_string(), query).await?;
            let mut handed = None;
            while let Some(fetch) = fetches.try_next().await? {
                // Word of another mail's flags may come in between.
                if let (Some(body), true) = (fetch.body(), fetch.uid == Some(uid)) {
                    handed = Some(Handed { bytes: body.to_vec(), received_at: received_at(&fetch) });
                }
            }
            Ok(handed)
        });
        answer.await?.map_err(|error| meaning(&self.host, "FETCH", error))
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
        self.inner.get_mut().allow(SHORT_ANSWER);
        let answer = timed(&self.host, async {
            let names = self.inner.list(None, Some("*")).await?;
            names.try_collect::<Vec<_>>().await
        });
        let names = answer.await?.map_err(|error| meaning(&self.host, "LIST", error))?;
        let marked = names.iter().find(|name| name.attributes().contains(&NameAttribute::Sent));
        let named = || names.iter().find(|name| NAMES.contains(&name.name().to_ascii_lowercase().as_str()));
        Ok(marked.or_else(named).map(|name| name.name().to_owned()))
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

    /// Waits until the selected folder gets a mail, `limit` at most (RFC 2177); whether it did.
    pub(super) async fn idle(mut self, limit: Duration) -> Outcome<(Self, bool)> {
        self.inner.get_mut().allow(SHORT_ANSWER);
        let told = self.inner.unsolicited_responses.clone();
        while told.try_recv().is_ok() {}
        let mut idle = self.inner.idle();
        let failed = |error| meaning(&self.host, "IDLE", error);
        timed(&self.host, idle.init()).await?.map_err(failed)?;
        let mut arrived = false;
        while let Ok(word) = told.try_recv() {
            arrived |= matches!(word, UnsolicitedResponse::Exists(_));
        }
        if !arrived {
            arrived = match tokio::time::timeout(limit, arrival(&mut idle, limit)).await {
                Ok(outcome) => outcome.map_err(failed).map(|()| true)?,
                Err(_) => false,
            };
        }
        let inner = timed(&self.host, idle.done()).await?.map_err(failed)?;
        Ok((Self { inner, host: self.host, can: self.can, folder: self.folder }, arrived))
    }

    pub(super) async fn log_out(mut self) {
        // The session ends either way.
        drop(timed(&self.host, self.inner.logout()).await);
    }
}

async fn arrival(
    idle: &mut async_imap::extensions::idle::Handle<Link>,
    limit: Duration,
) -> Result<(), ImapError> {
    loop {
        // Dropping the source would interrupt the wait.
        let (told, _source) = idle.wait_with_timeout(limit);
        match told.await? {
            IdleResponse::NewData(data)
                if matches!(data.parsed(), Response::MailboxData(MailboxDatum::Exists(_))) =>
            {
                return Ok(());
            }
            IdleResponse::NewData(_) | IdleResponse::Timeout => {}
            IdleResponse::ManualInterrupt => return Err(ImapError::ConnectionLost),
        }
    }
}

fn received_at(fetch: &async_imap::types::Fetch) -> Option<Timestamp> {
    fetch.internal_date().map(|date| Timestamp(date.timestamp_millis()))
}

fn garbled(what: &str) -> MailboxError {
    MailboxError::Garbled { what: what.to_owned() }
}

/// The server's own words are left out: they may hold addresses.
fn meaning(host: &str, command: &'static str, error: ImapError) -> MailboxError {
    match error {
        ImapError::No(text) if text.contains("TryCreate") || text.contains("TRYCREATE") => {
            MailboxError::Refused { status: 0, code: NO_FOLDER.to_owned() }
        }
        ImapError::No(_) => MailboxError::Refused { status: 0, code: format!("NO to {command}") },
        ImapError::Bad(_) => MailboxError::Server { status: 0, code: format!("BAD to {command}") },
        error => lost(host, error),
    }
}

/// A connection that ended, or was ended. The library quotes what it cannot read, which may be mail: only
/// errors that are known to quote nothing are told.
pub(super) fn lost(host: &str, error: ImapError) -> MailboxError {
    let quotes = |source: &io::Error| {
        source.kind() == io::ErrorKind::Other && !source.get_ref().is_some_and(|inner| inner.is::<Excess>())
    };
    match error {
        ImapError::Io(source) if !quotes(&source) => broken(host, source),
        ImapError::ConnectionLost => broken(host, io::Error::from(io::ErrorKind::ConnectionReset)),
        ImapError::Validate(_) => garbled("a name with characters that no command takes"),
        _ => garbled("an answer that is not IMAP"),
    }
}

/// The code of a refusal because the folder is not there.
pub(super) const NO_FOLDER: &str = "NoSuchFolder";

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
    fn an_answer_that_cannot_be_read_is_not_quoted() {
        let quoting = ImapError::Io(io::Error::other("during parsing of \"Dear support, my code is 4711\""));
        let told = crate::base::report::Report(&lost("mail.example", quoting)).to_string();
        assert!(!told.contains("4711"), "{told}");
        let excess = lost("mail.example", ImapError::Io(io::Error::other(Excess::Line)));
        let told = crate::base::report::Report(&excess).to_string();
        assert!(told.contains("a line of the answer has no end"), "{told}");
    }

    #[test]
    fn a_quoted_string_cannot_be_left() {
        assert_eq!(quoted(r#"a" b\"#), r#""a\" b\\""#);
    }
}
