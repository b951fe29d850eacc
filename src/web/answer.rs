//! Short answers of our own: a status, one sentence, JSON below `/api/`, a small page for a browser.

use bytes::Bytes;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, Response, StatusCode};

use crate::web::own::is_api;

/// An answer mintgate gives without asking anybody.
pub type Answer = Response<Bytes>;

/// `status` with one plain sentence; as `{"success":false,"message":…}` when `path` is below `/api/`,
/// where the desk's own client expects JSON, and with `error` for `message` in the console's API. Never cached.
pub fn short(status: StatusCode, path: &str, sentence: &str) -> Answer {
    let (kind, body) = if path.starts_with("/api/") {
        // Our own API says `error`, the desk's `message`.
        let key = if is_api(path) { "error" } else { "message" };
        let json = serde_json::json!({"success": false, key: sentence});
        ("application/json", json.to_string())
    } else {
        ("text/plain; charset=utf-8", format!("{sentence}\n"))
    };
    with_body(status, kind, body)
}

/// A way on, shown below the sentence of a [`page`]. Both texts are ours.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    pub href: &'static str,
    pub label: &'static str,
}

/// What a [`page`] says. All texts are ours.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    /// The texts' language, as HTML's `lang` takes it.
    pub language: &'static str,
    pub title: &'static str,
    pub sentence: &'static str,
    pub link: Option<Link>,
}

/// The same for a person who is navigating: a small page with a title, the sentence and a way on. Its
/// texts are fixed, so nothing in it needs escaping. No script, no style of its own.
pub fn page(status: StatusCode, said: &Said) -> Answer {
    let Said { language, title, sentence, link } = said;
    let link = link.map(|Link { href, label }| format!("<p><a href=\"{href}\">{label}</a></p>\n"));
    let body = format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<h1>{title}</h1>\n<p>{sentence}</p>\n{}</html>\n",
        link.unwrap_or_default()
    );
    let mut answer = with_body(status, "text/html; charset=utf-8", body);
    let policy =
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    answer.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

/// Whether whoever asks is a browser that shows a page, and no script or program.
pub fn wants_page(headers: &HeaderMap) -> bool {
    let names_html = |line: &HeaderValue| line.to_str().is_ok_and(|text| text.contains("text/html"));
    headers.get_all(ACCEPT).iter().any(names_html)
}

fn with_body(status: StatusCode, kind: &'static str, body: String) -> Answer {
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
    fn a_browser_gets_a_page_that_runs_nothing() {
        let link = Some(Link { href: "/auth/login", label: "Sign in" });
        let said = Said { language: "en", title: "Sign in first", sentence: "No.", link };
        let answer = page(StatusCode::UNAUTHORIZED, &said);
        let body = std::str::from_utf8(answer.body()).expect("text");
        assert!(body.contains("<a href=\"/auth/login\">Sign in</a>") && body.contains("<p>No.</p>"));
        assert!(
            answer.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").contains("default-src 'none'")
        );
    }

    #[test]
    fn a_person_gets_a_sentence() {
        let answer = short(StatusCode::FORBIDDEN, "/", "No.");
        assert_eq!(answer.body(), &Bytes::from_static(b"No.\n"));
    }
}
