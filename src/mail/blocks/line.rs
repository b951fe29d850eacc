//! One line of a page: runs of text in a style, white space as browsers show it. Knows no elements.

use serde_json::{Map, Value, json};

/// How a run of text looks and where it leads.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) underline: bool,
    pub(super) strike: bool,
    pub(super) code: bool,
    pub(super) link: Option<String>,
}

/// The runs of a line, no two neighbours in the same style.
#[derive(Debug, Default)]
pub(super) struct Line {
    runs: Vec<(String, Style)>,
    /// White space that counts only if something follows.
    space: bool,
}

impl Line {
    /// Adds text whose white space counts as one space, at a line's beginning and end as none.
    pub(super) fn push(&mut self, text: &str, style: &Style) {
        let blank = |one: char| one.is_ascii_whitespace();
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if words.is_empty() {
            self.space |= !text.is_empty();
            return;
        }
        let leads = text.starts_with(blank);
        // A line begins with what is seen.
        if !self.runs.is_empty() {
            match (self.space, leads) {
                (true, _) => self.gap(),
                (false, true) if style.link.is_some() => self.gap(),
                (false, true) => self.add(" ", style),
                (false, false) => {}
            }
        }
        self.add(&words.join(" "), style);
        self.space = text.ends_with(blank);
    }

    pub(super) fn push_as_is(&mut self, text: &str, style: &Style) {
        if !text.is_empty() {
            self.add(text, style);
        }
    }

    pub(super) fn space(&mut self) {
        self.space = true;
    }

    /// Nothing to be seen.
    pub(super) fn is_empty(&self) -> bool {
        self.shown() == 0
    }

    /// Characters, white space aside.
    pub(super) fn shown(&self) -> usize {
        self.runs.iter().flat_map(|(text, _)| text.chars()).filter(|one| !one.is_whitespace()).count()
    }

    /// In bytes of JSON, at most.
    pub(super) fn cost(&self, frame: usize) -> usize {
        let link = |style: &Style| style.link.as_ref().map_or(0, |link| 2 * link.len() + frame);
        self.runs.iter().map(|(text, style)| 2 * text.len() + link(style) + frame).sum()
    }

    /// The editor's inline content, `marks` first.
    pub(super) fn content(self, marks: &str) -> Vec<Value> {
        let marks = (!marks.is_empty()).then(|| run(marks, &Style::default()));
        let runs = self.runs.into_iter().map(|(text, style)| match &style.link {
            Some(href) => json!({ "type": "link", "href": href, "content": [run(&text, &style)] }),
            None => run(&text, &style),
        });
        marks.into_iter().chain(runs).collect()
    }

    /// A space that belongs to no link.
    fn gap(&mut self) {
        match self.runs.last_mut() {
            Some((last, style)) if style.link.is_none() => last.push(' '),
            _ => self.add(" ", &Style::default()),
        }
    }

    fn add(&mut self, text: &str, style: &Style) {
        match self.runs.last_mut() {
            Some((last, same)) if same == style => last.push_str(text),
            _ => self.runs.push((text.to_owned(), style.clone())),
        }
    }
}

fn run(text: &str, style: &Style) -> Value {
    let flags = [
        ("bold", style.bold),
        ("italic", style.italic),
        ("underline", style.underline),
        ("strike", style.strike),
        ("code", style.code),
    ];
    let set = flags.into_iter().filter(|(_, on)| *on).map(|(name, _)| (name.to_owned(), Value::Bool(true)));
    json!({ "type": "text", "text": text, "styles": set.collect::<Map<_, _>>() })
}
