//! Requests that the shield runs to the desk itself, because what comes back, or what has to happen beside
//! it, cannot wait until the reply is on its way: sign-in, sign-out, new passwords, the service worker.
//!
//! Whether the browser may ask has been decided before; here it is done.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Request, Response, StatusCode};
use serde_json::Value;

use super::browser::Browser;
use super::cookies::ScriptReads;
use super::desk::{DeskError, DeskSide, Side};
use super::sessions::{SessionError, Sessions};
use crate::base::audit::{Audit, Event, Outcome, Record};
use crate::base::report::Report;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::web::answer::{Answer, short};
use crate::web::exchange::{Exchange, Scheme};
use crate::web::local::LocalService;

/// Put before the desk's service worker: what passes it by is neither stored nor answered from a store, our
/// own pages and every reply that belongs to a session. (The worker stores them even with no-store.)
const WORKER_GUARD: &str = "\
self.addEventListener(\"fetch\", (event) => {
  const path = new URL(event.request.url).pathname;
  if (/^(\\/[a-z0-9-]+)?\\/(admin\\/exchange|api|mail-files)(\\/|$)|^\\/(ping|metrics)$/i.test(path)) event.stopImmediatePropagation();
});
";

/// What is done.
#[derive(Debug)]
pub enum Act {
    /// Keeps the token of the reply; `before` is the session this browser had until now, `occupied` whether
    /// the script's cookie is there already.
    SignIn {
        before: Option<SecretString>,
        occupied: bool,
    },
    /// Ends every session of `user`, here first: the desk goes on accepting the token.
    SignOut {
        user: String,
    },
    /// Ends every session of `user` once the desk has agreed.
    EndAll {
        user: String,
    },
    /// The same for the user whose id stands in this field of the body.
    EndNamed {
        field: &'static str,
    },
    ServiceWorker,
}

/// What an errand needs.
pub struct Means {
    pub sessions: Arc<Sessions>,
    pub desk: Arc<DeskSide>,
    pub audit: Audit,
}

/// One request to the desk.
pub struct Errand {
    pub means: Arc<Means>,
    pub exchange: Exchange,
    /// Canonical.
    pub path: String,
    pub act: Act,
    pub script_reads: ScriptReads,
    /// The session's Authorization line.
    pub bearer: Option<HeaderValue>,
}

/// Why an errand failed on our side.
#[derive(Debug, thiserror::Error)]
enum ErrandError {
    #[error("the desk gave no usable reply")]
    Desk(#[from] DeskError),
    #[error("a session could not be begun or ended")]
    Session(#[from] SessionError),
    #[error("a sign-in's reply cannot be read")]
    Unreadable,
}

impl ErrandError {
    fn answer(&self, path: &str) -> Answer {
        let (status, sentence) = match self {
            Self::Desk(error) => return error.answer(path),
            Self::Session(SessionError::Token) | Self::Unreadable => {
                (StatusCode::BAD_GATEWAY, "The helpdesk's answer cannot be used.")
            }
            Self::Session(_) => (StatusCode::SERVICE_UNAVAILABLE, "Sessions cannot be kept right now."),
        };
        short(status, path, sentence)
    }
}

#[async_trait]
impl LocalService for Errand {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let done = match &self.act {
            Act::SignIn { before, occupied } => self.sign_in(&request, before.as_ref(), *occupied).await,
            Act::SignOut { user } => self.sign_out(&request, user).await,
            Act::EndAll { user } => self.end_after(&request, Some(user)).await,
            Act::EndNamed { field } => {
                let user = named_user(request.body(), field);
                self.end_after(&request, user.as_deref()).await
            }
            Act::ServiceWorker => self.service_worker(&request).await,
        };
        done.unwrap_or_else(|error| {
            tracing::error!(error = %Report(&error), "the shield could not do what was asked of the desk");
            error.answer(&self.path)
        })
    }
}

impl Errand {
    async fn ask(&self, side: Side, request: &Request<Bytes>) -> Result<Answer, DeskError> {
        self.means.desk.ask(side, request, &self.path, &self.exchange, self.bearer.as_ref()).await
    }

    fn note(&self, event: Event, outcome: Outcome, detail: &'static str, user: Option<&str>) {
        let record = Record { user, ..Record::new(event, outcome, detail) };
        self.means.audit.record(record.from(self.exchange.client));
    }

