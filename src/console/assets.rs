//! The style sheet, under a name that changes with its content.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

use crate::base::id::hex;
use crate::base::secret::sha256;
use crate::console::page;

const STYLE: &str = include_str!("templates/console.css");

/// Where pages find the style sheet.
pub fn path() -> String {
    let hash = hex(&sha256(STYLE.as_bytes())[..8]);
    format!("/admin/exchange/assets/{hash}.css")
}

/// GET `/admin/exchange/assets/<hash>.css`.
pub async fn style(Path(name): Path<String>) -> Response {
    if !path().ends_with(&format!("/{name}")) {
        return page::problem(StatusCode::NOT_FOUND, &page::NOT_FOUND).into_response();
    }
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        // Private: the console is for administrators only.
        (CACHE_CONTROL, "private, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, STYLE).into_response()
}
