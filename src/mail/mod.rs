//! Mail understood: what a raw mail says, whether it is automatic, which part of it is new, what is to
//! become of it, and how an answer is written. Pure: bytes and facts in, values out.

use crate::base::clock::Timestamp;

mod address;
pub mod authentication;
mod automatic;
pub mod blocks;
mod bounce;
pub mod clean;
pub mod compose;
pub mod decide;
mod decoding;
pub mod desk_text;
mod encoded_word;
mod headers;
pub mod html;
mod html_quote;
pub mod message_id;
pub mod picture;
pub mod policy;
pub mod quote;
pub mod read;
pub mod safe_html;
mod sender;
pub mod template;
pub mod thread_index;

/// A mail address with the name shown beside it (empty when there is none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    pub name: String,
    /// As written; compare with [`same_address`]. A user's bare name where a machine writes for itself.
    pub address: String,
}

/// Whether two addresses reach the same mailbox, as far as case goes.
pub fn same_address(left: &str, right: &str) -> bool {
    left.trim().eq_ignore_ascii_case(right.trim())
}

/// Why a mail was not written by a person to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Automatic {
    pub kind: AutomaticKind,
    /// The header line or rule that told, for the console.
    pub reason: String,
    /// The mailing list's id (`support.example.com`), for [`AutomaticKind::List`] where it is known.
    pub list: Option<String>,
    /// What became of the mail that is reported on, as far as the report says.
    pub delivery: Delivery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutomaticKind {
    AutoReply,
    /// A report that a mail could not be delivered, or not yet.
    Bounce,
    /// An abuse report (RFC 5965) or a receipt (RFC 8098).
    Feedback,
    List,
}

/// The result of a delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// RFC 3463: `5.1.1`.
    pub status: Option<String>,
    /// The address that could not be reached.
    pub recipient: Option<String>,
    /// Whether it is no use to try again; `None` when the report does not say.
    pub permanent: Option<bool>,
    /// The Message-ID of the mail that is reported on, without brackets.
    pub message_id: Option<String>,
}

/// A file in a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Harmless on any file system; made up where the mail gives none.
    pub name: String,
    /// Lower case, without parameters.
    pub media_type: String,
    /// In bytes, transfer encoding undone.
    pub size: usize,
    /// Of the same bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Shown within the text by clients, not below it.
    pub inline: bool,
    /// Without angle brackets; a page refers to it as `cid:`.
    pub content_id: Option<String>,
}

/// What a mail says. Header text is decoded, line breaks and control characters removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Without angle brackets; [`message_id::synthetic`] when the mail has none.
    pub message_id: String,
    /// In-Reply-To first, then References from the newest to the oldest; without brackets, no doubles.
    pub parents: Vec<String>,
    /// References in the mail's own order, In-Reply-To appended when missing from it.
    pub references: Vec<String>,
    /// Of a mail whose From names nobody: Reply-To, Sender or Return-Path.
    pub from: Option<Mailbox>,
    pub reply_to: Option<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub subject: String,
    pub date: Option<Timestamp>,
    /// The whole text; from the HTML part when there is no plain one.
    pub text: String,
    /// The text without what it quotes and without the signature; never empty when `text` is not. The
    /// whole text of a forwarded mail, where what follows the first lines is the point.
    pub reply: String,
    /// The HTML as it was written: fit for [`blocks::page`], never for a browser. `None` where there is none,
    /// where it is not all of the text, and where it is too large to be laid out.
    pub page: Option<String>,
    /// What the mail's invitation says, which `text` ends with.
    pub invitation: Option<String>,
    pub attachments: Vec<Attachment>,
    pub automatic: Option<Automatic>,
    /// What servers on the way said of the sender, topmost first. Anybody may have written these lines:
    /// [`authentication::judge`] tells which one counts.
    pub authentication_results: Vec<String>,
    /// A line of Exchange that the sender was signed in within its organisation. Anybody may have written it, too.
    pub sent_within: bool,
}
