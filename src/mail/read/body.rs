//! The words of a mail: which of its parts are text, and how each is read. Knows no headers but a part's own.

use mail_parser::{MessagePart, MimeHeaders, PartType};

use super::{calendar, flowed, repair, uuencode};
use crate::mail::decoding::decode;
use crate::mail::{clean, html};

/// In characters; a longer mail is cut and says so.
const LONGEST_TEXT: usize = 1_000_000;

/// How much of a page is wanted.
#[derive(Clone, Copy)]
pub(super) enum Page {
    Whole,
    /// Without what clients mark as an older mail.
    New,
}

/// The plain parts in their order; the HTML ones where those say nothing; else whatever text the mail has,
/// that of attached mails included: a customer's words in a misplaced part are better shown than lost.
pub(super) fn text(mail: &mail_parser::Message<'_>, page: Page) -> String {
    let plain = joined(mail, page, &mut mail.text_bodies());
    let shown = if plain.is_empty() { joined(mail, page, &mut mail.html_bodies()) } else { plain };
    let whole =
        if shown.is_empty() { joined(mail, page, &mut mail.parts.iter().filter(is_shown)) } else { shown };
    match whole.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}\n[…]", &whole[..end]),
        None => whole,
    }
}

/// The HTML parts, where they are all of the text.
pub(super) fn page(mail: &mail_parser::Message<'_>) -> Option<String> {
    let mut pages = Vec::new();
    for part in mail.html_bodies() {
        match &part.body {
            PartType::Html(markup) => pages.push(repair::text(mail, part, markup)),
            PartType::Text(text) if text.trim().is_empty() || is_calendar(part) => {}
            _ => return None,
        }
    }
    let page = pages.join("\n");
    (!page.is_empty() && page.len() <= html::LARGEST).then_some(page)
}

/// What the mail's first invitation says.
pub(super) fn invitation(mail: &mail_parser::Message<'_>) -> Option<String> {
    mail.parts.iter().find_map(|part| match &part.body {
        PartType::Text(text) if is_calendar(part) => calendar::summary(&repair::text(mail, part, text)),
        _ => None,
    })
}

/// Files that stand within a text instead of in parts of their own.
pub(super) fn written_files(mail: &mail_parser::Message<'_>) -> Vec<uuencode::File> {
    mail.text_bodies()
        .flat_map(|part| match &part.body {
            PartType::Text(text) => uuencode::split(text).1,
            _ => Vec::new(),
        })
        .collect()
}

/// Whether a part is an invitation, which is told in words and listed as a file wherever it stands.
pub(super) fn is_calendar(part: &MessagePart<'_>) -> bool {
    is_of(part, "text", Some("calendar"))
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
            (PartType::Text(_), _) if is_calendar(part) => continue,
            (PartType::Text(text), _) => plain(part, &repair::text(mail, part, text)),
            (PartType::Message(attached), _) => text(attached, page),
            (PartType::Binary(bytes), _) if is_of(part, "multipart", None) => decode(bytes),
            _ => continue,
        };
        pieces.push(clean::block(&piece).trim_matches('\n').to_owned());
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces.join("\n\n")
}

/// A plain text without the files written into it, its paragraphs whole.
fn plain(part: &MessagePart<'_>, text: &str) -> String {
    let (text, _) = uuencode::split(text);
    let parameter = |name: &str| part.content_type().and_then(|kind| kind.attribute(name));
    let says = |name: &str, wanted: &str| parameter(name).is_some_and(|has| has.eq_ignore_ascii_case(wanted));
    if says("format", "flowed") { flowed::unwrapped(&text, says("delsp", "yes")) } else { text }
}

/// A multipart is text where its parts cannot be found, since its boundary is missing.
fn is_of(part: &MessagePart<'_>, kind: &str, subkind: Option<&str>) -> bool {
    part.content_type().is_some_and(|found| {
        let is_subkind = |wanted: &str| found.subtype().is_some_and(|has| has.eq_ignore_ascii_case(wanted));
        found.ctype().eq_ignore_ascii_case(kind) && subkind.is_none_or(is_subkind)
    })
}

fn is_shown(part: &&MessagePart<'_>) -> bool {
    !part.content_disposition().is_some_and(mail_parser::ContentType::is_attachment)
}
