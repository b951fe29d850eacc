//! An HTML mail as blocks of the desk's editor (BlockNote): paragraphs, headings, lists, links, quotes.
//! Sanitised first; nothing is fetched and no markup survives. Knows the editor's form, not the desk's API.

use std::collections::HashMap;

use html2text::Handle;
use html2text::config;
use serde_json::{Value, json};

use self::line::{Line, Style};
use super::{Attachment, Message, clean, desk_text, html, html_quote};

mod line;
mod sanitise;

/// In bytes of JSON, at most; the desk refuses bodies over 1 MiB, and notes stand around these blocks.
const LARGEST: usize = 700_000;
const MOST_BLOCKS: usize = 3_000;
/// What each block and each run of text costs besides its text.
const FRAME: usize = 100;

/// The blocks of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub blocks: Vec<Value>,
    /// Only the beginning is here.
    pub cut: bool,
    /// Characters shown, white space aside.
    pub shown: usize,
}

/// The page in blocks; `None` for one too deep or too large to be laid out. A picture that came with the mail
/// is told by its file's name, one from elsewhere is left out.
pub fn page(markup: &str, files: &[Attachment]) -> Option<Page> {
    if !html::within_bounds(markup) {
        return None;
    }
    let dom = config::plain().parse_html(sanitise::harmless(markup).as_bytes()).ok()?;
    let names = files.iter().filter_map(|file| Some((file.content_id.as_deref()?, file.name.as_str())));
    let mut writer = Writer::new(names.collect());
    writer.children(&dom.document, &Place::default());
    writer.end_line(&Place::default());
    Some(writer.page)
}

/// What a ticket shows of a mail: its page in blocks between two texts of ours; the plain text where there is
/// no page, or where the page says much less.
pub fn ticket(message: &Message, above: &str, below: &str) -> Value {
    let page = message.page.as_deref().and_then(|markup| page(markup, &message.attachments));
    let page = page.filter(|page| 2 * page.shown >= shown(&message.text));
    let mut blocks: Vec<Value> = above.lines().map(desk_text::own_paragraph).collect();
    let has_text = page.is_some() || !message.text.is_empty();
    if !above.is_empty() && has_text {
        blocks.push(desk_text::paragraph(""));
    }
    match page {
        Some(page) => {
            blocks.extend(page.blocks);
            if page.cut {
                blocks.push(desk_text::paragraph(desk_text::SHORTENED));
            }
            let invitation = message.invitation.as_deref().unwrap_or_default();
            blocks.extend(set_off(invitation.lines().map(desk_text::paragraph)));
        }
        None if has_text => blocks.extend(desk_text::lines(&message.text)),
        None => {}
    }
    blocks.extend(set_off(below.lines().map(desk_text::own_paragraph)));
    Value::Array(blocks)
}

/// Behind an empty line, if there is anything.
fn set_off(blocks: impl Iterator<Item = Value>) -> impl Iterator<Item = Value> {
    let mut blocks = blocks.peekable();
    let gap = blocks.peek().map(|_| desk_text::paragraph(""));
    gap.into_iter().chain(blocks)
}

fn shown(text: &str) -> usize {
    text.chars().filter(|one| !one.is_whitespace()).count()
}

/// What surrounds a piece of text.
#[derive(Clone, Default)]
struct Place {
    style: Style,
    /// `> ` for each level: the editor has no quote.
    quotes: usize,
    kind: Kind,
    preformatted: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Kind {
    #[default]
    Paragraph,
    /// 1 to 3.
    Heading(u8),
    Bullet,
    Number,
}

impl Kind {
    fn block(self, content: Vec<Value>) -> Value {
        match self {
            Self::Paragraph => json!({ "type": "paragraph", "content": content }),
            Self::Heading(level) => {
                json!({ "type": "heading", "props": { "level": level }, "content": content })
            }
            Self::Bullet => json!({ "type": "bulletListItem", "content": content }),
            Self::Number => json!({ "type": "numberedListItem", "content": content }),
        }
    }
}

struct Writer<'f> {
    /// Names of the mail's own pictures by Content-ID.
    names: HashMap<&'f str, &'f str>,
    page: Page,
    line: Line,
    cost: usize,
}

