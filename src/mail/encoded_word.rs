//! Encoded words of header fields (RFC 2047) as mail really has them: cut within a character, in quoted
//! strings, without space between them, in a charset nobody knows. Knows no particular field.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

use super::decoding::{decode, is_garbled};

/// The text of a field in which encoded words may stand anywhere. Words in a row are one text when they
/// name one charset, since many a client cuts between the bytes of a character.
pub(crate) fn decoded(field: &str) -> String {
    replaced(field, str::to_owned)
}

/// The same text with every row of words as a single one in UTF-8, also within quotes.
pub(crate) fn merged(lines: &str) -> String {
    replaced(lines, word)
}

/// The same field with every row of words as a single one in UTF-8, which takes the place of a
/// quoted string around it; so a parser of addresses finds names whole and takes nothing in them for an address.
pub(crate) fn joined(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    let mut rest = field;
    while let Some((before, inner, after)) = quoted_string(rest) {
        out.push_str(&replaced(before, word));
        if inner.contains("=?") {
            out.push_str(&word(&decoded(&inner.replace("\\\"", "\"").replace("\\\\", "\\"))));
        } else {
            out.push_str(&rest[before.len()..rest.len() - after.len()]);
        }
        rest = after;
    }
    out.push_str(&replaced(rest, word));
    out
}

/// What stands before the first quoted string, within it, and after it.
fn quoted_string(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find('"')?;
    let inner = &text[start + 1..];
    let mut escaped = false;
    for (at, one) in inner.char_indices() {
        match one {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((&text[..start], &inner[..at], &inner[at + 1..])),
            _ => {}
        }
    }
    None
}

fn word(text: &str) -> String {
    format!("=?utf-8?B?{}?=", STANDARD.encode(text))
}

/// One encoded word: its charset in lower case, and the bytes it stands for.
struct Word {
    charset: String,
    bytes: Vec<u8>,
}

/// `field` with every row of words put through `shown`.
fn replaced(field: &str, shown: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find("=?") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match row(rest) {
            (words, after) if !words.is_empty() => {
                out.push_str(&shown(&text(words)));
                rest = after;
            }
            _ => {
                out.push_str("=?");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The words at the beginning of `text`, and what follows them. White space counts only when no word
/// comes after it.
fn row(text: &str) -> (Vec<Word>, &str) {
    let mut words = Vec::new();
    let mut after = text;
    while let Some((word, rest)) = first(if words.is_empty() { after } else { after.trim_start() }) {
        words.push(word);
        after = rest;
    }
    (words, after)
}

fn first(text: &str) -> Option<(Word, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (data, after) = rest.split_once("?=")?;
    let named = charset.len() <= 45 && !charset.contains(char::is_whitespace);
    let bytes = match encoding {
        "B" | "b" => base64_decode(data.as_bytes())?,
        "Q" | "q" => quoted_printable_decode(data.replace('_', "=20").as_bytes())?,
        _ => return None,
    };
    // RFC 2231, section 5: a language may follow the charset.
    let charset = charset.split('*').next().unwrap_or(charset).to_ascii_lowercase();
    // What was no ASCII within the word has been read already.
    let is_read = !data.is_ascii() && std::str::from_utf8(&bytes).is_ok();
    let charset = if is_read { "utf-8".to_owned() } else { charset };
    named.then_some((Word { charset, bytes }, after))
}

fn text(words: Vec<Word>) -> String {
    let mut pieces: Vec<Word> = Vec::new();
    for word in words {
        match pieces.last_mut() {
            Some(last) if last.charset == word.charset => last.append(&word.bytes),
            _ => pieces.push(word),
        }
    }
    pieces.iter().map(Word::text).collect()
}

impl Word {
    /// Goes on in the other bytes. In ISO-2022 every word ends in ASCII, and two changes of the character set in
    /// a row are an error to a decoder.
    fn append(&mut self, bytes: &[u8]) {
        const TO_ASCII: &[u8] = b"\x1b(B";
        if bytes.starts_with(b"\x1b$") && self.bytes.ends_with(TO_ASCII) {
            self.bytes.truncate(self.bytes.len() - TO_ASCII.len());
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn text(&self) -> String {
        let declared = match self.charset.as_str() {
            "us-ascii" | "ascii" if !self.bytes.is_ascii() => None,
            charset => charset_decoder(charset.as_bytes()),
        };
        let read = declared.map(|decoder| decoder(&self.bytes)).filter(|text| !is_garbled(text));
        read.unwrap_or_else(|| decode(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_mail_really_has_them() {
        let table = [
            ("plain", "plain"),
            ("=?iso-8859-1?Q?Dr=FCcker_1?= raucht", "Drücker 1 raucht"),
            ("Re: =?UTF-8?B?w4Q=?=\r\n =?UTF-8?B?w5Y=?= end", "Re: ÄÖ end"),
            ("=?UTF-8?Q?Gr=C3?= =?UTF-8?Q?=BCn?=", "Grün"),
            ("=?utf-8?B?8J+Z?=\r\n\t=?UTF-8?B?gg==?=", "🙂"),
            ("=?utf-8?Q?a?==?iso-8859-1?Q?=E4?=x", "aäx"),
            ("=?utf-8*de?q?a b?=", "a b"),
            ("=?us-ascii?Q?Gr=C3=BCn?=", "Grün"),
            ("=?x-unknown?Q?Gr=C3=BCn?=", "Grün"),
            ("=?UTF-7?Q?Gr+APw-n?=", "Grün"),
            ("=??Q?Gr=FCn?=", "Grün"),
            ("=?iso-8859-1?Q?Grün?= =?iso-8859-1?Q?=FC?=", "Grünü"),
            ("=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?= =?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=", "テストテスト"),
            ("what =? is =?utf-8?X?a?= =?", "what =? is =?utf-8?X?a?= =?"),
            ("=?utf-8?Q?open", "=?utf-8?Q?open"),
        ];
        for (field, wanted) in table {
            assert_eq!(decoded(field), wanted, "{field}");
        }
    }

    #[test]
    fn a_joined_field_keeps_its_addresses_and_has_whole_names() {
        let ada = word("Müller, Ada");
        let table = [
            ("=?utf-8?Q?M=C3?= =?utf-8?Q?=BCller=2C_Ada?= <a@b>", format!("{ada} <a@b>")),
            (
                "\"=?utf-8?Q?M=C3=BCller,_Ada?=\" <a@b>, \"x, y\" <c@d>",
                format!("{ada} <a@b>, \"x, y\" <c@d>"),
            ),
            ("\"open <a@b>", "\"open <a@b>".to_owned()),
        ];
        for (field, wanted) in table {
            assert_eq!(joined(field), wanted, "{field}");
        }
    }
}
