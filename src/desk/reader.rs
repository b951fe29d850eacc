//! Who may read what belongs to a ticket: the desk's own word, asked with the browser's session, never kept.
//!
//! The desk shows every ticket to everybody who is signed in, its external users included; those are held to
//! tickets that carry their own address here. What is to be read is not known.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::caller::Caller;
use crate::base::report::Report;
use crate::base::secret::ExposeSecret;
use crate::web::call::HttpCall;

/// The profile ends in a list of notifications that only grows, and what counts comes after it.
const LONGEST_PROFILE: usize = 32 << 20;
const LONGEST_TICKET: usize = 16 << 20;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Somebody who is signed in at the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Set for users who are no agents: the one address whose tickets they may read.
    own_address: Option<String>,
}

impl Reader {
    /// Works at the desk, rather than being its customer.
    pub fn is_agent(&self) -> bool {
        self.own_address.is_none()
    }
}

/// Why somebody may not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReadable {
    #[error("the desk does not know this session")]
    Anonymous,
    #[error("the ticket is not this user's")]
    Forbidden,
    #[error("the desk has no such ticket")]
    NoTicket,
    #[error("the desk cannot be asked")]
    DeskDown,
}

/// Asks the desk.
pub struct Readers {
    http: Arc<dyn HttpCall>,
    api_url: Url,
}

#[derive(Deserialize)]
struct ProfileReply {
    user: Profile,
}

#[derive(Deserialize)]
struct Profile {
    email: Option<String>,
    /// Taken for true unless it is exactly `false`.
    #[serde(default)]
    external_user: serde_json::Value,
}

#[derive(Deserialize)]
struct TicketReply {
    ticket: Ticket,
}

#[derive(Deserialize)]
struct Ticket {
    id: String,
    email: Option<String>,
}

impl Readers {
    /// `api_url` is the origin of the desk's API.
    pub fn new(http: Arc<dyn HttpCall>, api_url: Url) -> Self {
        Self { http, api_url }
    }

    /// Who is asking.
    ///
    /// # Errors
    /// [`NotReadable::Anonymous`] and [`NotReadable::DeskDown`].
    pub async fn reader(&self, caller: &Caller) -> Result<Reader, NotReadable> {
        let reply = self.ask(caller, "/api/v1/auth/profile", LONGEST_PROFILE).await?;
        let reply: ProfileReply = match reply.status() {
            StatusCode::OK => parsed(&reply)?,
            status if is_down(status) => return Err(NotReadable::DeskDown),
            // 401 is a bad or expired token; 500 is what the desk says when the session row is gone.
            _ => return Err(NotReadable::Anonymous),
        };
        let external = reply.user.external_user != serde_json::Value::Bool(false);
        let own_address = external.then(|| reply.user.email.unwrap_or_default());
        Ok(Reader { own_address })
    }

    /// Whether `reader` may read what belongs to `ticket`; the desk's roles have their say, too.
    ///
    /// # Errors
    /// [`NotReadable::Forbidden`], [`NotReadable::NoTicket`] and [`NotReadable::DeskDown`].
    pub async fn check(&self, caller: &Caller, reader: &Reader, ticket: &str) -> Result<(), NotReadable> {
        let plain = ticket.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !plain || ticket.is_empty() {
            return Err(NotReadable::NoTicket);
        }
        let reply = self.ask(caller, &format!("/api/v1/ticket/{ticket}"), LONGEST_TICKET).await?;
        let reply: TicketReply = match reply.status() {
            StatusCode::OK => parsed(&reply)?,
            status if is_down(status) => return Err(NotReadable::DeskDown),
            // What the desk says of an unknown id.
            StatusCode::INTERNAL_SERVER_ERROR | StatusCode::NOT_FOUND => return Err(NotReadable::NoTicket),
            _ => return Err(NotReadable::Forbidden),
        };
        let his = match &reader.own_address {
            None => true,
            Some(own) => reply.ticket.email.is_some_and(|address| is_same(own, &address)),
        };
        if his && reply.ticket.id == ticket { Ok(()) } else { Err(NotReadable::Forbidden) }
    }

    async fn ask(&self, caller: &Caller, path: &str, limit: usize) -> Result<Response<Bytes>, NotReadable> {
        let request = self.request(caller, path).ok_or(NotReadable::Anonymous)?;
        match tokio::time::timeout(ANSWER_WITHIN, self.http.call(request, limit)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => {
                tracing::warn!(error = %Report(&error), "the desk cannot say who may read a mail");
                Err(NotReadable::DeskDown)
            }
            Err(_) => {
                tracing::warn!("the desk took too long to say who may read a mail");
                Err(NotReadable::DeskDown)
            }
        }
    }

    /// With the browser's own User-Agent and address: the desk ends a session when both differ from those at
    /// sign-in. `None` when the token cannot stand in a header: then it is not one of the desk's.
    fn request(&self, caller: &Caller, path: &str) -> Option<Request<Bytes>> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", caller.token.expose_secret())).ok()?;
        bearer.set_sensitive(true);
        let mut request = Request::get(self.api_url.join(path).ok()?.as_str())
            .header(AUTHORIZATION, bearer)
            .header(X_FORWARDED_FOR, caller.client.to_string())
            .header(ACCEPT, "application/json");
        if let Some(user_agent) = &caller.user_agent {
            request = request.header(USER_AGENT, user_agent);
        }
        request.body(Bytes::new()).ok()
    }
}

fn is_down(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// A good answer that is none of the desk's is no yes.
fn parsed<T: DeserializeOwned>(reply: &Response<Bytes>) -> Result<T, NotReadable> {
    serde_json::from_slice(reply.body()).map_err(|error| {
        tracing::warn!(%error, "the desk's answer on who may read a mail cannot be understood");
        NotReadable::DeskDown
    })
}

/// An empty address is nobody's.
fn is_same(own: &str, other: &str) -> bool {
    !own.trim().is_empty() && own.trim().eq_ignore_ascii_case(other.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_agent(profile: &str) -> bool {
        let reply: ProfileReply = serde_json::from_str(profile).expect("a profile");
        reply.user.external_user == serde_json::Value::Bool(false)
    }

    #[test]
    fn only_the_value_false_makes_an_agent() {
        assert!(is_agent(r#"{"user":{"email":"a@b","notifcations":[{}],"external_user":false}}"#));
        for value in ["true", "null", "0", "\"false\""] {
            assert!(
                !is_agent(&format!(r#"{{"user":{{"email":"a@b","external_user":{value}}}}}"#)),
                "{value}"
            );
        }
        assert!(!is_agent(r#"{"user":{"email":"a@b"}}"#));
    }

    #[test]
    fn an_address_is_compared_without_case_and_none_is_nobodys() {
        assert!(is_same("Bob@Customer.example ", "bob@customer.example"));
        assert!(!is_same("", "") && !is_same(" ", "") && !is_same("bob@x", "bob@y"));
    }
}
