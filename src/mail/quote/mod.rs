//! The new part of a reply: without what it quotes and without the signature. Works on text alone;
//! when in doubt a line stays, for a quote too many is read over and a lost sentence is lost.

mod attribution;
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

fn joined(lines: &[&str]) -> String {
    lines.join("\n").trim_matches(['\n', ' ', '\t', '\r']).to_owned()
}

fn without_end<'a, 't>(lines: &'a [&'t str]) -> &'a [&'t str] {
    let lines = &lines[..end_of_text(lines)];
    let shorter = [quote_start(lines), signature::position(lines)].into_iter().flatten().min();
    match shorter {
        Some(end) if lines[..end].iter().any(|line| !is_blank(line)) => &lines[..end],
        _ => lines,
    }
}

/// Where the quote at the end begins, the line that announces it included.
fn quote_start(lines: &[&str]) -> Option<usize> {
    if !is_quoted(lines.last()?) {
        return None;
    }
    let quote = lines.iter().rposition(|line| !is_quoted(line) && !is_blank(line)).map_or(0, |at| at + 1);
    Some(attribution::ending_at(lines, quote).unwrap_or(quote))
}

/// A quote on top that is announced as one, with the answer below it, is taken off when it is the only one.
fn without_beginning<'a, 't>(lines: &'a [&'t str]) -> &'a [&'t str] {
    let Some(first) = lines.iter().position(|line| !is_blank(line)) else { return lines };
    let Some(announced) = attribution::length_at(lines, first) else { return lines };
    let rest = &lines[first + announced..];
    let Some(start) = rest.iter().position(|line| !is_blank(line)) else { return lines };
    let Some(length) = rest[start..].iter().position(|line| !is_quoted(line) && !is_blank(line)) else {
        return lines;
    };
    let answer = &rest[start + length..];
    if length == 0 || answer.iter().any(|line| is_quoted(line)) { lines } else { answer }
}

fn end_of_text(lines: &[&str]) -> usize {
    lines.iter().rposition(|line| !is_blank(line)).map_or(0, |last| last + 1)
}

/// `>:` is what wrapping leaves of an attribution's end.
fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>') && line.trim() != ">:"
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

#[cfg(test)]
mod tests;
