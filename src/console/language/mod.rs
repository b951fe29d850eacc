//! The languages that pages are written in: catalogues of messages (Project Fluent), and which one a
//! reader gets. Knows no page.

mod catalogue;

use std::sync::Arc;

use crate::console::language::catalogue::CATALOGUES;
pub use crate::console::language::catalogue::Texts;

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
        let asked = desk.into_iter().chain(accept.map(by_preference).unwrap_or_default());
        let mut found = asked.filter_map(|range| self.of(range));
        found.next().unwrap_or(&self.all[0])
    }

    /// `de` serves `de`, `de-AT` and `DE`.
    fn of(&self, range: &str) -> Option<&Arc<Texts>> {
        let primary = range.split(['-', '_']).next()?;
        self.all.iter().find(|texts| texts.tag().eq_ignore_ascii_case(primary))
    }
}

impl Default for Languages {
    fn default() -> Self {
        Self::new()
    }
}

/// Language ranges of an `Accept-Language` line, the most wanted first; refused ones left out.
fn by_preference(line: &str) -> Vec<&str> {
    let mut ranges: Vec<(&str, f32)> = line.split(',').filter_map(weighted).collect();
    ranges.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    ranges.into_iter().map(|(range, _)| range).collect()
}

fn weighted(item: &str) -> Option<(&str, f32)> {
    let (range, weight) = match item.split_once(';') {
        Some((range, weight)) => (range, weight.trim().strip_prefix("q=")?.parse().ok()?),
        None => (item, 1.0),
    };
    (weight > 0.0).then(|| (range.trim(), weight))
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
