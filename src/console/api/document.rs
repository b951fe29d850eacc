//! The OpenAPI document of the console's JSON side, made from the handlers themselves.

use http::StatusCode;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::console::api::parts::{Answer, Asking};
use crate::console::api::{email_settings, exchange, provider};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "mintgate console",
        description = "Administrators of the helpdesk only, with the browser's session. A change also needs \
            an `Origin` or `Sec-Fetch-Site` of the same origin. Answers never hold a secret."
    ),
    paths(
        exchange::list,
        exchange::create,
        exchange::one,
        exchange::delete,
        exchange::initiate,
        exchange::process,
        exchange::test,
        exchange::callback,
        provider::config,
        provider::test,
        provider::stats
    ),
    modifiers(&Session),
    security(("handle" = [], "session" = []))
)]
struct Document;

/// What a signed-in browser shows: both halves, or it is nobody.
struct Session;

impl Modify for Session {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let handle = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of the sign-in's answer, as the helpdesk's own pages send it."));
        let cookie =
            ApiKeyValue::with_description("__Host-mintgate", "Set by the sign-in; no script can read it.");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("handle", SecurityScheme::Http(handle.build()));
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi().merge_from(email_settings::Document::openapi())
}

/// GET `/admin/exchange/openapi.json`.
pub async fn serve(Asking(_): Asking) -> Answer<utoipa::openapi::OpenApi> {
    Answer(StatusCode::OK, document())
}
