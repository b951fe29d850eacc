//! The whole wizard in a real Chromium, with and without scripts: from an address to a mailbox that works.

use std::sync::Arc;

use mintgate::base::clock::{Clock, SystemClock};
use mintgate::console::Parts;
use mintgate::mailbox::settings::{MailboxSettings, Security, Server};

use crate::support::chromium::Chromium;
use crate::support::demo::Demo;
use crate::support::dovecot::{Dovecot, PASSWORD, USER};
use crate::support::emulate::Emulate;
use crate::support::installation::{Installation, MAILBOX};
use crate::support::mail_server::Sink;
use crate::support::provider::{ACCOUNT, Provider};
use crate::support::stage::{Place, Stage};

/// Types `address` on the first page and presses its button.
pub async fn enter_address(browser: &Chromium, address: &str) {
    browser.fill("#address", address).await;
    go_on(browser).await;
}

/// Presses the page's first choice.
pub async fn go_on(browser: &Chromium) {
    browser.click("main .first").await;
}

/// Chooses how to sign in: `microsoft`, `google` or `password`.
pub async fn choose(browser: &Chromium, way: &str) {
    browser.click(&format!("form:has(input[value='{way}']) button")).await;
}

/// Fills a field that may hold something.
pub async fn replace(browser: &Chromium, css: &str, text: &str) {
    let field = browser.find(css).await;
    field.clear().await.expect("it can be emptied");
    field.send_keys(text).await.expect("it takes keys");
}

/// From the first page to Microsoft's own.
pub async fn leave_for_microsoft(browser: &Chromium, address: &str) {
    enter_address(browser, address).await;
    browser.shows("How to sign in as").await;
    choose(browser, "microsoft").await;
    browser.shows("These permissions are asked for").await;
    go_on(browser).await;
}

/// Fills in where Dovecot listens, and its password.
pub async fn fill_servers(browser: &Chromium, incoming: &Server, outgoing: &Server, password: &str) {
    for (name, server) in [("incoming", incoming), ("outgoing", outgoing)] {
        replace(browser, &format!("#{name}_host"), &server.host).await;
        replace(browser, &format!("#{name}_port"), &server.port.to_string()).await;
        replace(browser, &format!("#{name}_user"), &server.user).await;
        let way = if server.security == Security::Tls { "tls" } else { "starttls" };
        browser.click(&format!("#{name}_security option[value='{way}']")).await;
    }
    browser.fill("#password", password).await;
}

/// From the test's page to the overview.
pub async fn test_and_finish(browser: &Chromium) {
    browser.shows("It never becomes a ticket.").await;
    go_on(browser).await;
    browser.find("button[value='go-on']").await;
    let shown = browser.text().await;
    assert!(shown.contains("✓ The connection works") && shown.contains("The mail arrives"), "{shown}");
    go_on(browser).await;
    browser.shows("Settings of").await;
    browser.fill("#from_name", "Help").await;
    go_on(browser).await;
    browser.shows("✓ Connected").await;
}

async fn microsoft(browser: &Chromium, stage: &Stage) {
    browser.open(&stage.at("/admin/exchange")).await;
    browser.click("main a.first").await;
    leave_for_microsoft(browser, MAILBOX).await;
    browser.press("Accept").await;
    test_and_finish(browser).await;
}

