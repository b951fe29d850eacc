//! `Path`, `PathPrefix` and `PathRegexp`: the routing path, case-sensitive.
//!
//! `PathPrefix` is a plain prefix of the text, as in Traefik: `/products` also matches
//! `/products-for-sale`.

use regex::bytes::Regex;

use crate::rule::matcher::{Matcher, pattern};
use crate::rule::syntax::Argument;
use crate::rule::{RuleError, Subject};

#[derive(Debug)]
struct Path(String);

#[derive(Debug)]
struct PathPrefix(String);

#[derive(Debug)]
struct PathRegexp(Regex);

pub fn exact(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    Ok(Box::new(Path(absolute(&arguments[0])?)))
}

pub fn prefix(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    Ok(Box::new(PathPrefix(absolute(&arguments[0])?)))
}

pub fn pattern(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    Ok(Box::new(PathRegexp(pattern::compile(&arguments[0])?)))
}

fn absolute(argument: &Argument) -> Result<String, RuleError> {
    if argument.text.starts_with('/') {
        return Ok(argument.text.clone());
    }
    let error = RuleError::new(argument.span.clone(), "a path starts with a slash");
    Err(error.hint(format!("`/{}`", argument.text)))
}

impl Matcher for Path {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        subject.path == self.0
    }
}

impl Matcher for PathPrefix {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        subject.path.starts_with(&self.0)
    }
}

impl Matcher for PathRegexp {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        self.0.is_match(subject.path.as_bytes())
    }
}
