//! The way from the desk's own admin pages to the console: a script of ours, named in the head of every page and
//! served here. On every page, since the desk goes from page to page without loading one.
//!
//! Served to everybody: it holds nothing, and below the console's own path the guard would turn agents away and
//! note it. Whether somebody may enter, the script asks the console.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};

use super::{media_type, scripts};
use crate::base::id::hex;
use crate::base::secret::sha256;
use crate::web::answer::Answer;

const SCRIPT: &str = include_str!("console_link.js");
const END_OF_HEAD: &[u8] = b"</head>";

/// The script, its place and the element that names it.
pub(super) struct ConsoleLink {
    /// Changes with the script's content.
    pub(super) path: String,
    element: String,
}

impl ConsoleLink {
    pub(super) fn new() -> Self {
        let path = format!("/exchange-link-{}.js", hex(&sha256(SCRIPT.as_bytes())[..8]));
        let element = format!("<script src=\"{path}\" defer></script>");
        Self { path, element }
    }

    pub(super) fn script() -> Answer {
        let mut answer = Response::new(Bytes::from_static(SCRIPT.as_bytes()));
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        answer
    }

    /// Names the script at `place`, as [`place`] found it for this page.
    pub(super) fn put_into(&self, page: &mut Answer, place: Option<usize>) {
        let is_html = media_type(page.headers()).to_ascii_lowercase().starts_with("text/html");
        let Some(place) = place.filter(|_| is_html && page.status() == StatusCode::OK) else { return };
        let (head, rest) = page.body().split_at(place);
        *page.body_mut() = [head, self.element.as_bytes(), rest].concat().into();
    }
}

/// The end of a page's head, unless an element there would become part of a script.
pub(super) fn place(body: &[u8]) -> Option<usize> {
    let place =
        body.windows(END_OF_HEAD.len()).position(|window| window.eq_ignore_ascii_case(END_OF_HEAD))?;
    let (head, rest) = body.split_at(place);
    let tried = [head, b"<script src=x></script>", rest].concat();
    (scripts::hashes(&tried) == scripts::hashes(body)).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(kind: &'static str, body: &'static str) -> Answer {
        let mut page = Response::new(Bytes::from_static(body.as_bytes()));
        page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        page
    }

    fn linked(kind: &'static str, body: &'static str) -> String {
        let (link, mut page) = (ConsoleLink::new(), page(kind, body));
        link.put_into(&mut page, place(body.as_bytes()));
        String::from_utf8(page.body().to_vec()).expect("text").replace(&link.element, "[link]")
    }

    #[test]
    fn the_script_is_named_at_the_end_of_the_head() {
        let html = "<html><head><title>a</title></HEAD><body></head></body>";
        assert_eq!(
            linked("text/html; charset=utf-8", html),
            "<html><head><title>a</title>[link]</HEAD><body></head></body>"
        );
    }

    #[test]
    fn what_is_no_page_with_a_head_stays_as_it_is() {
        for (kind, body) in [
            ("text/html", "<p>no head</p>"),
            ("image/svg+xml", "<svg></head></svg>"),
            ("text/html", "<script>write('</head>')</script>"),
        ] {
            assert_eq!(linked(kind, body), body);
        }
    }

    #[test]
    fn an_error_page_stays_as_it_is() {
        let mut missing = page("text/html", "<head></head>");
        *missing.status_mut() = StatusCode::NOT_FOUND;
        ConsoleLink::new().put_into(&mut missing, Some(6));
        assert_eq!(missing.body(), "<head></head>");
    }
}
