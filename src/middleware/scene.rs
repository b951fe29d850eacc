//! What the unit tests of middlewares share: one compiled from YAML, one exchange, one request.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use url::Url;

use crate::base::audit::Audit;
use crate::base::clock::{ManualClock, Timestamp};
use crate::base::secret::HashKey;
use crate::desk::admin::Admins;
use crate::desk::scripted::Scripted;
use crate::middleware::login_brake::Attempts;
use crate::middleware::registry::{Compiled, MiddlewareSpec, Parts, SpecError};
use crate::middleware::session_shield::{DeskSide, Means, Sessions};
use crate::middleware::{Decision, Middleware, Verdict};
use crate::store::seal::{Sealer, SealingKey};
use crate::web::answer::Answer;
use crate::web::cookie::Hardening;
use crate::web::exchange::{Exchange, Scheme};
use crate::web::path::canonical;

pub(crate) fn parts(desk: Arc<Scripted>) -> Parts {
    let url = Url::parse("http://127.0.0.1:5003").expect("a URL");
    let clock = Arc::new(ManualClock::at(Timestamp(1_000_000)));
    let audit = Audit::new(clock.clone());
    let admins =
        Arc::new(Admins::new(desk.clone(), &url, clock.clone(), HashKey::from_bytes([7; 32]), audit.clone()));
    let sealer = Arc::new(Sealer::new(SealingKey::random()));
    let sessions = Arc::new(Sessions::new(sealer, HashKey::random(), clock.clone()));
    let shield =
        Arc::new(Means { sessions, desk: Arc::new(DeskSide::new(desk, &url, &url)), audit: audit.clone() });
    Parts {
        attempts: Arc::new(Attempts::new(clock.clone())),
        clock,
        admins,
        cookies: Hardening::default(),
        dropped_cookies: Default::default(),
        shield,
        audit,
    }
}

/// Compiles the YAML of one middleware.
pub(crate) fn compile(yaml: &str) -> Result<Compiled, Vec<SpecError>> {
    let spec: MiddlewareSpec = serde_yaml::from_str(yaml).expect(yaml);
    spec.compile(&parts(Arc::new(Scripted::desk())))
}

pub(crate) fn compiled(yaml: &str) -> Arc<dyn Middleware> {
    match compile(yaml) {
        Ok(compiled) => compiled.runs,
        Err(errors) => panic!("{yaml}: {errors:?}"),
    }
}

/// The problems of a YAML that must not compile, as `line:column message`.
pub(crate) fn problems(yaml: &str) -> Vec<String> {
    match compile(yaml) {
        Ok(_) => panic!("{yaml} was accepted"),
        Err(errors) => errors.iter().map(told).collect(),
    }
}

pub(crate) fn told(error: &SpecError) -> String {
    let place = error.place.map_or_else(String::new, |place| format!("{}:{} ", place.line, place.column));
    format!("{place}{}", error.message)
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// From `client` without a proxy, by plain HTTP.
pub(crate) fn exchange(client: &str, path: &str) -> Exchange {
    let path = canonical(path, &["de".into()]).expect("a path");
    Exchange { peer: ip(client), client: ip(client), scheme: Scheme::Http, tls: false, port: 80, path }
}

/// `GET` of a path, with headers.
pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let request =
        headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    request.body(Bytes::new()).expect("a request")
}

/// What a middleware says at once.
pub(crate) fn now(verdict: Verdict) -> Decision {
    match verdict {
        Verdict::Now(decision) => decision,
        Verdict::Later(_) => panic!("the middleware has to ask somebody"),
    }
}

/// The answer of a middleware that answers.
pub(crate) fn answered(verdict: Verdict) -> Answer {
    match now(verdict) {
        Decision::Answer(answer) => *answer,
        _ => panic!("the request was let through"),
    }
}

/// 200 for a request that passes, otherwise the status of the answer.
pub(crate) fn status(verdict: Verdict) -> StatusCode {
    match now(verdict) {
        Decision::Answer(answer) => answer.status(),
        _ => StatusCode::OK,
    }
}

/// The answer of an upstream, with headers.
pub(crate) fn upstream(headers: &[(&str, &str)]) -> Response<Bytes> {
    let response =
        headers.iter().fold(Response::builder(), |response, (name, value)| response.header(*name, *value));
    response.body(Bytes::new()).expect("a response")
}
