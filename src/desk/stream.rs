//! Cuts the objects of one list out of a JSON answer as its bytes arrive, and leaves out the end of long texts.
//! The desk's lists have no paging and carry everything that mails brought: what is kept of an answer must not
//! hang on how much there is of it.
//!
//! It does not judge JSON: what it cuts out is parsed by others, who find what is wrong.

use std::ops::ControlFlow;

use futures_util::StreamExt;
use http::StatusCode;

use super::session::Session;
use super::{Desk, DeskError};
use crate::web::call::CallError;

/// The most that is kept at a time: of one object of the list, and of everything around the list.
const MOST_KEPT: usize = 8 << 20;

/// Which list, and how much of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// The list's key.
    pub(super) list: &'static str,
    /// How many objects are around it.
    pub(super) depth: usize,
    /// Bytes of a text in the list's objects, and of one around the list.
    pub(super) longest: usize,
    pub(super) longest_around: usize,
    /// Bytes of the whole answer.
    pub(super) limit: usize,
}

/// Takes an object of the list; `Break` when no more are wanted.
pub(super) type Each<'e> = dyn FnMut(&[u8]) -> Result<ControlFlow<()>, DeskError> + Send + 'e;

impl Desk {
    /// Reads `path` and gives `each` the objects of the list; what stands around the list. A dead session shows as
    /// 401 or as 500, so both are tried once more after a new sign-in.
    pub(super) async fn read_list(
        &self,
        what: &'static str,
        path: &str,
        shape: Shape,
        each: &mut Each<'_>,
    ) -> Result<Vec<u8>, DeskError> {
        let session = self.session().await?;
        match self.read_list_as(&session, what, path, shape, each).await {
            Err(DeskError::Refused { status: 401 | 500, .. }) => {
                let session = self.session_after(&session).await?;
                match self.read_list_as(&session, what, path, shape, each).await {
                    // By now the token is a fresh one, so it is the bot's role.
                    Err(DeskError::Refused { status: 401, .. }) => Err(DeskError::Forbidden { what }),
                    other => other,
                }
            }
            other => other,
        }
    }

    async fn read_list_as(
        &self,
        session: &Session,
        what: &'static str,
        path: &str,
        shape: Shape,
        each: &mut Each<'_>,
    ) -> Result<Vec<u8>, DeskError> {
        let call = |source| DeskError::Call { what, source };
        let request = self.request(what, session, path)?;
        let host = request.uri().host().unwrap_or_default().to_owned();
        let (head, mut body) = self.http.open(request).await.map_err(call)?.into_parts();
        if head.status != StatusCode::OK {
            return Err(DeskError::Refused { what, status: head.status.as_u16() });
        }
        let mut cutter = Cutter::new(shape);
        let mut read = 0;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(call)?;
            read += piece.len();
            if read > shape.limit {
                return Err(call(CallError::TooLarge { host, limit: shape.limit }));
            }
            for &byte in &piece {
                match cutter.feed(byte) {
                    Fed::More => {}
                    Fed::Item => {
                        if each(&cutter.take_item())?.is_break() {
                            return Ok(cutter.around);
                        }
                    }
                    Fed::TooMuch => return Err(call(CallError::TooLarge { host, limit: MOST_KEPT })),
                }
            }
        }
        if cutter.is_whole() { Ok(cutter.around) } else { Err(DeskError::Garbled { what, source: None }) }
    }
}

/// What a byte came to.
enum Fed {
    More,
    /// An object of the list is complete.
    Item,
    TooMuch,
}

struct Cutter {
    shape: Shape,
    depth: usize,
    /// The text at hand, while inside one.
    text: Option<Text>,
    /// The last text at the depth of the list's key.
    name: Vec<u8>,
    inside: bool,
    ended: bool,
    item: Vec<u8>,
    around: Vec<u8>,
}

impl Cutter {
    fn new(shape: Shape) -> Self {
        Self {
            shape,
            depth: 0,
            text: None,
            name: Vec::new(),
            inside: false,
            ended: false,
            item: Vec::new(),
            around: Vec::new(),
        }
    }

    fn feed(&mut self, byte: u8) -> Fed {
        let (was_inside, was_deep) = (self.inside, self.depth > self.shape.depth + 1);
        let is_kept = match self.text.take() {
            Some(text) => self.go_on(text, byte),
            None => {
                self.structure(byte);
                true
            }
        };
        let is_deep = self.depth > self.shape.depth + 1;
        let in_item = was_inside && self.inside && (was_deep || is_deep);
        if is_kept && in_item {
            self.item.push(byte);
        } else if is_kept && !(was_inside && self.inside) {
            self.around.push(byte);
        }
        if self.item.len() > MOST_KEPT || self.around.len() > MOST_KEPT {
            return Fed::TooMuch;
        }
        if in_item && was_deep && !is_deep { Fed::Item } else { Fed::More }
    }

    /// Whether the byte is kept.
    fn go_on(&mut self, mut text: Text, byte: u8) -> bool {
        let longest = if self.inside { self.shape.longest } else { self.shape.longest_around };
        match text.feed(byte, longest) {
            Said::End => return true,
            Said::Kept if self.is_at_key() && self.name.len() < 64 => self.name.push(byte),
            Said::Kept => {}
            Said::LeftOut => {
                self.text = Some(text);
                return false;
            }
        }
        self.text = Some(text);
        true
    }

