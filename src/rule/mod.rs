//! Traefik's rule language: syntax with spans, matching, priority.
//!
//! Text → [`tokens`] → [`syntax`] (knows no matcher's name) → [`matcher`] (gives names their meaning) →
//! [`Rule`], which cannot be wrong and allocates nothing when it matches. Knows nothing of routers.

mod matcher;
mod syntax;
mod tokens;

use std::net::IpAddr;
use std::ops::Range;

use http::{HeaderMap, Method};

pub use matcher::pattern::{PatternError, read as read_pattern};

use matcher::Matcher;
use syntax::Expression;

/// What a rule is matched against. `host` is lower case, without port and trailing dot; `path` is the
/// routing path as Traefik defines it; `peer` is what `ClientIP` compares.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub method: &'a Method,
    pub host: &'a str,
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    pub peer: IpAddr,
}

/// A rule that cannot be read: where in its text (bytes), what is wrong, what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RuleError {
    pub span: Range<usize>,
    pub message: String,
    /// The nearest known name, or what was expected.
    pub hint: Option<String>,
}

impl RuleError {
    fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    text: String,
    expression: Expression<Box<dyn Matcher>>,
}

impl Rule {
    /// Reads a rule such as ``Host(`desk.example.com`) && PathPrefix(`/api`)``.
    ///
    /// # Errors
    /// The first thing in `text` that is no rule, with its place.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let expression = syntax::parse(text)?.resolve(&mut matcher::compile)?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// Whether the rule holds for `subject`.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.expression.holds(&|matcher| matcher.matches(subject))
    }

    /// Priority of a router that names none: the length of the rule in bytes, as written.
    pub fn default_priority(&self) -> i64 {
        i64::try_from(self.text.len()).unwrap_or(i64::MAX)
    }

    /// The rule as written.
    pub fn text(&self) -> &str {
        &self.text
    }
}
