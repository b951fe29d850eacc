//! What is wrong with a configuration: where, the line, a caret, what would be right.
//!
//! Knows how to show a problem and nothing about what any key means.

use std::cell::RefCell;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::middleware::registry::Place;

/// A file that was read, kept so that problems can show its lines.
#[derive(Debug)]
pub struct Source {
    pub path: PathBuf,
    pub text: String,
}

/// Where a problem lies.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A place in a file, or the file as a whole.
    File { source: Arc<Source>, place: Option<Place> },
    /// A file that could not be read, a folder.
    Path(PathBuf),
    /// An environment variable.
    Variable(String),
    /// The configuration as a whole.
    Whole,
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub struct Problem {
    pub origin: Origin,
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    pub fn new(origin: Origin, message: impl Into<String>) -> Self {
        Self { origin, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that is wrong; never empty.
#[derive(Debug)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub fn list(&self) -> &[Problem] {
        &self.0
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    /// As rustc shows errors, a blank line between two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        let margin = match &self.origin {
            Origin::File { source, place: Some(place) } => show_line(f, source, *place)?,
            Origin::File { source, place: None } => {
                write!(f, "\n --> {}", source.path.display())?;
                1
            }
            Origin::Path(path) => {
                write!(f, "\n --> {}", path.display())?;
                1
            }
            Origin::Variable(name) => {
                write!(f, "\n --> environment variable {name}")?;
                1
            }
            Origin::Whole => 1,
        };
        match &self.help {
            Some(help) => write!(f, "\n{:margin$} = help: {help}", ""),
            None => Ok(()),
        }
    }
}

/// Writes the line with a caret below it; returns the width of the margin.
fn show_line(f: &mut fmt::Formatter<'_>, source: &Source, place: Place) -> Result<usize, fmt::Error> {
    let margin = place.line.to_string().len();
    write!(f, "\n{:margin$}--> {}:{}:{}", "", source.path.display(), place.line, place.column)?;
    let index = usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX);
    if let Some(line) = source.text.lines().nth(index) {
        let before = usize::try_from(place.column.saturating_sub(1)).unwrap_or(0);
        let shown = without_secrets(line).replace('\t', " ");
        let carets = "^".repeat(token_width(line, before));
        write!(f, "\n{:margin$} |\n{} | {}\n", "", place.line, shown.trim_end())?;
        write!(f, "{:margin$} | {:before$}{carets}", "", "")?;
    }
    Ok(margin)
}

/// How many characters the token at `start` (in characters) has; at least one.
fn token_width(line: &str, start: usize) -> usize {
    let rest: Vec<char> = line.chars().skip(start).collect();
    let width = match rest.first() {
        Some(quote @ ('"' | '\'')) => {
            rest.iter().skip(1).position(|char| char == quote).map_or(rest.len(), |end| end + 2)
        }
        _ => rest
            .iter()
            .enumerate()
            .position(|(index, char)| match char {
                ',' | ']' | '}' | ' ' | '"' => true,
                '(' => index > 0,
                ':' => rest.get(index + 1).is_none_or(|next| *next == ' '),
                _ => false,
            })
            .unwrap_or(rest.len()),
    };
    width.max(1)
}

/// Keys whose values are never shown; a secret is often pasted where the client id belongs.
const SECRET_KEYS: [&str; 4] = ["password", "secret", "postgres", "clientid"];

/// Cuts a line after a key that holds a secret, and values that look like a URL with a password.
fn without_secrets(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let key_ends = SECRET_KEYS.iter().flat_map(|key| lower.match_indices(key)).filter_map(|(at, key)| {
        let after = at + key.len();
        let gap = lower[after..].find(':')?;
        let ends_the_key = lower[after..after + gap].trim_matches(['"', '\'', ' ']).is_empty();
        ends_the_key.then_some(after + gap + 1)
    });
    let url_start = lower.find("://").filter(|at| lower[*at..].contains('@')).map(|at| at + 3);
    match key_ends.chain(url_start).min() {
        Some(end) => format!("{} …", &line[..end]),
        None => line.to_owned(),
    }
}

