//! Pictures of the console, drawn by a real Chromium: for whoever changes a page, and those that the documents
//! show. The tests write files and are asked for by name.

use std::path::{Path, PathBuf};

use super::views::{Looks, walk};
use crate::support::chromium::Chromium;
use crate::support::screen::Scheme;

/// Draws every page at three widths, light and dark.
struct Draws(PathBuf);

impl Looks for Draws {
    async fn look(&mut self, browser: &Chromium, name: &str) {
        for (width, scheme) in
            [(360, Scheme::Light), (768, Scheme::Dark), (1280, Scheme::Light), (360, Scheme::Dark)]
        {
            browser.resize(width, 700).await;
            browser.prefer(scheme).await;
            let file = format!("{} {width} {scheme:?}.png", name.replace(' ', "-"));
            browser.picture(&self.0.join(file)).await;
        }
    }
}

/// `cargo test --test it every_page_is_drawn -- --ignored`: into `target/pages`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "draws into target/pages"]
async fn every_page_is_drawn() {
    let Some(browser) = Chromium::start().await else { return };
    for language in ["en", "de"] {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages").join(language);
        std::fs::create_dir_all(&folder).expect("a folder");
        println!("{}", folder.display());
        walk(&browser, language, &mut Draws(folder)).await;
    }
}

/// Width of the documents' pictures.
const WIDTH: u32 = 816;

/// Pages of the walk that the documents show: name there and file.
const SHOWN: [(&str, &str); 11] = [
    ("address", "address"),
    ("sign-in of a Google account", "sign-in"),
    ("connect with Microsoft", "connect"),
    ("servers that are known", "servers"),
    ("test that was passed", "test"),
    ("settings", "settings"),
    ("overview with a mailbox", "overview"),
    ("settings of a mailbox", "mailbox-settings"),
    ("queues", "queues"),
    ("quarantine", "quarantine"),
    ("events", "events"),
];

/// Also drawn dark.
const BOTH: &str = "test";

/// Draws what the documents show, small.
struct Documents(PathBuf);

impl Looks for Documents {
    async fn look(&mut self, browser: &Chromium, name: &str) {
        let Some((_, file)) = SHOWN.iter().find(|(page, _)| *page == name) else { return };
        for (scheme, end) in [(Scheme::Dark, "-dark"), (Scheme::Light, "")] {
            if scheme == Scheme::Light || *file == BOTH {
                browser.prefer(scheme).await;
                browser.small_picture(WIDTH, &self.0.join(format!("{file}{end}.png"))).await;
            }
        }
        browser.resize(1280, 900).await;
    }
}

/// `cargo test --test it the_documents_pictures_are_drawn -- --ignored`: into `docs/pages`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "draws into docs/pages"]
async fn the_documents_pictures_are_drawn() {
    let Some(browser) = Chromium::start().await else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pages");
    walk(&browser, "en", &mut Documents(folder)).await;
}
