//! What a request is for, as far as the shield treats it differently.
//!
//! Paths are canonical. Source: the desk's observed API and its web client's calls.

use http::Method;

use crate::web::own::is_own;
use crate::web::path::is_at_or_below;

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Its reply holds a token: the sign-in, or the API's part of a single sign-on.
    SignIn,
    /// Ends every session of `user` at the desk, whoever asks.
    SignOut {
        user: String,
    },
    OwnPassword,
    /// An admin sets the password of the user whose id stands in this field of the body.
    AnyPassword {
        field: &'static str,
    },
    /// Ends one of the caller's own sessions, by a row's id that no token shows.
    OwnSession,
    /// A new password by a code of six digits. The web client calls it without a token and is refused by the
    /// desk; with one, any signed-in user could try all codes.
    ForgottenPassword,
    UserRemoval {
        user: String,
    },
    /// The web client sends no token with these two.
    WithoutToken,
    Api,
    ServiceWorker,
    /// The gateway's own pages and JSON; the guard refuses who may not see them.
    Console,
    /// Anything else; the desk serves it to everybody.
    Page,
}

impl Place {
    pub fn of(method: &Method, path: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        if is_own(path) {
            return Self::Console;
        }
        if *method == Method::GET && path == "/sw.js" {
            return Self::ServiceWorker;
        }
        if !is_at_or_below(path, "/api") {
            return Self::Page;
        }
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (method.as_str(), segments.as_slice()) {
            ("POST", ["api", "v1", "auth", "login"])
            | ("GET", ["api", "v1", "auth", "oidc" | "oauth", "callback"]) => Self::SignIn,
            // By any method: the desk answers a HEAD by doing what the GET does.
            (_, ["api", "v1", "auth", "user", user, "logout"]) => Self::SignOut { user: (*user).to_owned() },
            ("POST", ["api", "v1", "auth", "reset-password"]) => Self::OwnPassword,
            ("POST", ["api", "v1", "auth", "admin", "reset-password"]) => Self::AnyPassword { field: "user" },
            ("PUT", ["api", "v1", "user", "reset-password"]) => Self::AnyPassword { field: "id" },
            ("DELETE", ["api", "v1", "auth", "sessions", _]) => Self::OwnSession,
            (_, ["api", "v1", "auth", "password-reset", ..]) => Self::ForgottenPassword,
            ("DELETE", ["api", "v1", "auth", "user", user]) => Self::UserRemoval { user: (*user).to_owned() },
            ("POST", ["api", "v1", "ticket", "public", "create"])
            | ("POST", ["api", "v1", "storage", "ticket", _, "upload", "single"]) => Self::WithoutToken,
            _ => Self::Api,
        }
    }

    /// Below `/api`: refusals are JSON, and nothing passes with half a session.
    pub fn is_api(&self) -> bool {
        !matches!(self, Self::ServiceWorker | Self::Console | Self::Page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_known_by_method_and_path() {
        let user = || "u1".to_owned();
        let table = [
            ("POST", "/api/v1/auth/login", Place::SignIn),
            ("POST", "/api/v1/auth/login/", Place::SignIn),
            ("GET", "/api/v1/auth/login", Place::Api),
            ("GET", "/api/v1/auth/oidc/callback", Place::SignIn),
            ("GET", "/api/v1/auth/oauth/callback", Place::SignIn),
            ("GET", "/api/v1/auth/user/u1/logout", Place::SignOut { user: user() }),
            ("HEAD", "/api/v1/auth/user/u1/logout", Place::SignOut { user: user() }),
            ("POST", "/api/v1/auth/reset-password", Place::OwnPassword),
            ("POST", "/api/v1/auth/admin/reset-password", Place::AnyPassword { field: "user" }),
            ("PUT", "/api/v1/user/reset-password", Place::AnyPassword { field: "id" }),
            ("POST", "/api/v1/auth/password-reset", Place::ForgottenPassword),
            ("POST", "/api/v1/auth/password-reset/password", Place::ForgottenPassword),
            ("DELETE", "/api/v1/auth/sessions/s1", Place::OwnSession),
            ("GET", "/api/v1/auth/sessions", Place::Api),
            ("DELETE", "/api/v1/auth/user/u1", Place::UserRemoval { user: user() }),
            ("POST", "/api/v1/ticket/public/create", Place::WithoutToken),
            ("POST", "/api/v1/storage/ticket/t1/upload/single", Place::WithoutToken),
            ("GET", "/api/v1/ticket/public/create", Place::Api),
            ("GET", "/api/v1/tickets/all", Place::Api),
            ("GET", "/api", Place::Api),
            ("GET", "/apis", Place::Page),
            ("GET", "/sw.js", Place::ServiceWorker),
            ("POST", "/sw.js", Place::Page),
            ("GET", "/admin/exchange", Place::Console),
            ("POST", "/admin/exchange/connect", Place::Console),
            ("GET", "/api/v1/exchange/connections", Place::Console),
            ("POST", "/api/tickets/email-settings/detect", Place::Console),
            ("GET", "/api/v1/exchanges", Place::Api),
            ("GET", "/admin/smtp", Place::Page),
            ("GET", "/", Place::Page),
        ];
        for (method, path, expected) in table {
            let method = method.parse().expect("a method");
            assert_eq!(Place::of(&method, path), expected, "{method} {path}");
        }
    }
}
