//! The OpenAPI document of the console's JSON side, made from the handlers themselves.

use http::StatusCode;
use utoipa::OpenApi;

use crate::console::api::parts::{Answer, Asking};
use crate::console::api::{exchange, provider};

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
    )
)]
struct Document;

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// GET `/admin/exchange/openapi.json`.
pub async fn serve(Asking(_): Asking) -> Answer<utoipa::openapi::OpenApi> {
    Answer(StatusCode::OK, document())
}
