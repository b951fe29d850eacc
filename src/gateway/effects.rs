//! What others want to know about requests that went through to the desk: an agent wrote something, or
//! somebody's rights may have changed.
//!
//! Only hints; the truth is asked from the desk. Source of the paths: the desk's observed API.

use http::{Method, StatusCode};

/// What a good answer to such a request hints at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A ticket has a new comment or another state.
    Written,
    /// A session ended, or a user's role changed.
    Rights,
}

/// `path` is canonical.
pub fn of(method: &Method, path: &str, status: StatusCode) -> Option<Effect> {
    let api = path.strip_prefix("/api/v1/").filter(|_| status.is_success())?;
    let writing = matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    if writing && api.starts_with("ticket/") {
        return Some(Effect::Written);
    }
    let ends_session = api.starts_with("auth/") && api.ends_with("/logout");
    let changes_user = writing
        && api != "auth/login"
        && ["auth/", "user/", "users/", "role/"].iter().any(|area| api.starts_with(area));
    (ends_session || changes_user).then_some(Effect::Rights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(method: Method, path: &str) -> Option<Effect> {
        of(&method, path, StatusCode::OK)
    }

    #[test]
    fn an_agents_writing_is_noticed() {
        assert_eq!(hint(Method::POST, "/api/v1/ticket/comment"), Some(Effect::Written));
        assert_eq!(hint(Method::PUT, "/api/v1/ticket/status/update"), Some(Effect::Written));
        assert_eq!(hint(Method::GET, "/api/v1/ticket/1"), None);
    }

    #[test]
    fn a_change_of_rights_is_noticed() {
        assert_eq!(hint(Method::PUT, "/api/v1/auth/user/role"), Some(Effect::Rights));
        assert_eq!(hint(Method::GET, "/api/v1/auth/user/1/logout"), Some(Effect::Rights));
        assert_eq!(hint(Method::POST, "/api/v1/auth/login"), None);
        assert_eq!(hint(Method::GET, "/api/v1/auth/profile"), None);
    }

    #[test]
    fn what_was_refused_changed_nothing() {
        assert_eq!(of(&Method::POST, "/api/v1/ticket/comment", StatusCode::FORBIDDEN), None);
    }
}
