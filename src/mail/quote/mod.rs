//! The new part of a reply: without what it quotes and without the signature. Works on text alone;
//! when in doubt a line stays, for a quote too many is read over and a lost sentence is lost.

mod attribution;
mod disclaimer;
mod separator;
mod signature;

/// Rounds of taking quotes and signatures off the end; more alternations are no mail.
const ROUNDS: usize = 10;

/// What the writer added; the whole text when nothing else would be left. Answers written between
/// quoted lines keep those lines.
pub fn reply(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept = &lines[..separator::position(&lines).unwrap_or(lines.len())];
    for _ in 0..ROUNDS {
        let shorter = without_end(kept);
        if shorter.len() == kept.len() {
            break;
        }
        kept = shorter;
    }
    joined(without_beginning(kept))
}

/// Whether this is the beginning of a mail that is passed on, as clients mark it.
pub(super) fn begins_forward(text: &str) -> bool {
    text.lines().find(|line| !is_blank(line)).is_some_and(|line| separator::is_forwarded(line.trim()))
}

fn joined(lines: &[&str]) -> String {
    lines.join("\n").trim_matches(['\n', ' ', '\t', '\r']).to_owned()
}

fn without_end<'a, 't>(lines: &'a [&'t str]) -> &'a [&'t str] {
    let lines = &lines[..end_of_text(lines)];
    let shorter = [quote_start(lines), signature::position(lines), disclaimer::position(lines)];
    let shorter = shorter.into_iter().flatten().min();
    match shorter {
        Some(end) if lines[..end].iter().any(|line| !is_blank(line)) => &lines[..end],
        _ => lines,
    }
}

/// Where the quote at the end begins, the line that announces it included.
fn quote_start(lines: &[&str]) -> Option<usize> {
    let last = lines.last()?;
    if last.starts_with('|') {
        return barred_quote_start(lines);
    }
    if !is_quoted(last) {
        return None;
    }
    let quote = (0..lines.len()).rfind(|&at| !belongs_to_quote(lines, at)).map_or(0, |at| at + 1);
    Some(attribution::ending_at(lines, quote).unwrap_or(quote))
}

fn belongs_to_quote(lines: &[&str], at: usize) -> bool {
    is_blank(lines[at]) || is_quoted(lines[at]) || is_wrapped_quote(lines, at)
}

/// The end of a quoted line that a server broke: directly between quoted lines, the upper of which is as
/// long as lines get.
fn is_wrapped_quote(lines: &[&str], at: usize) -> bool {
    const AS_LONG_AS_LINES_GET: usize = 68;
    let upper = at.checked_sub(1).map(|above| lines[above]);
    upper.is_some_and(|line| is_quoted(line) && line.chars().count() >= AS_LONG_AS_LINES_GET)
        && lines.get(at + 1).is_some_and(|line| is_quoted(line))
}

/// Some programs mark quotes with bars. So do tables: only below a line that names an address and a date.
fn barred_quote_start(lines: &[&str]) -> Option<usize> {
    let above = lines.iter().rposition(|line| !line.starts_with('|') && !is_blank(line))?;
    let line = lines[above];
    let announced =
        line.len() <= 200 && line.contains('@') && line.contains(|one: char| one.is_ascii_digit());
    announced.then_some(above)
}

/// A quote on top that is announced as one, with the answer below it, is taken off when it is the only one.
/// An announcement of nothing that is marked says nothing.
fn without_beginning<'a, 't>(lines: &'a [&'t str]) -> &'a [&'t str] {
    let Some(first) = lines.iter().position(|line| !is_blank(line)) else { return lines };
    let announced =
        attribution::length_at(lines, first).or_else(|| attribution::unmistakable_length(lines, first));
    let Some(announced) = announced else { return lines };
    let rest = &lines[first + announced..];
    let Some(start) = rest.iter().position(|line| !is_blank(line)) else { return lines };
    if !is_quoted(rest[start]) {
        return rest;
    }
    let Some(length) = rest[start..].iter().position(|line| !is_quoted(line) && !is_blank(line)) else {
        return lines;
    };
    let answer = &rest[start + length..];
    if length == 0 || answer.iter().any(|line| is_quoted(line)) { lines } else { answer }
}

fn end_of_text(lines: &[&str]) -> usize {
    // Mail trackers leave a syllable mark at the end, signatures that were taken off their dash.
    let says_nothing = |line: &&str| matches!(line.trim(), "" | "ᐧ" | "—" | "–");
    lines.iter().rposition(|line| !says_nothing(line)).map_or(0, |last| last + 1)
}

/// `>` at the start, or the writer's initials before it as on Usenet. What wrapping leaves of an
/// attribution's end (`> wrote:`) is no quote.
fn is_quoted(line: &str) -> bool {
    let line = line.trim();
    let initials = line.find('>').is_some_and(|at| {
        (1..=3).contains(&at)
            && line[..at].bytes().all(|byte| byte.is_ascii_uppercase())
            && is_followed_by_space(line, at)
    });
    (line.starts_with('>') || initials) && !attribution::is_end(line)
}

fn is_followed_by_space(line: &str, at: usize) -> bool {
    line[at + 1..].is_empty() || line[at + 1..].starts_with(' ')
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

#[cfg(test)]
mod tests;
