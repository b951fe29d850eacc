//! A desk for unit tests: answers profile calls as told, and keeps what it was asked.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use tokio::sync::Semaphore;

use crate::web::call::{BodyStream, CallError, HttpCall};

/// What the desk says to whom; the argument is the Authorization line.
type Reply = Box<dyn Fn(&str) -> Result<Response<BodyStream>, CallError> + Send + Sync>;

pub(crate) struct Scripted {
    reply: Mutex<Reply>,
    pub asked: Mutex<Vec<Request<Bytes>>>,
    /// One permit is used up by each call that is to go on.
    pub gate: Semaphore,
}

impl Scripted {
    pub fn new(
        reply: impl Fn(&str) -> Result<Response<BodyStream>, CallError> + Send + Sync + 'static,
    ) -> Self {
        let gate = Semaphore::new(Semaphore::MAX_PERMITS);
        Self { reply: Mutex::new(Box::new(reply)), asked: Mutex::default(), gate }
    }

    /// A desk where `Bearer admin` and `Bearer agent` are what they say, and nobody else is known.
    pub fn desk() -> Self {
        Self::new(|bearer| match bearer {
            "Bearer admin" => Ok(whole(StatusCode::OK, &profile(true))),
            "Bearer agent" => Ok(whole(StatusCode::OK, &profile(false))),
            _ => Ok(whole(StatusCode::UNAUTHORIZED, r#"{"message":"Unauthorized"}"#)),
        })
    }

    /// Answers only once permits are added to the gate.
    pub fn gated(mut self) -> Self {
        self.gate = Semaphore::new(0);
        self
    }

    pub fn now_says(
        &self,
        reply: impl Fn(&str) -> Result<Response<BodyStream>, CallError> + Send + Sync + 'static,
    ) {
        *self.reply.lock().expect("not poisoned") = Box::new(reply);
    }

    pub fn calls(&self) -> usize {
        self.asked.lock().expect("not poisoned").len()
    }
}

#[async_trait]
impl HttpCall for Scripted {
    async fn open(&self, request: Request<Bytes>) -> Result<Response<BodyStream>, CallError> {
        let bearer = request.headers()[AUTHORIZATION].to_str().expect("text").to_owned();
        self.asked.lock().expect("not poisoned").push(request);
        self.gate.acquire().await.expect("open").forget();
        (self.reply.lock().expect("not poisoned"))(&bearer)
    }
}

/// As the desk writes it, notifications and all (recorded exchange 173).
pub(crate) fn profile(is_admin: bool) -> String {
    format!(
        r#"{{"user":{{"id":"u1","email":"ann@example.com","name":"Ann","isAdmin":{is_admin},"language":"en","ticket_created":true,"version":"0.4.3","notifcations":[],"external_user":false}}}}"#
    )
}

pub(crate) fn whole(status: StatusCode, body: &str) -> Response<BodyStream> {
    pieces(status, vec![Bytes::from(body.to_owned())])
}

pub(crate) fn pieces(status: StatusCode, pieces: Vec<Bytes>) -> Response<BodyStream> {
    let mut answer = Response::new(stream::iter(pieces).map(Ok).boxed());
    *answer.status_mut() = status;
    answer
}

pub(crate) fn unreachable() -> CallError {
    CallError::Unreachable { host: "desk".to_owned(), source: "connection refused".into() }
}
