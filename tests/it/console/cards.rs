//! What the overview says of each mailbox, in the reader's language, and the alarms on every page.

use http::StatusCode;
use mintgate::mailbox::settings::{MailboxSettings, Provider, SignIn};
use mintgate::store::{MailboxState, NewMail};

use super::{button, row};
use crate::support::installation::{Installation, MAILBOX, MINUTE, START, mailbox};
use crate::support::sign_in::{Browser, between};

/// A mailbox whose grant has died a while ago, with one mail that waits.
async fn dead_mailbox(installation: &Installation, settings: &MailboxSettings) {
    installation.knows("microsoft-graph", MAILBOX).await;
    let store = &installation.store;
    store.set_mailbox_settings(&mailbox(), &settings.to_json()).await.expect("written");
    let reason = Some("the grant is dead");
    store.set_mailbox_state(&mailbox(), MailboxState::NeedsReconnect, reason, START).await.expect("noted");
    let mail = NewMail {
        mailbox: mailbox(),
        source_key: "key-1".to_owned(),
        received_at: START,
        stored_at: START,
        raw: b"raw".to_vec(),
    };
    store.add_inbound(&mail).await.expect("stored").expect("new");
    installation.clock.advance(120 * MINUTE);
}

#[tokio::test]
async fn every_page_says_since_when_a_mailbox_stands_still_and_how_many_mails_wait() {
    let installation = Installation::start().await;
    dead_mailbox(&installation, &MailboxSettings::default()).await;
    let console = installation.console();
    let (english, german) = (Browser::admin(&console, 1), Browser::speaking(&console, "de"));
    for path in ["/admin/exchange", "/admin/exchange/setup", "/admin/exchange/mailboxes/m365/disconnect"] {
        let page = english.get(path).await.text();
        let alarm = between(&page, "role=\"alert\">", "</div>").expect("an alarm");
        for said in [
            "has to be connected again.",
            "(2 hours ago)",
            "One mail waits here for it.",
            "the grant is dead",
            "action=\"/admin/exchange/mailboxes/m365/connect\"",
        ] {
            assert!(alarm.contains(said), "{path}: {said}: {alarm}");
        }
        let page = german.get(path).await.text();
        assert!(page.contains("(vor 2 Stunden)") && page.contains("Hier wartet eine Mail darauf."), "{page}");
    }
}

#[tokio::test]
async fn a_mailbox_with_a_password_is_asked_for_it_and_not_sent_to_a_provider() {
    let installation = Installation::start().await;
    let settings = MailboxSettings {
        provider: Provider::Other,
        sign_in: SignIn::Password,
        ..MailboxSettings::default()
    };
    dead_mailbox(&installation, &settings).await;
    let console = installation.console();
    let page = Browser::admin(&console, 1).get("/admin/exchange").await.text();
    assert!(page.contains("href=\"/admin/exchange/mailboxes/m365/settings#new_password\""), "{page}");
    assert!(!page.contains("/mailboxes/m365/connect\""), "{page}");
}

#[tokio::test]
async fn an_empty_console_leads_to_the_wizard_by_its_first_button() {
    let installation = Installation::start().await;
    let console = installation.console();
    let page = Browser::admin(&console, 1).get("/admin/exchange").await.text();
    let first = between(&page, "<a class=\"button first big\" href=\"", "\"").expect("a button");
    assert_eq!(first, "/admin/exchange/setup");
}

#[tokio::test]
async fn a_card_says_everything_in_english_and_in_german() {
    let installation = Installation::start().await;
    let console = installation.console();
    let english = Browser::admin(&console, 1);
    english.connect(&*installation.http, MAILBOX).await;
    english.press(&button(&installation, "test").await).await;
    let id = row(&installation).await.expect("a mailbox").id;
    let queue = format!("/admin/exchange/queues?mailbox={id}");
    for (browser, words) in [
        (
            english,
            [
                "✓ Connected",
                "Token valid until",
                "in 59 minutes",
                "none waits",
                "of 100",
                "waiting: 0 incoming, 0 outgoing",
            ],
        ),
        (
            Browser::speaking(&console, "de"),
            ["✓ Verbunden", "Token gültig bis", "in 59 Minuten", "keine wartet", "von 100", "0 eingehend"],
        ),
    ] {
        let page = browser.get("/admin/exchange").await.text();
        for word in words.into_iter().chain([queue.as_str(), "Microsoft Graph", " UTC</time>"]) {
            assert!(page.contains(word), "{word}: {page}");
        }
    }
}

#[tokio::test]
async fn a_paused_mailbox_says_so() {
    let installation = Installation::start().await;
    installation.knows("microsoft-graph", MAILBOX).await;
    let settings = MailboxSettings { paused: true, ..MailboxSettings::default() };
    let written = installation.store.set_mailbox_settings(&mailbox(), &settings.to_json()).await;
    assert!(written.expect("written"));
    let console = installation.console();
    let page = Browser::admin(&console, 1).get("/admin/exchange").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().contains("‖ Paused"), "{}", page.text());
}
