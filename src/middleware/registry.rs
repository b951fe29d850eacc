//! Which key in YAML makes which middleware.

use std::sync::Arc;

use serde::Deserialize;

use super::Middleware;

/// Where in the file something stands; 1-based.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

/// A value that parses as YAML but cannot work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// Where the wrong value stands, when it is narrower than the whole middleware.
    pub place: Option<Place>,
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// What compiled middlewares are given from outside the YAML.
pub struct Parts {
    pub admins: Arc<crate::desk::admin::Admins>,
    /// `EXCHANGE_COOKIE_*`, or the strict default.
    pub cookies: crate::web::cookie::Hardening,
}

/// A compiled middleware and what was odd about its YAML.
pub struct Compiled {
    pub runs: Arc<dyn Middleware>,
    pub warnings: Vec<SpecError>,
}

/// The value of one entry under `http.middlewares`: exactly one known key.
#[derive(Debug, Clone, Deserialize)]
pub enum MiddlewareSpec {}

impl MiddlewareSpec {
    /// The key as written in YAML: `ipAllowList`, `plugin.adminOnly`.
    pub fn key(&self) -> &'static str {
        match *self {}
    }

    /// Names of the members if this is a `chain`, which has no runtime form of its own.
    pub fn chain(&self) -> Option<&[String]> {
        match *self {}
    }

    /// Checks the values; all problems at once. Not called for a chain.
    pub fn compile(&self, _parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        match *self {}
    }
}
