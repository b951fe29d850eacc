//! What axe-core, from npm, finds wrong with a page for people who do not see, hear or point as others do.

use serde_json::Value;

use super::chromium::Chromium;
use super::peers::folder_with;

/// The rules of WCAG 2.2 at level AA, and what is good practice beyond them.
const RUN: &str = "return axe.run(document, { resultTypes: ['violations'], runOnly: \
                   ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })\
                   .then((found) => found.violations.map((one) => ({ rule: one.id, why: one.help, \
                   where: one.nodes.map((node) => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')) })))";

/// The checker's script.
pub struct Axe(String);

impl Axe {
    /// `None`, and said so, where it is not installed.
    pub fn load() -> Option<Self> {
        let file = folder_with("axe-core")?.join("node_modules/axe-core/axe.min.js");
        Some(Self(std::fs::read_to_string(file).expect("the script")))
    }

    /// A line for each rule that the page in front breaks. The driver runs the script, so that the page's own
    /// policy stays as it is.
    pub async fn violations(&self, browser: &Chromium) -> Vec<String> {
        browser.page.execute(&self.0, Vec::new()).await.expect("axe-core runs");
        let found = browser.page.execute(RUN, Vec::new()).await.expect("axe-core ends");
        let found = found.as_array().expect("a list").iter();
        found.map(|one| format!("{}: {} {}", text(one, "rule"), text(one, "why"), one["where"])).collect()
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().expect("text")
}
