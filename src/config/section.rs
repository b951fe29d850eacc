//! One section of a YAML tree, read key by key; whatever is wrong goes to [`Findings`].
//!
//! A [`Shape`] lists a section's keys, as the file has them. Unknown keys are problems with the nearest
//! known one; keys are compared without regard to case, as Traefik does.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use super::problem::{Findings, Origin, Problem, Source, suggestion};
use super::tree::{Key, Node, Value};
use crate::middleware::registry::Place;

/// The keys of a section.
pub struct Shape {
    pub keys: &'static [&'static str],
    /// Keys of Traefik's that mean nothing here.
    pub foreign: &'static [(&'static str, Foreign)],
}

/// What becomes of a key that Traefik has and we have not.
#[derive(Clone, Copy)]
pub enum Foreign {
    /// A problem; the text says what to do instead.
    Refused(&'static str),
    /// Left out with a warning; the text says why nothing is lost.
    Ignored(&'static str),
}

/// A value with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At<T> {
    pub place: Place,
    pub value: T,
}

/// A section and the keys it may have.
#[derive(Clone, Copy)]
pub struct Section<'t> {
    source: &'t Arc<Source>,
    findings: &'t Findings,
    pub place: Place,
    entries: &'t [(Key, Node)],
}

impl<'t> Section<'t> {
    /// Opens `node` and tells every key that `shape` does not have. Nothing at all is an empty section.
    pub fn open(
        source: &'t Arc<Source>,
        findings: &'t Findings,
        node: &'t Node,
        shape: &Shape,
    ) -> Option<Self> {
        let section = Self::open_any(source, findings, node)?;
        section.tell_unknown_keys(shape);
        Some(section)
    }

    /// Opens `node` without a look at its keys: they are names the operator chose, or were judged before.
    pub fn open_any(source: &'t Arc<Source>, findings: &'t Findings, node: &'t Node) -> Option<Self> {
        let entries: &[_] = match &node.value {
            Value::Map(entries) => entries,
            Value::Nothing => &[],
            other => {
                let message = format!("expected a section of keys, found {}", other.kind());
                findings.problem(Problem::new(at(source, node.place), message));
                return None;
            }
        };
        Some(Self { source, findings, place: node.place, entries })
    }

    fn tell_unknown_keys(&self, shape: &Shape) {
        for (index, (key, _)) in self.entries.iter().enumerate() {
            let same = |other: &str| other.eq_ignore_ascii_case(&key.text);
            if self.entries[..index].iter().any(|(earlier, _)| same(&earlier.text)) {
                self.problem(key.place, format!("`{}` is here twice", key.text), None);
            } else if !shape.keys.iter().any(|name| same(name)) {
                self.tell_unknown_key(key, shape);
            }
        }
    }

