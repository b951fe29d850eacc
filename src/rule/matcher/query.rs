//! `Query` and `QueryRegexp`: one parameter's decoded values. With one argument both ask for a
//! parameter without a value.

use std::borrow::Cow;

use regex::bytes::Regex;
use url::form_urlencoded;

use crate::rule::matcher::{Matcher, pattern};
use crate::rule::syntax::Argument;
use crate::rule::{RuleError, Subject};

#[derive(Debug)]
struct Query {
    key: String,
    value: String,
}

#[derive(Debug)]
struct QueryRegexp {
    key: String,
    value: Regex,
}

pub fn exact(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    let value = arguments.get(1).map(|argument| argument.text.clone());
    Ok(Box::new(Query { key: arguments[0].text.clone(), value: value.unwrap_or_default() }))
}

pub fn pattern(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    let Some(value) = arguments.get(1) else { return exact(arguments) };
    Ok(Box::new(QueryRegexp { key: arguments[0].text.clone(), value: pattern::compile(value)? }))
}

/// The decoded parameters as Traefik sees them: parted by semicolons too, and one with a broken escape does
/// not count.
fn parameters<'s>(subject: &Subject<'s>) -> impl Iterator<Item = (Cow<'s, str>, Cow<'s, str>)> {
    let pairs = subject.query.unwrap_or("").split(['&', ';']);
    pairs.filter(|pair| is_readable(pair)).flat_map(|pair| form_urlencoded::parse(pair.as_bytes()))
}

fn is_readable(pair: &str) -> bool {
    let bytes = pair.as_bytes();
    let escape_holds = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        bytes[at] != b'%' || digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    (0..bytes.len()).all(escape_holds)
}

impl Matcher for Query {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        parameters(subject).any(|(key, value)| key == self.key && value == self.value)
    }
}

impl Matcher for QueryRegexp {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        parameters(subject).any(|(key, value)| key == self.key && self.value.is_match(value.as_bytes()))
    }
}
