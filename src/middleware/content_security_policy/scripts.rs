//! The inline scripts of a page, as the hashes a Content-Security-Policy names them by (CSP Level 3, "hash
//! source"). Reads HTML by the tokenizer that browsers' rules are written in; knows no policy.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::base::secret::sha256;

/// The desk's pages have one; a page with many more is not the desk's.
const MOST_SCRIPTS: usize = 16;

/// `'sha256-…'` for every script that stands in the page itself, in the order of the page. None for what
/// is no UTF-8.
pub(super) fn hashes(page: &[u8]) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(page) else { return Vec::new() };
    let tokenizer = Tokenizer::new(Scripts::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(text));
    // Only a sink that asks for it is paused at a script's end.
    drop(tokenizer.feed(&queue));
    tokenizer.end();
    let Reading { scripts, .. } = tokenizer.sink.0.into_inner();
    scripts.iter().take(MOST_SCRIPTS).map(|text| hash(text)).collect()
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(sha256(text.as_bytes())))
}

#[derive(Default)]
struct Scripts(RefCell<Reading>);

#[derive(Default)]
struct Reading {
    scripts: Vec<String>,
    /// The last of them is being read.
    is_open: bool,
}

impl TokenSink for Scripts {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reading = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return reading.tag(&tag),
            Token::CharacterTokens(text) => reading.text(&text),
            Token::NullCharacterToken => reading.text("\u{fffd}"),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reading {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        self.is_open = false;
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        match &*tag.name {
            "script" => {
                if is_inline(tag) {
                    self.scripts.push(String::new());
                    self.is_open = true;
                }
                TokenSinkResult::RawData(RawKind::ScriptData)
            }
            // With scripts on, what stands in a noscript is text.
            "style" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript" => {
                TokenSinkResult::RawData(RawKind::Rawtext)
            }
            "textarea" | "title" => TokenSinkResult::RawData(RawKind::Rcdata),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(script) = self.scripts.last_mut().filter(|_| self.is_open) {
            script.push_str(text);
        }
    }
}

/// Whether the element's own text would run: it names no file and is no data.
fn is_inline(script: &Tag) -> bool {
    let attribute = |name: &str| {
        let found = script.attrs.iter().find(|attribute| &*attribute.name.local == name);
        found.map(|attribute| attribute.value.trim().to_ascii_lowercase())
    };
    let runs = attribute("type").is_none_or(|kind| {
        kind.is_empty() || kind == "module" || kind.ends_with("/javascript") || kind.ends_with("/ecmascript")
    });
    runs && attribute("src").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> Vec<String> {
        hashes(page.as_bytes())
    }

    #[test]
    fn the_hash_is_the_one_browsers_compute() {
        // The example of CSP Level 3, section "hash-source".
        assert_eq!(
            found("<script>alert('Hello, world.');</script>"),
            ["'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"]
        );
    }

    #[test]
    fn only_what_runs_and_stands_in_the_page_is_named() {
        let table: [(&str, &[&str]); 14] = [
            ("<script src=/a.js></script>", &[]),
            ("<script src=''>a</script>", &[]),
            ("<script type=application/json>{}</script>", &[]),
            ("<script id=x type='text/javascript'>a</script>", &["a"]),
            ("<SCRIPT TYPE=module>a</SCRIPT>", &["a"]),
            ("<script>a</script x><p>b</p><script>c</script>", &["a", "c"]),
            ("<script>a<b></b></script>", &["a<b></b>"]),
            ("<script>a\r\nb</script>", &["a\nb"]),
            ("<!-- <script>a</script> -->", &[]),
            ("<textarea><script>a</script></textarea><title><script>b</script></title>", &[]),
            ("<style><script>a</script></style><noscript><script>b</script></noscript>", &[]),
            ("<p title='<script>a</script>'>", &[]),
            ("<script>\n</script>", &["\n"]),
            ("<script></script>", &[""]),
        ];
        for (page, texts) in table {
            let expected: Vec<String> = texts.iter().map(|text| hash(text)).collect();
            assert_eq!(found(page), expected, "{page}");
        }
    }

    #[test]
    fn a_page_of_scripts_is_cut_and_what_is_no_text_has_none() {
        assert_eq!(found(&"<script>a</script>".repeat(100)).len(), MOST_SCRIPTS);
        assert!(hashes(b"<script>\xff</script>").is_empty());
    }
}
