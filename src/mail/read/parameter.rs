//! Parameters of a part's header that come in numbered pieces (RFC 2231, 3 and 4.1), whatever their charset.
//! Knows one header and one parameter of it at a time.

use mail_parser::decoders::charsets::map::charset_decoder;

use crate::mail::decoding::decode;

/// Longer names are cut anyway.
const MOST_PIECES: usize = 100;

/// The value of `name` as its pieces give it together; `None` when it does not come in pieces.
pub(super) fn pieced(header: &[u8], name: &str) -> Option<String> {
    let mut charset: Option<String> = None;
    let mut bytes = Vec::new();
    for number in 0..MOST_PIECES {
        let Some((value, encoded)) = piece(header, &format!("{name}*{number}")) else { break };
        let mut value = value;
        if number == 0 && encoded {
            // charset'language'text
            let mut quotes = value.splitn(3, |&byte| byte == b'\'');
            if let (Some(first), Some(_), Some(text)) = (quotes.next(), quotes.next(), quotes.next()) {
                charset = Some(String::from_utf8_lossy(first).into_owned());
                value = text;
            }
        }
        if encoded { bytes.extend(unescaped(value)) } else { bytes.extend_from_slice(value) }
    }
    let decoder = charset.as_deref().and_then(|charset| charset_decoder(charset.as_bytes()));
    let text = decoder.map_or_else(|| decode(&bytes), |decoder| decoder(&bytes));
    (!text.is_empty()).then_some(text)
}

/// The value behind `;name=` or `;name*=`, and whether its bytes are escaped.
fn piece<'h>(header: &'h [u8], name: &str) -> Option<(&'h [u8], bool)> {
    let mut rest = header;
    while let Some(at) = rest.iter().position(|&byte| byte == b';') {
        rest = rest[at + 1..].trim_ascii_start();
        let (start, behind) = rest.split_at_checked(name.len())?;
        if !start.eq_ignore_ascii_case(name.as_bytes()) {
            continue;
        }
        let (encoded, behind) = match behind.strip_prefix(b"*") {
            Some(behind) => (true, behind),
            None => (false, behind),
        };
        let Some(value) = behind.trim_ascii_start().strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let value = match value.strip_prefix(b"\"") {
            Some(quoted) => quoted.split(|&byte| byte == b'"').next(),
            None => value.split(|&byte| byte == b';' || byte.is_ascii_whitespace()).next(),
        };
        return Some((value.unwrap_or_default(), encoded));
    }
    None
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| first == b'%');
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_together_in_their_charset() {
        let table = [
            (
                "attachment;\r\n filename*0*=ISO-8859-1''%C4rger;\r\n filename*1*=%20gr%FCn;\r\n filename*2=.pdf",
                "Ärger grün.pdf",
            ),
            ("attachment; filename*1*=%BC.pdf; filename*0*=utf-8'de'%C3", "ü.pdf"),
            ("attachment; filename*0=\"a b\"; filename*1=\".pdf\"", "a b.pdf"),
            ("attachment; FileName*0*=x-unknown''%C3%BC.pdf", "ü.pdf"),
        ];
        for (header, wanted) in table {
            assert_eq!(pieced(header.as_bytes(), "filename").as_deref(), Some(wanted), "{header}");
        }
    }

    #[test]
    fn a_parameter_in_one_piece_is_none_of_these() {
        for header in [
            "attachment; filename=a.pdf",
            "attachment; filename*=utf-8''a.pdf",
            "attachment",
            ";",
            "; filename*0",
        ] {
            assert_eq!(pieced(header.as_bytes(), "filename"), None, "{header}");
        }
    }
}
