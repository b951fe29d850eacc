//! The console as JSON, for programs and other front ends: the same work beneath as the pages.
//!
//! Administrators only; a change has to come from a page of ours. Never shows a secret.

mod document;
mod email_settings;
mod exchange;
mod parts;
mod provider;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::console::shared::Shared;

pub use document::document;
pub use parts::refusal;

/// Every path of the JSON side.
pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .merge(email_settings::router())
        .route("/admin/exchange/openapi.json", get(document::serve))
        .route("/api/v1/exchange/connections", get(exchange::list).post(exchange::create))
        .route("/api/v1/exchange/connections/{id}", get(exchange::one).delete(exchange::delete))
        .route("/api/v1/exchange/connections/{id}/oauth/initiate", post(exchange::initiate))
        .route("/api/v1/exchange/connections/{id}/process-emails", post(exchange::process))
        .route("/api/v1/exchange/connections/{id}/test", post(exchange::test))
        .route("/api/v1/exchange/oauth/callback", get(exchange::callback))
        .route("/api/v1/email-provider/config", get(provider::config))
        .route("/api/v1/email-provider/test", post(provider::test))
        .route("/api/v1/email-provider/stats", get(provider::stats))
}
