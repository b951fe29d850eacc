//! The line above a quote that tells who wrote it and when, in the languages mail clients speak.

use super::{is_blank, is_quoted};

/// Longer than this is a sentence of the writer's.
const LONGEST: usize = 300;
/// Clients wrap the line after 70 or so characters.
const MOST_LINES: usize = 3;

/// The word for "wrote", somewhere in the line.
const VERBS: [&str; 24] = [
    "wrote",
    "writes",
    "schrieb",
    "geschrieben",
    "écrit",
    "escribió",
    "escreveu",
    "ha scritto",
    "schreef",
    "geschreven",
    "napisał",
    "pisze",
    "skrev",
    "napsal",
    "пишет",
    "написал",
    "kirjoitti",
    "yazdı",
    "írta",
    "a scris",
    "έγραψε",
    "のメール",
    "写道",
    "작성",
];

/// How such a line begins when it begins with the date.
const BEGINNINGS: [&str; 16] = [
    "on ",
    "am ",
    "le ",
    "el ",
    "em ",
    "il ",
    "op ",
    "w dniu ",
    "dnia ",
    "den ",
    "dne ",
    "på ",
    "în ",
    "στις ",
    "vào ",
    "в ",
];

/// How many lines the attribution that begins at `at` takes, if one does and a `>` quote follows it.
pub(super) fn length_at(lines: &[&str], at: usize) -> Option<usize> {
    (1..=MOST_LINES).find(|&length| {
        let follows = lines.get(at + length..).and_then(|rest| rest.iter().find(|line| !is_blank(line)));
        follows.is_some_and(|line| is_quoted(line)) && announces(lines, at, length)
    })
}

/// Where the attribution begins that ends right before line `end` (blank lines between do not count).
pub(super) fn ending_at(lines: &[&str], end: usize) -> Option<usize> {
    let last = lines[..end].iter().rposition(|line| !is_blank(line))?;
    let longest_first = (1..=MOST_LINES.min(last + 1)).rev();
    longest_first
        .map(|length| (last + 1 - length, length))
        .find_map(|(at, length)| announces(lines, at, length).then_some(at))
}

/// Whether the attribution at `at` is so clear that everything below it is a quote, marked or not: it
/// names a time of day or an address, as a client does and a person who tells a story does not.
pub(super) fn is_unmistakable(lines: &[&str], at: usize) -> bool {
    (1..=MOST_LINES).any(|length| {
        joined(lines, at, length).is_some_and(|line| {
            let dated = begins(&line) && has_time_of_day(&line);
            let addressed =
                line.contains('@') && line.contains('<') && (has_digit(&line) || ends_with_verb(&line));
            has_verb(&line) && (dated || addressed) && belongs_together(lines, at, length)
        })
    })
}

/// Enough for a line with a `>` quote below it.
fn announces(lines: &[&str], at: usize, length: usize) -> bool {
    joined(lines, at, length).is_some_and(|line| {
        let plausible = has_verb(&line) || (line.contains('@') && has_digit(&line));
        plausible && belongs_together(lines, at, length)
    })
}

/// Two or three lines are one attribution only if the first looks like its beginning: else the writer's
/// own last line would go with it.
fn belongs_together(lines: &[&str], at: usize, length: usize) -> bool {
    let first = lines[at].trim().trim_start_matches(['-', '*', ' ']).to_lowercase();
    let names_writer = first.contains('<') && first.contains('@') && has_verb(&first);
    length == 1 || begins(&first) || names_writer
}

/// The lines as one, in lower case, if they are short enough and end as an attribution does.
fn joined(lines: &[&str], at: usize, length: usize) -> Option<String> {
    let lines = lines.get(at..at + length)?;
    let short = lines.iter().map(|line| line.len()).sum::<usize>() <= LONGEST;
    if !short || lines.iter().any(|line| is_blank(line) || is_quoted(line)) {
        return None;
    }
    let line = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    // Zoho frames its line with dashes and leaves the colon out.
    let closed = line.ends_with([':', '：']) || line.ends_with("----");
    closed.then(|| line.trim_matches(['-', ' ', '*']).to_lowercase())
}

fn begins(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_digit())
        || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

fn ends_with_verb(line: &str) -> bool {
    let end = line.trim_end_matches([':', '：', ' ', '\u{a0}']);
    VERBS.iter().any(|verb| end.ends_with(verb))
}

fn has_verb(line: &str) -> bool {
    VERBS.iter().any(|verb| line.contains(verb))
}

fn has_digit(line: &str) -> bool {
    line.contains(|one: char| one.is_ascii_digit())
}

fn has_time_of_day(line: &str) -> bool {
    line.as_bytes()
        .windows(4)
        .any(|piece| matches!(piece, [b'0'..=b'9', b':' | b'.', b'0'..=b'5', b'0'..=b'9']))
}
