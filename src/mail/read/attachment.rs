//! The files of a mail: what they are called, how large they are, which bytes they hold. Opens none.

use std::borrow::Cow;

use mail_parser::{ContentType, MessagePart, MimeHeaders, PartType};

use super::{body, repair, tnef, uuencode};
use crate::base::id::hex;
use crate::base::secret::sha256;
use crate::mail::headers::Headers;
use crate::mail::{Attachment, clean, encoded_word, message_id};

/// Every part that is not shown as text, in the mail's order; then the files written into its text, and those
/// inside Outlook's `winmail.dat`.
pub(super) fn attachments(mail: &mail_parser::Message<'_>) -> Vec<Attachment> {
    let parts = parts(mail).enumerate();
    let mut files: Vec<Attachment> = parts.map(|(index, part)| attachment(mail, index, part)).collect();
    for file in files_within(mail) {
        let number = files.len() + 1;
        files.push(written(&file, number));
    }
    files
}

/// The bytes of [`attachments`], in their order.
pub(super) fn contents(mail: &mail_parser::Message<'_>) -> Vec<Vec<u8>> {
    let of_parts = parts(mail).map(|part| bytes(mail, part).into_owned());
    of_parts.chain(files_within(mail).into_iter().map(|file| file.bytes)).collect()
}

/// Files that are no parts of the mail.
fn files_within(mail: &mail_parser::Message<'_>) -> Vec<uuencode::File> {
    let packed = parts(mail).filter(|part| is_tnef(part)).flat_map(|part| tnef::files(&bytes(mail, part)));
    body::written_files(mail).into_iter().chain(packed).collect()
}

fn is_tnef(part: &MessagePart<'_>) -> bool {
    let named = part.attachment_name().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"));
    named || ["application/ms-tnef", "application/vnd.ms-tnef"].contains(&media_type(part).as_str())
}

fn parts<'p>(mail: &'p mail_parser::Message<'_>) -> impl Iterator<Item = &'p MessagePart<'p>> {
    let no_files = no_files(mail);
    let is_file = move |part: &&MessagePart<'_>| !no_files.iter().any(|other| std::ptr::eq(*other, *part));
    // A calendar may be all there is, and counts as the mail's text then.
    let shown_calendars = mail.text_bodies().filter(|part| body::is_calendar(part));
    mail.attachments().filter(is_file).chain(shown_calendars)
}

/// What the parser counts among the files and is none: the same text in a form for other programs, and a
/// multipart whose parts cannot be found, which is shown as text.
fn no_files<'p>(mail: &'p mail_parser::Message<'_>) -> Vec<&'p MessagePart<'p>> {
    let kind =
        |part: &MessagePart<'_>, main: &str| part.content_type().is_some_and(|kind| kind.ctype() == main);
    let lost = mail.parts.first().filter(|part| kind(part, "multipart")).into_iter();
    let alternatives = mail.parts.iter().filter(|part| {
        part.content_type()
            .is_some_and(|kind| kind.ctype() == "multipart" && kind.subtype() == Some("alternative"))
    });
    let forms = alternatives.flat_map(|part| part.sub_parts().unwrap_or_default());
    let forms = forms.filter_map(|&id| mail.part(id)).filter(|part| {
        let common = ["plain", "html", "calendar"];
        let subtype = part.content_type().and_then(ContentType::subtype).unwrap_or("plain");
        let is_other_text = kind(part, "text") && !common.contains(&subtype);
        let has_text = mail.text_body_count() + mail.html_body_count() > 0;
        is_other_text && has_text && part.attachment_name().is_none()
    });
    lost.chain(forms).collect()
}

fn written(file: &uuencode::File, number: usize) -> Attachment {
    let media_type = "application/octet-stream".to_owned();
    Attachment {
        name: clean::file_name(&file.name, &made_up(number, &media_type)),
        size: file.bytes.len(),
        sha256: hex(&sha256(&file.bytes)),
        inline: false,
        content_id: None,
        media_type,
    }
}

fn attachment(mail: &mail_parser::Message<'_>, index: usize, part: &MessagePart<'_>) -> Attachment {
    let media_type = media_type(part);
    let bytes = bytes(mail, part);
    Attachment {
        name: name(mail, index, part, &media_type),
        size: bytes.len(),
        sha256: hex(&sha256(&bytes)),
        inline: is_inline(part),
        content_id: part.content_id().and_then(message_id::normalise),
        media_type,
    }
}

/// The bytes of a part as its author had them: a text in its own encoding, a mail from its first header on.
pub(super) fn bytes<'p>(mail: &mail_parser::Message<'_>, part: &'p MessagePart<'_>) -> Cow<'p, [u8]> {
    if is_uuencoded(part)
        && let Some(body) = repair::transferred(mail, part)
        && let Some(bytes) = uuencode::decoded(&String::from_utf8_lossy(&body))
    {
        return Cow::Owned(bytes);
    }
    let converted = matches!(part.body, PartType::Text(_) | PartType::Html(_) | PartType::Message(_));
    match repair::transferred(mail, part).filter(|_| converted) {
        Some(bytes) => Cow::Owned(bytes),
        None => Cow::Borrowed(part.contents()),
    }
}

