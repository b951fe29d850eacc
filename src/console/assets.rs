//! The style sheet and the script, under names that change with their content.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

use crate::base::id::hex;
use crate::base::secret::sha256;
use crate::console::page;

/// A file that pages load.
struct Asset {
    content: &'static str,
    ending: &'static str,
    media_type: &'static str,
}

const STYLE: Asset = Asset {
    content: include_str!("templates/console.css"),
    ending: "css",
    media_type: "text/css; charset=utf-8",
};
const SCRIPT: Asset = Asset {
    content: include_str!("templates/console.js"),
    ending: "js",
    media_type: "text/javascript; charset=utf-8",
};

const FOLDER: &str = "/admin/exchange/assets/";

impl Asset {
    fn name(&self) -> String {
        format!("{}.{}", hex(&sha256(self.content.as_bytes())[..8]), self.ending)
    }

    fn path(&self) -> String {
        format!("{FOLDER}{}", self.name())
    }
}

/// Whether `path` is that of something that belongs to every page.
pub fn are(path: &str) -> bool {
    path.starts_with(FOLDER)
}

/// Where pages find the style sheet.
pub fn style() -> String {
    STYLE.path()
}

/// Where pages find the script.
pub fn script() -> String {
    SCRIPT.path()
}

/// GET `/admin/exchange/assets/<hash>.<ending>`.
pub async fn show(Path(name): Path<String>) -> Response {
    let Some(asset) = [STYLE, SCRIPT].into_iter().find(|asset| asset.name() == name) else {
        return page::problem(StatusCode::NOT_FOUND, &page::NOT_FOUND).into_response();
    };
    let headers = [
        (CONTENT_TYPE, asset.media_type),
        // Private: the console is for administrators only.
        (CACHE_CONTROL, "private, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_small_and_makes_no_code_of_text() {
        assert!(SCRIPT.content.len() < 4096, "{} bytes", SCRIPT.content.len());
        for word in ["eval", "innerHTML", "Function(", ".style", "import("] {
            assert!(!SCRIPT.content.contains(word), "{word}");
        }
    }
}
