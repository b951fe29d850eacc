//! What HTTP/2 heads are checked for once they are decoded: the same as HTTP/1 heads before they are HTTP.
//!
//! The h2 library has checked the framing and connection-specific header lines; it has cut fragments off,
//! which nobody can see any more.

use http::header::{CONTENT_LENGTH, EXPECT, HOST, HeaderMap};
use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use pingora::http::RequestHeader;
use pingora::proxy::Session;

use super::context::authority;
use crate::web::grammar::{is_authority, is_method, is_target, plain_length};

const MOST_HEADERS: usize = 100;

/// A status and a sentence for the client.
pub type Refusal = (StatusCode, &'static str);

const fn malformed(sentence: &'static str) -> Refusal {
    (StatusCode::BAD_REQUEST, sentence)
}

/// Refuses what an HTTP/1 upstream could read in another way than the gateway did.
pub fn check(session: &mut Session) -> Result<(), Refusal> {
    let no_body = session.is_body_empty();
    let head = session.req_header();
    if !is_method(head.method.as_str().as_bytes()) {
        return Err((StatusCode::NOT_IMPLEMENTED, "The method is not known."));
    }
    if has_no_path(head) || !is_target(head.raw_path()) {
        return Err(malformed("The request target is not an absolute path."));
    }
    check_lines(&head.headers)?;
    check_host(head)?;
    check_length(head, no_body)
}

/// The library shows an empty path, such as what is left of `#/x`, as a slash, which it does not equal.
fn has_no_path(head: &RequestHeader) -> bool {
    let slash = PathAndQuery::from_static("/");
    head.uri.path_and_query().is_none_or(|path| path.as_str() == "/" && *path != slash)
}

fn check_lines(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.len() > MOST_HEADERS {
        return Err((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The request head is too large."));
    }
    let visible = |value: &[u8]| value.iter().all(|&byte| matches!(byte, b'\t' | b' '..=b'~'));
    if !headers.values().all(|value| visible(value.as_bytes())) {
        return Err(malformed("The request head has a byte that is not visible ASCII."));
    }
    let expected = headers.get_all(EXPECT).iter();
    if expected.into_iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Err((StatusCode::EXPECTATION_FAILED, "The expectation is not 100-continue."));
    }
    Ok(())
}

/// `:authority` counts; a Host line beside it may only say the same (RFC 9113 section 8.3.1).
fn check_host(head: &RequestHeader) -> Result<(), Refusal> {
    let authority = authority(head).as_bytes();
    if !is_authority(authority) {
        return Err(malformed("The host is missing or is none."));
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    let first = hosts.next();
    if hosts.next().is_some() || first.is_some_and(|host| !host.as_bytes().eq_ignore_ascii_case(authority)) {
        return Err(malformed("The request names its host twice."));
    }
    Ok(())
}

fn check_length(head: &RequestHeader, no_body: bool) -> Result<(), Refusal> {
    let mut lengths = head.headers.get_all(CONTENT_LENGTH).iter();
    let first = lengths.next();
    if first.is_some_and(|first| plain_length(first.as_bytes()).is_none()) || lengths.next().is_some() {
        return Err(malformed("The Content-Length is not one plain number."));
    }
    let bodiless = matches!(head.method, Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS);
    if bodiless && !no_body && first.is_none() {
        return Err(malformed("This method takes no body of unknown length."));
    }
    Ok(())
}
