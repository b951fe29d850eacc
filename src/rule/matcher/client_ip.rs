//! `ClientIP`: the peer's address. X-Forwarded-For never counts here.

use ipnet::IpNet;

use crate::base::address::{canonical, parse_network};
use crate::rule::matcher::Matcher;
use crate::rule::syntax::Argument;
use crate::rule::{RuleError, Subject};

#[derive(Debug)]
struct Within(IpNet);

pub fn within(arguments: &[Argument]) -> Result<Box<dyn Matcher>, RuleError> {
    let argument = &arguments[0];
    let network = parse_network(&argument.text);
    let network = network.map_err(|error| RuleError::new(argument.span.clone(), error.to_string()))?;
    Ok(Box::new(Within(network.range)))
}

impl Matcher for Within {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        self.0.contains(&canonical(subject.peer))
    }
}
