//! Cases and recordings that lie beside the repository, where they are present.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::skip::skip;

/// The cases of `traefik/cases/<name>.json`; `None`, and said so, when the folder is not there.
pub fn traefik_cases(name: &str) -> Option<Vec<Value>> {
    let file = format!("traefik/cases/{name}.json");
    let path = path(&file)?;
    let text = std::fs::read_to_string(path).expect("a readable file");
    let mut whole: Value = serde_json::from_str(&text).expect("JSON");
    let Value::Array(cases) = whole["cases"].take() else { panic!("{file} has no cases") };
    assert!(!cases.is_empty(), "{file} is empty");
    Some(cases)
}

/// Where `name` lies; `None`, and said so, when it is not there.
pub fn path(name: &str) -> Option<PathBuf> {
    let found = folders().map(|folder| folder.join(name)).find(|path| path.exists());
    if found.is_none() {
        skip(&format!("{name} not present"));
    }
    found
}

fn folders() -> impl Iterator<Item = PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("MINTGATE_SHARED").map(PathBuf::from);
    named.into_iter().chain([here.join("../shared"), here.join("../../shared")])
}

/// The text at `key`.
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {value}"))
}

/// The header lines of a case: a name has one value or several.
pub fn header_lines(value: &Value) -> Vec<(String, String)> {
    let Some(lines) = value.as_object() else { return Vec::new() };
    let each = |(name, value): (&String, &Value)| match value {
        Value::String(one) => vec![(name.clone(), one.clone())],
        Value::Array(several) => {
            several.iter().map(|one| (name.clone(), one.as_str().expect("text").to_owned())).collect()
        }
        other => panic!("no header value: {other}"),
    };
    lines.iter().flat_map(each).collect()
}
