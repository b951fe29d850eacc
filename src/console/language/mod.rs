//! The languages that pages are written in: catalogues of messages (Project Fluent), and which one a
//! reader gets. Knows no page.

mod catalogue;

use std::sync::Arc;

use crate::console::language::catalogue::CATALOGUES;
pub use crate::console::language::catalogue::Texts;
use crate::web::language::{preferred, serves};

/// Every catalogue, read once.
pub struct Languages {
    all: Vec<Arc<Texts>>,
}

impl Languages {
    /// # Panics
    /// When a catalogue of this build is broken; a test reads each of them.
    pub fn new() -> Self {
        Self { all: CATALOGUES.iter().map(|(tag, sources)| Arc::new(Texts::read(tag, sources))).collect() }
    }

    /// The reader's language: the desk's word on it, else the browser's (RFC 9110, section 12.5.4),
    /// else English.
    pub fn pick(&self, desk: Option<&str>, accept: Option<&str>) -> &Arc<Texts> {
        let by_desk = desk.and_then(|range| self.all.iter().find(|texts| serves(texts.tag(), range)));
        by_desk.or_else(|| accept.and_then(|line| self.wanted(line))).unwrap_or(&self.all[0])
    }

    fn wanted(&self, accept: &str) -> Option<&Arc<Texts>> {
        let tag = preferred(accept, &CATALOGUES.map(|(tag, _)| tag))?;
        self.all.iter().find(|texts| texts.tag() == tag)
    }
}

impl Default for Languages {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(desk: Option<&str>, accept: Option<&str>) -> String {
        Languages::new().pick(desk, accept).tag().to_owned()
    }

    #[test]
    fn the_desk_decides_then_the_browser_then_english() {
        for (desk, accept, expected) in [
            (Some("de"), Some("en"), "de"),
            (Some("de-AT"), None, "de"),
            (Some("en"), Some("de"), "en"),
            (Some("tr"), Some("de;q=0.5, fr"), "de"),
            (None, Some("en;q=0.3,de;q=0.9"), "de"),
            (None, Some("de;q=0, *"), "en"),
            (None, Some(";;;,q=,de;q=x"), "en"),
            (None, None, "en"),
        ] {
            assert_eq!(picked(desk, accept), expected, "{desk:?} {accept:?}");
        }
    }
}
