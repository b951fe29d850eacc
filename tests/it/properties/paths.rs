//! The canonical path against an oracle that works on lists of segments.

use mintgate::web::path::canonical;
use proptest::prelude::*;

use super::runner;

const LOCALES: [&str; 3] = ["de", "en", "zh-CN"];
/// Decoded, these would change what a path means.
const NEVER_ENCODED: &[char] = &['/', '\\', '.', '%', '?', '#', '\u{7f}'];

/// The page that the desk would show; `None` where two readers could differ.
fn meant(path: &str) -> Option<String> {
    let acceptable = |c: char| c.is_ascii_graphic() && !['\\', '#', '?'].contains(&c);
    if !path.starts_with('/') || !path.chars().all(acceptable) {
        return None;
    }
    let segments: Option<Vec<String>> = path[1..].split('/').map(segment).collect();
    let mut segments = segments?;
    let inner = segments.len() - 1;
    let is_odd =
        |(at, text): (usize, &String)| [".", ".."].contains(&&**text) || (text.is_empty() && at < inner);
    if segments.iter().enumerate().any(is_odd) {
        return None;
    }
    drop_locale(&mut segments);
    let is_data = segments.len() > 3 && segments[0] == "_next" && segments[1] == "data";
    if is_data && segments.last().is_some_and(|last| last.ends_with(".json")) {
        segments.drain(..3);
        let last = segments.pop().expect("more than three");
        segments.push(last[..last.len() - ".json".len()].to_owned());
        drop_locale(&mut segments);
        if segments == ["index"] {
            segments = vec![String::new()];
        }
    }
    Some(format!("/{}", segments.join("/")))
}

fn drop_locale(segments: &mut Vec<String>) {
    if LOCALES.iter().any(|locale| locale.to_lowercase() == segments[0]) {
        segments.remove(0);
    }
    if segments.is_empty() {
        segments.push(String::new());
    }
}

/// One segment: decoded, cut at its first semicolon, in lower case.
fn segment(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let code = piece.get(..2).filter(|code| code.chars().all(|digit| digit.is_ascii_hexdigit()))?;
        let byte = u8::from_str_radix(code, 16).ok()?;
        if byte < 32 || NEVER_ENCODED.contains(&char::from(byte)) {
            return None;
        }
        bytes.push(byte);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    let text = String::from_utf8(bytes).ok()?;
    let named = text.find(';').map_or(text.as_str(), |at| &text[..at]);
    Some(named.to_ascii_lowercase())
}

fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            "/", "/", "/", "api", "v1", "admin", "exchange", "_next", "/_next/data/b/", ".json", "index", "de", "EN",
            "zh-CN", "x", "A", "-", "_", "~",
        ])
        .prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "%61", "%41", "%64e", "%2f", "%2F", "%2e", ".", "..", "%5c", "%25", "%", "%4", "%zz", ";", ";a=b", "%3b",
            "%c3%a9", "%ff", "%00", "%7f", "%3F", "\\", "#", "?", "é", " ", "\u{1}", "//", "/./", "/../",
        ])
        .prop_map(str::to_owned),
        1 => "[ -~]{0,3}",
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| format!("/{}", pieces.concat()))
}

#[test]
fn every_path_means_what_the_oracle_says() {
    let locales = LOCALES.map(Box::from);
    let checked = runner(30_000).run(&path(), |path| {
        let canonical = canonical(&path, &locales).ok().map(|form| form.text(&path).to_owned());
        prop_assert_eq!(canonical, meant(&path), "{}", path);
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn what_is_canonical_means_itself() {
    let locales = LOCALES.map(Box::from);
    let checked = runner(10_000).run(&path(), |path| {
        let Ok(form) = canonical(&path, &locales) else { return Ok(()) };
        let text = form.text(&path).to_owned();
        prop_assert!(!text.contains("//") && !text.contains([';', '\\']), "{}", path);
        prop_assert!(!text.contains(|c: char| c.is_ascii_uppercase() || c.is_ascii_control()), "{}", path);
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}
