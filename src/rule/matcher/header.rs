//! `Header` and `HeaderRegexp`: any line of a name, its value as sent.
//!
//! `Host` is no header to them, as in Traefik: HTTP/2 has none, and its spellings are `Host()`'s business.

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
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

fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h HeaderValue> {
    let lines = (*name != HOST).then(|| headers.get_all(name).iter());
    lines.into_iter().flatten()
}

fn name(argument: &Argument) -> Result<HeaderName, RuleError> {
    let refused = |_| RuleError::new(argument.span.clone(), "this is no header name");
    HeaderName::from_bytes(argument.text.as_bytes()).map_err(refused)
}

impl Matcher for Header {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        lines(subject.headers, &self.name).any(|value| value.as_bytes() == self.value.as_bytes())
    }

    fn header(&self) -> Option<&HeaderName> {
        Some(&self.name)
    }
}

impl Matcher for HeaderRegexp {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        lines(subject.headers, &self.name).any(|value| self.value.is_match(value.as_bytes()))
    }

    fn header(&self) -> Option<&HeaderName> {
        Some(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::Method;

    use super::*;
    use crate::rule::Rule;

    fn holds(rule: &str, name: &'static str) -> bool {
        let headers: HeaderMap =
            [(HeaderName::from_static(name), HeaderValue::from_static("a.test"))].into_iter().collect();
        let subject = Subject {
            method: &Method::GET,
            host: "a.test",
            path: "/",
            query: None,
            headers: &headers,
            peer: IpAddr::from([192, 0, 2, 1]),
        };
        Rule::parse(rule).expect(rule).matches(&subject)
    }

    #[test]
    fn the_host_line_is_no_header() {
        assert!(holds("Header(`X-A`, `a.test`)", "x-a") && holds("HeaderRegexp(`X-A`, `^a`)", "x-a"));
        assert!(!holds("Header(`Host`, `a.test`)", "host") && !holds("HeaderRegexp(`Host`, `.`)", "host"));
        assert!(holds("!Header(`host`, `a.test`)", "host"));
    }
}
