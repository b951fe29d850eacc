//! Environment variables: each by its name, or by `NAME_FILE` from a file. Which ones there are and
//! what becomes of them is in `variables`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use super::problem::{Findings, Origin, Problem};
use super::secret_file;
use super::variables::{self, Fate};
use crate::base::report::Report;
use crate::base::secret::{ExposeSecret, SecretString};

/// The variables as they were at start.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// Of this process. A name that is not UTF-8 is none of ours.
    pub fn of_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
    }
}

impl<N: Into<String>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Reads variables; whatever is wrong goes to the findings.
#[derive(Clone, Copy)]
pub(super) struct Variables<'e> {
    environment: &'e Environment,
    findings: &'e Findings,
}

impl<'e> Variables<'e> {
    pub fn new(environment: &'e Environment, findings: &'e Findings) -> Self {
        Self { environment, findings }
    }

    /// The value of `name`, or of the file that `name_FILE` names. An empty variable counts as absent,
    /// as Compose writes `NAME=` for it; both variables at once are a problem.
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        let file_name = format!("{name}_FILE");
        match (self.direct(name), self.direct(&file_name)) {
            (Some(_), Some(_)) => {
                self.problem(name, format!("{name} and {file_name} are both set"), Some("keep one of them"));
                None
            }
            (Some(value), None) => Some(SecretString::from(value)),
            (None, Some(path)) => self.in_file(&file_name, Path::new(&path)),
            (None, None) => None,
        }
    }

    /// The same for a value that is no secret.
    pub fn text(&self, name: &str) -> Option<String> {
        self.secret(name).map(|value| value.expose_secret().trim().to_owned())
    }

    /// The variable that gives the value: `name`, or the one that names its file.
    pub fn given_by(&self, name: &str) -> Option<String> {
        let names = [name.to_owned(), format!("{name}_FILE")];
        names.into_iter().find(|name| self.direct(name).is_some())
    }

    /// Whether `name` is set, or the file that holds it is named.
    pub fn is_given(&self, name: &str) -> bool {
        self.given_by(name).is_some()
    }

    /// The value read by `parse`; what `parse` says becomes the problem.
    pub fn parsed<T, E: Display>(&self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(name, error.to_string(), None);
                None
            }
        }
    }

    /// `true` or `false`; also 1 and 0, as env files have them.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.parsed(name, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(format!("{name} is `true` or `false`")),
        })
    }

    /// A whole number within `range`.
    pub fn number<N>(&self, name: &str, range: RangeInclusive<N>) -> Option<N>
    where
        N: FromStr + PartialOrd + Display,
    {
        self.parsed(name, |text| match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(format!("{name} is a whole number from {} to {}", range.start(), range.end())),
        })
    }

    /// The value of the first of two names for one thing; two different values are a problem.
    pub fn either(&self, name: &str, alias: &str) -> Option<(String, String)> {
        match (self.text(name), self.text(alias)) {
            (Some(value), Some(other)) if value != other => {
                let message = format!("{name} and {alias} mean the same and have different values");
                self.problem(name, message, Some("keep one of them"));
                None
            }
            (Some(value), _) => Some((name.to_owned(), value)),
            (None, other) => other.map(|value| (alias.to_owned(), value)),
        }
    }

    pub fn problem(&self, name: &str, message: String, help: Option<&str>) {
        let problem = Problem::new(Origin::Variable(name.to_owned()), message);
        self.findings.problem(Problem { help: help.map(str::to_owned), ..problem });
    }

    /// Warns about variables that are set and have no effect, and about names nearly right.
    pub fn tell_unused(&self) {
        for name in self.environment.0.keys().filter(|name| self.direct(name).is_some()) {
            match variables::fate(name) {
                Some(Fate::Ignored(why)) => self.findings.warn(format!("{name} has no effect: {why}")),
                Some(Fate::Used) => {}
                None => {
                    if let Some(near) = variables::nearly(name) {
                        let warning = format!("{name} is not known and has no effect; did you mean {near}?");
                        self.findings.warn(warning);
                    }
                }
            }
        }
    }

    fn direct(&self, name: &str) -> Option<String> {
        let value = self.environment.0.get(name)?;
        match value.to_str() {
            Some(text) => (!text.trim().is_empty()).then(|| text.to_owned()),
            None => {
                self.problem(name, format!("{name} is not UTF-8 text"), None);
                None
            }
        }
    }

    fn in_file(&self, name: &str, path: &Path) -> Option<SecretString> {
        match secret_file::read(path) {
            Ok(file) => {
                if file.world_readable {
                    self.findings
                        .warn(format!("file `{}` of {name} can be read by everybody", path.display()));
                }
                Some(file.value)
            }
            Err(error) => {
                self.problem(name, Report(&error).to_string(), None);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read<T>(
        pairs: &[(&str, &str)],
        act: impl FnOnce(Variables<'_>) -> T,
    ) -> (T, Result<Vec<String>, String>) {
        let environment: Environment = pairs.iter().copied().collect();
        let findings = Findings::default();
        let value = act(Variables::new(&environment, &findings));
        (value, findings.finish().map_err(|problems| problems.to_string()))
    }

    #[test]
    fn an_empty_variable_is_an_absent_one() {
        let (value, findings) = read(&[("A", " ")], |variables| variables.text("A"));
        assert_eq!((value, findings), (None, Ok(vec![])));
    }

    #[test]
    fn a_value_may_stand_in_a_file() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "s3cret\n").expect("written");
        let path = file.path().to_str().expect("text");
        let (value, findings) = read(&[("A_FILE", path)], |variables| variables.text("A"));
        assert_eq!((value.as_deref(), findings), (Some("s3cret"), Ok(vec![])));
    }

    #[test]
    fn a_variable_and_its_file_at_once_are_refused() {
        let (value, findings) = read(&[("A", "x"), ("A_FILE", "/y")], |variables| variables.text("A"));
        assert_eq!(value, None);
        let shown = findings.expect_err("refused");
        assert_eq!(
            shown,
            "error: A and A_FILE are both set\n --> environment variable A\n  = help: keep one of them"
        );
    }

    #[test]
    fn a_missing_file_is_told_with_its_path() {
        let (_, findings) = read(&[("A_FILE", "/nonexistent")], |variables| variables.text("A"));
        let shown = findings.expect_err("refused");
        assert!(shown.contains("`/nonexistent` cannot be read: No such file"), "{shown}");
        assert!(shown.contains("environment variable A_FILE"), "{shown}");
    }

    #[test]
    fn two_names_for_one_thing_have_to_agree() {
        let (value, findings) = read(&[("A", "x"), ("B", "x")], |variables| variables.either("A", "B"));
        assert_eq!((value, findings), (Some(("A".into(), "x".into())), Ok(vec![])));
        let (_, findings) = read(&[("A", "x"), ("B", "y")], |variables| variables.either("A", "B"));
        assert!(findings.is_err());
    }

    #[test]
    fn a_name_nearly_right_is_told() {
        let ((), findings) =
            read(&[("EXCHANGE_FORM_EMAIL", "x"), ("HOME", "/")], |variables| variables.tell_unused());
        let expected =
            "EXCHANGE_FORM_EMAIL is not known and has no effect; did you mean EXCHANGE_FROM_EMAIL?";
        assert_eq!(findings, Ok(vec![expected.to_owned()]));
    }
}
