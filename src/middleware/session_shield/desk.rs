//! The desk, asked by the shield itself where a reply has to be read before the browser may see any of it.
//!
//! Whole replies, bounded and unencoded, from the configured addresses only. What is done with them is the
//! errand's business.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, COOKIE, ETAG, EXPECT, HOST,
    HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
    RETRY_AFTER, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Response, StatusCode};
use url::Url;

use crate::web::answer::{Answer, short};
use crate::web::call::{CallError, HttpCall};
use crate::web::client_address::write_forwarding;
use crate::web::cookie::{drop_own_set_cookies, tidy_cookies};
use crate::web::exchange::Exchange;
use crate::web::sender::asked_host;

/// A sign-in's reply has under a kilobyte, a service worker some twenty.
const LONGEST_REPLY: usize = 1024 * 1024;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// What is between two neighbours only (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [HeaderName; 7] =
    [CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
/// Ours to write, or about a reply that is not passed on as it is.
const NOT_ASKED: [HeaderName; 9] = [
    HOST,
    CONTENT_LENGTH,
    ACCEPT_ENCODING,
    AUTHORIZATION,
    EXPECT,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_RANGE,
    RANGE,
];
/// About the bytes the desk sent, which are not those that leave.
const NOT_RELAYED: [HeaderName; 4] = [CONTENT_LENGTH, CONTENT_ENCODING, ETAG, LAST_MODIFIED];

/// Why the desk's reply cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    #[error("the desk cannot be asked")]
    Call(#[from] CallError),
    #[error("the path is none that the desk could be asked for")]
    Path,
    #[error("the desk encodes its reply although it was asked not to")]
    Encoded,
}

impl DeskError {
    /// What the browser is told.
    pub fn answer(&self, path: &str) -> Answer {
        let (status, sentence) = match self {
            Self::Call(CallError::Timeout { .. }) => {
                (StatusCode::GATEWAY_TIMEOUT, "The helpdesk did not answer in time.")
            }
            Self::Path => (StatusCode::BAD_REQUEST, "The path is not acceptable."),
            Self::Call(_) | Self::Encoded => (StatusCode::BAD_GATEWAY, "The helpdesk cannot be reached."),
        };
        let mut answer = short(status, path, sentence);
        if status == StatusCode::BAD_GATEWAY {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        answer
    }
}

/// Which of the desk's two addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Api,
}

/// The desk and the way to it.
pub struct DeskSide {
    http: Arc<dyn HttpCall>,
    client: String,
    api: String,
}

impl DeskSide {
    /// `client` is the origin of the desk's web client, `api` that of its API.
    pub fn new(http: Arc<dyn HttpCall>, client: &Url, api: &Url) -> Self {
        let origin = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        Self { http, client: origin(client), api: origin(api) }
    }

    /// Sends the browser's request to the canonical `path`, as `bearer`; the whole reply, without what only
    /// described its transport.
    pub async fn ask(
        &self,
        side: Side,
        request: &Request<Bytes>,
        path: &str,
        exchange: &Exchange,
        bearer: Option<&HeaderValue>,
    ) -> Result<Response<Bytes>, DeskError> {
        let origin = if side == Side::Api { &self.api } else { &self.client };
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut asked = Request::builder()
            .method(request.method())
            .uri(format!("{origin}{path}{query}"))
            .body(request.body().clone())
            .map_err(|_| DeskError::Path)?;
        *asked.headers_mut() = request.headers().clone();
        remove(asked.headers_mut(), &[&HOP_BY_HOP[..], &NOT_ASKED[..]].concat());
        tidy_cookies(asked.headers_mut());
        let host = asked_host(request.headers(), request.uri()).unwrap_or_default();
        write_forwarding(asked.headers_mut(), exchange, host);
        asked.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(bearer) = bearer {
            asked.headers_mut().insert(AUTHORIZATION, bearer.clone());
        }
        if side == Side::Api {
            // The API reads none; what is left of them is the web client's.
            asked.headers_mut().remove(COOKIE);
        }
        let mut reply = self.http.call(asked, LONGEST_REPLY).await?;
        if reply.headers().get_all(CONTENT_ENCODING).iter().any(|coding| coding != "identity") {
            return Err(DeskError::Encoded);
        }
        remove(reply.headers_mut(), &[&HOP_BY_HOP[..], &NOT_RELAYED[..]].concat());
        drop_own_set_cookies(reply.headers_mut());
        Ok(reply)
    }
}

/// Removes the lines of these names, and those that a `Connection` line names.
fn remove(headers: &mut HeaderMap, names: &[HeaderName]) {
    let lines = headers.get_all(CONNECTION).iter().flat_map(|line| line.to_str());
    let named: Vec<String> =
        lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_owned()).collect();
    for name in named.iter().map(String::as_str).chain(names.iter().map(HeaderName::as_str)) {
        headers.remove(name);
    }
}
