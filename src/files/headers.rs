//! The heads under which bytes from strangers leave: nothing of them runs, nothing is guessed, nothing is
//! kept by a cache.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::mail::picture;
use crate::web::answer::Answer;
use crate::web::plain::POLICY;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// For bytes: a document of its own, without scripts and without an origin.
const BYTES_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";
/// For the mail's own page. Its pictures are within it, so that it may load nothing at all.
const PAGE_POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; sandbox";

/// RFC 8187's attr-char are the ones left as they are.
const NOT_ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// A file: shown when its bytes are a picture, otherwise only for saving.
pub(super) fn file(bytes: Vec<u8>, name: &str) -> Answer {
    match picture::media_type(&bytes) {
        Some(media_type) => with(bytes, media_type, BYTES_POLICY, Some(("inline", name))),
        None => download(bytes, name, "application/octet-stream"),
    }
}

/// Bytes for saving, whatever they are.
pub(super) fn download(bytes: Vec<u8>, name: &str, media_type: &'static str) -> Answer {
    with(bytes, media_type, BYTES_POLICY, Some(("attachment", name)))
}

/// The page of a mail.
pub(super) fn mail_page(html: String) -> Answer {
    with(html.into_bytes(), "text/html; charset=utf-8", PAGE_POLICY, None)
}

/// A page of ours.
pub(super) fn own_page(html: String) -> Answer {
    with(html.into_bytes(), "text/html; charset=utf-8", POLICY, None)
}

fn with(
    body: Vec<u8>,
    media_type: &'static str,
    policy: &'static str,
    saved: Option<(&str, &str)>,
) -> Answer {
    let mut answer = Answer::new(Bytes::from(body));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    if let Some((kind, name)) = saved {
        headers.insert(CONTENT_DISPOSITION, disposition(kind, name));
    }
    settle(headers);
    answer
}

fn settle(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
}

/// RFC 6266: the name in ASCII for old programs, and whole as RFC 8187 has it.
fn disposition(kind: &str, name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|one| if one.is_ascii_alphanumeric() || " .-_()".contains(one) { one } else { '_' })
        .collect();
    let whole = utf8_percent_encode(name, NOT_ATTR_CHAR);
    let line = format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{whole}");
    HeaderValue::try_from(line).expect("letters, digits and marks of ASCII are a header value")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(answer: &Answer, name: &HeaderName) -> String {
        answer.headers()[name].to_str().expect("text").to_owned()
    }

    #[test]
    fn only_a_picture_by_its_bytes_is_shown() {
        let table: [(&[u8], &str, &str, &str); 5] = [
            (b"\x89PNG\r\n\x1a\n", "a.html", "image/png", "inline"),
            (b"<html><script>alert(1)</script>", "a.png", "application/octet-stream", "attachment"),
            (b"<svg onload=alert(1)>", "a.svg", "application/octet-stream", "attachment"),
            (b"%PDF-1.7", "a.pdf", "application/octet-stream", "attachment"),
            (b"GIF89a/*<script>*/=alert(1)", "a.js", "image/gif", "inline"),
        ];
        for (bytes, name, media_type, kind) in table {
            let answer = file(bytes.to_vec(), name);
            assert_eq!(line(&answer, &CONTENT_TYPE), media_type, "{name}");
            assert!(line(&answer, &CONTENT_DISPOSITION).starts_with(kind), "{name}");
            assert_eq!(line(&answer, &X_CONTENT_TYPE_OPTIONS), "nosniff", "{name}");
            assert_eq!(line(&answer, &CACHE_CONTROL), "private, no-store", "{name}");
            assert!(line(&answer, &CONTENT_SECURITY_POLICY).ends_with("; sandbox"), "{name}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_line() {
        for (name, expected) in [
            ("invoice.pdf", "filename=\"invoice.pdf\"; filename*=UTF-8''invoice.pdf"),
            ("a\"; x=\"b", "filename=\"a__ x__b\"; filename*=UTF-8''a%22%3B%20x%3D%22b"),
            ("Übersicht.pdf", "filename=\"_bersicht.pdf\"; filename*=UTF-8''%C3%9Cbersicht.pdf"),
            (
                "a\r\nSet-Cookie: x",
                "filename=\"a__Set-Cookie_ x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x",
            ),
            ("100%'.txt", "filename=\"100__.txt\"; filename*=UTF-8''100%25%27.txt"),
        ] {
            let line = disposition("attachment", name);
            assert_eq!(line.to_str().expect("text"), format!("attachment; {expected}"), "{name:?}");
        }
    }
}
