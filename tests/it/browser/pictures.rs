//! Pictures of the console, drawn by a real Chromium for whoever changes a page. The test writes files and is
//! asked for by name.

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
