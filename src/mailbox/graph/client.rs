//! One call to Graph: the token, the rate, the headers every call has, and what the answer means.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use super::error;
use super::{Place, READ_WRITE, READ_WRITE_SHARED};
use crate::base::clock::Clock;
use crate::base::id::MailboxId;
use crate::base::secret::ExposeSecret;
use crate::mailbox::MailboxError;
use crate::mailbox::rate::Rate;
use crate::oauth::source::{AccessToken, Resource, TokenSource};
use crate::web::call::{BodyStream, HttpCall};

/// Of a JSON answer; a page of a thousand ids has a tenth of it.
const LARGEST_JSON: usize = 4 * 1024 * 1024;
/// Of an answer that is read for its error code alone.
const LARGEST_ERROR: usize = 64 * 1024;

/// Ids that stay when a mail is moved; asked for in every request, since Graph remembers nothing.
const IMMUTABLE: &str = r#"IdType="ImmutableId""#;

pub(super) struct Client {
    pub(super) mailbox: MailboxId,
    pub(super) place: Place,
    /// Ids of folders by their configured names.
    pub(super) folders: Mutex<HashMap<String, String>>,
    pub(super) base: Url,
    pub(super) tokens: Arc<dyn TokenSource>,
    pub(super) http: Arc<dyn HttpCall>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rate: Rate,
}

/// A request to Graph before it has a token.
#[derive(Clone)]
pub(super) struct Ask {
    method: Method,
    url: Url,
    body: Option<(&'static str, Bytes)>,
    page_size: Option<u16>,
}

impl Ask {
    pub(super) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, body: None, page_size: None }
    }

    pub(super) fn post(url: Url) -> Self {
        Self { method: Method::POST, ..Self::get(url) }
    }

    pub(super) fn patch(url: Url) -> Self {
        Self { method: Method::PATCH, ..Self::get(url) }
    }

    pub(super) fn delete(url: Url) -> Self {
        Self { method: Method::DELETE, ..Self::get(url) }
    }

    pub(super) fn body(self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { body: Some((media_type, body.into())), ..self }
    }

    pub(super) fn page_size(self, size: u16) -> Self {
        Self { page_size: Some(size), ..self }
    }

    fn request(&self, token: &AccessToken) -> Result<Request<Bytes>, MailboxError> {
        let mut request = Request::builder().method(self.method.clone()).uri(self.url.as_str());
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.secret.expose_secret()))
            .map_err(|_| garbled("the access token has characters no header takes"))?;
        bearer.set_sensitive(true);
        let prefer = match self.page_size {
            Some(size) => format!("{IMMUTABLE}, odata.maxpagesize={size}"),
            None => IMMUTABLE.to_owned(),
        };
        request = request.header(AUTHORIZATION, bearer).header("Prefer", prefer);
        let (media_type, body) = match &self.body {
            Some((media_type, body)) => (Some(*media_type), body.clone()),
            None => (None, Bytes::new()),
        };
        if let Some(media_type) = media_type {
            request = request.header(CONTENT_TYPE, media_type);
        }
        request.body(body).map_err(|_| garbled("the address of the call is not a URI"))
    }
}

impl Client {
    /// `{base}/v1.0/{segments}`; a segment is percent-encoded where it must be.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1.0").extend(segments);
        }
        url
    }

    /// `{base}/v1.0/me/{segments}`, or the shared mailbox's.
    pub(super) fn owned(&self, segments: &[&str]) -> Url {
        let whole = match &self.place.shared_address {
            Some(address) => ["users", address].into_iter().chain(segments.iter().copied()).collect(),
            None => ["me"].into_iter().chain(segments.iter().copied()).collect::<Vec<_>>(),
        };
        self.url(&whole)
    }

    /// The scope that allows changes in this mailbox.
    pub(super) fn read_write(&self) -> &'static str {
        if self.place.shared_address.is_some() { READ_WRITE_SHARED } else { READ_WRITE }
    }

    /// A link Graph gave us. Only on Graph's own origin: the token goes wherever we go.
    pub(super) fn own_link(&self, link: &str) -> Result<Url, MailboxError> {
        let url = Url::parse(link).map_err(|_| garbled("a link is not a URL"))?;
        if url.origin() != self.base.origin() {
            return Err(MailboxError::ForeignLink { host: url.host_str().unwrap_or_default().to_owned() });
        }
        Ok(url)
    }

    pub(super) async fn token(&self) -> Result<AccessToken, MailboxError> {
        Ok(self.tokens.token(&self.mailbox, Resource::Graph).await?)
    }

    /// Whether the token of now was granted `scope`.
    pub(super) async fn is_granted(&self, scope: &str) -> Result<bool, MailboxError> {
        Ok(self.token().await?.grants(scope))
    }

    /// Makes the call and gives a success's body, `LARGEST_JSON` bytes at most.
    pub(super) async fn bytes(&self, ask: &Ask) -> Result<Bytes, MailboxError> {
        let _turn = self.rate.turn().await;
        let mut answer = self.open(ask).await?.into_body();
        let (body, complete) = read(&mut answer, LARGEST_JSON).await?;
        if complete { Ok(body) } else { Err(garbled("the answer is too long")) }
    }

    pub(super) async fn json<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, MailboxError> {
        let body = self.bytes(ask).await?;
        // serde's own message may quote the answer, which holds addresses.
        serde_json::from_slice(&body).map_err(|_| garbled("the answer is not the JSON it should be"))
    }

    /// Makes the call and gives the first `limit` bytes of a success's body, and whether that is all.
    pub(super) async fn beginning(&self, ask: &Ask, limit: usize) -> Result<(Bytes, bool), MailboxError> {
        let _turn = self.rate.turn().await;
        read(self.open(ask).await?.body_mut(), limit).await
    }

    /// The head of a success. A 401 is tried once more with a new token.
    async fn open(&self, ask: &Ask) -> Result<Response<BodyStream>, MailboxError> {
        let token = self.token().await?;
        let mut answer = self.http.open(ask.request(&token)?).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            let renewed = self.tokens.renew(&self.mailbox, Resource::Graph, &token).await?;
            answer = self.http.open(ask.request(&renewed)?).await?;
        }
        if answer.status().is_success() { Ok(answer) } else { Err(self.failure(answer).await) }
    }

    async fn failure(&self, answer: Response<BodyStream>) -> MailboxError {
        let (head, mut body) = answer.into_parts();
        let code = match read(&mut body, LARGEST_ERROR).await {
            Ok((bytes, _)) => error::code(&bytes),
            // The status alone tells enough; the answer broke off while it explained itself.
            Err(_) => String::new(),
        };
        error::of_status(head.status, code, retry_after(&head.headers), self.clock.now())
    }
}

fn retry_after(headers: &HeaderMap) -> Option<&str> {
    headers.get(http::header::RETRY_AFTER)?.to_str().ok()
}

pub(super) fn garbled(what: &str) -> MailboxError {
    MailboxError::Garbled { what: what.to_owned() }
}

async fn read(body: &mut BodyStream, limit: usize) -> Result<(Bytes, bool), MailboxError> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        let room = limit - bytes.len();
        if piece.len() > room {
            bytes.extend_from_slice(&piece[..room]);
            return Ok((bytes.freeze(), false));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes.freeze(), true))
}
