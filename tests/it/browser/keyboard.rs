//! The wizard by keyboard alone: Tab and Enter, with the focus in sight and in the order of the page.

use fantoccini::key::Key;

use crate::support::chromium::Chromium;
use crate::support::installation::{Installation, MAILBOX};
use crate::support::process::eventually;
use crate::support::stage::Stage;

/// More stops than any page has.
const STOPS: usize = 60;

/// Where the focus is: whether it is what is looked for, whether it can be seen, and whether it stands behind
/// the stop before. Day, month and year of a date are stops within one field, which the browser marks.
const FOCUS: &str = "const [css] = arguments; const one = document.activeElement; const before = window.before; \
                     window.before = one; const box = one.getBoundingClientRect(); const style = getComputedStyle(one); \
                     return [one.matches(css), before === one || (style.outlineStyle !== 'none' && \
                     parseFloat(style.outlineWidth) >= 2 && box.bottom > 0 && box.top < innerHeight), \
                     !before || before === one || !!(before.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING), \
                     one.outerHTML.slice(0, 120)]";

/// Presses Tab until the focus is on `css`.
async fn tab_to(browser: &Chromium, css: &str) {
    browser.find(css).await;
    for _ in 0..STOPS {
        browser.key(Key::Tab).await;
        let focus = browser.page.execute(FOCUS, vec![css.into()]).await.expect("a script");
        assert_eq!(focus[1], true, "the focus is not to be seen: {}", focus[3]);
        assert_eq!(focus[2], true, "the focus goes back: {}", focus[3]);
        if focus[0] == true {
            return;
        }
    }
    panic!("Tab does not lead to {css}");
}

/// Leaves a page by Enter on `css`.
async fn enter(browser: &Chromium, css: &str) {
    tab_to(browser, css).await;
    browser.key(Key::Enter).await;
}

/// The same on a page of somebody else, whose looks are not ours.
async fn enter_elsewhere(browser: &Chromium, css: &str) {
    browser.find(css).await;
    for _ in 0..STOPS {
        browser.key(Key::Tab).await;
        if browser.ask(&format!("return document.activeElement.matches({css:?})")).await == true {
            return browser.key(Key::Enter).await;
        }
    }
    panic!("Tab does not lead to {css}");
}

async fn has_focus(browser: &Chromium, css: &str) {
    let script = format!("return document.activeElement.matches({css:?})");
    eventually(&format!("the focus on {css}"), async || (browser.ask(&script).await == true).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_set_up_by_tab_and_enter() {
    let Some(browser) = Chromium::start().await else { return };
    let installation = Installation::start().await;
    let stage = Stage::start(&installation, |parts| parts).await;
    browser.open(&stage.at("/admin/exchange")).await;
    enter(&browser, "main a.first").await;
    tab_to(&browser, "#address").await;
    browser.type_keys(MAILBOX).await;
    browser.key(Key::Enter).await;
    enter(&browser, "form:has(input[value='microsoft']) button").await;
    browser.shows("These permissions are asked for").await;
    enter(&browser, "main button.first").await;
    browser.shows("Pick an account").await;
    enter_elsewhere(&browser, "button[value='accept']").await;
    enter(&browser, "button[value='run']").await;
    enter(&browser, "button[value='go-on']").await;
    browser.shows("Settings of").await;
    enter(&browser, "main button.first").await;

    browser.shows("✓ Connected").await;
}

async fn from_a_wrong_address_to_its_field(browser: &Chromium, stage: &Stage) {
    browser.open(&stage.at("/admin/exchange/setup")).await;
    tab_to(browser, "#address").await;
    browser.type_keys("support").await;
    browser.key(Key::Enter).await;
    browser.shows("Please correct this").await;

    has_focus(browser, "#errors").await;
    enter(browser, "#errors a").await;

    has_focus(browser, "#address").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_focus_stands_on_what_is_wrong_and_a_link_leads_to_the_field() {
    let Some(browser) = Chromium::start().await else { return };
    let installation = Installation::start().await;
    let stage = Stage::start(&installation, |parts| parts).await;
    from_a_wrong_address_to_its_field(&browser, &stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_stop_skips_to_the_content() {
    let Some(browser) = Chromium::start().await else { return };
    let installation = Installation::start().await;
    let stage = Stage::start(&installation, |parts| parts).await;
    browser.open(&stage.at("/admin/exchange")).await;

    enter(&browser, "a.skip").await;

    has_focus(&browser, "main").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_the_focus_stands_on_what_is_wrong_as_well() {
    let Some(browser) = Chromium::start().await else { return };
    let installation = Installation::start().await;
    let stage = Stage::start(&installation, |parts| parts).await;
    browser.switch_scripts_off().await;
    from_a_wrong_address_to_its_field(&browser, &stage).await;
}
