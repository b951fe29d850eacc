//! What is known of one thing, line by line, for a page.

use crate::base::clock::Timestamp;
use crate::console::advice::{About, Explained};
use crate::console::frame::Frame;
use crate::console::reasons::fixed;
use crate::console::times::Moment;

/// One line: what it is called, and what it is.
pub struct Fact {
    pub label: String,
    pub value: Value,
}

pub enum Value {
    Text(String),
    /// Words of the worker or of another server, which are English.
    English(String),
    At(Moment),
    Link {
        href: String,
        text: String,
    },
}

/// Lines in the order in which they are added; each is called `fact-<key>` in the catalogue.
pub struct Facts<'f> {
    frame: &'f Frame,
    lines: Vec<Fact>,
}

impl<'f> Facts<'f> {
    pub fn new(frame: &'f Frame) -> Self {
        Self { frame, lines: Vec::new() }
    }

    pub fn add(&mut self, key: &str, value: Value) {
        let label = self.frame.t.say(format!("fact-{key}")).to_string();
        self.lines.push(Fact { label, value });
    }

    pub fn text(&mut self, key: &str, text: impl ToString) {
        self.add(key, Value::Text(text.to_string()));
    }

    /// Why something is as it is: what it means, and the program's own words where they are others.
    pub fn reason(&mut self, reason: &str) {
        let explained = Explained::of_reason(reason, About::default(), &self.frame.t);
        match (explained, fixed(reason, &self.frame.t)) {
            (Some(explained), _) => {
                self.text("reason", format!("{} {}", explained.happened, explained.to_do));
                self.add("own-words", Value::English(reason.to_owned()));
            }
            (None, Some(known)) => self.text("reason", known),
            (None, None) => self.add("reason", Value::English(reason.to_owned())),
        }
    }

    /// Left out when there is nothing to say.
    pub fn text_if(&mut self, key: &str, text: Option<impl ToString>) {
        if let Some(text) = text.map(|text| text.to_string()).filter(|text| !text.is_empty()) {
            self.text(key, text);
        }
    }

    pub fn at(&mut self, key: &str, at: Timestamp) {
        self.add(key, Value::At(self.frame.moment(at)));
    }

    pub fn at_if(&mut self, key: &str, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.at(key, at);
        }
    }

    pub fn ticket(&mut self, key: &str, ticket: Option<&str>) {
        if let Some(ticket) = ticket {
            self.add(key, Value::Link { href: ticket_path(ticket), text: ticket.to_owned() });
        }
    }

    pub fn lines(self) -> Vec<Fact> {
        self.lines
    }
}

/// A ticket's page at the desk.
pub fn ticket_path(ticket: &str) -> String {
    let safe = percent_encoding::utf8_percent_encode(ticket, percent_encoding::NON_ALPHANUMERIC);
    // The desk's ids are uuids: their hyphens stay as they are.
    format!("/issue/{}", safe.to_string().replace("%2D", "-"))
}
