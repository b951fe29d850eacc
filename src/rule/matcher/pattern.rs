//! Regular expressions as Go's RE2 reads them, for Rust's `regex`.
//!
//! Where both accept a text but mean different things, Go's meaning holds: `\d`, `\w`, `\s` and `\b` are
//! ASCII, a `{` that opens no repetition is itself, and inside a class `[`, `&&` and `~~` are plain
//! characters (re2 wiki, "Syntax").

use std::iter::Peekable;
use std::str::Chars;

use regex::bytes::{Regex, RegexBuilder};

use crate::rule::RuleError;
use crate::rule::syntax::Argument;

/// Compiled size, in bytes; what a rule needs is far below.
const LARGEST: usize = 1 << 20;

/// A text that Go would not accept as a regular expression either, or that is too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no regular expression: {reason}")]
pub struct PatternError {
    /// In the words of the regex library, in one line.
    pub reason: String,
}

/// Compiles Go's regular expression `text`; unanchored.
pub fn read(text: &str) -> Result<Regex, PatternError> {
    let refused = |error: regex::Error| {
        let whole = error.to_string();
        let reason = whole.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
        PatternError { reason }
    };
    RegexBuilder::new(&from_go(text)).size_limit(LARGEST).build().map_err(refused)
}

/// Compiles a matcher's argument.
pub fn compile(argument: &Argument) -> Result<Regex, RuleError> {
    read(&argument.text).map_err(|error| RuleError::new(argument.span.clone(), error.to_string()))
}

/// `pattern` in Rust's syntax.
fn from_go(pattern: &str) -> String {
    let mut rest = pattern.chars().peekable();
    let mut translated = String::with_capacity(pattern.len() + 8);
    while let Some(character) = rest.next() {
        match character {
            '\\' => escape(&mut rest, Place::Outside, &mut translated),
            '[' => class(&mut rest, &mut translated),
            '{' if !opens_repetition(rest.clone()) => translated.push_str("\\{"),
            '{' => {
                translated.push('{');
                copy_through(&mut rest, '}', &mut translated);
            }
            '}' => translated.push_str("\\}"),
            other => translated.push(other),
        }
    }
    translated
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    InClass,
}

fn escape(rest: &mut Peekable<Chars<'_>>, place: Place, translated: &mut String) {
    let Some(kind) = rest.next() else { return translated.push('\\') };
    match (kind, place) {
        ('d', Place::InClass) => translated.push_str("0-9"),
        ('w', Place::InClass) => translated.push_str("0-9A-Za-z_"),
        ('s', Place::InClass) => translated.push_str("\\t\\n\\f\\r "),
        ('d', Place::Outside) => translated.push_str("[0-9]"),
        ('w', Place::Outside) => translated.push_str("[0-9A-Za-z_]"),
        ('s', Place::Outside) => translated.push_str("[\\t\\n\\f\\r ]"),
        ('D', _) => translated.push_str("[^0-9]"),
        ('W', _) => translated.push_str("[^0-9A-Za-z_]"),
        ('S', _) => translated.push_str("[^\\t\\n\\f\\r ]"),
        ('b', Place::Outside) => translated.push_str("(?-u:\\b)"),
        ('B', Place::Outside) => translated.push_str("(?-u:\\B)"),
        // Rust reads these as the start and the end of a word.
        ('<' | '>', _) => translated.push(kind),
        ('Q', Place::Outside) => quoted(rest, translated),
        ('0'..='7', _) => octal(kind, rest, translated),
        ('x' | 'p' | 'P', _) => {
            translated.extend(['\\', kind]);
            if rest.next_if_eq(&'{').is_some() {
                translated.push('{');
                copy_through(rest, '}', translated);
            }
        }
        _ => translated.extend(['\\', kind]),
    }
}

/// `\012` and `\123` are characters; `\1` alone refers back, which neither of the two libraries does.
fn octal(first: char, rest: &mut Peekable<Chars<'_>>, translated: &mut String) {
    let is_octal = |digit: &char| digit.is_digit(8);
    if first != '0' && !rest.peek().is_some_and(is_octal) {
        return translated.extend(['\\', first]);
    }
    let mut code = first.to_digit(8).unwrap_or(0);
    for _ in 0..2 {
        let Some(digit) = rest.next_if(is_octal) else { break };
        code = code * 8 + digit.to_digit(8).unwrap_or(0);
    }
    translated.push_str(&format!("\\x{{{code:X}}}"));
}

