//! A raw mail as a [`Message`]. Whatever the bytes are, this neither panics nor takes long; it does not
//! know what will become of the mail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{HeaderName, MessageParser, MessagePart, MimeHeaders, PartType};

use super::decoding::decode;
use super::headers::Headers;
use super::{Message, authentication, automatic, clean, html, message_id, quote};
use crate::base::clock::Timestamp;

mod attachment;
pub mod contents;
mod repair;

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
/// In characters; a longer mail is cut and says so.
const LONGEST_TEXT: usize = 1_000_000;

/// Reads with the default limits, for mail that is known not to be hostile.
pub fn read(raw: &[u8]) -> Result<Message, ReadError> {
    read_within(raw, &Limits::default())
}

/// Reads mail from strangers: a panic in a parser is an error of this mail, not of the process.
pub fn read_guarded(raw: &[u8], limits: &Limits) -> Result<Message, ReadError> {
    catch_unwind(AssertUnwindSafe(|| read_within(raw, limits))).unwrap_or(Err(ReadError::Panicked))
}

fn read_within(raw: &[u8], limits: &Limits) -> Result<Message, ReadError> {
    parse(raw, limits).map(|(mail, raw)| understand(&mail, raw))
}

/// The parsed mail, and its bytes from the first header line on.
fn parse<'r>(raw: &'r [u8], limits: &Limits) -> Result<(mail_parser::Message<'r>, &'r [u8]), ReadError> {
    if raw.len() > limits.bytes {
        return Err(ReadError::TooLarge { limit: limits.bytes });
    }
    let raw = without_blank_start(raw);
    if content_types(raw) > limits.parts {
        return Err(ReadError::TooManyParts { limit: limits.parts });
    }
    let mail = MessageParser::default().parse(raw).ok_or(ReadError::NotAMail)?;
    if mail.headers().is_empty() {
        return Err(ReadError::NotAMail);
    }
    Ok((mail, raw))
}

fn understand(mail: &mail_parser::Message<'_>, raw: &[u8]) -> Message {
    let headers = Headers(mail);
    let one = |name| headers.mailboxes(&name).into_iter().next();
    let in_reply_to = headers.ids(&HeaderName::InReplyTo);
    let references = references(headers.ids(&HeaderName::References), &in_reply_to);
    let subject = headers.subject();
    let text = self::text(mail, Page::Whole);
    let new = self::text(mail, Page::New);
    let automatic = automatic::detect(&headers, &text);
    let own_id = headers.ids(&HeaderName::MessageId).into_iter().next();
    Message {
        message_id: own_id.unwrap_or_else(|| message_id::synthetic(raw)),
        parents: parents(&in_reply_to, &references),
        references,
        from: one(HeaderName::From),
        reply_to: one(HeaderName::ReplyTo),
        to: headers.mailboxes(&HeaderName::To),
        cc: headers.mailboxes(&HeaderName::Cc),
        date: mail.date().filter(|date| date.is_valid()).map(|date| Timestamp(date.to_timestamp() * 1000)),
        reply: if is_forward(&subject) { text.clone() } else { quote::reply(&new) },
        subject,
        text,
        attachments: attachment::attachments(mail),
        automatic,
        authentication_results: authentication_results(&headers),
    }
}

/// None for a mail of several senders: a server vouches for one of them, and nobody knows for which.
fn authentication_results(headers: &Headers<'_>) -> Vec<String> {
    if headers.mailboxes(&HeaderName::From).len() != 1 {
        return Vec::new();
    }
    headers.all("Authentication-Results", authentication::MOST_LINES)
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

/// How much of a page is wanted.
#[derive(Clone, Copy)]
enum Page {
    Whole,
    /// Without what clients mark as an older mail.
    New,
}

/// The plain parts in their order; the HTML ones where those say nothing; else whatever text the mail has,
/// that of attached mails included: a customer's words in a misplaced part are better shown than lost.
fn text(mail: &mail_parser::Message<'_>, page: Page) -> String {
    let plain = joined(mail, page, &mut mail.text_bodies());
    let shown = if plain.is_empty() { joined(mail, page, &mut mail.html_bodies()) } else { plain };
    let whole =
        if shown.is_empty() { joined(mail, page, &mut mail.parts.iter().filter(is_shown)) } else { shown };
    match whole.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}\n[…]", &whole[..end]),
        None => whole,
    }
}

fn joined<'p>(
    mail: &mail_parser::Message<'_>,
    page: Page,
    parts: &mut dyn Iterator<Item = &'p MessagePart<'p>>,
) -> String {
    let mut pieces = Vec::new();
    for part in parts {
        let piece = match (&part.body, page) {
            (PartType::Html(markup), Page::Whole) => html::to_text(&repair::text(mail, part, markup)),
            (PartType::Html(markup), Page::New) => html::new_text(&repair::text(mail, part, markup)),
            (PartType::Text(text), _) => repair::text(mail, part, text),
            (PartType::Message(attached), _) => text(attached, page),
            (PartType::Binary(bytes), _) if is_multipart(part) => decode(bytes),
            _ => continue,
        };
        pieces.push(clean::block(&piece).trim_matches('\n').to_owned());
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces.join("\n\n")
}

/// One whose parts cannot be found, since its boundary is missing.
fn is_multipart(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("multipart"))
}

fn is_shown(part: &&MessagePart<'_>) -> bool {
    !part.content_disposition().is_some_and(mail_parser::ContentType::is_attachment)
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
