//! The line above a quote that tells who wrote it and when, in the languages mail clients speak.

use super::{is_blank, is_quoted};

/// Longer than this is a sentence of the writer's.
const LONGEST: usize = 300;
/// Clients wrap the line after 70 or so characters.
const MOST_LINES: usize = 3;

/// The word for "wrote", somewhere in the line.
const VERBS: [&str; 47] = [
    "wrote",
    "writes",
    "schrieb",
    "geschrieben",
    "écrit",
    "escribió",
    "escribio",
    "escreveu",
    "ha scritto",
    "schreef",
    "geschreven",
    "napisał",
    "napisao",
    "napísal",
    "pisze",
    "skrev",
    "skrifaði",
    "napsal",
    "пишет",
    "пише",
    "написа",
    "kirjoitti",
    "kirjutas",
    "rašė",
    "rakstīja",
    "yazdı",
    "şunu yazdı",
    "írta",
    "a scris",
    "έγραψε",
    "va escriure",
    "idatzi du",
    "đã viết",
    "menulis",
    "のメール",
    "が書きました",
    "写道",
    "寫道",
    "撰寫",
    "작성",
    "썼습니다",
    "כתב",
    "كتب",
    "เขียน",
    "napisana przez",
    "napisala",
    "missatge de",
];

/// How such a line begins when it begins with the date.
const BEGINNINGS: [&str; 19] = [
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
    "pada ",
    "ons ",
    "у ",
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
    unmistakable_length(lines, at).is_some()
}

/// How many lines such a clear attribution takes.
pub(super) fn unmistakable_length(lines: &[&str], at: usize) -> Option<usize> {
    (1..=MOST_LINES)
        .find(|&length| {
            belongs_together(lines, at, length)
                && joined(lines, at, length).is_some_and(|line| line.is_unmistakable())
        })
        .or_else(|| spread(lines, at))
}

/// One that lies in pieces, each on a line of its own with empty lines between: a page's link, laid out.
fn spread(lines: &[&str], at: usize) -> Option<usize> {
    let first = lines.get(at)?.to_lowercase();
    if first.len() > LONGEST || !begins(&first) || !has_time_of_day(&first) {
        return None;
    }
    let pieces = lines.iter().enumerate().skip(at + 1).take(8).filter(|(_, line)| !is_blank(line));
    for (index, line) in pieces {
        let piece = line.trim().to_lowercase();
        if ends_with_verb(&piece) && piece.ends_with(':') {
            return Some(index + 1 - at);
        }
        if !piece.contains('@') && piece != "<" {
            return None;
        }
    }
    None
}

/// What wrapping leaves of an attribution: `>:`, `> wrote:`.
pub(super) fn is_end(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('>').and_then(|rest| rest.strip_suffix([':', '：'])) else {
        return false;
    };
    let word = rest.trim().to_lowercase();
    word.is_empty() || (rest.len() <= 25 && VERBS.contains(&word.as_str()))
}

/// Enough for a line with a `>` quote below it.
fn announces(lines: &[&str], at: usize, length: usize) -> bool {
    belongs_together(lines, at, length)
        && joined(lines, at, length).is_some_and(|line| {
            let plausible = has_verb(&line.text) || (line.text.contains('@') && has_digit(&line.text));
            (line.closed && plausible) || is_dated_address(&line.text)
        })
}

/// Two or three lines are one attribution only if the first looks like its beginning: else the writer's
/// own last line would go with it.
fn belongs_together(lines: &[&str], at: usize, length: usize) -> bool {
    let Some(first) = lines.get(at) else { return false };
    let first = first.trim().trim_start_matches(['-', '*', ' ']).to_lowercase();
    let names_writer = first.contains('<') && first.contains('@') && has_verb(&first);
    let dated = has_time_of_day(&first) && digits(&first) >= 6;
    length == 1 || begins(&first) || names_writer || dated
}

/// What may be an attribution, as one line in lower case.
struct Line {
    text: String,
    /// It ends as an attribution does.
    closed: bool,
}

impl Line {
    fn is_unmistakable(&self) -> bool {
        let Self { text, closed } = self;
        let timed = has_time_of_day(text);
        let dated = timed && digits(text) >= 6;
        let address = text.contains('@') && text.contains(['<', '(']);
        // In English the verb is the last word: what follows it is a sentence's object.
        let sentence = text.contains("wrote ") && !address;
        let told = has_verb(text)
            && !sentence
            && ((begins(text) && timed) || dated || (address && (has_digit(text) || ends_with_verb(text))));
        let bare = dated && ends_with_address(text);
        let open = begins(text)
            && timed
            && address
            && (ends_with_verb(text) || (has_verb(text) && text.ends_with('>')));
        (*closed && (told || bare)) || open || is_stamp(text)
    }
}

/// `2016-03-03 17:21 GMT+01:00 Some One`: what Gmail wrote in languages it had no sentence for.
fn is_stamp(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let (Some(date), Some(time), Some(zone)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    let is_date =
        date.len() == 10 && date.bytes().filter(|&byte| byte == b'-').count() == 2 && digits(date) == 8;
    is_date && has_time_of_day(time) && zone.starts_with("gmt") && (1..=5).contains(&words.count())
}

/// `2011/4/7 Some One <one@x.example>`: the same in Gmail's first years, without a time.
fn is_dated_address(text: &str) -> bool {
    let date = text.split_whitespace().next().unwrap_or_default();
    let is_date =
        digits(date) >= 6 && date.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'/' | b'-' | b'.'));
    is_date && text.ends_with('>') && ends_with_address(text)
}

/// The lines as one, if they are short enough.
fn joined(lines: &[&str], at: usize, length: usize) -> Option<Line> {
    let lines = lines.get(at..at + length)?;
    let short = lines.iter().map(|line| line.len()).sum::<usize>() <= LONGEST;
    if !short || lines.iter().any(|line| is_blank(line) || is_quoted(line)) {
        return None;
    }
    let line = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let line = line.replace(is_direction, "");
    // Zoho frames its line with dashes and leaves the colon out.
    let closed = line.ends_with([':', '：']) || line.ends_with("----");
    Some(Line { text: line.trim_matches(['-', ' ', '*']).to_lowercase(), closed })
}

/// Marks that only say which way text runs.
fn is_direction(one: char) -> bool {
    matches!(one, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn ends_with_address(line: &str) -> bool {
    let end = line.trim_end_matches([':', '：', ' ']);
    let last = end.rsplit(' ').next().unwrap_or(end);
    last.contains('@') && (last.ends_with('>') || !last.contains(['<', '"', '(']))
}

fn begins(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_digit())
        || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

/// A date with the time of day.
pub(super) fn is_moment(text: &str) -> bool {
    let text = text.replace(is_direction, "");
    has_time_of_day(&text) && digits(&text) >= 6
}

fn digits(line: &str) -> usize {
    line.bytes().filter(u8::is_ascii_digit).count()
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
