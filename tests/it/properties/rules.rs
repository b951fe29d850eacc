//! The rule language: a rule holds exactly when its formula does, and no text stops the parser.

use std::net::IpAddr;

use http::{HeaderMap, Method};
use mintgate::rule::{Rule, Subject};
use proptest::prelude::*;

use super::{cases, runner};

/// A formula over facts that a request has or has not.
#[derive(Debug, Clone)]
enum Formula {
    Fact(usize),
    Not(Box<Formula>),
    And(Box<Formula>, Box<Formula>),
    Or(Box<Formula>, Box<Formula>),
}

const FACTS: [(&str, bool); 6] = [
    ("Host(`desk.example`)", true),
    ("Host(`other.example`)", false),
    ("PathPrefix(`/api`)", true),
    ("Path(`/api`)", false),
    ("Method(`GET`)", true),
    ("ClientIP(`10.0.0.0/8`)", false),
];

impl Formula {
    fn holds(&self) -> bool {
        match self {
            Self::Fact(at) => FACTS[*at].1,
            Self::Not(inner) => !inner.holds(),
            Self::And(one, other) => one.holds() & other.holds(),
            Self::Or(one, other) => one.holds() | other.holds(),
        }
    }

    /// Every operation in parentheses.
    fn text(&self) -> String {
        match self {
            Self::Fact(at) => FACTS[*at].0.to_owned(),
            Self::Not(inner) => format!("!({})", inner.text()),
            Self::And(one, other) => format!("({} && {})", one.text(), other.text()),
            Self::Or(one, other) => format!("({}||{})", one.text(), other.text()),
        }
    }
}

fn formula() -> impl Strategy<Value = Formula> {
    (0..FACTS.len()).prop_map(Formula::Fact).prop_recursive(5, 24, 2, |inner| {
        let pair = (inner.clone().prop_map(Box::new), inner.clone().prop_map(Box::new));
        prop_oneof![
            inner.prop_map(|inner| Formula::Not(Box::new(inner))),
            pair.clone().prop_map(|(one, other)| Formula::And(one, other)),
            pair.prop_map(|(one, other)| Formula::Or(one, other)),
        ]
    })
}

fn matches(rule: &Rule) -> bool {
    let (method, headers) = (Method::GET, HeaderMap::new());
    rule.matches(&Subject {
        method: &method,
        host: "desk.example",
        path: "/api/v1",
        query: None,
        headers: &headers,
        peer: IpAddr::from([203, 0, 113, 7]),
    })
}

#[test]
fn a_rule_holds_exactly_when_its_formula_does() {
    let checked = runner(5_000).run(&formula(), |formula| {
        let rule = Rule::parse(&formula.text());
        prop_assert_eq!(rule.map(|rule| matches(&rule)).ok(), Some(formula.holds()), "{}", formula.text());
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn and_binds_closer_than_or() {
    let chain = prop::collection::vec((0..FACTS.len(), any::<bool>()), 1..8);
    let checked = runner(5_000).run(&chain, |chain| {
        let mut text = FACTS[chain[0].0].0.to_owned();
        // A disjunction of conjunctions.
        let mut groups = vec![vec![FACTS[chain[0].0].1]];
        for (fact, is_or) in &chain[1..] {
            text.push_str(if *is_or { " || " } else { " && " });
            text.push_str(FACTS[*fact].0);
            if *is_or {
                groups.push(Vec::new());
            }
            groups.last_mut().expect("one at least").push(FACTS[*fact].1);
        }
        let holds = groups.iter().any(|group| group.iter().all(|fact| *fact));
        prop_assert_eq!(Rule::parse(&text).map(|rule| matches(&rule)).ok(), Some(holds), "{}", text);
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn every_text_is_a_rule_or_a_problem_with_a_place_inside_it() {
    let pieces = [
        "Host",
        "(",
        ")",
        "`",
        "desk.example",
        "\"",
        "'",
        "&&",
        "||",
        "!",
        ",",
        "PathPrefix",
        "/",
        "Path",
        " ",
        "é",
        "\\",
        "HostRegexp",
        "^[a-z]+",
        "{",
        "}",
        "Method",
        "GET",
        "ClientIP",
        "10.0.0.0/8",
        "\n",
    ];
    let iterations = cases(20_000) as usize;
    bolero::check!().with_iterations(iterations).with_type::<Vec<u8>>().for_each(|bytes: &Vec<u8>| {
        let made: String = bytes.iter().map(|byte| pieces[usize::from(*byte) % pieces.len()]).collect();
        for text in [String::from_utf8_lossy(bytes).into_owned(), made] {
            if let Err(error) = Rule::parse(&text) {
                let span = &error.span;
                assert!(span.start <= span.end && span.end <= text.len(), "{text:?}: {span:?}");
                assert!(text.is_char_boundary(span.start), "{text:?}: {span:?}");
            }
        }
    });
}
