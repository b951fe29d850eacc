//! What it costs an administrator to get from an address to a mailbox that works, in the demo: counted, not
//! promised.

use std::time::Instant;

use mintgate::sandbox::MAILBOX;
use mintgate::sandbox::desk::ADMIN;

use super::sign_in;
use crate::support::chromium::Chromium;
use crate::support::demo::Demo;

/// A hand that counts.
struct Hand<'b> {
    browser: &'b Chromium,
    clicks: u32,
    keys: usize,
    pages: u32,
}

impl Hand<'_> {
    async fn click(&mut self, css: &str, shows: &str) {
        self.browser.click(css).await;
        self.browser.shows(shows).await;
        self.clicks += 1;
        self.pages += 1;
    }

    async fn type_text(&mut self, css: &str, text: &str) {
        self.browser.fill(css, text).await;
        self.clicks += 1;
        self.keys += text.chars().count();
    }
}

/// `cargo test --test it from_address_to_mailbox -- --nocapture` prints the figures. The seconds are those of
/// the machine, the servers and the round trip of a mail: the hand takes none.
#[tokio::test(flavor = "multi_thread")]
async fn from_address_to_mailbox_takes_nine_clicks_and_the_address() {
    let Some(browser) = Chromium::start().await else { return };
    let demo = Demo::start().await;
    sign_in(&browser, &demo, ADMIN).await;
    browser.open(&demo.at("/admin/exchange")).await;
    let mut hand = Hand { browser: &browser, clicks: 0, keys: 0, pages: 1 };
    let begun = Instant::now();

    hand.click("main a.first", "Mail address of the mailbox").await;
    hand.type_text("#address", MAILBOX).await;
    hand.click("main button.first", "How to sign in as").await;
    hand.click("form:has(input[value='microsoft']) button", "These permissions are asked for").await;
    hand.click("main button.first", "Pick an account").await;
    hand.click("button[value='accept']", "It never becomes a ticket.").await;
    hand.click("button[value='run']", "✓ The connection works").await;
    let works = begun.elapsed();
    hand.click("main button.first", "Settings of").await;
    hand.click("main button.first", "✓ Connected").await;

    println!(
        "works after {:.1} s; set up after {:.1} s, with {} clicks, {} keys (the address) and {} pages",
        works.as_secs_f64(),
        begun.elapsed().as_secs_f64(),
        hand.clicks,
        hand.keys,
        hand.pages,
    );
    assert_eq!((hand.clicks, hand.keys, hand.pages), (9, MAILBOX.len(), 9));
}
