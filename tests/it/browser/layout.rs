//! The console's pages on narrow and wide screens, with large text, forced colours and without motion:
//! nothing is cut off or has to be scrolled sideways, everything can be hit.

use serde_json::{Value, json};

use super::views::{Looks, walk};
use crate::support::chromium::Chromium;

/// Says what is wrong; its argument is what to look for besides.
const MEASURE: &str = include_str!("layout.js");

/// 320 is 1280 at a zoom of 400 % (WCAG 1.4.10).
const WIDTHS: [u32; 4] = [320, 360, 768, 1280];

/// What is wrong with the pages that were looked at.
#[derive(Default)]
struct Measures(Vec<String>);

impl Measures {
    async fn take(&mut self, browser: &Chromium, place: &str, mode: &str) {
        let wrong = browser.page.execute(MEASURE, vec![json!(mode)]).await.expect("measured");
        let wrong = wrong.as_array().expect("a list").iter().filter_map(Value::as_str);
        self.0.extend(wrong.map(|one| format!("{place}: {one}")));
    }
}

impl Looks for Measures {
    async fn look(&mut self, browser: &Chromium, name: &str) {
        for width in WIDTHS {
            browser.resize(width, 800).await;
            self.take(browser, &format!("{name}, {width} wide"), "").await;
        }
        browser.ask("document.documentElement.style.fontSize = '200%'").await;
        self.take(browser, &format!("{name}, text twice as large"), "").await;
        browser.ask("document.documentElement.style.fontSize = ''").await;
        browser.prefer_all(&[("forced-colors", "active"), ("prefers-color-scheme", "dark")]).await;
        self.take(browser, &format!("{name}, forced colours"), "forced").await;
        browser.prefer_all(&[("prefers-reduced-motion", "reduce")]).await;
        self.take(browser, &format!("{name}, reduced motion"), "still").await;
        browser.prefer_all(&[]).await;
    }
}

async fn assert_every_page_fits(language: &str) {
    let Some(browser) = Chromium::start().await else { return };
    let mut measures = Measures::default();
    walk(&browser, language, &mut measures).await;
    assert!(measures.0.is_empty(), "{}", measures.0.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_every_width_and_every_target_can_be_hit() {
    assert_every_page_fits("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn german_words_fit_every_width() {
    assert_every_page_fits("de").await;
}
