//! The one canonical form of a request path that every decision uses.
//!
//! The desk reads `/de/API/v1/%74ickets;x` as `/api/v1/tickets`; so does this file. The original is what
//! is forwarded; nothing rewrites after the decision. What could be read in two ways is refused. Knows
//! nothing of routes.

use std::borrow::Cow;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("the path does not start with a slash")]
    NotAbsolute,
    #[error("the path has a character that is not allowed")]
    Character,
    #[error("the path has an encoding that is not allowed")]
    Encoding,
    #[error("the path has dot segments or empty segments")]
    Segments,
}

/// A path, decoded once and case-folded, its `;params` and the desk's locale prefix removed.
///
/// Holds its own text only where that differs from the original, so that ordinary requests
/// allocate nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    changed: Option<Box<str>>,
}

impl CanonicalPath {
    /// The original itself, for services that are not the desk and read paths their own way.
    pub fn as_sent() -> Self {
        Self { changed: None }
    }

    /// The canonical text; `original` must be the path this was made from.
    pub fn text<'p>(&'p self, original: &'p str) -> &'p str {
        self.changed.as_deref().unwrap_or(original)
    }
}

/// Whether `path` is `base` or lies below it, on segment boundaries.
pub fn is_at_or_below(path: &str, base: &str) -> bool {
    let base = base.strip_suffix('/').unwrap_or(base);
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Canonicalises `original` (the path without its query). `locales` are the desk's locale tags, such
/// as `de`.
///
/// # Errors
/// What a request is refused for with 400: an encoded slash, backslash, dot, percent sign, question
/// mark, number sign or control character; a raw backslash, number sign, control or non-ASCII
/// character; dot segments and empty segments.
pub fn canonical(original: &str, locales: &[Box<str>]) -> Result<CanonicalPath, PathError> {
    let is_plain = check_characters(original)?;
    if is_plain {
        check_segments(original)?;
        let shown = shown_page(original, locales);
        return Ok(CanonicalPath { changed: changed(original, &shown) });
    }
    let decoded = decode(original)?;
    let folded = without_parameters(&decoded).to_ascii_lowercase();
    check_segments(&folded)?;
    let shown = shown_page(&folded, locales);
    Ok(CanonicalPath { changed: changed(original, &shown) })
}

fn changed(original: &str, canonical: &str) -> Option<Box<str>> {
    (canonical != original).then(|| canonical.into())
}

/// Refuses what may stand in no path; `true` when there is nothing to decode, fold or cut either.
fn check_characters(path: &str) -> Result<bool, PathError> {
    if !path.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    let mut is_plain = true;
    for byte in path.bytes() {
        match byte {
            0..=b' ' | 0x7f.. | b'\\' | b'#' | b'?' => return Err(PathError::Character),
            b'%' | b';' | b'A'..=b'Z' => is_plain = false,
            _ => {}
        }
    }
    Ok(is_plain)
}

/// No segment but the last is empty, and none is `.` or `..`.
fn check_segments(path: &str) -> Result<(), PathError> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if matches!(segment, "." | "..") || (segment.is_empty() && !is_last) {
            return Err(PathError::Segments);
        }
    }
    Ok(())
}

/// Percent-decodes once; the result is text.
fn decode(path: &str) -> Result<String, PathError> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (high, low) = (bytes.next().and_then(hex_digit), bytes.next().and_then(hex_digit));
        let (Some(high), Some(low)) = (high, low) else { return Err(PathError::Encoding) };
        match high << 4 | low {
            0..=0x1f | 0x7f | b'/' | b'\\' | b'.' | b'%' | b'?' | b'#' => return Err(PathError::Encoding),
            meant => decoded.push(meant),
        }
    }
    String::from_utf8(decoded).map_err(|_| PathError::Encoding)
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Cuts every segment at its first semicolon (RFC 3986 section 3.3 lets a server read it so).
fn without_parameters(path: &str) -> Cow<'_, str> {
    if !path.contains(';') {
        return Cow::Borrowed(path);
    }
    let named = path.split('/').map(|segment| segment.split(';').next().unwrap_or(segment));
    Cow::Owned(named.collect::<Vec<_>>().join("/"))
}

/// The page that the desk's web client shows for a decoded, folded path: without one locale prefix, and
/// for its data requests `/_next/data/<build>/<page>.json` the page.
fn shown_page<'p>(path: &'p str, locales: &[Box<str>]) -> Cow<'p, str> {
    let path = without_locale(path, locales);
    let Some(data) = path.strip_prefix("/_next/data/") else { return Cow::Borrowed(path) };
    let page = data.find('/').map(|at| &data[at..]).and_then(|page| page.strip_suffix(".json"));
    match page.map(|page| without_locale(page, locales)) {
        None => Cow::Borrowed(path),
        Some("/index") => Cow::Borrowed("/"),
        Some(page) => Cow::Borrowed(page),
    }
}

