//! What goes wrong at other people's servers while a mailbox is set up: each page has one sentence on it and
//! one thing to do.

use mintgate::mailbox::settings::{Security, Server};
use mintgate::sandbox::OTHER_MAILBOX;
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::sandbox::identity::Problem;

use super::wizard::{choose, dovecot, enter_address, fill_servers, go_on, leave_for_microsoft};
use crate::support::chromium::Chromium;
use crate::support::dovecot::{PASSWORD, USER};
use crate::support::installation::{Installation, MAILBOX};
use crate::support::stage::Stage;

/// The only failed step of the test in front, and where its button leads.
async fn failed_step(browser: &Chromium) -> String {
    browser.find(".checks .bad").await;
    browser.find("button[value='skip']").await;
    let failed = browser
        .ask("return [...document.querySelectorAll('.checks .bad')].map((one) => one.textContent)")
        .await;
    let [only] = failed.as_array().expect("a list").as_slice() else { panic!("one failure: {failed}") };
    assert_eq!(browser.ask("return document.querySelectorAll('main .first').length").await, 1);
    only.as_str().expect("text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_servers_or_password_is_said_and_can_be_changed() {
    let Some(browser) = Chromium::start().await else { return };
    let Some(dovecot) = dovecot().await else { return };
    let installation = Installation::start().await;
    let trusting = |parts: mintgate::console::Parts| mintgate::console::Parts {
        mailboxes: installation.console_parts_calling(dovecot.dialer()).mailboxes,
        ..parts
    };
    let stage = Stage::start(&installation, trusting).await;
    let strict = Stage::start(&installation, |parts| parts).await;
    let (incoming, outgoing) = (dovecot.incoming(Security::Tls), dovecot.outgoing());
    let nowhere = Server::new("imap.nowhere.invalid", 993, Security::Tls, USER);
    for (stage, server, password, said) in [
        (&stage, &incoming, "sesame open", "password"),
        (&stage, &nowhere, PASSWORD, "imap.nowhere.invalid"),
        // Its certificate is its own.
        (&strict, &incoming, PASSWORD, "certificate"),
    ] {
        browser.open(&stage.at("/admin/exchange/setup")).await;
        enter_address(&browser, USER).await;
        choose(&browser, "password").await;
        fill_servers(&browser, server, &outgoing, password).await;
        go_on(&browser).await;
        browser.shows("It never becomes a ticket.").await;
        go_on(&browser).await;

        let sentence = failed_step(&browser).await;

        assert!(sentence.contains(said), "{said}: {sentence}");
        assert!(!sentence.contains(password), "{sentence}");
        go_on(&browser).await;
        browser.shows("Servers and password of").await;
        assert_eq!(browser.ask("return document.querySelector('#password').value").await, "");
        browser.click(".rail a[href$='/test']").await;
        browser.click("button[value='skip']").await;
        go_on(&browser).await;
        browser.shows("✓ Connected").await;
    }
}

/// Ends at the page that came back from Microsoft.
async fn sign_in_at_microsoft(browser: &Chromium, stage: &Stage, button: &str) {
    browser.open(&stage.at("/admin/exchange/setup")).await;
    leave_for_microsoft(browser, MAILBOX).await;
    browser.press(button).await;
}

/// The page in front says `sentence`, and besides the way back has one thing to do at most.
async fn assert_told(browser: &Chromium, sentence: &str) {
    browser.shows(sentence).await;
    let buttons =
        browser.ask("return document.querySelectorAll('main .button, main button:not(.copy)').length").await;
    assert!(buttons.as_u64().expect("a number") <= 1, "{sentence}: {buttons}");
    let back = browser.ask("return document.querySelectorAll('main a:not(.button)').length").await;
    assert_eq!(back, 1, "{sentence}");
    let title = browser.page.title().await.expect("a title");
    assert!(title.starts_with("Error: "), "{title}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_denies_consent_or_takes_another_account_is_told_so() {
    let Some(browser) = Chromium::start().await else { return };
    let installation = Installation::start().await;
    let stage = Stage::start(&installation, |parts| parts).await;

    sign_in_at_microsoft(&browser, &stage, "Cancel").await;
    assert_told(&browser, "The permissions were declined.").await;

    browser.open(&stage.at("/admin/exchange/setup")).await;
    leave_for_microsoft(&browser, MAILBOX).await;
    browser.click(&format!("input[value='{OTHER_MAILBOX}']")).await;
    browser.press("Accept").await;
    assert_told(&browser, &format!("{OTHER_MAILBOX} signed in, but the mailbox is {MAILBOX}.")).await;
    browser.press_link("Go on with the set-up").await;
    browser.shows("These permissions are asked for").await;
    assert!(installation.store.mailboxes().await.expect("read").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_the_token_endpoint_is_explained() {
    let Some(browser) = Chromium::start().await else { return };
    let installation = Installation::start().await;
    let stage = Stage::start(&installation, |parts| parts).await;
    let mut told = Vec::new();
    for (number, error) in [
        (7_000_215, "invalid_client"),
        (7_000_222, "invalid_client"),
        (700_016, "unauthorized_client"),
        (65_001, "invalid_grant"),
        (53_003, "invalid_grant"),
        (50_105, "invalid_grant"),
        (50_194, "invalid_request"),
    ] {
        installation.sandbox.identity.force_error(Problem::new(number, error, "Forced."), 1);
        sign_in_at_microsoft(&browser, &stage, "Accept").await;
        assert_told(&browser, "Who can put it right").await;
        let heading = browser.find("h1").await.text().await.expect("text");
        assert!(!told.contains(&heading), "AADSTS{number} is told as another error: {heading}");
        told.push(heading);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_changes_nothing() {
    let Some(browser) = Chromium::start().await else { return };
    let installation = Installation::start().await;
    let stage = Stage::start(&installation, |parts| parts).await;
    installation.sandbox.identity.faults.add(Fault::anywhere("*", Effect::CutBefore));

    browser.open(&stage.at("/admin/exchange/setup")).await;
    leave_for_microsoft(&browser, MAILBOX).await;
    assert_told(&browser, "The sign-in service did not give a usable answer. Nothing was changed").await;

    installation.sandbox.identity.faults.clear();
    browser.open(&stage.at("/admin/exchange/setup")).await;
    browser.click("main .list a").await;
    go_on(&browser).await;
    browser.press("Accept").await;
    browser.shows("It never becomes a ticket.").await;
}
