//! Texts of other servers without what must not be told on: mail addresses, and whatever might be a token.
//!
//! A second net. What is secret never reaches a text in the first place; this is for what a stranger's server
//! puts into its own words.

use std::borrow::Cow;

/// Letters of a run from which on it may be a token.
const TOKEN: usize = 16;
/// The same for a run of letters alone: names of error codes are shorter.
const TOKEN_OF_LETTERS: usize = 32;

const ADDRESS: &str = "[address]";
const HIDDEN: &str = "[hidden]";

/// One line of at most `longest` characters.
pub fn redacted(text: &str, longest: usize) -> String {
    let whole = text.replace("%40", "@");
    let mut told = String::new();
    let mut rest = whole.as_str();
    while let Some(at) = rest.find('@') {
        let (before, behind) = (&rest[..at], &rest[at + 1..]);
        told.push_str(&without_tokens(&before[..local_part(before)]));
        told.push_str(ADDRESS);
        rest = &behind[domain(behind)..];
    }
    told.push_str(&without_tokens(rest));
    one_line(&told, longest)
}

/// Where the local part at the end of `before` begins; a quoted one (RFC 5321, section 4.1.2) with its quotes.
fn local_part(before: &str) -> usize {
    if let Some(inner) = before.strip_suffix('"') {
        return inner.rfind('"').unwrap_or(0);
    }
    let of_local = |one: char| one.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(one);
    before
        .rfind(|one| !of_local(one))
        .map_or(0, |end| end + before[end..].chars().next().map_or(1, char::len_utf8))
}

/// Where the domain at the start of `behind` ends; a literal in brackets too.
fn domain(behind: &str) -> usize {
    if behind.starts_with('[') {
        return behind.find(']').map_or(behind.len(), |end| end + 1);
    }
    let of_domain = |one: char| one.is_alphanumeric() || "-.@".contains(one);
    let end = behind.find(|one| !of_domain(one)).unwrap_or(behind.len());
    behind[..end].trim_end_matches('.').len()
}

fn without_tokens(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|one| !of_token(one)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        told.push_str(&hidden(run));
        let gap = behind.find(of_token).unwrap_or(behind.len());
        told.push_str(&behind[..gap]);
        rest = &behind[gap..];
    }
    told
}

/// The run up to where a token may begin: dots part what is told from it, and parts of a token from each other.
fn hidden(run: &str) -> Cow<'_, str> {
    let mut told = 0;
    for part in run.split('.') {
        if may_be_token(part) {
            return format!("{}{HIDDEN}", &run[..told]).into();
        }
        told += part.len() + 1;
    }
    run.into()
}

/// The letters of base64 in both spellings and of hexadecimal numbers, and the dots between them.
fn of_token(one: char) -> bool {
    one.is_ascii_alphanumeric() || "-_+/=~.".contains(one)
}

fn may_be_token(run: &str) -> bool {
    let has = |what: fn(&char) -> bool| run.chars().any(|one| what(&one));
    let mixed = has(char::is_ascii_digit) && has(|one| one.is_ascii_alphabetic());
    let letters = run.chars().filter(char::is_ascii_alphanumeric).count();
    (mixed && letters >= TOKEN) || longest_word(run) >= TOKEN_OF_LETTERS
}

fn longest_word(run: &str) -> usize {
    run.split(['/', '-', '_']).map(str::len).max().unwrap_or(0)
}

fn one_line(text: &str, longest: usize) -> String {
    let shown = |one: char| if one.is_control() { ' ' } else { one };
    let mut line: String = text.chars().map(shown).take(longest).collect();
    if text.chars().count() > longest {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        redacted(text, 200)
    }

    #[test]
    fn an_address_is_hidden_in_every_spelling() {
        for text in [
            "550 <ada.l+x@mail.example.org> unknown",
            "550 ada@example.org unknown",
            "550 \"Ada L\"@example.org unknown",
            "550 ada@[192.0.2.1] unknown",
            "550 ada%40example.org unknown",
            "550 jörg@bücher.example unknown",
            "550 a@b@example.org unknown",
        ] {
            let told = told(text);
            assert!(told.starts_with("550 ") && told.ends_with(" unknown"), "{told}");
            assert!(told.contains(ADDRESS) && !told.contains('@'), "{told}");
            assert!(!told.contains("ada") && !told.contains("Ada") && !told.contains("example"), "{told}");
        }
        assert_eq!(told("to ada@example.org."), "to [address].");
        assert_eq!(told("a @ b"), "a [address] b");
    }

    #[test]
    fn what_may_be_a_token_is_hidden() {
        for token in [
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiIwMDAwMDAwMyJ9.c2lnbmF0dXJl0",
            "0.AXoAu5kGk3-n1k+Qz/4J9Yp0a==",
            "d41d8cd98f00b204e9800998ecf8427e",
            "abcdefghijklmnopqrstuvwxyzabcdefgh",
        ] {
            let told = told(&format!("refused: Bearer {token} at once"));
            for part in token.split(['.', '/']).filter(|part| part.len() >= 8) {
                assert!(!told.contains(part), "{told}");
            }
            assert!(told.starts_with("refused: Bearer") && told.ends_with("at once"), "{told}");
        }
    }

    #[test]
    fn what_helps_is_kept() {
        for text in [
            "AADSTS7000222: the client secret has expired",
            "MailboxNotEnabledForRESTAPI",
            "connection to imap.example.org:993 refused (os error 111)",
            "the desk failed: open a ticket: 503",
            "https://graph.microsoft.com/v1.0/me: 401.",
            "2026-11-21T01:02:03Z",
        ] {
            assert_eq!(told(text), text);
        }
    }

    #[test]
    fn a_text_is_one_line_of_bounded_length() {
        assert_eq!(redacted("one\r\ntwo\0", 80), "one  two ");
        assert_eq!(redacted("abcdef", 4), "abc…");
        assert_eq!(redacted("äöü", 3), "äöü");
    }
}
