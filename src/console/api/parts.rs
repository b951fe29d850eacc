//! What every JSON call needs: the admin's proof, the body, and one shape of refusal.

use std::error::Error;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tracing::{error, warn};
use utoipa::{IntoResponses, ToSchema};

use crate::base::report::Report;
use crate::config::problem::nearest;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::web::local::{Admin, admin};
use crate::web::sender::Sender;

/// Bytes of a body; far more than any call needs.
const MOST_BODY: usize = 64 * 1024;

/// Something that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"success": false, "error": "No such mailbox is connected."}))]
pub struct Refusal {
    /// Always `false`.
    success: bool,
    /// One sentence for people.
    error: String,
}

/// What any call may be refused with.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "tells the document; calls refuse by status")]
pub enum Problems {
    /// The request cannot be understood.
    #[response(status = 400)]
    BadRequest(#[to_schema] Refusal),
    /// Nobody is signed in.
    #[response(status = 401)]
    Unauthorized(#[to_schema] Refusal),
    /// Not an administrator, or a change that another page asked for.
    #[response(status = 403)]
    Forbidden(#[to_schema] Refusal),
    /// There is no such thing.
    #[response(status = 404)]
    NotFound(#[to_schema] Refusal),
    /// The path knows other methods only.
    #[response(status = 405, headers(("Allow" = String)))]
    MethodNotAllowed(#[to_schema] Refusal),
    /// It cannot be done as things stand.
    #[response(status = 409)]
    Conflict(#[to_schema] Refusal),
    /// What was there before is gone for good.
    #[response(status = 410)]
    Gone(#[to_schema] Refusal),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(#[to_schema] Refusal),
    /// The body is not `application/json`.
    #[response(status = 415)]
    MediaType(#[to_schema] Refusal),
    /// A value cannot be meant; the sentence names the field.
    #[response(status = 422)]
    Unprocessable(#[to_schema] Refusal),
    /// Too often in a short time.
    #[response(status = 429, headers(("Retry-After" = u64, description = "Seconds")))]
    TooMany(#[to_schema] Refusal),
    /// The head is too large.
    #[response(status = 431)]
    HeadTooLarge(#[to_schema] Refusal),
    /// The provider gives no answer that can be used.
    #[response(status = 502)]
    BadGateway(#[to_schema] Refusal),
    /// The store or the helpdesk cannot be asked.
    #[response(status = 503)]
    Unavailable(#[to_schema] Refusal),
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
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<T: DeserializeOwned> FromRequest<Arc<Shared>> for Ordered<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Refused> {
        let (mut parts, body) = request.into_parts();
        let Asking(admin) = Asking::from_request_parts(&mut parts, shared).await?;
        own_page(&parts.headers, &parts.uri)?;
        let is_json = content_type(&parts.headers).is_none_or(|kind| kind == "application/json");
        let bytes = axum::body::to_bytes(body, MOST_BODY).await;
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
    let bad = |sentence: String| Refused::new(StatusCode::BAD_REQUEST, sentence);
    // An array would be read as the fields in their order.
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(bad("The body has to be a JSON object.".to_owned()));
    }
    serde_json::from_slice(bytes).map_err(|failure| match failure.classify() {
        serde_json::error::Category::Data => bad(misfit(&failure)),
        _ => bad("The body is not JSON.".to_owned()),
    })
}

/// Names the field or the place: serde's own words repeat the value, which may be a secret.
fn misfit(failure: &serde_json::Error) -> String {
    let text = failure.to_string();
    let field = |rest: &str| {
        let (name, others) = rest.split_once('`')?;
        let plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        plain.then(|| (name.to_owned(), others.split('`').skip(1).step_by(2).map(str::to_owned).collect()))
    };
    let after = |start: &str| text.strip_prefix(start).and_then(field);
    let place = format!("line {}, column {}", failure.line(), failure.column());
    if let Some((name, known)) = after("unknown field `") {
        let known: Vec<String> = known;
        let near = nearest(&name, known.iter().map(String::as_str));
        let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        return format!("`{name}` is not a field of this call ({place}).{near}");
    }
    if let Some((name, _)) = after("missing field `") {
        return format!("`{name}` is missing.");
    }
    match after("duplicate field `") {
        Some((name, _)) => format!("`{name}` is there twice ({place})."),
        None => format!("The body does not fit this call ({place})."),
    }
}