    fn tell_unknown_key(&self, key: &Key, shape: &Shape) {
        let foreign = shape.foreign.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key.text));
        match foreign {
            Some((name, Foreign::Refused(instead))) => {
                self.problem(key.place, format!("`{name}` is not supported"), Some((*instead).to_owned()));
            }
            Some((name, Foreign::Ignored(why))) => {
                self.warn(key.place, &format!("`{name}` is left out: {why}"))
            }
            None => {
                let help = suggestion(&key.text, shape.keys);
                self.problem(key.place, format!("unknown key `{}`", key.text), help);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether something is here, and nothing but `keys`.
    pub fn has_only(&self, keys: &[&str]) -> bool {
        let is_one = |key: &Key| keys.iter().any(|name| name.eq_ignore_ascii_case(&key.text));
        !self.is_empty() && self.entries.iter().all(|(key, _)| is_one(key))
    }

    /// Tells a problem at a place of this section's file.
    pub fn problem(&self, place: Place, message: impl Into<String>, help: Option<String>) {
        let problem = Problem::new(at(self.source, place), message);
        self.findings.problem(Problem { help, ..problem });
    }

    pub fn warn(&self, place: Place, warning: &str) {
        self.findings.warn_at(self.source, place, warning);
    }

    pub fn source(&self) -> &'t Arc<Source> {
        self.source
    }

    fn entry(&self, key: &str) -> Option<&'t (Key, Node)> {
        self.entries.iter().find(|(name, _)| name.text.eq_ignore_ascii_case(key))
    }

    /// Where `key` stands, if it is there.
    pub fn key_place(&self, key: &str) -> Option<Place> {
        self.entry(key).map(|(key, _)| key.place)
    }

    /// Where `key` of the section under `section` stands. Judges nothing.
    pub fn place_within(&self, section: &str, key: &str) -> Option<Place> {
        let (_, node) = self.entry(section)?;
        let Value::Map(entries) = &node.value else { return None };
        let found = entries.iter().find(|(name, _)| name.text.eq_ignore_ascii_case(key));
        found.map(|(name, _)| name.place)
    }

    /// The section under `key`; empty when nothing follows the key.
    pub fn section(&self, key: &str, shape: &Shape) -> Option<Section<'t>> {
        let (_, node) = self.entry(key)?;
        Section::open(self.source, self.findings, node, shape)
    }

    /// The sections under `key`, each with the name the operator gave it.
    pub fn named_sections(&self, key: &str, shape: &Shape) -> Vec<(&'t Key, Section<'t>)> {
        self.named(key)
            .filter_map(|(name, node)| Some((name, Section::open(self.source, self.findings, node, shape)?)))
            .collect()
    }

    /// Everything under `key` by name, unopened.
    pub fn named(&self, key: &str) -> impl Iterator<Item = (&'t Key, &'t Node)> + use<'t> {
        let section = self.entry(key).and_then(|(_, node)| Self::open_any(self.source, self.findings, node));
        section.map_or(&[][..], |section| section.entries).iter().map(|(name, node)| (name, node))
    }

    /// The sections of the list under `key`.
    pub fn section_list(&self, key: &str, shape: &Shape) -> Vec<Section<'t>> {
        let open = |node| Section::open(self.source, self.findings, node, shape);
        self.list(key).map_or_else(Vec::new, |items| items.iter().filter_map(open).collect())
    }

    fn list(&self, key: &str) -> Option<&'t [Node]> {
        let (name, node) = self.entry(key)?;
        match &node.value {
            Value::List(items) => Some(items),
            Value::Nothing => Some(&[]),
            other => {
                let message = format!("`{}` is a list, found {}", name.text, other.kind());
                self.problem(node.place, message, Some("write each element on its own line: `- …`".into()));
                None
            }
        }
    }

    /// The texts of the list under `key`, none if it is not there; elements that are no text are problems.
    pub fn texts(&self, key: &str) -> Vec<At<&'t str>> {
        self.list(key).into_iter().flatten().filter_map(|item| self.scalar(key, item)).collect()
    }

    /// The text under `key`; a number is a text as well.
    pub fn text(&self, key: &str) -> Option<At<&'t str>> {
        let (name, node) = self.entry(key)?;
        self.scalar(&name.text, node)
    }

    fn scalar(&self, key: &str, node: &'t Node) -> Option<At<&'t str>> {
        match &node.value {
            Value::Text(text) if text.trim().is_empty() => {
                self.problem(node.place, format!("`{key}` is empty"), None);
                None
            }
            Value::Text(text) => Some(At { place: node.place, value: text }),
            Value::Nothing => {
                self.problem(node.place, format!("`{key}` has no value"), None);
                None
            }
            other => {
                self.problem(node.place, format!("`{key}` is a text, found {}", other.kind()), None);
                None
            }
        }
    }

    /// The text under `key`, read by `parse`; what `parse` says becomes the problem.
    pub fn parsed<T, E: Display>(
        &self,
        key: &str,
        parse: impl FnOnce(&'t str) -> Result<T, E>,
    ) -> Option<At<T>> {
        let text = self.text(key)?;
        self.read(text, parse).map(|value| At { place: text.place, value })
    }

    /// One text of this section, read by `parse`; what `parse` says becomes the problem.
    pub fn read<T, E: Display>(
        &self,
        text: At<&'t str>,
        parse: impl FnOnce(&'t str) -> Result<T, E>,
    ) -> Option<T> {
        match parse(text.value) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(text.place, error.to_string(), None);
                None
            }
        }
    }

    /// `true` or `false` under `key`, written exactly so.
    pub fn flag(&self, key: &str) -> Option<At<bool>> {
        let (name, node) = self.entry(key)?;
        let Value::Flag(value) = node.value else {
            let help = matches!(node.value, Value::Text(_))
                .then(|| "without quotes; `yes` and `on` are texts".into());
            self.problem(node.place, format!("`{}` is `true` or `false`", name.text), help);
            return None;
        };
        Some(At { place: node.place, value })
    }

    /// A whole number under `key`, within `range`.
    pub fn number<N>(&self, key: &str, range: RangeInclusive<N>) -> Option<At<N>>
    where
        N: FromStr + PartialOrd + Display,
    {
        self.parsed(key, |text| match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(format!("`{key}` is a whole number from {} to {}", range.start(), range.end())),
        })
    }
}

/// A place of a file as a problem's origin.
pub fn at(source: &Arc<Source>, place: Place) -> Origin {
    Origin::File { source: source.clone(), place: Some(place) }
}