/// A transfer encoding that MIME does not know and some systems use.
fn is_uuencoded(part: &MessagePart<'_>) -> bool {
    let names = ["x-uuencode", "x-uue", "uuencode", "uue"];
    let encoding = part.content_transfer_encoding().map(str::trim);
    encoding.is_some_and(|encoding| names.iter().any(|name| encoding.eq_ignore_ascii_case(name)))
}

fn media_type(part: &MessagePart<'_>) -> String {
    let default = match &part.body {
        PartType::Message(_) => "message/rfc822",
        PartType::Html(_) => "text/html",
        PartType::Text(_) => "text/plain",
        _ => "application/octet-stream",
    };
    let declared = part.content_type().and_then(|kind| Some(format!("{}/{}", kind.ctype(), kind.subtype()?)));
    clean::line(declared.as_deref().unwrap_or(default), 100).to_ascii_lowercase()
}

fn name(mail: &mail_parser::Message<'_>, index: usize, part: &MessagePart<'_>, media_type: &str) -> String {
    let number = index + 1;
    let made_up = made_up(number, media_type);
    let given = repair::attachment_name(mail, part);
    if !given.is_empty() {
        return clean::file_name(&given, &made_up);
    }
    if let PartType::Message(attached) = &part.body {
        let subject = clean::file_name(&Headers(attached).subject(), "");
        let title = if subject.is_empty() { described(part) } else { Some(subject) };
        return format!("{}.eml", title.unwrap_or_else(|| format!("mail-{number}")));
    }
    named_elsewhere(part).unwrap_or_else(|| match (described(part), made_up.rsplit_once('.')) {
        (Some(title), Some((_, extension))) => format!("{title}.{extension}"),
        _ => made_up,
    })
}

/// What a page calls the file, where that is a file's name: `image001.png@01DA…`, `https://x.example/logo.png`.
fn named_elsewhere(part: &MessagePart<'_>) -> Option<String> {
    let id = part.content_id().and_then(|id| id.trim_start_matches('<').split('@').next());
    let location = part.content_location().and_then(|url| url.split(['?', '#']).next());
    let names = [id, location].into_iter().flatten().map(|name| clean::file_name(name, ""));
    names.into_iter().find(|name| {
        let extension =
            name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, after)| after);
        (2..=4).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

/// What its author says of a part, if that is as short as a title.
fn described(part: &MessagePart<'_>) -> Option<String> {
    let title = clean::file_name(&encoded_word::decoded(part.content_description()?), "");
    (1..=60).contains(&title.chars().count()).then_some(title)
}

/// The name of a file that came without one: the usual one where people know it by that.
fn made_up(number: usize, media_type: &str) -> String {
    const USUAL: [(&str, &str); 10] = [
        ("application/ms-tnef", "winmail.dat"),
        ("application/vnd.ms-tnef", "winmail.dat"),
        ("application/pkcs7-mime", "smime.p7m"),
        ("application/x-pkcs7-mime", "smime.p7m"),
        ("application/pkcs7-signature", "smime.p7s"),
        ("application/x-pkcs7-signature", "smime.p7s"),
        ("application/pgp-signature", "signature.asc"),
        ("application/pgp-keys", "public-key.asc"),
        ("application/pgp-encrypted", "pgp-version.txt"),
        ("application/pgp", "message.asc"),
    ];
    const EXTENSIONS: [(&str, &str); 15] = [
        ("text/plain", "txt"),
        ("text/html", "html"),
        ("text/calendar", "ics"),
        ("text/csv", "csv"),
        ("text/vcard", "vcf"),
        ("text/x-vcard", "vcf"),
        ("text/rfc822-headers", "txt"),
        ("message/rfc822", "eml"),
        ("message/delivery-status", "txt"),
        ("message/feedback-report", "txt"),
        ("image/png", "png"),
        ("image/jpeg", "jpg"),
        ("image/gif", "gif"),
        ("application/pdf", "pdf"),
        ("application/zip", "zip"),
    ];
    if let Some((_, name)) = USUAL.iter().find(|(kind, _)| *kind == media_type) {
        return (*name).to_owned();
    }
    match EXTENSIONS.iter().find(|(kind, _)| *kind == media_type) {
        Some((_, extension)) => format!("file-{number}.{extension}"),
        None => format!("file-{number}"),
    }
}

/// A file that says it is an attachment is one, even when a page could refer to it.
fn is_inline(part: &MessagePart<'_>) -> bool {
    match part.content_disposition() {
        Some(disposition) if disposition.is_attachment() => false,
        disposition => disposition.is_some_and(ContentType::is_inline) || part.content_id().is_some(),
    }
}
