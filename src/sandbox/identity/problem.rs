//! Microsoft's errors: an AADSTS number, an OAuth error, and the JSON or page they come in.

use http::StatusCode;
use serde_json::{Value, json};

use crate::base::clock::Timestamp;
use crate::web::answer::Answer;

use crate::sandbox::call::json as json_answer;

/// An error as the token endpoint or a redirect tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// AADSTS number.
    pub number: u32,
    /// The OAuth error, such as `invalid_grant`.
    pub error: String,
    pub message: String,
    pub suberror: Option<String>,
}

impl Problem {
    pub fn new(number: u32, error: &str, message: impl Into<String>) -> Self {
        Self { number, error: error.to_owned(), message: message.into(), suberror: None }
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::new(900_144, "invalid_request", message)
    }

    pub(super) fn consent() -> Self {
        let message = "The user or administrator has not consented to use the application. Send an \
                       interactive authorization request for this user and resource.";
        let suberror = Some("consent_required".to_owned());
        Self { suberror, ..Self::new(65_001, "invalid_grant", message) }
    }

    /// The text with the ids that Microsoft's support asks for.
    pub(super) fn description(&self, trace: &Trace, now: Timestamp) -> String {
        format!(
            "AADSTS{}: {} Trace ID: {} Correlation ID: {} Timestamp: {}",
            self.number,
            self.message,
            trace.id,
            trace.correlation_id,
            stamp(now)
        )
    }

    /// The token endpoint's answer.
    pub(super) fn answer(&self, now: Timestamp) -> Answer {
        let trace = Trace::new();
        let mut body = json!({
            "error": self.error,
            "error_description": self.description(&trace, now),
            "error_codes": [self.number],
            "timestamp": stamp(now),
            "trace_id": trace.id,
            "correlation_id": trace.correlation_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.number),
        });
        if let Some(suberror) = &self.suberror {
            body["suberror"] = Value::String(suberror.clone());
        }
        json_answer(self.status(), &body)
    }

    fn status(&self) -> StatusCode {
        match self.error.as_str() {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// The ids of one answer.
pub(super) struct Trace {
    pub id: String,
    pub correlation_id: String,
}

impl Trace {
    pub fn new() -> Self {
        let id = || uuid::Uuid::new_v4().to_string();
        Self { id: id(), correlation_id: id() }
    }
}

/// `2026-11-21 00:02:03Z`.
pub(super) fn stamp(now: Timestamp) -> String {
    now.rfc3339().replace('T', " ")
}
