//! What a German reader sees on every page: no sentence of the English catalogue, and no reason that is only
//! known in English where the program itself has said it.

use std::collections::BTreeMap;
use std::path::Path;

use super::views::{Looks, walk};
use crate::support::chromium::Chromium;

/// The text of a page without what is marked as English.
const GERMAN: &str = "const page = document.body.cloneNode(true); \
    page.querySelectorAll('[lang=en], code, script').forEach((one) => one.remove()); \
    return document.title + ' ' + page.textContent.replace(/\\s+/g, ' ')";

/// What is marked as English although it is neither a listing nor said to be the program's own words.
const ENGLISH: &str = "return [...document.querySelectorAll('[lang=en]')].filter((one) => \
    !one.matches('pre, ul') && !/Worten des Programms/.test(one.closest('dd')?.previousElementSibling.textContent)) \
    .map((one) => one.textContent)";

/// Messages of a language that take nothing in, by their names.
fn messages(language: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/locales").join(language);
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(folder).expect("a folder") {
        let path = file.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let mut message = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.contains(['{', '}'])) {
            let Some((name, words)) = line.split_once(" = ") else { continue };
            if !name.starts_with(' ') {
                name.clone_into(&mut message);
            }
            found.insert(format!("{message}{}", name.trim()), words.to_owned());
        }
    }
    found
}

/// English messages of more than one word that read otherwise in German.
fn english_only() -> Vec<String> {
    let german = messages("de");
    let english = messages("en").into_iter();
    let others = english.filter(|(name, words)| words.contains(' ') && german.get(name) != Some(words));
    others.map(|(_, words)| words).collect()
}

struct Reads {
    english: Vec<String>,
    found: Vec<String>,
    looked_at: usize,
}

impl Looks for Reads {
    async fn look(&mut self, browser: &Chromium, name: &str) {
        let text = browser.ask(GERMAN).await;
        let text = text.as_str().expect("text");
        let sentences = self.english.iter().filter(|one| text.contains(one.as_str()));
        self.found.extend(sentences.map(|one| format!("{name}: {one}")));
        let marked = browser.ask(ENGLISH).await;
        let marked = marked.as_array().expect("a list").iter();
        self.found.extend(marked.map(|one| format!("{name}: only in English: {one}")));
        self.looked_at += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_that_speaks_german_says_a_sentence_in_english() {
    let Some(browser) = Chromium::start().await else { return };
    let mut reads = Reads { english: english_only(), found: Vec::new(), looked_at: 0 };
    assert!(reads.english.len() > 300, "{}", reads.english.len());

    walk(&browser, "de", &mut reads).await;

    assert!(reads.looked_at > 50, "{}", reads.looked_at);
    assert!(reads.found.is_empty(), "{}", reads.found.join("\n"));
}