/// `/de/x` as `/x`, `/de` as `/`: only a whole first segment, only once.
fn without_locale<'p>(path: &'p str, locales: &[Box<str>]) -> &'p str {
    let rest = &path[1..];
    let first = rest.split('/').next().unwrap_or(rest);
    if first.is_empty() || !locales.iter().any(|locale| locale.eq_ignore_ascii_case(first)) {
        return path;
    }
    let below = &rest[first.len()..];
    if below.is_empty() { "/" } else { below }
}

/// The path that rules see: `%XX` decoded unless it stands for a reserved character of RFC 3986 section
/// 2.2 or the percent sign (Traefik, `muxer/http`). Bytes that are no UTF-8 stay encoded, in upper case.
pub fn routing_path(original: &str) -> Cow<'_, str> {
    if !original.contains('%') {
        return Cow::Borrowed(original);
    }
    let mut decoded = Vec::with_capacity(original.len());
    let mut rest = original.as_bytes();
    while let [first, tail @ ..] = rest {
        let meant = match (first, tail) {
            (b'%', [high, low, ..]) => {
                hex_digit(*high).zip(hex_digit(*low)).map(|(high, low)| high << 4 | low)
            }
            _ => None,
        };
        match meant {
            Some(byte) if !b":/?#[]@!$&'()*+,;=%".contains(&byte) => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    Cow::Owned(String::from_utf8(decoded).unwrap_or_else(|error| as_text(error.as_bytes())))
}

fn as_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02X}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locales() -> Vec<Box<str>> {
        ["de", "en", "pt", "zh-CN"].map(Box::from).to_vec()
    }

    fn text(original: &str) -> Result<String, PathError> {
        canonical(original, &locales()).map(|path| path.text(original).to_owned())
    }

    #[test]
    fn every_spelling_the_desk_understands_is_one_path() {
        for spelling in [
            "/api/v1/tickets/open",
            "/de/api/v1/tickets/open",
            "/API/V1/tickets/open",
            "/api/v1/%74ickets/open",
            "/DE/api;a=b/v1/tickets/open;c",
            "/zh-cn/api/v1/tickets/open%3bx",
        ] {
            assert_eq!(text(spelling).as_deref(), Ok("/api/v1/tickets/open"), "{spelling}");
        }
    }

    #[test]
    fn page_data_counts_as_its_page() {
        let table = [
            ("/_next/data/2ztuNJ6_tlMoe96Ots_t5/en/admin/email-queues.json", "/admin/email-queues"),
            ("/_next/data/b/admin/exchange.json", "/admin/exchange"),
            ("/de/_next/data/b/admin.json", "/admin"),
            ("/_next/data/b/de.json", "/"),
            ("/_next/data/b/index.json", "/"),
            ("/_next/data/b", "/_next/data/b"),
            ("/_next/data/b/x.js", "/_next/data/b/x.js"),
        ];
        for (original, page) in table {
            assert_eq!(text(original).as_deref(), Ok(page), "{original}");
        }
    }

    #[test]
    fn a_locale_goes_once_and_only_as_a_whole_first_segment() {
        let table =
            [("/de", "/"), ("/de/", "/"), ("/dex", "/dex"), ("/x/de/y", "/x/de/y"), ("/de/en/x", "/en/x")];
        for (original, page) in table {
            assert_eq!(text(original).as_deref(), Ok(page), "{original}");
        }
    }

    #[test]
    fn an_ordinary_path_is_kept_as_it_is() {
        for original in
            ["/", "/issues", "/api/v1/ticket/3c736fa4-f9bf", "/_next/static/chunks/a.b-c_d~e.js", "/a/"]
        {
            let path = canonical(original, &locales()).expect(original);
            assert_eq!(path.changed, None, "{original}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        use PathError::{Character, Encoding, NotAbsolute, Segments};
        let table = [
            ("", NotAbsolute),
            ("*", NotAbsolute),
            ("api", NotAbsolute),
            ("/a#b", Character),
            ("/a\\b", Character),
            ("/a\u{0}b", Character),
            ("/a b", Character),
            ("/a\u{7f}", Character),
            ("/é", Character),
            ("/a%2fb", Encoding),
            ("/a%5Cb", Encoding),
            ("/a%00", Encoding),
            ("/%2e%2E/b", Encoding),
            ("/a%252fb", Encoding),
            ("/a%3fb", Encoding),
            ("/a%23b", Encoding),
            ("/a%0a", Encoding),
            ("/a%", Encoding),
            ("/a%4", Encoding),
            ("/a%zz", Encoding),
            ("/a%+1", Encoding),
            ("/a%ff", Encoding),
            ("//a", Segments),
            ("/a//b", Segments),
            ("/a/../b", Segments),
            ("/./a", Segments),
            ("/a/..", Segments),
            ("/a/..;x/b", Segments),
            ("/;x/a", Segments),
        ];
        for (original, error) in table {
            assert_eq!(text(original), Err(error), "{original}");
        }
    }

    #[test]
    fn below_is_decided_on_segment_boundaries() {
        assert!(is_at_or_below("/admin/exchange", "/admin/exchange"));
        assert!(is_at_or_below("/admin/exchange/x", "/admin/exchange/"));
        assert!(!is_at_or_below("/admin/exchanges", "/admin/exchange"));
        assert!(!is_at_or_below("/admin", "/admin/exchange"));
    }

    #[test]
    fn rules_see_reserved_characters_encoded() {
        let table = [
            ("/foo%20bar", "/foo bar"),
            ("/foo%20bar%2Fbaz%23qux", "/foo bar%2Fbaz%23qux"),
            ("/%7Bpath%3Acss%7d/%61", "/{path%3Acss}/a"),
            ("/%ff", "/%FF"),
            ("/a%20b%ff%c3%20", "/a b%FF%C3 "),
            ("/%4", "/%4"),
            ("/a", "/a"),
        ];
        for (original, routing) in table {
            assert_eq!(routing_path(original), routing, "{original}");
        }
    }

    /// xorshift64: the same numbers in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % limit as u64).expect("below a usize")
        }
    }

    /// Another spelling of `plain` that the desk reads as the same path.
    fn respell(plain: &str, numbers: &mut Numbers) -> String {
        let mut spelling = ["", "/de", "/EN", "/%64e"][numbers.below(4)].to_owned();
        for character in plain.chars() {
            match numbers.below(6) {
                0 if character.is_ascii_alphabetic() => spelling += &format!("%{:02x}", u32::from(character)),
                1 => spelling.push(character.to_ascii_uppercase()),
                2 if character == '/' && !spelling.is_empty() && !spelling.ends_with('/') => {
                    spelling += ";p=1/"
                }
                _ => spelling.push(character),
            }
        }
        spelling
    }

    fn plain_path(numbers: &mut Numbers) -> String {
        let segments = ["api", "v1", "admin", "exchange", "x-1", "ticket", "q_9"];
        (0..=numbers.below(5)).map(|_| format!("/{}", segments[numbers.below(segments.len())])).collect()
    }

    #[test]
    fn no_spelling_escapes_the_canonical_form() {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for _ in 0..20_000 {
            let plain = plain_path(&mut numbers);
            let spelling = respell(&plain, &mut numbers);
            assert_eq!(text(&spelling).as_deref(), Ok(plain.as_str()), "{spelling}");
        }
    }

    #[test]
    fn no_ambiguity_passes_wherever_it_stands() {
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        let ambiguities =
            ["%2f", "%5c", "%00", "%2e", "%25", "#", "\\", "\u{1}", "é", "//", "/./", "/../", "/..;/", "%"];
        for _ in 0..20_000 {
            let mut path = plain_path(&mut numbers);
            let at = 1 + numbers.below(path.len());
            path.insert_str(at, ambiguities[numbers.below(ambiguities.len())]);
            let is_escape_by_chance = path.contains("%ad") || path.contains("%ex");
            assert!(text(&path).is_err() || is_escape_by_chance, "{path}");
        }
    }

    #[test]
    fn rubbish_never_panics_and_what_passes_has_no_trace_of_it() {
        let mut numbers = Numbers(0x0123_4567_89ab_cdef);
        let pieces =
            ["/", "%", "2", "f", ";", ".", "de", "A", "_next", "data", ".json", "é", "?", "%c3%a9", "\\"];
        for _ in 0..50_000 {
            let length = numbers.below(9);
            let path: String = (0..length).map(|_| pieces[numbers.below(pieces.len())]).collect();
            if let Ok(text) = text(&format!("/{path}")) {
                assert!(
                    text.starts_with('/') && !text.contains("//") && !text.contains([';', '%', '\\']),
                    "{path}"
                );
                assert!(text.split('/').all(|segment| !matches!(segment, "." | "..")), "{path}");
                assert!(!text.contains(|character: char| character.is_ascii_uppercase()), "{path}");
            }
        }
    }
}