/// `\Q…\E`: everything in between as it is.
fn quoted(rest: &mut Peekable<Chars<'_>>, translated: &mut String) {
    while let Some(character) = rest.next() {
        if character == '\\' && rest.next_if_eq(&'E').is_some() {
            return;
        }
        translated.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
    }
}

/// What follows `[` up to its `]`.
fn class(rest: &mut Peekable<Chars<'_>>, translated: &mut String) {
    translated.push('[');
    if rest.next_if_eq(&'^').is_some() {
        translated.push('^');
    }
    if rest.next_if_eq(&']').is_some() {
        translated.push_str("\\]");
    }
    while let Some(character) = rest.next() {
        match character {
            ']' => return translated.push(']'),
            '\\' => escape(rest, Place::InClass, translated),
            '[' if rest.peek() == Some(&':') => {
                translated.push('[');
                copy_through(rest, ']', translated);
            }
            '[' | '&' | '~' => translated.extend(['\\', character]),
            other => translated.push(other),
        }
    }
}

fn copy_through(rest: &mut Peekable<Chars<'_>>, last: char, translated: &mut String) {
    for character in rest.by_ref() {
        translated.push(character);
        if character == last {
            return;
        }
    }
}

/// Whether `{` is followed by `n}`, `n,}` or `n,m}`.
fn opens_repetition(mut rest: Peekable<Chars<'_>>) -> bool {
    if !skip_digits(&mut rest) {
        return false;
    }
    if rest.next_if_eq(&',').is_some() {
        skip_digits(&mut rest);
    }
    rest.next() == Some('}')
}

/// Whether there was one at least.
fn skip_digits(rest: &mut Peekable<Chars<'_>>) -> bool {
    let mut any = false;
    while rest.next_if(char::is_ascii_digit).is_some() {
        any = true;
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let argument = Argument { text: pattern.to_owned(), span: 0..pattern.len() };
        compile(&argument).expect(pattern).is_match(text.as_bytes())
    }

    #[test]
    fn go_means_ascii() {
        for (pattern, text) in
            [(r"^\d$", "٣"), (r"^\w$", "é"), (r"^\s$", "\u{a0}"), (r"^[\d]$", "٣"), (r"^[\w-]$", "é")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [(r"^\D$", "٣"), (r"^[\W]$", "é"), (r"é\b", "é a"), (r"^[^\D]$", "3")] {
            let expected = pattern != r"é\b";
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_bare_brace_is_itself_and_a_repetition_is_one() {
        assert!(matches("/{path:(css|js)}", "/{path:css}"));
        assert!(!matches("/{path:(css|js)}", "/css"));
        assert!(matches("^a{2}$", "aa"));
        assert!(matches("^a{2,}b{1,2}$", "aaab"));
        assert!(matches("^a{,2}$", "a{,2}"));
        assert!(matches(r"^\x{41}\p{Lu}$", "AB"));
    }

    #[test]
    fn digits_after_a_backslash_are_a_character_in_octal() {
        assert!(matches(r"^\101\0[\060-\071]\1018$", "A\x005A8"));
        let back = Argument { text: r"(a)\1".to_owned(), span: 0..5 };
        assert!(compile(&back).is_err());
    }

    #[test]
    fn a_class_is_a_plain_list() {
        assert!(matches("^[[a]+$", "[a"));
        assert!(matches("^[a&&b]+$", "a&b"));
        assert!(matches("^[]a]+$", "]a"));
        assert!(matches("^[[:alpha:]~~]+$", "a~"));
        assert!(matches("^[^{}]+$", "ab"));
    }

    #[test]
    fn quoting_and_escaped_signs_are_literal() {
        assert!(matches(r"^\Qa.b{\E$", "a.b{"));
        assert!(!matches(r"^\Qa.b{\E$", "axb{"));
        assert!(matches(r"^\<\-\/\>$", "<-/>"));
    }

    #[test]
    fn a_huge_pattern_is_refused() {
        let argument = Argument { text: r"(\p{L}{1000}){1000}".to_owned(), span: 0..19 };
        assert!(compile(&argument).is_err());
    }
}
