//! Where providers call when mail has arrived: `/mail-hooks/graph/<mailbox>`. A call only rings a bell; whoever
//! rings it without being believed is not told so.
//!
//! Open to everybody, since a provider has no session: what a call can cost is small and bounded.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tracing::error;

use super::meters::Announced;
use super::{Worker, WorkerError};
use crate::base::id::MailboxId;
use crate::base::report::Report;
use crate::mailbox::graph::announcement;
use crate::mailbox::{Announcement, Event};
use crate::store::orders::Order;
use crate::web::answer::{Answer, short};
use crate::web::local::LocalService;
use crate::web::own::hooked_mailbox;

/// Calls worked on at once; Graph comes again when it is told to.
const AT_ONCE: usize = 16;
/// Graph's token has a few hundred characters.
const LONGEST_TOKEN: usize = 2_048;

/// The calls of providers, as a service in the process.
pub struct Hooks {
    worker: Arc<Worker>,
    turns: Semaphore,
}

impl Hooks {
    pub fn new(worker: Arc<Worker>) -> Self {
        Self { worker, turns: Semaphore::new(AT_ONCE) }
    }

    async fn hear(&self, request: &Request<Bytes>) -> Answer {
        let path = request.uri().path();
        let mailbox = hooked_mailbox(path).and_then(MailboxId::parse);
        let Some(mailbox) = mailbox.filter(|mailbox| self.worker.bells.has(mailbox)) else {
            return short(StatusCode::NOT_FOUND, path, "Nothing is served here.");
        };
        if *request.method() != Method::POST {
            let mut answer = short(StatusCode::METHOD_NOT_ALLOWED, path, "The method is not allowed.");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return answer;
        }
        if let Some(token) = validation_token(request.uri().query().unwrap_or_default()) {
            return echo(token, path);
        }
        let Ok(announcements) = announcement::read(request.body()) else {
            self.worker.parts.meters.announced(Announced::Garbled);
            return short(StatusCode::BAD_REQUEST, path, "This is no notification.");
        };
        match self.worker.announced(&mailbox, &announcements).await {
            Ok(outcome) => {
                self.worker.parts.meters.announced(outcome);
                // Also to whoever was not believed, so that trying tells nothing.
                plain(StatusCode::ACCEPTED, String::new())
            }
            Err(failure) => {
                error!(%mailbox, error = %Report(&failure), "a notification could not be followed");
                busy(path)
            }
        }
    }
}

#[async_trait]
impl LocalService for Hooks {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let Ok(_turn) = self.turns.try_acquire() else {
            self.worker.parts.meters.announced(Announced::TooMany);
            return busy(request.uri().path());
        };
        self.hear(&request).await
    }
}

impl Worker {
    /// Rings the mailbox's bell if one of the announcements is the provider's, and notes what became of the
    /// subscription.
    async fn announced(
        &self,
        mailbox: &MailboxId,
        announcements: &[Announcement],
    ) -> Result<Announced, WorkerError> {
        let Some(subscribed) = self.parts.subscriptions.read(mailbox).await? else {
            return Ok(Announced::Unbelieved);
        };
        let believed: Vec<_> = announcements.iter().filter(|one| subscribed.believes(&one.secret)).collect();
        if believed.is_empty() {
            return Ok(Announced::Unbelieved);
        }
        // What happens to an earlier subscription is no matter any more.
        let current = |one: &&&Announcement| subscribed.id.as_deref() == Some(one.subscription.as_str());
        for event in
            believed.iter().filter(current).map(|one| one.event).filter(|event| *event != Event::Mail)
        {
            let noted = self.parts.subscriptions.change(mailbox, |kept| match event {
                Event::Mail => {}
                Event::Renew => kept.renewal_asked = true,
                Event::Gone => kept.id = None,
            });
            noted.await?;
        }
        // Another gateway may hold the mailbox's lease.
        let order = Order::Poll { mailbox: mailbox.clone() };
        self.parts.store.add_hint(&order.hint(), self.parts.clock.now()).await?;
        self.bells.ring(mailbox);
        Ok(Announced::Rung)
    }
}

/// What a provider wants to read back before it promises anything (Graph: "notificationUrl validation").
fn validation_token(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "validationToken").map(|(_, token)| token.into_owned())
}

/// Anybody may have text read back to himself, so it is text and nothing else.
fn echo(token: String, path: &str) -> Answer {
    if token.len() > LONGEST_TOKEN || token.chars().any(char::is_control) {
        return short(StatusCode::BAD_REQUEST, path, "This is no validation token.");
    }
    plain(StatusCode::OK, token)
}

fn plain(status: StatusCode, text: String) -> Answer {
    let mut answer = Answer::new(Bytes::from(text));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn busy(path: &str) -> Answer {
    let mut answer = short(StatusCode::SERVICE_UNAVAILABLE, path, "Not now.");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validation_token_is_read_back_as_it_was_meant() {
        let token = validation_token("a=b&validationToken=Validation%3a+Testing%20%3Cb%3E").expect("a token");
        let answer = echo(token, "/");
        assert_eq!(
            (answer.status(), answer.body().as_ref()),
            (StatusCode::OK, b"Validation: Testing <b>".as_slice())
        );
        assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
        assert_eq!(answer.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    }

    #[test]
    fn nothing_strange_is_read_back() {
        for token in ["x".repeat(LONGEST_TOKEN + 1), "a\r\nb".to_owned()] {
            assert_eq!(echo(token, "/").status(), StatusCode::BAD_REQUEST);
        }
    }
}
