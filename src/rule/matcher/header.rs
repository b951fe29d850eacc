//! `Header` and `HeaderRegexp`: any line of a name, its value as sent.

use http::HeaderName;
use regex::bytes::Regex;

use crate::rule::matcher::{Matcher, pattern};
use crate::rule::syntax::Argument;
use crate::rule::{RuleError, Subject};

#[derive(Debug)]
struct Header {
    name: HeaderName,
    value: String,
}

#[derive(Debug)]
struct HeaderRegexp {
    name: HeaderName,
    value: Regex,
}

pub fn exact(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    Ok(Box::new(Header { name: name(&arguments[0])?, value: arguments[1].text.clone() }))
}

pub fn pattern(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    Ok(Box::new(HeaderRegexp { name: name(&arguments[0])?, value: pattern::compile(&arguments[1])? }))
}

fn name(argument: &Argument) -> Result<HeaderName, RuleError> {
    let refused = |_| RuleError::new(argument.span.clone(), "this is no header name");
    HeaderName::from_bytes(argument.text.as_bytes()).map_err(refused)
}

impl Matcher for Header {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        subject.headers.get_all(&self.name).iter().any(|value| value.as_bytes() == self.value.as_bytes())
    }

    fn header(&self) -> Option<&HeaderName> {
        Some(&self.name)
    }
}

impl Matcher for HeaderRegexp {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        subject.headers.get_all(&self.name).iter().any(|value| self.value.is_match(value.as_bytes()))
    }

    fn header(&self) -> Option<&HeaderName> {
        Some(&self.name)
    }
}
