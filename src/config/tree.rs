//! YAML as a tree whose values know where they stand. Knows YAML, not what the values are for.
//!
//! Reading straight into structs would stop at the first wrong value; a tree lets every section tell
//! all that is wrong with it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Location, Options, Spanned};

use super::problem::{Origin, Problem, Source};
use crate::middleware::registry::Place;

/// Largest file that is read.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// A value and where it stands.
pub struct Node {
    pub place: Place,
    pub value: Value,
}

pub enum Value {
    Nothing,
    Flag(bool),
    /// A text, a number or anything else on one line: as written, without quotes.
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

impl Value {
    /// What this is, for `expected …, found …`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Flag(_) => "a boolean",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a section",
        }
    }
}

/// A key of a section.
pub struct Key {
    pub text: String,
    pub place: Place,
}

/// How every file is read: only `true` and `false` are booleans, one document, bounded.
pub fn options() -> Options {
    serde_yaml::options! { strict_booleans: true }
}

/// Reads a file's text, up to 4 MiB of UTF-8.
pub fn read_source(path: &Path) -> Result<Arc<Source>, Problem> {
    let refused = |why: String| Problem::new(Origin::Path(path.to_owned()), format!("the file {why}"));
    let size = std::fs::metadata(path).map_err(|error| refused(format!("cannot be read: {error}")))?.len();
    if size > MAX_FILE {
        return Err(refused(format!("has {size} bytes; {MAX_FILE} are allowed")));
    }
    let bytes = std::fs::read(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        refused(format!("is not UTF-8 text: byte {} is wrong", error.utf8_error().valid_up_to() + 1))
    })?;
    Ok(Arc::new(Source { path: path.to_owned(), text }))
}

/// Parses one YAML document; an empty file is [`Value::Nothing`].
pub fn parse(source: &Arc<Source>) -> Result<Node, Problem> {
    let raw: Spanned<Raw> = serde_yaml::from_str_with_options(&source.text, options()).map_err(|error| {
        let problem = yaml_problem(source, &error);
        match source.text.contains("{{") {
            true => {
                problem.help("files are plain YAML: templates such as {{ env \"NAME\" }} are not filled in")
            }
            false => problem,
        }
    })?;
    Ok(node(raw, &source.text))
}

/// What the YAML library says, with its place.
pub fn yaml_problem(source: &Arc<Source>, error: &serde_yaml::Error) -> Problem {
    let formatter = serde_yaml::UserMessageFormatter;
    let message = serde_yaml::MessageFormatter::format_message(&formatter, error.without_snippet());
    let origin = Origin::File { source: source.clone(), place: error.location().map(place) };
    Problem::new(origin, message.into_owned())
}

fn place(location: Location) -> Place {
    Place { line: location.line(), column: location.column() }
}

fn node(raw: Spanned<Raw>, text: &str) -> Node {
    let value = match raw.value {
        Raw::Nothing => Value::Nothing,
        Raw::Flag(flag) => Value::Flag(flag),
        Raw::Text(value) => Value::Text(value),
        Raw::Number(shown) => Value::Text(as_written(raw.defined, text).unwrap_or(shown)),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, text)).collect()),
        Raw::Map(entries) => {
            let entry = |(key, value): (Spanned<String>, _)| {
                (Key { place: place(key.defined), text: key.value }, node(value, text))
            };
            Value::Map(entries.into_iter().map(entry).collect())
        }
    };
    Node { place: place(raw.defined), value }
}

/// A number's own spelling: `1.10` is not the text `1.1`.
fn as_written(location: Location, text: &str) -> Option<String> {
    let start = usize::try_from(location.span().byte_offset()?).ok()?;
    let length = usize::try_from(location.span().byte_len()?).ok()?;
    text.get(start..start.checked_add(length)?).map(|written| written.trim().to_owned())
}

enum Raw {
    Nothing,
    Flag(bool),
    Text(String),
    Number(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Raw, E> {
        Ok(Raw::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Node, Problem> {
        parse(&Arc::new(Source { path: "a.yml".into(), text: text.to_owned() }))
    }

    fn entries(node: &Node) -> &[(Key, Node)] {
        match &node.value {
            Value::Map(entries) => entries,
            other => panic!("expected a section, found {}", other.kind()),
        }
    }

    #[test]
    fn keys_and_values_know_their_places() {
        let tree = parsed("web:\n  address: \":80\"\n  list: [a, b]\n").expect("YAML");
        let (key, web) = &entries(&tree)[0];
        assert_eq!((key.text.as_str(), key.place), ("web", Place { line: 1, column: 1 }));
        let (key, address) = &entries(web)[0];
        assert_eq!(key.place, Place { line: 2, column: 3 });
        assert_eq!(address.place, Place { line: 2, column: 12 });
        assert!(matches!(&address.value, Value::Text(text) if text == ":80"));
    }

    #[test]
    fn numbers_keep_their_spelling_and_only_true_and_false_are_flags() {
        let tree = parsed("a: 1.10\nb: 0x10\nc: yes\nd: true\ne: 'true'\n").expect("YAML");
        let shown: Vec<String> = entries(&tree)
            .iter()
            .map(|(_, node)| match &node.value {
                Value::Text(text) => text.clone(),
                Value::Flag(flag) => format!("flag {flag}"),
                other => other.kind().to_owned(),
            })
            .collect();
        assert_eq!(shown, ["1.10", "0x10", "yes", "flag true", "true"]);
    }

    #[test]
    fn an_alias_points_to_what_it_stands_for() {
        let tree = parsed("a: &x 7\nb: *x\n").expect("YAML");
        let (_, b) = &entries(&tree)[1];
        assert_eq!(b.place, Place { line: 1, column: 7 });
        assert!(matches!(&b.value, Value::Text(text) if text == "7"));
    }

    #[test]
    fn an_empty_file_is_nothing() {
        for text in ["", "# only a remark\n", "---\n"] {
            assert!(matches!(parsed(text).expect("YAML").value, Value::Nothing), "{text:?}");
        }
    }

    #[test]
    fn broken_yaml_duplicate_keys_and_bombs_are_refused() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                    d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n\
                    f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
        for text in ["a: [", "a: 1\na: 2\n", "a: b: c", "a: 1\n\tb: 2", bomb] {
            assert!(parsed(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn broken_yaml_is_shown_with_its_place() {
        let problem = parsed("a: 1\na: 2\n").err().expect("refused");
        assert!(problem.to_string().contains("a.yml:2:1"), "{problem}");
    }
}
