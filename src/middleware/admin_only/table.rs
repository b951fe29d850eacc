//! Which of the desk's routes are admin work: a default table, rows as an operator writes them, and whether a
//! request is in it. Who asks is not known here.

use http::Method;

use crate::web::path::{canonical, is_at_or_below};

/// What the desk's own admin pages call and no agent's page does. The desk checks the role in few of them
/// (observed: mail provider and templates, queues, webhooks, roles, server log, removal of users open to
/// every signed-in user; a forgotten password's six-digit code can be tried by every signed-in user).
pub const DESK: [&str; 18] = [
    "/api/v1/admin",
    "/api/v1/auth/admin",
    "/api/v1/auth/password-reset",
    "/api/v1/config",
    "/api/v1/data/logs",
    "/api/v1/email-queue",
    "/api/v1/email-queues",
    "/api/v1/role",
    "/api/v1/roles",
    "/api/v1/ticket/template",
    "/api/v1/ticket/templates",
    "/api/v1/user/new",
    "/api/v1/user/reset-password",
    "/api/v1/webhook",
    "/api/v1/webhooks",
    "DELETE /api/v1/auth/user",
    "POST /api/v1/auth/user/register",
    "PUT /api/v1/auth/user/role",
];

/// One row: a path and all below it, by any method or by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    method: Option<Method>,
    /// Canonical.
    base: String,
}

/// Why a text is no row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    #[error("`{0}` is no method such as `GET` or `DELETE`")]
    Method(String),
    #[error(transparent)]
    Path(#[from] crate::web::path::PathError),
    #[error("guarding `/` would guard the sign-in page too")]
    Everything,
}

impl RowError {
    /// What to write instead.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Method(_) | Self::Path(_) => "`/reports` or `DELETE /api/v1/clients`",
            Self::Everything => "list the paths below it",
        }
    }
}

impl Row {
    /// Reads `/path` or `METHOD /path`.
    ///
    /// # Errors
    /// When the method is none that clients send, or the path could be read in two ways.
    pub fn read(text: &str) -> Result<Self, RowError> {
        let (method, path) = match text.split_once(' ') {
            None => (None, text),
            Some((method, path)) => (Some(read_method(method)?), path.trim_start()),
        };
        let path = canonical(path, &[])?.text(path).to_owned();
        if path == "/" {
            return Err(RowError::Everything);
        }
        Ok(Self { method, base: path })
    }

    /// Whether a request for the canonical `path` is admin work. The desk answers HEAD as it does GET.
    pub fn covers(&self, method: &Method, path: &str) -> bool {
        let asked = if *method == Method::HEAD { &Method::GET } else { method };
        self.method.as_ref().is_none_or(|own| own == asked) && is_at_or_below(path, &self.base)
    }
}

fn read_method(text: &str) -> Result<Method, RowError> {
    const KNOWN: [Method; 6] =
        [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let known = KNOWN.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text));
    known.ok_or_else(|| RowError::Method(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_row_can_be_read() {
        for row in DESK {
            assert!(Row::read(row).is_ok(), "{row}");
        }
    }

    #[test]
    fn a_row_covers_its_path_below_it_and_its_method() {
        let table = [
            ("/x", "GET", "/x", true),
            ("/X", "POST", "/x/y", true),
            ("/x/", "GET", "/x", true),
            ("/x", "GET", "/xy", false),
            ("DELETE /x", "DELETE", "/x/1", true),
            ("delete  /x", "DELETE", "/x/1", true),
            ("DELETE /x", "GET", "/x/1", false),
            ("GET /x", "HEAD", "/x", true),
        ];
        for (row, method, path, expected) in table {
            let covers = Row::read(row).expect(row).covers(&method.parse().expect("a method"), path);
            assert_eq!(covers, expected, "{row}: {method} {path}");
        }
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for text in ["", "x", "FETCH /x", "HEAD /x", "GET x", "/a//b", "/a/../b", "/%2e", "/", "GET /"] {
            assert!(Row::read(text).is_err(), "{text}");
        }
    }
}
