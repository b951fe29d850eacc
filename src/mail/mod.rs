//! Mail understood: what a raw mail says, whether it is automatic, which part of it is new, what is to
//! become of it, and how an answer is written. Pure: bytes and facts in, values out.

use crate::base::clock::Timestamp;

mod automatic;
pub mod clean;
pub mod compose;
pub mod decide;
mod decoding;
pub mod desk_text;
mod headers;
pub mod html;
pub mod message_id;
pub mod picture;
pub mod policy;
pub mod quote;
pub mod read;
pub mod safe_html;
pub mod template;
pub mod thread_index;

/// A mail address with the name shown beside it (empty when there is none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    pub name: String,
    /// As written; compare with [`same_address`].
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutomaticKind {
    AutoReply,
    Bounce,
    List,
}

/// A file in a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub media_type: String,
    pub size: usize,
    pub inline: bool,
}

/// What a mail says. Header text is decoded, line breaks and control characters removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Without angle brackets; `<sha256 of the raw mail>@mintgate.invalid` when the mail has none.
    pub message_id: String,
    /// In-Reply-To first, then References from the newest to the oldest; without brackets, no doubles.
    pub parents: Vec<String>,
    /// References in the mail's own order, In-Reply-To appended when missing from it.
    pub references: Vec<String>,
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
    pub attachments: Vec<Attachment>,
    pub automatic: Option<Automatic>,
}
