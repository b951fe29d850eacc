//! Calling an identity provider: the `oauth2` crate's client trait over [`HttpCall`].
//!
//! Small JSON answers only: 64 KiB at most, no redirects, no other media type. Knows nothing of what
//! the answers mean.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

use crate::base::clock::Timestamp;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::web::call::{CallError, HttpCall};

/// No honest answer of a token or metadata endpoint is larger.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Why a provider gave no answer that can be read.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("the identity provider cannot be asked")]
    Call(#[from] CallError),
    /// 429 and 5xx: nothing is wrong with the question.
    #[error("the identity provider is busy ({status})")]
    Busy { status: StatusCode, retry_after: Option<RetryAfter> },
    #[error("the identity provider answered with a redirect ({status})")]
    Redirected { status: StatusCode },
    #[error("the identity provider refused ({status})")]
    Refused { status: StatusCode },
    #[error("the identity provider's answer is not JSON ({status})")]
    NotJson { status: StatusCode },
    #[error("the identity provider's answer lacks what it should say: {what}")]
    Incomplete { what: &'static str },
    #[error("the request to the identity provider cannot be formed")]
    Request(#[from] http::Error),
}

/// RFC 9110, section 10.2.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    Seconds(u64),
    At(Timestamp),
}

impl RetryAfter {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Self::Seconds(seconds));
        }
        let moment = OffsetDateTime::parse(text, &Rfc2822).ok()?;
        Some(Self::At(Timestamp(moment.unix_timestamp().saturating_mul(1000))))
    }

    /// How long to wait from `now` on.
    pub fn wait(self, now: Timestamp) -> Duration {
        match self {
            Self::Seconds(seconds) => Duration::from_secs(seconds),
            Self::At(moment) => moment.since(now),
        }
    }
}

/// The `oauth2` crate's view of [`HttpCall`].
pub struct Endpoint(pub Arc<dyn HttpCall>);

impl<'c> oauth2::AsyncHttpClient<'c> for Endpoint {
    type Error = EndpointError;
    type Future = Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, EndpointError>> + Send + 'c>>;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = self.0.call(request.map(Bytes::from), ANSWER_LIMIT).await?;
            Ok(readable(answer)?.map(|body| body.to_vec()))
        })
    }
}

/// Fetches a JSON document, with `bearer` if given.
pub async fn get_json<T: DeserializeOwned>(
    http: &dyn HttpCall,
    url: &Url,
    bearer: Option<&SecretString>,
) -> Result<T, EndpointError> {
    let mut request = Request::get(url.as_str()).header(ACCEPT, "application/json");
    if let Some(token) = bearer {
        let mut line = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| EndpointError::Incomplete { what: "a token that fits into a header" })?;
        line.set_sensitive(true);
        request = request.header(AUTHORIZATION, line);
    }
    let answer = readable(http.call(request.body(Bytes::new())?, ANSWER_LIMIT).await?)?;
    let status = answer.status();
    if status != StatusCode::OK {
        return Err(EndpointError::Refused { status });
    }
    // The parser's own message may quote the document, which may hold personal data.
    serde_json::from_slice(answer.body()).map_err(|_| EndpointError::NotJson { status })
}

fn readable(answer: Response<Bytes>) -> Result<Response<Bytes>, EndpointError> {
    let status = answer.status();
    if status.is_redirection() {
        return Err(EndpointError::Redirected { status });
    }
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        return Err(EndpointError::Busy { status, retry_after: RetryAfter::read(answer.headers()) });
    }
    if is_json(answer.headers()) { Ok(answer) } else { Err(EndpointError::NotJson { status }) }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(text)) = headers.get(CONTENT_TYPE).map(HeaderValue::to_str) else { return false };
    let media_type = text.split(';').next().unwrap_or(text).trim();
    // Key sets are `application/jwk-set+json` at conforming providers (RFC 7517, section 8.5.2).
    ["application/json", "application/jwk-set+json"].iter().any(|json| media_type.eq_ignore_ascii_case(json))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, lines: &[(&'static str, &str)]) -> Response<Bytes> {
        let mut answer = Response::builder().status(status);
        for (name, value) in lines {
            answer = answer.header(*name, *value);
        }
        answer.body(Bytes::from_static(b"{}")).expect("an answer")
    }

    #[test]
    fn only_json_is_read() {
        for line in ["Application/JSON; charset=utf-8", "application/jwk-set+json"] {
            assert!(readable(answer(200, &[("content-type", line)])).is_ok(), "{line}");
        }
        for lines in [&[("content-type", "text/html")][..], &[("content-type", "application/jsonx")], &[]] {
            assert!(matches!(readable(answer(200, lines)), Err(EndpointError::NotJson { .. })), "{lines:?}");
        }
    }

    #[test]
    fn a_redirect_is_not_followed() {
        let refused = readable(answer(302, &[("location", "https://elsewhere.example/")]));
        assert!(matches!(refused, Err(EndpointError::Redirected { .. })));
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let seconds = readable(answer(429, &[("retry-after", "17")]));
        assert!(matches!(
            seconds,
            Err(EndpointError::Busy { retry_after: Some(RetryAfter::Seconds(17)), .. })
        ));
        let date = readable(answer(503, &[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")]));
        let Err(EndpointError::Busy { retry_after: Some(moment), .. }) = date else { panic!("{date:?}") };
        assert_eq!(moment.wait(Timestamp(1_445_412_470_000)), Duration::from_secs(10));
    }
}
