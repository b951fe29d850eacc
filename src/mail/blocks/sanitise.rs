//! What of a stranger's page is looked at all: a few elements, three attributes, three schemes.

use std::collections::{HashMap, HashSet};

const ELEMENTS: [&str; 38] = [
    "p",
    "div",
    "br",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "a",
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "code",
    "tt",
    "span",
    "font",
    "img",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "td",
    "th",
    "center",
];

/// Dropped with what they hold.
const UNSEEN: [&str; 6] = ["script", "style", "title", "noscript", "template", "object"];

/// Where a link may lead; `cid` is a picture of the mail itself.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "cid"];

const LONGEST_LINK: usize = 2_000;

/// The page without everything else.
pub(super) fn harmless(markup: &str) -> String {
    let attributes = [("a", HashSet::from(["href"])), ("img", HashSet::from(["src"]))];
    ammonia::Builder::empty()
        .tags(HashSet::from(ELEMENTS))
        .clean_content_tags(HashSet::from(UNSEEN))
        .tag_attributes(HashMap::from(attributes))
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(None)
        .clean(markup)
        .to_string()
}

/// Whether a target may become a link: on the web or an address, without anything hidden in it.
pub(super) fn is_link(target: &str) -> bool {
    let begins =
        |scheme: &str| target.get(..scheme.len()).is_some_and(|has| has.eq_ignore_ascii_case(scheme));
    let plain = !target.chars().any(|one| one.is_control() || one.is_whitespace());
    plain && target.len() <= LONGEST_LINK && ["http://", "https://", "mailto:"].into_iter().any(begins)
}
