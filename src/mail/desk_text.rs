//! Mail text in the forms the desk takes: BlockNote blocks for a ticket, one string for a comment.
//! Knows the desk's forms, not its API.

use serde_json::{Value, json};

use super::Mailbox;
use crate::base::clock::Timestamp;

/// The desk refuses bodies over 1 MiB, and JSON may double a text's length.
const LONGEST: usize = 200_000;
const MOST_LINES: usize = 3_000;
pub(super) const SHORTENED: &str = "[…] The mail is longer; only its beginning is shown.";

/// A paragraph per line, as the desk's editor would have written them; an array, because a string
/// would show its quotes and escapes.
pub fn blocks(text: &str) -> Value {
    let mut blocks = lines(text);
    if blocks.is_empty() {
        blocks.push(paragraph(""));
    }
    Value::Array(blocks)
}

/// The paragraphs of [`blocks`]; none for an empty text.
pub(super) fn lines(text: &str) -> Vec<Value> {
    let (kept, cut) = beginning(text.trim_end());
    let mut blocks: Vec<Value> = kept.lines().map(paragraph).collect();
    if cut {
        blocks.push(paragraph(SHORTENED));
    }
    blocks
}

/// Who wrote a comment, when, and where to find it again.
#[derive(Debug, Clone, Copy)]
pub struct CommentHead<'a> {
    pub from: &'a Mailbox,
    pub at: Timestamp,
    /// Short and without secrets; the same for every try of the same mail.
    pub reference: &'a str,
}

/// The text of a comment: a head line, then what the customer wrote. The desk shows line breaks as
/// spaces, so the end of a paragraph is marked by `¶`.
pub fn comment(head: &CommentHead<'_>, text: &str) -> String {
    let (kept, cut) = beginning(text.trim());
    let mut comment = head_line(head);
    let mut paragraph_ends = true;
    for line in kept.lines() {
        if line.trim().is_empty() {
            paragraph_ends = true;
            continue;
        }
        comment.push_str(if paragraph_ends { "\n¶ " } else { "\n" });
        comment.push_str(line.trim_end());
        paragraph_ends = false;
    }
    if cut {
        comment.push_str("\n¶ ");
        comment.push_str(SHORTENED);
    }
    comment
}

/// The part of a comment's head line by which it is found again.
pub fn reference_mark(reference: &str) -> String {
    format!("[mail {reference}]")
}

/// The reference in the head line of a comment, if it has one.
pub fn reference_of(comment: &str) -> Option<&str> {
    let (_, after) = comment.lines().next()?.rsplit_once("[mail ")?;
    after.trim_end().strip_suffix(']')
}

fn head_line(head: &CommentHead<'_>) -> String {
    let Mailbox { name, address } = head.from;
    let who =
        if name.is_empty() || name == address { address.clone() } else { format!("{name} <{address}>") };
    let moment = head.at.rfc3339().replace('T', " ").replace('Z', " UTC");
    format!("{who} wrote on {moment} {}", reference_mark(head.reference))
}

/// A paragraph of ours; an address in it can be clicked on.
pub(super) fn own_paragraph(line: &str) -> Value {
    let Some(start) = line.find("https://").or_else(|| line.find("http://")) else { return paragraph(line) };
    let end = line[start..].find(char::is_whitespace).map_or(line.len(), |length| start + length);
    let text = |text: &str| json!({ "type": "text", "text": text, "styles": {} });
    let link = json!({ "type": "link", "href": &line[start..end], "content": [text(&line[start..end])] });
    let around = [(!line[..start].is_empty()).then(|| text(&line[..start])), Some(link)];
    let after = (end < line.len()).then(|| text(&line[end..]));
    let content: Vec<Value> = around.into_iter().chain([after]).flatten().collect();
    json!({ "type": "paragraph", "content": content })
}

pub(super) fn paragraph(line: &str) -> Value {
    let content = match line.trim_end() {
        "" => json!([]),
        text => json!([{ "type": "text", "text": text, "styles": {} }]),
    };
    json!({ "type": "paragraph", "content": content })
}

/// As much of `text` as the desk takes, and whether something is missing.
fn beginning(text: &str) -> (&str, bool) {
    let by_length = text.char_indices().nth(LONGEST).map(|(at, _)| at);
    let by_lines = text.match_indices('\n').nth(MOST_LINES).map(|(at, _)| at);
    match by_length.into_iter().chain(by_lines).min() {
        Some(end) => (&text[..end], true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(from: &Mailbox) -> CommentHead<'_> {
        CommentHead { from, at: Timestamp(1_795_219_323_000), reference: "3f2a9c77e1" }
    }

    #[test]
    fn every_line_is_a_paragraph() {
        let wanted = json!([
            { "type": "paragraph", "content": [{ "type": "text", "text": "Hello,", "styles": {} }] },
            { "type": "paragraph", "content": [] },
            { "type": "paragraph", "content": [{ "type": "text", "text": "my printer <burns> & smokes", "styles": {} }] },
        ]);
        assert_eq!(blocks("Hello,\n\nmy printer <burns> & smokes\n\n"), wanted);
        assert_eq!(blocks(""), json!([{ "type": "paragraph", "content": [] }]));
    }

    #[test]
    fn an_address_in_a_line_of_ours_can_be_clicked_on() {
        let text = |text: &str| json!({ "type": "text", "text": text, "styles": {} });
        let link = json!({ "type": "link", "href": "https://d.example/1", "content": [text("https://d.example/1")] });
        for (line, wanted) in [
            ("see https://d.example/1 now", json!([text("see "), link, text(" now")])),
            ("https://d.example/1", json!([link])),
            ("nothing", json!([text("nothing")])),
        ] {
            assert_eq!(own_paragraph(line), json!({ "type": "paragraph", "content": wanted }));
        }
    }

    #[test]
    fn a_comment_tells_who_when_and_which_mail() {
        let from = Mailbox { name: "Ada".into(), address: "ada@customer.example".into() };
        let wanted = "Ada <ada@customer.example> wrote on 2026-11-21 00:02:03 UTC [mail 3f2a9c77e1]\n\
                      ¶ Hello,\n¶ it still smokes.\nA lot.";
        assert_eq!(comment(&head(&from), "Hello,\n\n\nit still smokes.\nA lot.\n"), wanted);
        assert!(wanted.contains(&reference_mark("3f2a9c77e1")));
    }

    #[test]
    fn what_the_desk_takes_is_never_exceeded() {
        let from = Mailbox { name: String::new(), address: "a@b".into() };
        for long in ["ä\u{1}\"".repeat(700_000), "a\n".repeat(700_000), "\n".repeat(900_000) + "x"] {
            let (blocks, comment) = (blocks(&long).to_string(), comment(&head(&from), &long));
            assert!(blocks.len() < 1 << 20 && json!(comment).to_string().len() < 1 << 20);
        }
        assert!(blocks(&"a\n".repeat(9_000)).to_string().contains("only its beginning"));
    }
}
