//! Traefik's rule language: syntax with spans, matching, priority.

use std::net::IpAddr;
use std::ops::Range;

use http::{HeaderMap, Method};

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

/// A compiled rule.
pub struct Rule {}
