//! Mailboxes that change how they are opened: what opened them before goes to no other server.

use http::StatusCode;
use mintgate::mailbox::settings::{MailboxSettings, SignIn};
use mintgate::oauth::source::Purpose;
use mintgate::store::{MailboxRow, MailboxState};
use mintgate::token::password::Passwords;
use serde_json::json;

use super::api::call;
use super::email_settings::SETTINGS;
use super::wizard::{draft, leads_to, manual, submit};
use crate::support::installation::{Installation, MAILBOX};
use crate::support::sign_in::Browser;

const SERVERS: [(&str, &str); 7] = [
    ("incoming_host", "imap.other.example"),
    ("incoming_port", "993"),
    ("incoming_user", "help"),
    ("outgoing_host", "smtp.other.example"),
    ("outgoing_port", "465"),
    ("outgoing_user", "help"),
    ("password", "hunter2-canary"),
];

async fn only_row(installation: &Installation) -> MailboxRow {
    super::row(installation).await.expect("a mailbox")
}

async fn chosen(browser: &Browser<'_>, address: &str, way: &str) -> String {
    let sign_in = draft(browser, address).await;
    leads_to(&submit(browser, &sign_in, &sign_in, &[("way", way)]).await)
}

#[tokio::test]
async fn a_set_up_that_signs_in_at_the_provider_takes_no_servers() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let before = only_row(&installation).await;
    let connect = chosen(&browser, MAILBOX, "microsoft-imap").await;

    let sent = submit(&browser, &connect, &connect.replace("/connect", "/manual"), &SERVERS).await;

    assert_eq!(leads_to(&sent), connect);
    let after = only_row(&installation).await;
    assert_eq!((after.settings, after.kind), (before.settings, before.kind));
}

#[tokio::test]
async fn a_mailbox_that_gets_a_password_keeps_its_beginning_and_none_of_its_tokens() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let before = only_row(&installation).await;
    installation.clock.advance(std::time::Duration::from_secs(3600));
    let connect = chosen(&browser, MAILBOX, "password").await;

    let sent = submit(&browser, &connect, &connect.replace("/connect", "/manual"), &SERVERS).await;

    assert!(leads_to(&sent).ends_with("/test"));
    let after = only_row(&installation).await;
    let settings = MailboxSettings::parse(&after.settings).expect("settings");
    assert_eq!((settings.sign_in, after.state), (SignIn::Password, MailboxState::Connected));
    assert_eq!((after.id.clone(), after.accept_since), (before.id, before.accept_since));
    let sealed = installation.store.sealed_names().await.expect("names");
    let own: Vec<&String> = sealed.iter().filter(|name| name.contains(after.id.as_str())).collect();
    assert_eq!(own, [&format!("mailbox/{}/password", after.id)], "no token that could die is left");
}

#[tokio::test]
async fn a_password_for_sending_goes_to_no_server_that_is_named_later() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let first = json!({
        "support_email_address": "help@desk.example",
        "imap_host": "imap.desk.example",
        "imap_password": "in-canary",
        "smtp_host": "smtp.desk.example",
        "smtp_password": "out-canary",
    });
    let connected = call(&browser, "PATCH", SETTINGS, &first.to_string()).await;
    assert_eq!(connected.status(), StatusCode::CREATED, "{}", connected.text());
    let page = manual(&browser).await;

    leads_to(&submit(&browser, &page, &page.replace("/connect", "/manual"), &SERVERS).await);

    let row = only_row(&installation).await;
    let passwords = Passwords::new(installation.store.clone(), installation.sealer.clone());
    assert!(!passwords.has(&row.id, Purpose::Outgoing).await.expect("read"));
}

#[tokio::test]
async fn an_address_is_one_mailbox_however_it_is_written() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let sent = |address: &str, host: &str| {
        json!({
            "support_email_address": address,
            "imap_host": "imap.desk.example",
            "imap_password": "in-canary",
            "smtp_host": host,
            "smtp_password": "",
        })
        .to_string()
    };
    let first = sent("help@xn--bcher-kva.example", "smtp.desk.example");
    assert_eq!(call(&browser, "PATCH", SETTINGS, &first).await.status(), StatusCode::CREATED);

    let again = call(&browser, "PATCH", SETTINGS, &sent("help@BÜCHER.example", "smtp.other.example")).await;

    assert_eq!(again.status(), StatusCode::UNPROCESSABLE_ENTITY, "{}", again.text());
    assert!(again.text().contains("smtp_password"), "{}", again.text());
}
