//! The calls Graph makes itself: the handshake with whoever wants to be told, and the notifications.
//!
//! Calls machines of the loopback only.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tokio::runtime::Handle;
use url::{Host, Url};

use super::State;
use super::subscription::{self, Told};
use crate::base::id::random_token;
use crate::base::wake::Wake;
use crate::net::{Client, Egress, Timeouts};
use crate::sandbox::call::Call;
use crate::sandbox::lock;
use crate::web::call::HttpCall;

/// Of an answer to a handshake.
const LARGEST_ANSWER: usize = 64 * 1024;
/// How long Graph waits for one.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the caller remembers.
pub(super) struct Teller {
    /// Rung when there may be something to tell.
    pub wake: Wake,
    /// URLs that read a validation token back.
    validated: Mutex<HashSet<String>>,
}

impl Teller {
    pub fn new() -> Self {
        Self { wake: Wake::new(), validated: Mutex::default() }
    }

    pub fn has_validated(&self, url: &str) -> bool {
        lock(&self.validated).contains(url)
    }

    /// If `call` wants to be told, asks the URLs in it whether they do.
    pub async fn validate(&self, call: &Call) {
        if call.method != Method::POST || !call.path.ends_with("/subscriptions") {
            return;
        }
        let body = call.json();
        for name in ["notificationUrl", "lifecycleNotificationUrl"] {
            let Some(url) = body[name].as_str() else { continue };
            lock(&self.validated).remove(url);
            if reads_back(url).await {
                lock(&self.validated).insert(url.to_owned());
            }
        }
    }
}

async fn reads_back(url: &str) -> bool {
    // As Graph's own it has characters that a query cannot hold as they are.
    let token = format!("Validation: Testing client application reachability {}", random_token());
    let Ok(mut target) = Url::parse(url) else { return false };
    target.query_pairs_mut().append_pair("validationToken", &token);
    let Some(answer) = post(&target, "text/plain; charset=utf-8", Bytes::new()).await else { return false };
    let is_text =
        answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    answer.status() == StatusCode::OK && is_text && answer.body() == token.as_bytes()
}

async fn post(url: &Url, kind: &str, body: Bytes) -> Option<Response<Bytes>> {
    let is_here = match url.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    if !is_here {
        return None;
    }
    let egress = Egress::only([url.origin().ascii_serialization()]).ok()?;
    let timeouts = Timeouts { total: PATIENCE, ..Timeouts::default() };
    let client = Client::new(Handle::current(), egress, timeouts).ok()?;
    let request = Request::post(url.as_str()).header(CONTENT_TYPE, kind).body(body).ok()?;
    client.call(request, LARGEST_ANSWER).await.ok()
}

/// Sends what there is to tell, as long as the server runs.
pub(super) async fn keep_telling(state: Arc<State>) {
    loop {
        state.teller.wake.rung().await;
        let (news, telling) = {
            let mut world = lock(&state.world);
            (subscription::news(&mut world, state.clock.now()), world.knobs.telling)
        };
        if telling.none {
            continue;
        }
        for told in news {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(telling.milliseconds_late)).await;
                for _ in 0..=telling.repeats {
                    send(&told).await;
                }
            });
        }
    }
}

async fn send(told: &Told) {
    let Ok(url) = Url::parse(&told.url) else { return };
    let body = Value::to_string(&told.body);
    if post(&url, "application/json; charset=utf-8", Bytes::from(body)).await.is_none() {
        tracing::debug!("a notification did not arrive");
    }
}