/// Collects problems and warnings while a configuration is read.
#[derive(Default)]
pub(super) struct Findings {
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<String>>,
}

impl Findings {
    pub fn problem(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// What was read, unless it was not: that is told.
    pub fn told<T>(&self, read: Result<T, Problem>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problem(problem);
                None
            }
        }
    }

    /// The same warning twice is one warning.
    pub fn warn(&self, warning: impl Into<String>) {
        let warning = warning.into();
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// Warns with the place in front: `rules.yml:3:5: …`.
    pub fn warn_at(&self, source: &Source, place: Place, warning: &str) {
        self.warn(format!("{}:{}:{}: {warning}", source.path.display(), place.line, place.column));
    }

    /// The warnings, or everything that is wrong, sorted by place within a file.
    pub fn finish(self) -> Result<Vec<String>, Problems> {
        let mut problems = self.problems.into_inner();
        if problems.is_empty() {
            return Ok(self.warnings.into_inner());
        }
        problems.sort_by_key(|problem| match &problem.origin {
            Origin::Path(path) => (path.clone(), 0, 0),
            Origin::File { source, place } => {
                let (line, column) = place.map_or((0, 0), |place| (place.line, place.column));
                (source.path.clone(), line, column)
            }
            Origin::Variable(_) | Origin::Whole => (PathBuf::new(), u64::MAX, 0),
        });
        Err(Problems(problems))
    }
}

/// The candidate that is most likely meant by `word`, case ignored; none when nothing is near.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_ascii_lowercase();
    let length = word.chars().count();
    let limit = (length / 3).max(1).min(length.saturating_sub(1));
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?`, or what there is, or nothing when there is nothing.
pub(super) fn suggestion(word: &str, candidates: &[&str]) -> Option<String> {
    if let Some(near) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let known: Vec<String> = candidates.iter().map(|name| format!("`{name}`")).collect();
    (!known.is_empty()).then(|| format!("known here: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, line: u64, column: u64) -> Origin {
        let source = Arc::new(Source { path: "a.yml".into(), text: text.to_owned() });
        Origin::File { source, place: Some(Place { line, column }) }
    }

    #[test]
    fn a_problem_shows_its_line_and_a_caret_under_the_token() {
        let problem = Problem::new(at("a: 1\nupstrem: x\n", 2, 1), "unknown key `upstrem`")
            .help("did you mean `upstream`?");
        let expected = "error: unknown key `upstrem`\n --> a.yml:2:1\n  |\n2 | upstrem: x\n  | ^^^^^^^\n  \
                        = help: did you mean `upstream`?";
        assert_eq!(problem.to_string(), expected);
    }

    #[test]
    fn the_caret_spans_quoted_text_and_urls() {
        assert_eq!(token_width("a: \"b c\" # d", 3), 5);
        assert_eq!(token_width("a: http://b:1 # d", 3), 10);
        assert_eq!(token_width("a: [b, c]", 4), 1);
        assert_eq!(token_width("a:", 2), 1);
    }

    #[test]
    fn a_secret_is_not_shown() {
        for line in [
            "password: hunter2",
            "bot: {email: a, password: hunter2}",
            "bot: {passwordFile: a, \"clientSecret\" : hunter2}",
            "postgres: postgres://u:hunter2@h/d",
            "url: postgres://u:hunter2@h/d",
        ] {
            let shown = Problem::new(at(line, 1, 1), "wrong").to_string();
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        assert!(Problem::new(at("passwordFile: /run/x", 1, 1), "wrong").to_string().contains("/run/x"));
    }

    #[test]
    fn only_near_words_are_suggested() {
        assert_eq!(nearest("adress", ["address", "http"]), Some("address"));
        assert_eq!(nearest("ADDRESS", ["address", "http"]), Some("address"));
        for word in ["banana", "q", ""] {
            assert_eq!(nearest(word, ["address", "http", "a"]), None, "{word}");
        }
    }
}
