//! `/api/tickets/email-settings`: a mailbox's settings, detection, sign-in at a provider and tests, under the
//! names that the wizard's plan gave them.
//!
//! Every path also works without its last slash. Passwords and tokens go in and never come out.

mod changes;
mod credentials;
mod detect;
mod parts;
mod servers;
mod settings;
mod shape;
mod sign_in;
mod test;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};
use utoipa::OpenApi;

use crate::console::shared::Shared;

const PATH: &str = "/api/tickets/email-settings";

#[derive(OpenApi)]
#[openapi(paths(
    settings::read,
    settings::change,
    detect::detect,
    sign_in::start,
    sign_in::callback,
    sign_in::callback_posted,
    credentials::list,
    credentials::delete,
    test::incoming,
    test::outgoing
))]
pub struct Document;

pub fn router() -> Router<Arc<Shared>> {
    // HEAD must not use up what GET uses up.
    let callback = get(sign_in::callback).post(sign_in::callback_posted).head(sign_in::no_head);
    [
        ("", get(settings::read).patch(settings::change)),
        ("/detect", post(detect::detect)),
        ("/oauth/{provider}", post(sign_in::start)),
        ("/oauth/{provider}/callback", callback),
        ("/oauth/credentials", get(credentials::list)),
        ("/oauth/credentials/{id}", delete(credentials::delete)),
        ("/test-imap", post(test::incoming)),
        ("/test-smtp", post(test::outgoing)),
    ]
    .into_iter()
    .fold(Router::new(), |router, (path, methods)| {
        let path = format!("{PATH}{path}");
        router.route(&path, methods.clone()).route(&format!("{path}/"), methods)
    })
}
