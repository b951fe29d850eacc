//! What happens to a request before its route: the web client's path rewriting, body parsing and the
//! desk's one global token check, in the order the desk does them.

use http::{Method, StatusCode};
use serde_json::Value;

use crate::base::clock::Timestamp;

use super::refusal::Refusal;
use super::world::World;
use crate::sandbox::call::{Call, percent_decoded};

const BODY_LIMIT: usize = 1024 * 1024;

/// Locale prefixes of the web client.
pub(super) const LOCALES: [&str; 15] =
    ["en", "de", "se", "es", "no", "fr", "pt", "tl", "da", "it", "he", "tr", "hu", "th", "zh-CN"];

/// An API call past the gate.
pub(super) struct ApiCall<'c> {
    pub call: &'c Call,
    /// The path below `/api/v1`, decoded.
    pub segments: Vec<String>,
    pub body: Value,
    /// The second word of Authorization.
    pub token: Option<String>,
    pub now: Timestamp,
}

impl ApiCall<'_> {
    /// The client's address as the desk believes it: the leftmost X-Forwarded-For, whoever sent it.
    pub fn client(&self) -> String {
        let leftmost = self.call.header("x-forwarded-for").and_then(|list| list.split(',').next());
        leftmost.map_or_else(|| self.call.peer.to_string(), |address| address.trim().to_owned())
    }

    pub fn user_agent(&self) -> &str {
        self.call.header("user-agent").unwrap_or_default()
    }

    /// A text member of the body.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body[name].as_str()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.body[name].as_bool().unwrap_or(false)
    }
}

/// The path as the web client's rewriting sees it: the locale taken off, percent-encoding undone.
pub(super) fn plain_path(path: &str) -> String {
    let decoded = percent_decoded(path);
    let first = decoded.trim_start_matches('/').split('/').next().unwrap_or_default();
    if LOCALES.contains(&first) { decoded[first.len() + 1..].to_owned() } else { decoded }
}

/// What follows `/api/v1` in a plain path; the prefix counts in any case.
pub(super) fn below_api(path: &str) -> Option<Vec<String>> {
    let head = path.get(..8).filter(|head| head.eq_ignore_ascii_case("/api/v1/"))?;
    Some(path[head.len()..].split('/').map(str::to_owned).collect())
}

/// Parses the body, then asks for the token: a request that is both wrong and anonymous is told the former.
pub(super) fn pass<'c>(
    call: &'c Call,
    segments: Vec<String>,
    world: &World,
    now: Timestamp,
) -> Result<ApiCall<'c>, Refusal> {
    let body = parse_body(call)?;
    let token = call.header("authorization").and_then(|line| line.split(' ').nth(1)).map(str::to_owned);
    let passed = ApiCall { call, segments, body, token, now };
    // The exemption compares the whole URL, so that a query string defeats it.
    let exempt = call.query.is_none()
        && matches!(
            passed.segments.iter().map(String::as_str).collect::<Vec<_>>()[..],
            ["auth", "login"] | ["ticket", "public", "create"]
        );
    let known = passed.token.as_deref().is_some_and(|token| world.signer.check(token, now).is_some());
    if exempt || known { Ok(passed) } else { Err(Refusal::unauthorized()) }
}

fn parse_body(call: &Call) -> Result<Value, Refusal> {
    if matches!(call.method, Method::GET | Method::HEAD) {
        return Ok(Value::Null);
    }
    if call.body.len() > BODY_LIMIT {
        let code = Some("FST_ERR_CTP_BODY_TOO_LARGE");
        return Err(Refusal::fastify(StatusCode::PAYLOAD_TOO_LARGE, code, "Request body is too large"));
    }
    let Some(kind) = call.header("content-type") else {
        return Ok(Value::Null);
    };
    if !kind.starts_with("application/json") {
        let message = format!("Unsupported Media Type: {kind}");
        let code = Some("FST_ERR_CTP_INVALID_MEDIA_TYPE");
        return Err(Refusal::fastify(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, &message));
    }
    if call.body.is_empty() {
        let message = "Body cannot be empty when content-type is set to 'application/json'";
        let code = Some("FST_ERR_CTP_EMPTY_JSON_BODY");
        return Err(Refusal::fastify(StatusCode::BAD_REQUEST, code, message));
    }
    serde_json::from_slice(&call.body)
        .map_err(|error| Refusal::fastify(StatusCode::BAD_REQUEST, None, &error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_api_path_is_the_same_path() {
        for path in [
            "/api/v1/tickets/open",
            "/de/api/v1/tickets/open",
            "/API/V1/tickets/open",
            "/api/v1/%74ickets/open",
        ] {
            assert_eq!(below_api(&plain_path(path)).unwrap(), ["tickets", "open"], "{path}");
        }
    }

    #[test]
    fn a_page_is_no_api_path() {
        assert_eq!(below_api(&plain_path("/admin/smtp")), None);
    }
}
