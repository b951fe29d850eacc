//! What the names in a rule mean: one small file per kind of matcher, one row per name.
//!
//! Semantics are Traefik v3.7's, unless a file says otherwise.

mod client_ip;
mod header;
mod host;
mod method;
mod path;
pub mod pattern;
mod query;

use std::fmt;
use std::ops::RangeInclusive;

use http::HeaderName;

use crate::rule::syntax::{Argument, Call};
use crate::rule::{RuleError, Subject};

/// One compiled call. Matching allocates nothing on ordinary requests.
pub trait Matcher: fmt::Debug + Send + Sync {
    fn matches(&self, subject: &Subject<'_>) -> bool;

    /// Looks at nothing but the host.
    fn is_about_host(&self) -> bool {
        false
    }

    /// The header it looks at.
    fn header(&self) -> Option<&HeaderName> {
        None
    }
}

type Build = fn(&[Argument]) -> Result<Box<dyn Matcher>, RuleError>;

struct Row {
    name: &'static str,
    /// How many arguments it takes; each is at least one byte long.
    arguments: RangeInclusive<usize>,
    build: Build,
}

const ROWS: [Row; 11] = [
    Row { name: "Host", arguments: 1..=1, build: host::exact },
    Row { name: "HostRegexp", arguments: 1..=1, build: host::pattern },
    Row { name: "Path", arguments: 1..=1, build: path::exact },
    Row { name: "PathPrefix", arguments: 1..=1, build: path::prefix },
    Row { name: "PathRegexp", arguments: 1..=1, build: path::pattern },
    Row { name: "Method", arguments: 1..=1, build: method::exact },
    Row { name: "ClientIP", arguments: 1..=1, build: client_ip::within },
    Row { name: "Header", arguments: 2..=2, build: header::exact },
    Row { name: "HeaderRegexp", arguments: 2..=2, build: header::pattern },
    Row { name: "Query", arguments: 1..=2, build: query::exact },
    Row { name: "QueryRegexp", arguments: 1..=2, build: query::pattern },
];

/// Gives a call its meaning.
pub fn compile(call: Call) -> Result<Box<dyn Matcher>, RuleError> {
    let Some(row) = ROWS.iter().find(|row| is_spelling_of(&call.name, row.name)) else {
        return Err(unknown(&call));
    };
    if !row.arguments.contains(&call.arguments.len()) {
        let (least, most) = (row.arguments.start(), row.arguments.end());
        let wanted = if least == most { least.to_string() } else { format!("{least} or {most}") };
        let message = format!("{} takes {wanted} argument(s), not {}", row.name, call.arguments.len());
        let error = RuleError::new(call.span, message);
        return Err(if *most == 1 { error.hint(alternatives(row.name, &call.arguments)) } else { error });
    }
    if let Some(empty) = call.arguments.iter().find(|argument| argument.text.is_empty()) {
        return Err(RuleError::new(
            empty.span.clone(),
            format!("{} with an empty argument matches nothing", row.name),
        ));
    }
    (row.build)(&call.arguments)
}

/// As written, all lower, all upper, or with only its first letter upper.
fn is_spelling_of(written: &str, name: &str) -> bool {
    let title = || name[..1].to_owned() + &name[1..].to_ascii_lowercase();
    written == name
        || written == name.to_ascii_lowercase()
        || written == name.to_ascii_uppercase()
        || written == title()
}

fn unknown(call: &Call) -> RuleError {
    let likeness = |row: &&Row| strsim::jaro_winkler(&call.name.to_lowercase(), &row.name.to_lowercase());
    let nearest = ROWS.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let error = RuleError::new(call.name_span.clone(), format!("there is no matcher `{}`", call.name));
    match nearest {
        Some(row) if likeness(&row) > 0.75 => error.hint(row.name),
        _ => error.hint(ROWS.map(|row| row.name).join(", ")),
    }
}

/// Traefik v2 took lists where v3 takes one argument.
fn alternatives(name: &str, arguments: &[Argument]) -> String {
    if arguments.is_empty() {
        return format!("{name}(`…`)");
    }
    let each: Vec<String> = arguments.iter().map(|argument| format!("{name}(`{}`)", argument.text)).collect();
    each.join(" || ")
}

#[cfg(test)]
mod tests {
    use crate::rule::{Rule, RuleError};

    fn refused(rule: &str) -> RuleError {
        match Rule::parse(rule) {
            Ok(_) => panic!("{rule} was accepted"),
            Err(error) => error,
        }
    }

    #[test]
    fn four_spellings_are_one_matcher_and_others_are_not() {
        for name in ["PathPrefix", "pathprefix", "PATHPREFIX", "Pathprefix"] {
            assert!(Rule::parse(&format!("{name}(`/`)")).is_ok(), "{name}");
        }
        assert_eq!(refused("pathPrefix(`/`)").hint.as_deref(), Some("PathPrefix"));
    }

    #[test]
    fn an_unknown_matcher_is_answered_with_the_nearest_known_one() {
        let error = refused("Host(`a`) && PathPrefx(`/`)");
        assert_eq!((error.span, error.hint.as_deref()), (13..22, Some("PathPrefix")));
        assert!(refused("Zzz(`a`)").hint.expect("a hint").contains("ClientIP"));
    }

    #[test]
    fn a_list_where_one_argument_is_due_is_answered_with_alternatives() {
        let error = refused("Host(`a`, `b`)");
        assert_eq!((error.span, error.hint.as_deref()), (0..14, Some("Host(`a`) || Host(`b`)")));
    }

    #[test]
    fn an_empty_argument_is_refused_where_it_stands() {
        assert_eq!(refused("Header(`X-A`, ``)").span, 14..16);
    }

    #[test]
    fn an_argument_that_cannot_be_meant_is_refused() {
        for rule in [
            "Path(`x`)",
            "PathPrefix(`x`)",
            "Host(`é.de`)",
            "ClientIP(`10.0.0`)",
            "ClientIP(`localhost`)",
            "PathRegexp(`(`)",
            "PathRegexp(`(a)\\1`)",
            "Header(`a b`, `c`)",
            "HostRegexp(`(?=a)`)",
        ] {
            assert!(!refused(rule).span.is_empty(), "{rule}");
        }
    }
}
