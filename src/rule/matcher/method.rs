//! `Method`: the argument in upper case, the request's method exactly as sent.

use crate::rule::matcher::Matcher;
use crate::rule::syntax::Argument;
use crate::rule::{RuleError, Subject};

#[derive(Debug)]
struct Exact(String);

pub fn exact(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    Ok(Box::new(Exact(arguments[0].text.to_ascii_uppercase())))
}

impl Matcher for Exact {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        subject.method.as_str() == self.0
    }
}
