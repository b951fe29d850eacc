//! Back, reload, another tab, a second press, somebody else at the same time, a set-up that is over: each
//! ends where the set-up stands, with a sentence.

use std::time::Duration;

use super::wizard::{choose, enter_address, go_on, leave_for_microsoft};
use crate::support::chromium::Chromium;
use crate::support::installation::{Installation, MAILBOX};
use crate::support::stage::Stage;

const ADDRESS: &str = "help@desk.example";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn scene() -> Option<(Chromium, Installation, Stage)> {
    let browser = Chromium::start().await?;
    let installation = Installation::start().await;
    let stage = Stage::start(&installation, |parts| parts).await;
    browser.open(&stage.at("/admin/exchange/setup")).await;
    Some((browser, installation, stage))
}

async fn drafts(installation: &Installation) -> usize {
    installation.store.drafts().await.expect("read").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_may_go_back_and_choose_otherwise() {
    let Some((browser, _installation, _stage)) = scene().await else { return };
    enter_address(&browser, ADDRESS).await;
    choose(&browser, "microsoft").await;
    browser.shows("Connect with Microsoft").await;

    browser.page.back().await.expect("back");
    browser.page.refresh().await.expect("reloaded");
    choose(&browser, "password").await;

    browser.shows("Servers and password of help@desk.example").await;
    browser.page.refresh().await.expect("reloaded");
    browser.shows("Servers and password of help@desk.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_up_goes_on_in_another_tab_and_the_first_one_follows() {
    let Some((browser, installation, stage)) = scene().await else { return };
    enter_address(&browser, ADDRESS).await;
    let first = browser.page.window().await.expect("a window");
    let second = browser.page.new_window(true).await.expect("a tab").handle;
    browser.page.switch_to_window(second).await.expect("in front");

    browser.open(&stage.at("/admin/exchange/setup")).await;
    browser.click("main .list a").await;
    choose(&browser, "password").await;
    browser.shows("Servers and password of help@desk.example").await;

    browser.page.switch_to_window(first).await.expect("in front");
    choose(&browser, "microsoft").await;
    browser.shows("Servers and password of help@desk.example").await;
    assert_eq!(drafts(&installation).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_press_makes_nothing_twice() {
    let Some((browser, installation, stage)) = scene().await else { return };
    browser.fill("#address", ADDRESS).await;
    let twice = "const button = document.querySelector('main .first'); button.click(); button.click()";
    browser.ask(twice).await;
    browser.shows("How to sign in as").await;

    browser.page.back().await.expect("back");
    browser.open(&stage.at("/admin/exchange/setup")).await;
    enter_address(&browser, ADDRESS).await;
    browser.shows("How to sign in as").await;

    assert_eq!(drafts(&installation).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_up_that_waited_too_long_is_gone_and_says_so() {
    let Some((browser, installation, stage)) = scene().await else { return };
    enter_address(&browser, ADDRESS).await;
    browser.shows("How to sign in as").await;
    let old = browser.path().await;
    installation.clock.advance(8 * DAY);
    browser.open(&stage.at("/admin/exchange/setup")).await;
    enter_address(&browser, "other@desk.example").await;
    browser.shows("How to sign in as other@desk.example").await;

    browser.open(&stage.at(&old)).await;

    browser.shows("It was finished, discarded or has expired. A mailbox that was connected stays.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn back_after_success_leads_to_the_overview() {
    let Some((browser, installation, _stage)) = scene().await else { return };
    leave_for_microsoft(&browser, MAILBOX).await;
    browser.press("Accept").await;
    browser.click("button[value='skip']").await;
    browser.shows("Settings of").await;
    let settings = browser.page.current_url().await.expect("an address");
    go_on(&browser).await;
    browser.shows("✓ Connected").await;

    browser.page.back().await.expect("back");
    browser.open(settings.as_str()).await;
    browser.shows("✓ Connected").await;
    browser.open(&settings.as_str().replace("/settings", "/test")).await;
    browser.shows("✓ Connected").await;
    assert_eq!(installation.store.mailboxes().await.expect("read").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_administrators_the_second_sees_what_the_first_has_done() {
    let Some((browser, installation, stage)) = scene().await else { return };
    enter_address(&browser, ADDRESS).await;
    browser.shows("How to sign in as").await;
    let path = browser.path().await;
    let adas = browser.page.window().await.expect("a window");
    let berts = browser.page.new_window(true).await.expect("a tab").handle;
    browser.page.switch_to_window(berts).await.expect("in front");
    stage.admit("Bert", 2);
    browser.open(&stage.at("/admin/exchange/setup")).await;
    browser.shows("started by Ada Admin").await;
    browser.open(&stage.at(&path)).await;
    choose(&browser, "microsoft").await;
    browser.shows("Connect with Microsoft").await;

    browser.page.switch_to_window(adas).await.expect("in front");
    stage.admit("u1", 1);
    choose(&browser, "password").await;

    browser.shows("Connect with Microsoft").await;
    assert_eq!(drafts(&installation).await, 1);
}
