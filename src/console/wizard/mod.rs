//! Setting a mailbox up, from nothing but its address: a page per step, a draft in the store.
//!
//! Which step may be opened is the draft's word; every form carries the draft's version, so that a second
//! press, the back button and another administrator change nothing by surprise.

mod address;
mod app;
mod connect;
mod draft;
mod drafts;
mod found;
mod links;
mod manual;
mod progress;
mod rail;
mod round_trip;
mod settings;
mod sign_in;
mod test;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::console::shared::Shared;

pub use connect::name_of;
pub use drafts::{connected, resume_path, waiting};
pub use links::{new_app, outside};
pub use manual::{connect as connect_with_password, read_host};
pub use progress::Tests;

/// First page of the wizard.
pub const PATH: &str = "/admin/exchange/setup";

pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/admin/exchange/setup", get(address::show).post(address::submit))
        .route("/admin/exchange/setup/{id}", get(drafts::resume))
        .route("/admin/exchange/setup/{id}/discard", post(drafts::discard))
        .route("/admin/exchange/setup/{id}/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/admin/exchange/setup/{id}/connect", get(connect::show).post(connect::submit))
        .route("/admin/exchange/setup/{id}/app", post(app::submit))
        .route("/admin/exchange/setup/{id}/manual", post(manual::submit))
        .route("/admin/exchange/setup/{id}/test", get(test::show).post(test::submit))
        .route("/admin/exchange/setup/{id}/settings", get(settings::show).post(settings::submit))
}
