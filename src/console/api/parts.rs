//! What every JSON call needs: the admin's proof, the body, and one shape of refusal.

use std::error::Error;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tracing::{error, warn};
use utoipa::ToSchema;

use crate::base::report::Report;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::web::local::{Admin, admin};
use crate::web::sender::Sender;

/// Something that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Refusal {
    /// Always `false`.
    success: bool,
    /// One sentence for people.
    error: String,
}

/// A refusal with its status, or one that the pages give as well.
pub enum Refused {
    Said { status: StatusCode, sentence: String },
    Page(Page),
}

impl From<Page> for Refused {
    fn from(page: Page) -> Self {
        Self::Page(page)
    }
}

impl Refused {
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self::Said { status, sentence: sentence.into() }
    }

    /// A failure that is ours; what failed is only logged.
    pub fn broken(failure: &(dyn Error + 'static)) -> Self {
        error!(error = %Report(failure), "a call of the console's API failed");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The store could not be used. Nothing was changed.")
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Said { status, sentence } => refusal(status, sentence).into_response(),
            Self::Page(page) => page.into_response(),
        }
    }
}

/// What a refused call is answered with.
pub fn refusal(status: StatusCode, sentence: String) -> Answer<Refusal> {
    Answer(status, Refusal { success: false, error: sentence })
}

/// A JSON answer; never stored by anybody.
pub struct Answer<T>(pub StatusCode, pub T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let headers = [
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        (self.0, headers, Json(self.1)).into_response()
    }
}

/// An administrator who reads.
pub struct Asking(pub Arc<Admin>);

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let proof = admin(&parts.extensions).map(|admin| Self(Arc::clone(admin)));
        proof.ok_or_else(|| Refused::new(StatusCode::FORBIDDEN, "Only administrators may do this."))
    }
}

/// An administrator who changes something, from a page of ours, with a JSON body (none is `{}`).
pub struct Ordered<T>(pub Arc<Admin>, pub T);

/// A body that nothing is read from.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Nothing {}

impl<T: DeserializeOwned> FromRequest<Arc<Shared>> for Ordered<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Refused> {
        let (mut parts, body) = request.into_parts();
        let Asking(admin) = Asking::from_request_parts(&mut parts, shared).await?;
        own_page(&parts.headers, &parts.uri)?;
        let is_json = content_type(&parts.headers).is_none_or(|kind| kind == "application/json");
        let bytes = Bytes::from_request(Request::from_parts(parts, body), shared).await;
        let bytes =
            bytes.map_err(|_| Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."))?;
        if bytes.is_empty() {
            return Ok(Self(admin, understood(b"{}")?));
        }
        if !is_json {
            return Err(Refused::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body has to be application/json.",
            ));
        }
        Ok(Self(admin, understood(&bytes)?))
    }
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    let line = headers.get(CONTENT_TYPE)?.to_str().unwrap_or("?");
    Some(line.split(';').next().unwrap_or(line).trim().to_ascii_lowercase())
}

fn own_page(headers: &HeaderMap, uri: &Uri) -> Result<(), Refused> {
    if Sender::of(headers, uri, None) == Sender::SameOrigin {
        return Ok(());
    }
    warn!("a change from another page was refused");
    let sentence = "A change has to come from a page of this helpdesk (Origin or Sec-Fetch-Site).";
    Err(Refused::new(StatusCode::FORBIDDEN, sentence))
}

fn understood<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(bytes).map_err(|failure| {
        let sentence = match failure.classify() {
            // Only the place: serde's own words repeat the value, which may be a secret.
            serde_json::error::Category::Data => {
                format!(
                    "The body does not fit this call (line {}, column {}).",
                    failure.line(),
                    failure.column()
                )
            }
            _ => "The body is not JSON.".to_owned(),
        };
        Refused::new(StatusCode::BAD_REQUEST, sentence)
    })
}
