//! What a server's answers mean: yes, no, and why not. Pure.

use std::io;

use async_imap::error::Error as ImapError;
use async_imap::imap_proto::{Outcome, Status};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::base::clock::Timestamp;
use crate::mailbox::MailboxError;
use crate::mailbox::wire::broken;
use crate::mailbox::wire::limited::Excess;

/// ` 1-Feb-1994 12:00:00 +0100` (RFC 9051, `date-time`), its leading blank left out.
const DATE_TIME: &[BorrowedFormatItem<'_>] = format_description!(
    "[day padding:none]-[month repr:short]-[year] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
);

/// RFC 3501 and RFC 5530.
const NO_FOLDER_CODES: [&str; 3] = ["TryCreate", "TRYCREATE", "NONEXISTENT"];

/// When a mail was received; `None` for what is no date.
pub(super) fn moment(internal_date: &str) -> Option<Timestamp> {
    let date = OffsetDateTime::parse(internal_date.trim(), DATE_TIME).ok()?;
    Some(Timestamp(date.unix_timestamp() * 1000))
}

/// Whether the server did what it was told.
pub(super) fn agrees(status: &Status, outcome: &Outcome<'_>) -> Result<(), ImapError> {
    let told = || format!("{:?} {:?}", outcome.code, outcome.information);
    match status {
        Status::Ok => Ok(()),
        Status::No => Err(ImapError::No(told())),
        Status::Bad => Err(ImapError::Bad(told())),
        Status::PreAuth | Status::Bye => Err(ImapError::ConnectionLost),
    }
}

pub(super) fn garbled(what: &str) -> MailboxError {
    MailboxError::Garbled { what: what.to_owned() }
}

/// The server's own words are left out: they may hold addresses.
pub(super) fn meaning(host: &str, command: &'static str, error: ImapError) -> MailboxError {
    match error {
        ImapError::No(text) if NO_FOLDER_CODES.iter().any(|code| text.contains(code)) => {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_date_is_read_however_its_day_is_padded() {
        for date in [" 1-Feb-2026 01:02:03 +0100", "1-Feb-2026 00:02:03 +0000", "01-Feb-2026 00:02:03 -0000"]
        {
            assert_eq!(moment(date), Some(Timestamp(1_769_904_123_000)), "{date}");
        }
        for date in ["", "1-Foo-2026 00:00:00 +0000", "31-Feb-2026 00:00:00 +0000", "yesterday"] {
            assert_eq!(moment(date), None, "{date}");
        }
    }
}
