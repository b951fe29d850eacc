//! Pictures of the console, drawn by a real Chromium: every page for whoever changes one, and the few that the
//! documentation shows. Both tests write files and are asked for by name.

use std::path::{Path, PathBuf};

use super::views::{Looks, walk};
use crate::support::chromium::Chromium;
use crate::support::screen::Scheme;

/// What the documentation shows, by file name.
const SHOWN: [(&str, &str); 10] = [
    ("address", "address"),
    ("sign-in at an unknown provider", "sign-in"),
    ("connect with Microsoft", "connect"),
    ("servers that are known", "servers"),
    ("test that was passed", "test"),
    ("settings", "settings"),
    ("overview with a mailbox", "overview"),
    ("queues", "queues"),
    ("quarantine", "quarantine"),
    ("settings of a mailbox", "mailbox-settings"),
];

/// Draws the pages that the documentation shows.
struct Shows(PathBuf);

impl Looks for Shows {
    async fn look(&mut self, browser: &Chromium, name: &str) {
        let Some((_, file)) = SHOWN.iter().find(|(wanted, _)| *wanted == name) else { return };
        browser.resize(800, 300).await;
        browser.prefer(Scheme::Light).await;
        browser.picture(&self.0.join(format!("{file}.png"))).await;
    }
}

/// `cargo test --test it the_documentation_is_illustrated -- --ignored`: into `docs/pages`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "draws into docs/pages"]
async fn the_documentation_is_illustrated() {
    let Some(browser) = Chromium::start().await else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pages");
    std::fs::create_dir_all(&folder).expect("a folder");
    walk(&browser, "en", &mut Shows(folder.clone())).await;
    for (_, file) in SHOWN {
        let size = std::fs::metadata(folder.join(file).with_extension("png")).expect("a picture").len();
        assert!(size < 60_000, "{file}.png has {size} bytes");
    }
}

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
