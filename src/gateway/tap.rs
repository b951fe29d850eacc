//! Which ticket a request writes to, where the path does not tell: read from a small body as it passes. Nothing
//! is held back or changed. Only a hint; what cannot be read tells nothing.
//!
//! Source of paths and fields: the desk's observed API.

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

/// A comment's text is seldom this long; of a longer one the ticket stays untold.
const MOST: usize = 64 * 1024;

/// The body that names the ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    Request,
    Answer,
}

/// What has been seen of that body.
pub struct Tap {
    pub half: Half,
    seen: Vec<u8>,
    is_whole: bool,
    /// The desk did what was asked.
    pub is_done: bool,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Tap {
    /// For requests that make a ticket, comment on one or close it. `path` is canonical.
    pub fn on(method: &Method, path: &str) -> Option<Self> {
        let half = match (method.as_str(), path.strip_prefix("/api/v1/ticket/")?) {
            ("POST", "comment") | ("PUT", "status/update") => Half::Request,
            ("POST", "create" | "public/create") => Half::Answer,
            _ => return None,
        };
        Some(Self { half, seen: Vec::new(), is_whole: true, is_done: false })
    }

    /// A piece of the body of `half` passes.
    pub fn see(&mut self, half: Half, piece: &Bytes) {
        if half != self.half || !self.is_whole {
            return;
        }
        if self.seen.len() + piece.len() > MOST {
            self.is_whole = false;
            self.seen = Vec::new();
            return;
        }
        self.seen.extend_from_slice(piece);
    }

    /// The ticket's id.
    pub fn ticket(&self) -> Option<String> {
        // A body that is no such JSON is the desk's to refuse.
        let named: Named = serde_json::from_slice(&self.seen).ok()?;
        let is_id = (1..=64).contains(&named.id.len())
            && named.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_id.then_some(named.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(method: &str, path: &str, pieces: &[(Half, &'static str)]) -> Option<String> {
        let mut tap = Tap::on(&method.parse().expect("a method"), path)?;
        for (half, piece) in pieces {
            tap.see(*half, &Bytes::from_static(piece.as_bytes()));
        }
        tap.ticket()
    }

    #[test]
    fn the_ticket_is_read_from_the_body_that_names_it() {
        let asked: &[_] =
            &[(Half::Request, r#"{"text":"a","id":"#), (Half::Request, r#""t-1","public":true}"#)];
        assert_eq!(seen("POST", "/api/v1/ticket/comment", asked).as_deref(), Some("t-1"));
        let told: &[_] =
            &[(Half::Request, r#"{"id":"x"}"#), (Half::Answer, r#"{"success":true,"id":"t-2"}"#)];
        assert_eq!(seen("POST", "/api/v1/ticket/create", told).as_deref(), Some("t-2"));
        assert_eq!(seen("POST", "/api/v1/ticket/comment/delete", asked), None);
        assert_eq!(seen("GET", "/api/v1/ticket/comment", asked), None);
    }

    #[test]
    fn what_cannot_be_read_tells_nothing() {
        for body in ["", "[1]", r#"{"id":7}"#, r#"{"id":"../x"}"#, r#"{"id":""}"#] {
            assert_eq!(seen("PUT", "/api/v1/ticket/status/update", &[(Half::Request, body)]), None);
        }
    }

    #[test]
    fn a_long_body_is_not_kept() {
        let mut tap = Tap::on(&Method::POST, "/api/v1/ticket/comment").expect("a tap");
        tap.see(Half::Request, &Bytes::from_static(br#"{"id":"t-1","text":""#));
        tap.see(Half::Request, &Bytes::from(vec![b'a'; MOST]));
        tap.see(Half::Request, &Bytes::from_static(br#""}"#));
        assert_eq!((tap.ticket(), tap.seen.len()), (None, 0));
    }
}
