//! A raw mail as a [`Message`]. Whatever the bytes are, this neither panics nor takes long; it does not
//! know what will become of the mail.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{HeaderName, MessageParser};

use self::body::Page;
use super::headers::Headers;
use super::{Message, authentication, automatic, message_id, quote, sender};
use crate::base::clock::Timestamp;

mod attachment;
mod body;
mod calendar;
pub mod contents;
mod flowed;
mod parameter;
mod repair;
mod structure;
mod tnef;
mod transfer;
mod uuencode;

/// Why a mail cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("these bytes have no header line, so they are not a mail")]
    NotAMail,
    #[error("the mail is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the mail has more than {limit} parts")]
    TooManyParts { limit: usize },
    #[error("the mail made its reader fail")]
    Panicked,
}

/// How much of a mail is read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of the raw mail.
    pub bytes: usize,
    /// MIME parts, those of attached mails included. Also bounds how deep they nest: an attached mail
    /// in an attached mail costs stack when it is dropped.
    pub parts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 * 1024 * 1024, parts: 400 }
    }
}

/// How many ids of a conversation are kept: the first, which began it, and the newest.
const MOST_REFERENCES: usize = 50;

/// Reads with the default limits, for mail that is known not to be hostile.
pub fn read(raw: &[u8]) -> Result<Message, ReadError> {
    read_within(raw, &Limits::default())
}

/// Reads mail from strangers: a panic in a parser is an error of this mail, not of the process.
pub fn read_guarded(raw: &[u8], limits: &Limits) -> Result<Message, ReadError> {
    catch_unwind(AssertUnwindSafe(|| read_within(raw, limits))).unwrap_or(Err(ReadError::Panicked))
}

fn read_within(raw: &[u8], limits: &Limits) -> Result<Message, ReadError> {
    let raw = &readable(raw, limits)?;
    Ok(understand(&parse(raw)?, raw))
}

/// The mail from its first header line on, with line ends and boundaries that can be read.
fn readable<'r>(raw: &'r [u8], limits: &Limits) -> Result<Cow<'r, [u8]>, ReadError> {
    if raw.len() > limits.bytes {
        return Err(ReadError::TooLarge { limit: limits.bytes });
    }
    let raw = match line_ends(raw) {
        Cow::Borrowed(raw) => Cow::Borrowed(without_blank_start(raw)),
        Cow::Owned(raw) => Cow::Owned(without_blank_start(&raw).to_vec()),
    };
    if content_types(&raw) > limits.parts {
        return Err(ReadError::TooManyParts { limit: limits.parts });
    }
    Ok(match structure::whole(&raw) {
        Cow::Owned(whole) => Cow::Owned(whole),
        Cow::Borrowed(_) => raw,
    })
}

/// Programs of old Macs wrote CR alone.
fn line_ends(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.contains(&b'\n') || !raw.contains(&b'\r') {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.iter().map(|&byte| if byte == b'\r' { b'\n' } else { byte }).collect())
}

fn parse(raw: &[u8]) -> Result<mail_parser::Message<'_>, ReadError> {
    let mail = MessageParser::default().parse(raw).ok_or(ReadError::NotAMail)?;
    if mail.headers().is_empty() { Err(ReadError::NotAMail) } else { Ok(mail) }
}

fn understand(mail: &mail_parser::Message<'_>, raw: &[u8]) -> Message {
    let headers = Headers(mail);
    let one = |name| headers.mailboxes(&name).into_iter().next();
    let in_reply_to = headers.ids(&HeaderName::InReplyTo);
    let references = references(headers.ids(&HeaderName::References), &in_reply_to);
    let subject = headers.subject();
    let sender = sender::of(&headers);
    let text = body::text(mail, Page::Whole);
    let automatic = automatic::detect(&headers, &text);
    let invitation = body::invitation(mail);
    let reply = if is_forward(&subject) { text.clone() } else { quote::reply(&body::text(mail, Page::New)) };
    let own_id = headers.ids(&HeaderName::MessageId).into_iter().next();
    Message {
        message_id: own_id.unwrap_or_else(|| message_id::synthetic(raw)),
        parents: parents(&in_reply_to, &references),
        references,
        from: sender.mailbox,
        reply_to: one(HeaderName::ReplyTo),
        to: headers.mailboxes(&HeaderName::To),
        cc: headers.mailboxes(&HeaderName::Cc),
        date: mail.date().filter(|date| date.is_valid()).map(|date| Timestamp(date.to_timestamp() * 1000)),
        reply: followed_by(reply, invitation.as_deref()),
        subject,
        text: followed_by(text, invitation.as_deref()),
        page: body::page(mail),
        invitation,
        attachments: attachment::attachments(mail),
        automatic,
        authentication_results: if sender.is_certain { authentication_results(&headers) } else { Vec::new() },
        sent_within: sender.is_certain && sent_within(&headers),
    }
}

/// The invitation below what was written, in replies too: it is no quote.
fn followed_by(text: String, invitation: Option<&str>) -> String {
    match invitation {
        Some(invitation) if text.is_empty() => invitation.to_owned(),
        Some(invitation) => format!("{text}\n\n{invitation}"),
        None => text,
    }
}

fn authentication_results(headers: &Headers<'_>) -> Vec<String> {
    headers.all("Authentication-Results", authentication::MOST_LINES)
}

fn sent_within(headers: &Headers<'_>) -> bool {
    let told = headers.all("X-MS-Exchange-Organization-AuthAs", authentication::MOST_LINES);
    matches!(told.as_slice(), [one] if one.eq_ignore_ascii_case("internal"))
}

/// Some gateways put empty lines before the first header line; they are no end of the headers.
fn without_blank_start(raw: &[u8]) -> &[u8] {
    let first = raw.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(raw.len());
    let line_start = raw[..first].iter().rposition(|&byte| byte == b'\n').map_or(0, |line_end| line_end + 1);
    &raw[line_start..]
}

/// Lines that begin a part's Content-Type. Counted before parsing, because the parser goes as deep as
/// the mail does.
fn content_types(raw: &[u8]) -> usize {
    const NAME: &[u8] = b"content-type";
    raw.split(|&byte| byte == b'\n')
        .filter(|line| line.get(..NAME.len()).is_some_and(|start| start.eq_ignore_ascii_case(NAME)))
        .count()
}

fn references(mut listed: Vec<String>, in_reply_to: &[String]) -> Vec<String> {
    for id in in_reply_to {
        if !listed.contains(id) {
            listed.push(id.clone());
        }
    }
    if listed.len() > MOST_REFERENCES {
        listed.drain(1..=listed.len() - MOST_REFERENCES);
    }
    listed
}

fn parents(in_reply_to: &[String], references: &[String]) -> Vec<String> {
    let mut parents: Vec<String> = Vec::new();
    for id in in_reply_to.iter().take(MOST_REFERENCES).chain(references.iter().rev()) {
        if !parents.contains(id) {
            parents.push(id.clone());
        }
    }
    parents
}

/// Whether the subject begins as clients write it when a mail is passed on.
fn is_forward(subject: &str) -> bool {
    let start = subject.trim_start().to_lowercase();
    ["fwd:", "fw:", "wg:", "tr:", "rv:", "enc:", "vl:", "doorst:", "pd:"]
        .iter()
        .any(|prefix| start.starts_with(prefix))
}

#[cfg(test)]
mod tests;
