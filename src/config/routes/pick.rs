//! Reads one value of a file by its path, as the YAML library reads it: with places for `Spanned`.
//!
//! A broken value ends a library's reading; picked one by one, each of a file's values is read.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::config::problem::Source;
use crate::config::tree;

/// One step into a file: a key of Traefik's, case ignored, or a name the operator chose.
#[derive(Clone, Copy)]
pub enum Step<'p> {
    Key(&'p str),
    Name(&'p str),
}

impl Step<'_> {
    fn is(self, written: &str) -> bool {
        match self {
            Self::Key(key) => key.eq_ignore_ascii_case(written),
            Self::Name(name) => name == written,
        }
    }
}

/// Reads the value at `path` of the file as `T`; `None` when it is not there.
pub fn pick<T: for<'de> Deserialize<'de>>(
    source: &Source,
    path: &[Step<'_>],
) -> Result<Option<T>, serde_yaml::Error> {
    serde_yaml::with_deserializer_from_str_with_options(&source.text, tree::options(), |deserializer| {
        Pick { path, value: PhantomData }.deserialize(deserializer)
    })
}

struct Pick<'p, T> {
    path: &'p [Step<'p>],
    value: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Pick<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        if self.path.is_empty() {
            T::deserialize(deserializer).map(Some)
        } else {
            deserializer.deserialize_map(self)
        }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Pick<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        let mut found = None;
        let Some((first, rest)) = self.path.split_first() else { return Ok(None) };
        while let Some(key) = map.next_key::<String>()? {
            if first.is(&key) {
                found = map.next_value_seed(Pick { path: rest, value: PhantomData })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}