/// The settings of the only mailbox.
pub async fn settings(installation: &Installation) -> MailboxSettings {
    let rows = installation.store.mailboxes().await.expect("read");
    assert_eq!(rows.len(), 1);
    MailboxSettings::parse(&rows[0].settings).expect("settings")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_microsoft_mailbox_works_with_and_without_scripts() {
    let Some(browser) = Chromium::start().await else { return };
    for scripts in [true, false] {
        if !scripts {
            browser.switch_scripts_off().await;
        }
        let installation = Installation::start().await;
        let stage = Stage::start(&installation, |parts| parts).await;
        microsoft(&browser, &stage).await;
        assert_eq!(settings(&installation).await.from_name.as_deref(), Some("Help"), "scripts: {scripts}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_program_does_it_without_scripts_after_the_sign_in() {
    let Some(browser) = Chromium::start().await else { return };
    let demo = Demo::start().await;
    super::sign_in(&browser, &demo, mintgate::sandbox::desk::ADMIN).await;
    browser.switch_scripts_off().await;

    browser.open(&demo.at("/admin/exchange/setup")).await;
    leave_for_microsoft(&browser, MAILBOX).await;
    browser.press("Accept").await;
    browser.shows("It never becomes a ticket.").await;
    go_on(&browser).await;
    browser.find("button[value='go-on']").await;
    go_on(&browser).await;
    browser.shows("Settings of").await;
    go_on(&browser).await;

    browser.shows("✓ Connected").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_connected_at_somebody_elses_entra() {
    let Some(browser) = Chromium::start().await else { return };
    let place = Place::take().await;
    let Some(peer) = Emulate::start_for(&place.redirect_uri()).await else { return };
    let installation = Installation::start().await.before_another_provider(peer.app());
    let stage = Stage::start_at(place, &installation, |parts| parts);

    browser.open(&stage.at("/admin/exchange/setup")).await;
    leave_for_microsoft(&browser, ACCOUNT).await;
    browser.click(&format!("form:has(input[value='{ACCOUNT}']) button")).await;
    browser.shows(&format!("Does {ACCOUNT} work?")).await;
    // It has no mail to test with.
    browser.click("button[value='skip']").await;
    browser.shows("The test was not passed").await;
    go_on(&browser).await;

    browser.shows("✓ Connected").await;
    let rows = installation.store.mailboxes().await.expect("read");
    assert_eq!(rows[0].address, ACCOUNT);
}

/// Dovecot, and what stands between its submission and its inbox: whatever is sent arrives.
pub async fn dovecot() -> Option<Arc<Dovecot>> {
    let sink = Sink::start().await;
    let dovecot = Arc::new(Dovecot::start(sink.address.port()).await?);
    deliver(&dovecot, sink);
    Some(dovecot)
}

/// Whatever is submitted to `dovecot` arrives in its inbox, for as long as there is one.
pub fn deliver(dovecot: &Arc<Dovecot>, sink: Sink) {
    let server = Arc::downgrade(dovecot);
    tokio::spawn(async move {
        let mut seen = 0;
        while let Some(server) = server.upgrade() {
            let mails = sink.mails();
            server.deliver(&mails[seen..]);
            seen = mails.len();
            drop(server);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_with_a_password_works_with_and_without_scripts() {
    let Some(browser) = Chromium::start().await else { return };
    let Some(dovecot) = dovecot().await else { return };
    for scripts in [true, false] {
        if !scripts {
            browser.switch_scripts_off().await;
        }
        let installation = Installation::start().await;
        installation.clock.set(SystemClock.now());
        let trusting = |parts: Parts| Parts {
            mailboxes: installation.console_parts_calling(dovecot.dialer()).mailboxes,
            ..parts
        };
        let stage = Stage::start(&installation, trusting).await;
        browser.open(&stage.at("/admin/exchange/setup")).await;
        enter_address(&browser, USER).await;
        choose(&browser, "password").await;
        fill_servers(&browser, &dovecot.incoming(Security::Tls), &dovecot.outgoing(), PASSWORD).await;
        go_on(&browser).await;
        test_and_finish(&browser).await;
        assert_eq!(settings(&installation).await.from_name.as_deref(), Some("Help"), "scripts: {scripts}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_shown_as_it_goes_without_loading_the_page_again() {
    let Some(browser) = Chromium::start().await else { return };
    let installation = Installation::start().await;
    let stage = Stage::start(&installation, |parts| parts).await;
    browser.open(&stage.at("/admin/exchange/setup")).await;
    leave_for_microsoft(&browser, MAILBOX).await;
    browser.press("Accept").await;
    browser.shows("It never becomes a ticket.").await;
    go_on(&browser).await;
    browser.find("[data-again]").await;
    browser.ask("window.stayed = true").await;

    browser.find("button[value='go-on']").await;

    assert_eq!(browser.ask("return window.stayed").await, true);
    assert_eq!(browser.ask("return document.querySelector('[data-again]')").await, serde_json::Value::Null);
}
