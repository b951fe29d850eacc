//! The shapes in which the desk says no: its own short ones, Fastify's, and Prisma's text in a 500.

use http::StatusCode;
use serde_json::{Value, json};

/// A status and its JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub body: Value,
}

impl Refusal {
    pub fn plain(status: StatusCode, body: Value) -> Self {
        Self { status, body }
    }

    /// No token, or a wrong one.
    pub fn unauthorized() -> Self {
        Self::plain(StatusCode::UNAUTHORIZED, json!({"message": "Unauthorized", "success": false}))
    }

    /// Roles are on and the user's roles do not allow this. The body says 403, the status does not.
    pub fn permission() -> Self {
        let message = "You do not have the required permission to access this resource.";
        let body = json!({"message": message, "success": false, "status": 403});
        Self::plain(StatusCode::UNAUTHORIZED, body)
    }

    /// Fastify's error shape; `code` only where Fastify names one.
    pub fn fastify(status: StatusCode, code: Option<&str>, message: &str) -> Self {
        let mut body = json!({
            "statusCode": status.as_u16(),
            "error": status.canonical_reason().unwrap_or("Error"),
            "message": message,
        });
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        Self::plain(status, body)
    }

    /// JavaScript's complaint about something that is not there.
    pub fn null(property: &str) -> Self {
        let message = format!("Cannot read properties of null (reading '{property}')");
        Self::fastify(StatusCode::INTERNAL_SERVER_ERROR, None, &message)
    }

    /// Prisma's complaint about arguments.
    pub fn prisma(model: &str, act: &str, complaint: &str) -> Self {
        let message = format!("\nInvalid `prisma.{model}.{act}()` invocation:\n\n{complaint}");
        Self::fastify(StatusCode::INTERNAL_SERVER_ERROR, None, &message)
    }

    /// The database's complaint, with Prisma's code for it.
    pub fn database(code: &str, model: &str, act: &str, complaint: &str) -> Self {
        let mut refusal = Self::prisma(model, act, complaint);
        refusal.body["code"] = json!(code);
        refusal
    }

    pub fn no_route(method: &str, path: &str) -> Self {
        Self::fastify(StatusCode::NOT_FOUND, None, &format!("Route {method}:{path} not found"))
    }
}