    fn structure(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.text = Some(Text::default());
                if self.is_at_key() {
                    self.name.clear();
                }
            }
            b'[' | b'{' => {
                let is_list = byte == b'[' && self.is_at_key() && self.name == self.shape.list.as_bytes();
                self.inside |= is_list && !self.ended;
                self.depth += 1;
            }
            b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                if self.inside && self.is_at_key() {
                    (self.inside, self.ended) = (false, true);
                }
            }
            _ => {}
        }
    }

    fn is_at_key(&self) -> bool {
        self.depth == self.shape.depth
    }

    fn take_item(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.item)
    }

    /// Whether the answer went on to its end, and had the list.
    fn is_whole(&self) -> bool {
        self.ended && self.depth == 0 && self.text.is_none()
    }
}

/// A JSON text as its bytes pass.
#[derive(Default)]
struct Text {
    length: usize,
    /// Bytes of an escape that are still to come.
    escape: u8,
    /// The number of the last `\u` escape.
    unit: u16,
    left_out: bool,
}

enum Said {
    Kept,
    LeftOut,
    /// The quote that ends it.
    End,
}

impl Text {
    fn feed(&mut self, byte: u8, longest: usize) -> Said {
        if self.escape > 0 {
            self.escape(byte);
        } else if byte == b'"' {
            return Said::End;
        } else {
            let is_rest_of_letter = byte & 0xC0 == 0x80;
            let is_first_of_pair = (0xD800..0xDC00).contains(&self.unit);
            self.left_out |= self.length >= longest && !is_rest_of_letter && !is_first_of_pair;
            self.unit = 0;
            self.escape = u8::from(byte == b'\\');
        }
        self.length += 1;
        if self.left_out { Said::LeftOut } else { Said::Kept }
    }

    /// One letter after the backslash, or `u` and four digits.
    fn escape(&mut self, byte: u8) {
        let is_first = self.escape == 1;
        if is_first && byte == b'u' {
            // Counts down from above 1, so that a digit is never taken for the letter.
            self.escape = 5;
        } else if !is_first {
            let digit = char::from(byte).to_digit(16).unwrap_or_default();
            self.unit = (self.unit << 4) | u16::try_from(digit).expect("a digit is below 16");
            self.escape -= 1;
        }
        if self.escape == 1 {
            self.escape = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape =
        Shape { list: "comments", depth: 2, longest: 8, longest_around: 8, limit: usize::MAX };

    const TICKET: &str = r##"{"ticket":{"id":"8c20","title":"\"comments\":[{","roles":[{"comments":[1]}],"comments":[
        {"id":"n2","text":"#10 \"}]\\ and more of it","deep":{"a":["]}"]}}, {"id":"n1","text":"x"}],
        "TimeTracking":[],"detail":"aaaaaaaaaaaa"},"sucess":true}"##;

    fn cut(pieces: &[&[u8]]) -> (Vec<String>, String, bool) {
        let mut cutter = Cutter::new(SHAPE);
        let mut items = Vec::new();
        for &byte in pieces.iter().copied().flatten() {
            if matches!(cutter.feed(byte), Fed::Item) {
                items.push(String::from_utf8(cutter.take_item()).expect("text"));
            }
        }
        let whole = cutter.is_whole();
        (items, String::from_utf8(cutter.around).expect("text"), whole)
    }

    #[test]
    fn the_objects_of_the_list_are_cut_out_and_long_texts_end_early() {
        let (items, around, whole) = cut(&[TICKET.as_bytes()]);
        let first = r##"{"id":"n2","text":"#10 \"}]","deep":{"a":["]}"]}}"##;
        assert_eq!(items, [first, r#"{"id":"n1","text":"x"}"#]);
        assert!(whole);
        let around: serde_json::Value = serde_json::from_str(&around).expect("JSON");
        assert_eq!(around["ticket"]["comments"], serde_json::json!([]));
        assert_eq!(around["ticket"]["detail"], "aaaaaaaa");
        assert_eq!(around["ticket"]["roles"][0], serde_json::json!({"comments": [1]}));
    }

    #[test]
    fn an_answer_that_breaks_off_or_lacks_the_list_is_not_whole() {
        for end in 0..TICKET.len() {
            assert!(!cut(&[&TICKET.as_bytes()[..end]]).2, "{end}");
        }
        assert!(!cut(&[br#"{"ticket":{"id":"1"}}"#]).2);
    }

    #[test]
    fn a_text_is_never_cut_within_a_letter() {
        for text in [
            "aaaaaaa\\\\\\\\b",
            "aaaaaa\u{1f600}\u{1f600}b",
            "aaaaaa\\ud83d\\ude00\\ud83d\\ude00b",
            "\\u00e4\\n\\t\\u00e4b",
        ] {
            for shift in 0..8 {
                let text = format!("{}{text}", "s".repeat(shift));
                let answer = format!(r#"{{"ticket":{{"comments":[{{"text":"{text}"}}]}}}}"#);
                let (items, _, whole) = cut(&[answer.as_bytes()]);
                let item: serde_json::Value = serde_json::from_str(&items[0]).expect("JSON");
                let whole_text: String = serde_json::from_str(&format!("\"{text}\"")).expect("JSON");
                assert!(whole && whole_text.starts_with(item["text"].as_str().expect("text")), "{text}");
            }
        }
    }
}
