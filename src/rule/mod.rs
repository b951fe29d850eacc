//! Traefik's rule language: syntax with spans, matching, priority.
//!
//! Text → [`tokens`] → [`syntax`] (knows no matcher's name) → [`matcher`] (gives names their meaning) →
//! [`Rule`], which cannot be wrong and allocates nothing when it matches. Knows nothing of routers.

mod matcher;
mod syntax;
mod tokens;

use std::net::IpAddr;
use std::ops::Range;

use http::{HeaderMap, HeaderName, Method};

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

    /// As [`Rule::matches`], for a path that has a second spelling: every matcher holds if it holds for
    /// one of the two. So what a negation keeps out stays out in both spellings.
    pub fn matches_either(&self, subject: &Subject<'_>, other_path: &str) -> bool {
        let other = Subject { path: other_path, ..*subject };
        self.expression.holds(&|matcher| matcher.matches(subject) || matcher.matches(&other))
    }

    /// Whether a request for the host of `subject` could match, whatever else it says.
    pub fn could_accept_host(&self, subject: &Subject<'_>) -> bool {
        self.expression.could_be(true, &|matcher| matcher.is_about_host().then(|| matcher.matches(subject)))
    }

    /// Whether the rule looks at one of these headers.
    pub fn reads(&self, wanted: impl Fn(&HeaderName) -> bool) -> bool {
        self.expression.has(&|matcher| matcher.header().is_some_and(&wanted))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn holds<T>(rule: &str, host: &str, path: &str, ask: impl Fn(&Rule, &Subject<'_>) -> T) -> T {
        let subject = Subject {
            method: &Method::GET,
            host,
            path,
            query: None,
            headers: &HeaderMap::new(),
            peer: IpAddr::from([192, 0, 2, 1]),
        };
        ask(&Rule::parse(rule).expect("a rule"), &subject)
    }

    #[test]
    fn a_host_that_no_other_matcher_could_save_is_told() {
        for (rule, accepted) in [
            ("Host(`a`)", true),
            ("Host(`b`)", false),
            ("Host(`b`) || Host(`a`)", true),
            ("Host(`b`) && PathPrefix(`/`)", false),
            ("Host(`b`) || PathPrefix(`/`)", true),
            ("PathPrefix(`/`)", true),
            ("!Host(`a`)", false),
            ("!Host(`b`) && Method(`GET`)", true),
            ("!(Host(`a`) && Method(`GET`))", true),
            ("!(Host(`a`) || Method(`GET`))", false),
            ("HostRegexp(`^b$`)", false),
            ("HostRegexp(`^[ab]$`)", true),
        ] {
            assert_eq!(holds(rule, "a", "/", Rule::could_accept_host), accepted, "{rule}");
        }
    }

    #[test]
    fn two_spellings_widen_what_is_let_in_and_what_is_kept_out() {
        let either = |rule, original, canonical: &str| {
            holds(rule, "a", original, |rule, subject| rule.matches_either(subject, canonical))
        };
        assert!(either("PathPrefix(`/API`)", "/API/x", "/api/x"));
        assert!(either("PathPrefix(`/api`)", "/API/x", "/api/x"));
        assert!(either("PathPrefix(`/de`)", "/de/x", "/x"));
        assert!(!either("PathPrefix(`/`) && !PathPrefix(`/admin`)", "/ADMIN", "/admin"));
        assert!(!either("PathPrefix(`/`) && !PathPrefix(`/de/admin`)", "/de/admin", "/admin"));
    }
}
