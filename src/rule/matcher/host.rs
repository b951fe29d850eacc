//! `Host` and `HostRegexp`: the host the client asked for, without its port, in lower case.

use regex::bytes::Regex;

use crate::rule::matcher::{Matcher, pattern};
use crate::rule::syntax::Argument;
use crate::rule::{RuleError, Subject};

#[derive(Debug)]
enum Host {
    /// `*`.
    Every,
    /// `*.example.com`, kept as `.example.com`: exactly one label more.
    OneLabelBelow(String),
    Exact(String),
}

#[derive(Debug)]
struct HostRegexp(Regex);

pub fn exact(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    let text = ascii(&arguments[0])?.to_ascii_lowercase();
    let text = text.strip_suffix('.').unwrap_or(&text);
    let host = match text.strip_prefix('*') {
        Some("") => Host::Every,
        Some(below) if below.starts_with('.') => Host::OneLabelBelow(below.to_owned()),
        _ => Host::Exact(without_brackets(text).to_owned()),
    };
    Ok(Box::new(host))
}

pub fn pattern(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    ascii(&arguments[0])?;
    Ok(Box::new(HostRegexp(pattern::compile(&arguments[0])?)))
}

fn ascii(argument: &Argument) -> Result<&str, RuleError> {
    if argument.text.is_ascii() {
        return Ok(&argument.text);
    }
    let message = "host names in rules are ASCII";
    Err(RuleError::new(argument.span.clone(), message).hint("the name's xn-- form"))
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
}

impl Matcher for Host {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Every => true,
            Self::Exact(host) => without_brackets(subject.host) == host,
            Self::OneLabelBelow(below) => subject
                .host
                .strip_suffix(below.as_str())
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
        }
    }

    fn is_about_host(&self) -> bool {
        true
    }
}

impl Matcher for HostRegexp {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        self.0.is_match(without_brackets(subject.host).as_bytes())
    }

    fn is_about_host(&self) -> bool {
        true
    }
}
