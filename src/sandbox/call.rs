//! A request as a value, and the few forms of answer the stand-ins give.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::web::answer::Answer;

/// A whole request.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    /// As sent, percent-encoded, without the query.
    pub path: String,
    /// Without the question mark.
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub peer: IpAddr,
    pub body: Bytes,
}

impl Call {
    /// A header's first line, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The query's pairs, decoded, in order.
    pub fn pairs(&self) -> Vec<(String, String)> {
        decode_form(self.query.as_deref().unwrap_or_default().as_bytes())
    }

    /// The body's pairs of an HTML form, decoded, in order.
    pub fn form(&self) -> Vec<(String, String)> {
        decode_form(&self.body)
    }

    /// The body as JSON; `Null` when it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Where this server is, as the caller wrote it: `http://idp.localhost:8081`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or("127.0.0.1"))
    }
}

/// The first value of `name`.
pub fn first<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn decode_form(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// Undoes percent-encoding once; what is no encoding stays as it is.
pub fn percent_decoded(path: &str) -> String {
    let hexadecimal = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1).zip(bytes.get(at + 2)).filter(|_| bytes[at] == b'%');
        match pair.and_then(|(&high, &low)| hexadecimal(high).zip(hexadecimal(low))) {
            Some((high, low)) => {
                decoded.push(high * 16 + low);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// `status` with JSON.
pub fn json(status: StatusCode, value: &Value) -> Answer {
    typed(status, "application/json; charset=utf-8", value.to_string())
}

/// 200 with a page.
pub fn html(page: String) -> Answer {
    typed(StatusCode::OK, "text/html; charset=utf-8", page)
}

/// `status` with a body of `media_type`.
pub fn typed(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Answer::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// `status` without a body.
pub fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// A redirect. A target that cannot be a header value is the caller's mistake and becomes 400.
pub fn redirect(status: StatusCode, target: &str) -> Answer {
    match HeaderValue::from_str(target) {
        Ok(target) => with_header(empty(status), LOCATION, target),
        Err(_) => empty(StatusCode::BAD_REQUEST),
    }
}

/// `answer` with one more header line.
pub fn with_header(mut answer: Answer, name: HeaderName, value: HeaderValue) -> Answer {
    answer.headers_mut().append(name, value);
    answer
}

/// Text as it may stand in HTML, in quoted attributes too.
pub fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, character| {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(escape(r#"<a title="x">Tom & 'Jo'</a>"#).matches('<').count(), 0);
        assert_eq!(escape("&\"'"), "&amp;&quot;&#39;");
    }

    #[test]
    fn a_target_with_a_line_break_is_not_followed() {
        assert_eq!(redirect(StatusCode::FOUND, "/a\r\nb: c").status(), StatusCode::BAD_REQUEST);
    }
}
