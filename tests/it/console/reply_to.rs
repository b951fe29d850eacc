//! A Reply-To address has to lead back into the mailbox: the wizard's test sends a mail there, too.

use std::time::Duration;

use http::StatusCode;
use mintgate::console::{Console, Fixed, Parts};
use mintgate::mailbox::settings::MailboxSettings;

use super::wizard::{leads_to, leave_by_the_wizard, submit};
use crate::support::installation::{Installation, MAILBOX, OTHER_MAILBOX};
use crate::support::sign_in::Browser;

/// Of the group that customers answer to; its mail reaches the mailbox only where the mailbox is a member.
const GROUP: &str = OTHER_MAILBOX;

/// A connected mailbox's test page.
async fn test_page(installation: &Installation, browser: &Browser<'_>) -> String {
    let authorize = leave_by_the_wizard(browser, MAILBOX, "microsoft").await;
    let end = browser.finish(&*installation.http, &authorize, MAILBOX).await;
    leads_to(&browser.get(end.location()).await)
}

/// Presses the button and lets both clocks go on until the test has ended; its page.
async fn tested(installation: &Installation, browser: &Browser<'_>, page: &str, reply_to: &str) -> String {
    let pressed = submit(browser, page, page, &[("action", "run"), ("reply_to", reply_to)]).await;
    assert_eq!(leads_to(&pressed), page);
    for _ in 0..200 {
        installation.clock.advance(Duration::from_secs(1));
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::time::resume();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let shown = browser.get(page).await.text();
        if !shown.contains("http-equiv=\"refresh\"") {
            return shown;
        }
    }
    panic!("the test does not end");
}

async fn own_settings(installation: &Installation) -> MailboxSettings {
    let rows = installation.store.mailboxes().await.expect("read");
    MailboxSettings::parse(&rows[0].settings).expect("settings")
}

#[tokio::test]
async fn a_group_without_the_mailbox_in_it_fails_the_test_and_one_with_it_passes() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let page = test_page(&installation, &browser).await;
    let wrong = submit(&browser, &page, &page, &[("action", "run"), ("reply_to", "nobody")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().contains("id=\"reply_to-error\"") && wrong.text().contains("value=\"nobody\""));

    let lost = tested(&installation, &browser, &page, GROUP).await;
    assert!(lost.contains("The connection does not work"), "{lost}");
    assert!(lost.contains(&format!("A mail to {GROUP} was sent.")), "{lost}");
    assert!(lost.contains("did not arrive"), "{lost}");

    let found = tested(&installation, &browser, &page, MAILBOX).await;
    assert!(found.contains("The connection works"), "{found}");
}

#[tokio::test]
async fn the_address_that_the_configuration_names_is_tried_without_being_asked_for() {
    let installation = Installation::start().await;
    let fixed = Fixed { reply_to: Some(GROUP.to_owned()), ..Fixed::default() };
    let console = Console::new(Parts { fixed, ..installation.console_parts() });
    let browser = Browser::admin(&console, 1);
    let page = test_page(&installation, &browser).await;
    let before = browser.get(&page).await.text();
    assert!(before.contains(&format!("A second mail goes to {GROUP}")), "{before}");
    assert!(!before.contains("name=\"reply_to\""), "{before}");
    let lost = tested(&installation, &browser, &page, "").await;
    assert!(lost.contains("did not arrive"), "{lost}");
}

#[tokio::test]
async fn one_that_is_entered_with_the_settings_is_tried_before_the_set_up_ends() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let page = test_page(&installation, &browser).await;
    tested(&installation, &browser, &page, "").await;
    let named = submit(&browser, &page, &page, &[("action", "go-on"), ("reply_to", MAILBOX)]).await;
    assert_eq!(leads_to(&named), page, "what is named beside a passed test is tried first");
    tested(&installation, &browser, &page, "").await;
    let settings = leads_to(&submit(&browser, &page, &page, &[("action", "go-on")]).await);
    let fields = [("from_name", "Help"), ("reply_to", GROUP), ("after", "leave")];

    assert_eq!(leads_to(&submit(&browser, &settings, &settings, &fields).await), page);
    let shown = browser.get(&page).await.text();
    assert!(shown.contains(&format!("value=\"{GROUP}\"")) && shown.contains("Start the test"), "{shown}");
    let on = leads_to(&submit(&browser, &page, &page, &[("action", "skip")]).await);
    assert_eq!(on, settings);
    let form = browser.get(&settings).await.text();
    assert!(form.contains("value=\"Help\""), "what was entered stays: {form}");
    assert_eq!(leads_to(&submit(&browser, &settings, &settings, &fields).await), "/admin/exchange");
    assert_eq!(own_settings(&installation).await.reply_to.as_deref(), Some(GROUP));
}
