//! Parts whose bytes are in another encoding than they declare. Knows one part at a time.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, MessageParser, MessagePart, MimeHeaders};

use super::parameter;
use crate::mail::decoding::{decode, is_garbled};
use crate::mail::encoded_word;

/// The text of a part, `as_declared` unless that lost more than it shows.
pub(super) fn text(mail: &mail_parser::Message<'_>, part: &MessagePart<'_>, as_declared: &str) -> String {
    if is_garbled(as_declared)
        && let Some(bytes) = transferred(mail, part)
    {
        let detected = decode(&bytes);
        if !is_garbled(&detected) {
            return detected;
        }
    }
    as_declared.to_owned()
}

/// The bytes of a part as they were before they were made fit for transfer.
pub(super) fn transferred(mail: &mail_parser::Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    let body = mail.raw_message.get(part.offset_body as usize..part.offset_end as usize)?;
    match part.encoding {
        Encoding::None => Some(body.to_vec()),
        Encoding::QuotedPrintable => quoted_printable_decode(body),
        Encoding::Base64 => base64_decode(body),
    }
}

/// The name of a part, also where its header lines hold raw bytes or encoded words that the parser reads
/// one by one; empty when it has none.
pub(super) fn attachment_name(mail: &mail_parser::Message<'_>, part: &MessagePart<'_>) -> String {
    let read = part.attachment_name().unwrap_or_default();
    if let Some(name) = pieced_name(mail, part) {
        return encoded_word::decoded(&name);
    }
    if let Some(lines) = mail.raw_message.get(part.offset_header as usize..part.offset_body as usize)
        && (is_garbled(read) || lines.windows(2).any(|pair| pair == b"=?"))
        && let Some(again) = MessageParser::default().parse(encoded_word::merged(&decode(lines)).as_bytes())
        && let Some(name) = again.attachment_name()
    {
        return encoded_word::decoded(name);
    }
    encoded_word::decoded(read)
}

/// A name in numbered pieces, which the parser reads one by one.
fn pieced_name(mail: &mail_parser::Message<'_>, part: &MessagePart<'_>) -> Option<String> {
    let header = |name: &str| {
        let field = part.headers.iter().rev().find(|field| field.name.as_str().eq_ignore_ascii_case(name))?;
        mail.raw_message.get(field.offset_start as usize..field.offset_end as usize)
    };
    let of = |field: &str, parameter: &str| parameter::pieced(header(field)?, parameter);
    of("Content-Disposition", "filename").or_else(|| of("Content-Type", "name"))
}