    async fn sign_in(
        &self,
        request: &Request<Bytes>,
        before: Option<&SecretString>,
        occupied: bool,
    ) -> Result<Answer, ErrandError> {
        let mut reply = never_stored(self.ask(Side::Api, request).await?);
        if matches!(
            reply.status(),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) {
            self.note(Event::SignIn, Outcome::Refused, "refused by the desk", None);
        }
        let mut body = match serde_json::from_slice::<Value>(reply.body()) {
            Ok(body) => body,
            // The desk's own words about what it refuses; a good reply that hides its token must not pass.
            Err(_) if !reply.status().is_success() => return Ok(reply),
            Err(_) => return Err(ErrandError::Unreadable),
        };
        let Some(Value::String(token)) = body.get_mut("token").map(Value::take) else { return Ok(reply) };
        if self.exchange.scheme == Scheme::Http {
            tracing::warn!("a sign-in without TLS: browsers keep the session's cookie only by HTTPS");
        }
        let token = SecretString::from(token);
        let browser = Browser::of(request.headers(), self.exchange.client);
        let given = self.means.sessions.begin(&token, &browser).await?;
        body["token"] = Value::from(self.script_reads.told(&given));
        let text = body.to_string();
        if text.contains(token.expose_secret()) {
            return Err(ErrandError::Unreadable);
        }
        if let Some(before) = before {
            self.means.sessions.end(before).await?;
        }
        *reply.body_mut() = Bytes::from(text);
        self.script_reads.give(reply.headers_mut(), &given, occupied);
        self.note(Event::SignIn, Outcome::Success, "a session began", Some(&given.user));
        Ok(reply)
    }

    async fn sign_out(&self, request: &Request<Bytes>, user: &str) -> Result<Answer, ErrandError> {
        self.means.sessions.end_all_of(user).await?;
        self.note(Event::SignOut, Outcome::Success, "signed out", Some(user));
        // Over here, whatever the desk says now.
        let reply = self.ask(Side::Api, request).await.unwrap_or_else(|error| {
            tracing::warn!(error = %Report(&error), "the desk was not told of a sign-out");
            error.answer(&self.path)
        });
        Ok(self.script_reads.take_back(never_stored(reply)))
    }

    /// Once the desk has agreed, sessions opened with an old password, or that the user or an admin has
    /// ended, are over.
    async fn end_after(&self, request: &Request<Bytes>, user: Option<&str>) -> Result<Answer, ErrandError> {
        let reply = never_stored(self.ask(Side::Api, request).await?);
        let (true, Some(user)) = (reply.status().is_success(), user) else { return Ok(reply) };
        self.means.sessions.end_all_of(user).await?;
        self.note(Event::SignOut, Outcome::Success, "new password, or sessions or user removed", Some(user));
        Ok(reply)
    }

    async fn service_worker(&self, request: &Request<Bytes>) -> Result<Answer, ErrandError> {
        let mut reply = self.ask(Side::Client, request).await?;
        if reply.status() == StatusCode::OK {
            let guarded = [WORKER_GUARD.as_bytes(), reply.body()].concat();
            *reply.body_mut() = Bytes::from(guarded);
        }
        Ok(reply)
    }
}

/// `{"<field>": "<id>", …}`.
fn named_user(body: &[u8], field: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get(field)?.as_str().map(str::to_owned)
}

fn never_stored(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use regex::RegexBuilder;

    use super::*;

    #[test]
    fn the_service_worker_keeps_nothing_of_ours_in_any_language() {
        let (_, rest) = WORKER_GUARD.split_once("(/").expect("an expression");
        let (expression, _) = rest.split_once("/i.test").expect("its end");
        let ours = RegexBuilder::new(expression).case_insensitive(true).build().expect("an expression");
        for locale in ["", "/de", "/es-419", "/zh-Hans", "/zh-Hant-TW"] {
            for path in ["/admin/exchange", "/admin/exchange/setup/1", "/api/v1/tickets/all", "/mail-files/7"]
            {
                assert!(ours.is_match(&format!("{locale}{path}")), "{locale}{path}");
            }
        }
        for path in ["/", "/de", "/issues", "/admin", "/_next/static/api.js", "/de/apis", "/a/b/api"] {
            assert!(!ours.is_match(path), "{path}");
        }
    }
}