impl<'f> Writer<'f> {
    fn new(names: HashMap<&'f str, &'f str>) -> Self {
        let page = Page { blocks: Vec::new(), cut: false, shown: 0 };
        Self { names, page, line: Line::default(), cost: 0 }
    }

    fn children(&mut self, node: &Handle, place: &Place) {
        for child in node.children.borrow().iter() {
            if self.page.cut {
                return;
            }
            match child.element_name() {
                Some(name) => self.element(child, &name, place),
                None => match html_quote::text_in(child) {
                    Some(text) => self.text(&text, place),
                    None => self.children(child, place),
                },
            }
        }
    }

    fn element(&mut self, node: &Handle, name: &str, place: &Place) {
        match name {
            "br" => self.break_line(place),
            "img" => self.picture(node, place),
            "td" | "th" => {
                self.line.space();
                self.children(node, place);
            }
            _ => match within(name, place) {
                Some(inner) => {
                    self.end_line(place);
                    self.children(node, &inner);
                    self.end_line(&inner);
                }
                None => self.children(node, &styled(node, name, place)),
            },
        }
    }

    fn picture(&mut self, node: &Handle, place: &Place) {
        let source = html_quote::attribute(node, "src").unwrap_or_default();
        let id = source.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("cid:")).map(|_| &source[4..]);
        if let Some(name) = id.and_then(|id| self.names.get(id).copied()) {
            self.text(&format!("[{name}]"), place);
        }
    }

    fn text(&mut self, text: &str, place: &Place) {
        if !place.preformatted {
            self.line.push(&clean::block(text), &place.style);
            return;
        }
        for (at, line) in clean::block(text).split('\n').enumerate() {
            if at > 0 {
                self.end_line(place);
            }
            self.line.push_as_is(line, &place.style);
        }
    }

    /// An empty line stays one, several become one.
    fn break_line(&mut self, place: &Place) {
        if self.line.is_empty() && self.page.blocks.last().is_some_and(|last| !is_empty(last)) {
            self.add(Kind::Paragraph.block(Vec::new()), 0);
        }
        self.end_line(place);
    }

    fn end_line(&mut self, place: &Place) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return;
        }
        let shown = line.shown();
        let marks = "> ".repeat(place.quotes);
        self.page.shown += shown;
        self.cost += line.cost(FRAME) + marks.len();
        self.add(place.kind.block(line.content(&marks)), FRAME);
    }

    fn add(&mut self, block: Value, cost: usize) {
        self.cost += cost;
        if self.cost > LARGEST || self.page.blocks.len() >= MOST_BLOCKS {
            self.page.cut = true;
        } else {
            self.page.blocks.push(block);
        }
    }
}

fn is_empty(block: &Value) -> bool {
    block["content"].as_array().is_some_and(Vec::is_empty)
}

/// What surrounds the text in an element that begins a line; `None` for one within a line.
fn within(name: &str, place: &Place) -> Option<Place> {
    let mut inner = place.clone();
    match name {
        "h1" => inner.kind = Kind::Heading(1),
        "h2" => inner.kind = Kind::Heading(2),
        "h3" | "h4" | "h5" | "h6" => inner.kind = Kind::Heading(3),
        "ul" => inner.kind = Kind::Bullet,
        "ol" => inner.kind = Kind::Number,
        "blockquote" => {
            inner.quotes = (place.quotes + 1).min(10);
            inner.kind = Kind::Paragraph;
        }
        "pre" => inner.preformatted = true,
        "p" | "div" | "li" | "table" | "tr" | "hr" => {}
        _ => return None,
    }
    Some(inner)
}

fn styled(node: &Handle, name: &str, place: &Place) -> Place {
    let mut inner = place.clone();
    let style = &mut inner.style;
    match name {
        "b" | "strong" => style.bold = true,
        "i" | "em" => style.italic = true,
        "u" | "ins" => style.underline = true,
        "s" | "strike" | "del" => style.strike = true,
        "code" | "tt" => style.code = true,
        "a" => style.link = html_quote::attribute(node, "href").filter(|href| sanitise::is_link(href)),
        _ => {}
    }
    inner
}

#[cfg(test)]
mod tests;
