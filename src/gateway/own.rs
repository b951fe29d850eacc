//! The gateway's own two pages, `/ping` and `/metrics`, each on the entry point it was given.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};
use pingora::http::RequestHeader;
use prometheus_client::encoding::text::encode;

use super::proxy::Proxy;
use crate::web::answer::Answer;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answered before routing, on exactly these paths, so that no rule can take them away.
pub fn answer(proxy: &Proxy, head: &RequestHeader) -> Option<Answer> {
    let path = head.uri.path();
    if !(proxy.entry.ping && path == "/ping" || proxy.entry.metrics && path == "/metrics") {
        return None;
    }
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return Some(page(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "The method is not allowed.\n"));
    }
    Some(match path {
        "/ping" if proxy.gateway.is_draining() => {
            page(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "Draining")
        }
        "/ping" => page(StatusCode::OK, "text/plain", "OK"),
        _ => metrics(proxy),
    })
}

fn metrics(proxy: &Proxy) -> Answer {
    let mut text = String::new();
    let registry = proxy.gateway.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match encode(&mut text, &registry) {
        Ok(()) => page(StatusCode::OK, OPEN_METRICS, text),
        Err(_) => page(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "The metrics cannot be written.\n"),
    }
}

fn page(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
