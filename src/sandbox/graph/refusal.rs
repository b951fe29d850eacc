//! The shapes in which Graph says no.

use http::header::{HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, StatusCode};
use serde_json::{Value, json};

use crate::base::clock::Timestamp;
use crate::web::answer::Answer;

use crate::sandbox::call::json as json_answer;

/// A status, Graph's code and its message; perhaps a header line with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub header: Option<(HeaderName, String)>,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), header: None }
    }

    pub fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A query option, or a value of one, that this resource does not take.
    pub fn query(message: impl Into<String>) -> Self {
        Self::bad("ErrorInvalidUrlQuery", message)
    }

    pub fn no_property(name: &str) -> Self {
        let message = format!("Could not find a property named '{name}' on type 'microsoft.graph.message'.");
        Self::bad("RequestBroker--ParseUri", message)
    }

    pub fn wrong_body(name: &str, kind: &str) -> Self {
        let message = format!(
            "The property '{name}' does not exist on type 'microsoft.graph.{kind}'. Make sure to only use \
             property names that are defined by the type."
        );
        Self::bad("RequestBodyRead", message)
    }

    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "ErrorItemNotFound",
            "The specified object was not found in the store., The process failed to get the correct \
             properties.",
        )
    }

    pub fn no_segment(segment: &str) -> Self {
        Self::bad("BadRequest", format!("Resource not found for the segment '{segment}'."))
    }

    pub fn denied() -> Self {
        let message = "Access is denied. Check credentials and try again.";
        Self::new(StatusCode::FORBIDDEN, "ErrorAccessDenied", message)
    }

    /// An access token that is missing, unknown or past its time.
    pub fn token(message: &str) -> Self {
        let challenge = "Bearer realm=\"\", \
                         authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
                         client_id=\"00000003-0000-0000-c000-000000000000\"";
        let refusal = Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
        Self { header: Some((WWW_AUTHENTICATE, challenge.to_owned())), ..refusal }
    }

    pub fn too_many_at_once() -> Self {
        let message = "Application is over its MailboxConcurrency limit.";
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "ApplicationThrottled", message);
        Self { header: Some((RETRY_AFTER, "1".to_owned())), ..refusal }
    }

    /// The cursor is gone; the listing starts again at `start`.
    pub fn cursor_lost(start: String) -> Self {
        let message = "The sync state generation is not found; generation=1; a full resync is required.";
        let refusal = Self::new(StatusCode::GONE, "SyncStateNotFound", message);
        Self { header: Some((LOCATION, start)), ..refusal }
    }

    pub fn answer(&self, request_id: &str, client_request_id: &str, now: Timestamp) -> Answer {
        let inner: Value = json!({
            "date": now.rfc3339().trim_end_matches('Z'),
            "request-id": request_id,
            "client-request-id": client_request_id,
        });
        let error = json!({"code": self.code, "message": self.message, "innerError": inner});
        let mut answer = json_answer(self.status, &json!({"error": error}));
        if let Some((name, value)) = &self.header {
            let value = HeaderValue::from_str(value).expect("our own header values are plain text");
            answer.headers_mut().insert(name, value);
        }
        answer
    }
}
