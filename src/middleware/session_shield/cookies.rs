//! What a sign-in leaves in the browser: two cookies of the shield's, and what the desk's script is told in
//! place of its token.
//!
//! The script keeps what it is told in a cookie of its own. Where it may read nothing, that cookie's place is
//! taken by one that it can neither read nor write; it then sends the word of its language for "no token".

use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use serde::Deserialize;

use super::presented::{COOKIE_NAME, SCRIPT_COOKIE};
use super::sessions::Given;
use crate::base::secret::ExposeSecret;
use crate::web::answer::Answer;

/// What the desk's script, and so every script on its pages, may read of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScriptReads {
    /// Half of a session, which is none.
    #[default]
    Handle,
    Nothing,
}

/// What the script is told where it reads nothing. The browser does not let it keep the word.
const KEPT_AWAY: &str = "kept-by-the-gateway";

impl ScriptReads {
    /// The text that stands for the token in a sign-in's reply.
    pub fn told(self, given: &Given) -> &str {
        match self {
            Self::Handle => given.handle.expose_secret(),
            Self::Nothing => KEPT_AWAY,
        }
    }

    /// Sets a sign-in's cookies. `occupied`: the browser has a cookie already where the script will write,
    /// and it may be one that the script cannot replace.
    pub fn give(self, headers: &mut HeaderMap, given: &Given, occupied: bool) {
        append(headers, COOKIE_NAME, given.cookie.expose_secret(), "");
        match self {
            Self::Nothing => append(headers, SCRIPT_COOKIE, given.handle.expose_secret(), ""),
            Self::Handle if occupied => append(headers, SCRIPT_COOKIE, "", "; Max-Age=0"),
            Self::Handle => {}
        }
    }

    /// Tells the browser to forget what it was given. Its own cookie the script deletes itself.
    pub fn take_back(self, mut answer: Answer) -> Answer {
        let headers = answer.headers_mut();
        append(headers, COOKIE_NAME, "", "; Max-Age=0");
        if self == Self::Nothing {
            append(headers, SCRIPT_COOKIE, "", "; Max-Age=0");
        }
        answer
    }
}

fn append(headers: &mut HeaderMap, name: &str, value: &str, life: &str) {
    let line = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{life}");
    let mut line = HeaderValue::from_str(&line).expect("a cookie of ours is base64url");
    line.set_sensitive(true);
    headers.append(SET_COOKIE, line);
}
