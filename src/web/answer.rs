//! Short answers of our own: a status, one sentence, JSON below `/api/`.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};

/// An answer mintgate gives without asking anybody.
pub type Answer = Response<Bytes>;

/// `status` with one plain sentence; as `{"success":false,"message":…}` when `path` is below `/api/`,
/// where the desk's own client expects JSON. Never cached.
pub fn short(status: StatusCode, path: &str, sentence: &str) -> Answer {
    let (kind, body) = if path.starts_with("/api/") {
        let json = serde_json::json!({"success": false, "message": sentence});
        ("application/json", json.to_string())
    } else {
        ("text/plain; charset=utf-8", format!("{sentence}\n"))
    };
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_desks_client_gets_json() {
        let answer = short(StatusCode::FORBIDDEN, "/api/v1/x", "No.");
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(answer.body(), &Bytes::from_static(br#"{"message":"No.","success":false}"#));
    }

    #[test]
    fn a_person_gets_a_sentence() {
        let answer = short(StatusCode::FORBIDDEN, "/", "No.");
        assert_eq!(answer.body(), &Bytes::from_static(b"No.\n"));
    }
}
