//! The console's pages for people who do not see, hear or point as others do: axe-core on every page, in
//! every state, in both languages, light and dark.

use std::collections::BTreeSet;
use std::path::Path;

use mintgate::sandbox::desk::AGENT;

use super::views::{Looks, walk};
use super::{CONSOLE, sign_in};
use crate::support::axe::Axe;
use crate::support::chromium::Chromium;
use crate::support::demo::Demo;
use crate::support::screen::Scheme;

/// Routes that answer a GET with something else than a page of their own.
const NO_PAGES: [(&str, &str); 5] = [
    ("/admin/exchange/assets/{name}", "the style sheet and the script"),
    ("/admin/exchange/openapi.json", "a description for programs"),
    ("/admin/exchange/diagnostics.txt", "a download"),
    ("/admin/exchange/quarantine/{id}/page", "a stranger's mail, shown in a frame"),
    ("/admin/exchange/setup/{id}", "leads to the step where the set-up stands"),
];

/// What axe-core says of every page, and where it was asked.
struct Checks {
    axe: Axe,
    violations: Vec<String>,
    paths: BTreeSet<String>,
}

impl Checks {
    fn of(axe: Axe) -> Self {
        Self { axe, violations: Vec::new(), paths: BTreeSet::new() }
    }
}

impl Looks for Checks {
    async fn look(&mut self, browser: &Chromium, name: &str) {
        for scheme in Scheme::BOTH {
            browser.prefer(scheme).await;
            let found = self.axe.violations(browser).await;
            self.violations.extend(found.into_iter().map(|one| format!("{name} ({scheme:?}): {one}")));
        }
        self.paths.insert(browser.path().await);
    }
}

async fn assert_every_page_passes(language: &str) -> BTreeSet<String> {
    let Some(axe) = Axe::load() else { return BTreeSet::new() };
    let Some(browser) = Chromium::start().await else { return BTreeSet::new() };
    let mut checks = Checks::of(axe);
    walk(&browser, language, &mut checks).await;
    assert!(checks.violations.is_empty(), "{}", checks.violations.join("\n"));
    checks.paths
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_passes_axe_and_none_is_left_out() {
    let paths = assert_every_page_passes("en").await;
    if paths.is_empty() {
        return;
    }
    let unseen: Vec<String> =
        routes().into_iter().filter(|route| !paths.iter().any(|path| fits(route, path))).collect();
    assert!(unseen.is_empty(), "no look at {unseen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_german_page_passes_axe() {
    assert_every_page_passes("de").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_those_who_are_kept_out_pass_axe() {
    let Some(axe) = Axe::load() else { return };
    let Some(browser) = Chromium::start().await else { return };
    let demo = Demo::start().await;
    let mut checks = Checks::of(axe);

    browser.open(&demo.at(CONSOLE)).await;
    checks.look(&browser, "before the sign-in").await;
    sign_in(&browser, &demo, AGENT).await;
    browser.open(&demo.at(CONSOLE)).await;
    checks.look(&browser, "an agent").await;

    assert!(checks.violations.is_empty(), "{}", checks.violations.join("\n"));
}

/// The paths of the console's routes that have a page, as the source names them.
fn routes() -> Vec<String> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console"), &mut found);
    found.retain(|path| path.starts_with(CONSOLE) && NO_PAGES.iter().all(|(other, _)| other != path));
    assert!(found.len() > 5, "{found:?}");
    found
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            found.extend(text.split(".route(").skip(1).filter_map(path_with_get));
        }
    }
}

/// The path of a route whose rest begins with `text`, if it answers GET.
fn path_with_get(text: &str) -> Option<String> {
    let path = text.trim_start().strip_prefix('"')?.split('"').next()?;
    let (mut depth, mut end) = (1, 0);
    for (at, one) in text.char_indices() {
        depth += i32::from(one == '(') - i32::from(one == ')');
        if depth == 0 {
            end = at;
            break;
        }
    }
    text[..end].contains("get(").then(|| path.to_owned())
}

fn fits(route: &str, path: &str) -> bool {
    let (route, path) = (route.split('/'), path.split('/'));
    route.clone().count() == path.clone().count()
        && route.zip(path).all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
}

#[test]
fn routes_are_read_with_their_methods() {
    assert_eq!(path_with_get("\"/a\", get(show)).route(\"/b\", post(x))"), Some("/a".to_owned()));
    assert_eq!(path_with_get("\n  \"/a/{id}\",\n  post(x).get(y),\n)"), Some("/a/{id}".to_owned()));
    assert_eq!(path_with_get("\"/b\", post(x)).route(\"/c\", get(y))"), None);
    assert!(fits("/a/{id}/b", "/a/1/b") && !fits("/a/{id}", "/a/1/b"));
}
