//! The settings page of a mailbox that is connected: what it keeps, what it refuses, and two at once.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{Request, request};
use mintgate::base::clock::Timestamp;
use mintgate::base::secret::{ExposeSecret, SecretString};
use mintgate::console::{Console, Fixed, Parts};
use mintgate::mailbox::settings::{AfterProcessing, MailboxSettings, Provider, SignIn};
use mintgate::oauth::source::{PasswordSource, Purpose};
use mintgate::store::MailboxState;
use mintgate::store::orders::Order;
use mintgate::token::password::Passwords;

use super::wizard::{leads_to, leave_by_the_wizard, submit};
use crate::support::installation::{
    Installation, MAILBOX, MINUTE, OTHER_MAILBOX, PUBLIC_URL, START, mailbox,
};
use crate::support::sign_in::{Browser, Page, between, form};

const SETTINGS: &str = "/admin/exchange/mailboxes/m365/settings";

/// Fills the form of the page as it is now.
async fn fill(browser: &Browser<'_>, fields: &[(&str, &str)]) -> Page {
    let page = browser.get(SETTINGS).await.text();
    send(browser, &page, fields).await
}

/// Sends the form of `page` with its hidden fields.
async fn send(browser: &Browser<'_>, page: &str, fields: &[(&str, &str)]) -> Page {
    let hidden = |name: &str| {
        between(page, &format!("name=\"{name}\" value=\""), "\"").expect("a hidden field").to_owned()
    };
    let (token, seen) = (hidden("token"), hidden("seen"));
    let mut all = vec![("token", token.as_str()), ("seen", seen.as_str())];
    all.extend(fields);
    browser.ask(post(), form(&all)).await
}

fn post() -> request::Builder {
    Request::post(SETTINGS)
        .header(HOST, "desk.example.com")
        .header(ORIGIN, PUBLIC_URL)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
}

async fn kept(installation: &Installation) -> MailboxSettings {
    let row = installation.store.mailbox(&mailbox()).await.expect("read").expect("a mailbox");
    MailboxSettings::parse(&row.settings).expect("settings")
}

/// A mailbox with a password, whose server no longer takes it.
async fn refused_password(installation: &Installation) -> Passwords {
    installation.knows("imap", MAILBOX).await;
    let settings = MailboxSettings {
        provider: Provider::Other,
        sign_in: SignIn::Password,
        ..MailboxSettings::default()
    };
    let store = &installation.store;
    assert!(store.set_mailbox_settings(&mailbox(), &settings.to_json()).await.expect("written"));
    let reason = Some("the mail server refuses the user name or the password [mail-app-password]");
    store.set_mailbox_state(&mailbox(), MailboxState::NeedsReconnect, reason, START).await.expect("noted");
    let passwords = Passwords::new(installation.store.clone(), installation.sealer.clone());
    let old = SecretString::from("old-canary");
    passwords.keep(&mailbox(), Purpose::Incoming, &old).await.expect("kept");
    passwords
}

#[tokio::test]
async fn what_was_chosen_is_kept_and_the_worker_is_rung() {
    let installation = Installation::start().await;
    installation.knows("microsoft-graph", MAILBOX).await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let fields = [
        ("from_name", "Help"),
        ("reply_to", "support@desk.example"),
        ("folder", "Support"),
        ("check_interval", "10"),
        ("after", "move"),
        ("move_to", "Done"),
        ("acknowledge", "on"),
        ("paused", "on"),
    ];

    assert_eq!(leads_to(&fill(&browser, &fields).await), "/admin/exchange");

    installation.worker.rung().await;
    let expected = MailboxSettings {
        from_name: Some("Help".to_owned()),
        reply_to: Some("support@desk.example".to_owned()),
        folder: Some("Support".to_owned()),
        check_interval: Some(600),
        after_processing: AfterProcessing::Move { folder: "Done".to_owned() },
        acknowledge: true,
        paused: true,
        ..MailboxSettings::default()
    };
    assert_eq!(kept(&installation).await, expected);
    let page = browser.get(SETTINGS).await.text();
    for shown in ["value=\"Help\"", "value=\"Support\"", "value=\"10\"", "name=\"paused\" checked"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

#[tokio::test]
async fn of_two_administrators_the_second_is_shown_what_the_first_has_saved() {
    let installation = Installation::start().await;
    installation.knows("microsoft-graph", MAILBOX).await;
    let console = installation.console();
    let (first, second) = (Browser::admin(&console, 1), Browser::admin(&console, 2));
    let seen_by_second = second.get(SETTINGS).await.text();
    leads_to(&fill(&first, &[("from_name", "First")]).await);

    let late = send(&second, &seen_by_second, &[("from_name", "Second")]).await;

    assert_eq!(late.status(), StatusCode::CONFLICT);
    let text = late.text();
    assert!(text.contains("Somebody else has changed these settings"), "{text}");
    assert!(text.contains("value=\"First\"") && !text.contains("value=\"Second\""), "{text}");
    let both = between(&text, "<tbody>", "</tbody>").expect("both values");
    assert!(both.contains(">First</td>") && both.contains(">Second</td>"), "{both}");
    assert_eq!(both.matches("<tr>").count(), 1, "only what differs: {both}");
    assert_eq!(kept(&installation).await.from_name.as_deref(), Some("First"));
    leads_to(&send(&second, &text, &[("from_name", "Second")]).await);
    assert_eq!(kept(&installation).await.from_name.as_deref(), Some("Second"));
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_field_and_nothing_is_saved() {
    let installation = Installation::start().await;
    installation.knows("microsoft-graph", MAILBOX).await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for (fields, field) in [
        (&[("check_interval", "soon")][..], "check_interval"),
        (&[("reply_to", "support")], "reply_to"),
        (&[("after", "move")], "move_to"),
        (&[("old_mail", "import"), ("import_since", "2999-01-01")], "import_since"),
    ] {
        let page = fill(&browser, fields).await;
        assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        let text = page.text();
        assert!(text.contains(&format!("id=\"{field}-error\"")) && text.contains("id=\"errors\""), "{text}");
    }
    assert_eq!(kept(&installation).await, MailboxSettings::default());
    assert!(installation.store.hints("order:").await.expect("listed").is_empty());
}

#[tokio::test]
async fn each_value_says_where_it_comes_from() {
    let installation = Installation::start().await;
    installation.knows("microsoft-graph", MAILBOX).await;
    let fixed =
        Fixed { from_name: Some("Support".to_owned()), poll_interval: Some(5 * MINUTE), ..Fixed::default() };
    let from_address = Some(MAILBOX.to_owned());
    let origins = [
        ("mail.from", "EXCHANGE_FROM_EMAIL"),
        ("mail.fromName", "mail.fromName (mintgate.yml:9)"),
        ("mail.pollInterval", "EXCHANGE_EMAIL_POLL_INTERVAL"),
    ];
    let origins = origins.into_iter().collect();
    let console = Console::new(Parts { fixed, from_address, origins, ..installation.console_parts() });
    let page = Browser::admin(&console, 1).get(SETTINGS).await.text();
    for said in [
        "Set by EXCHANGE_FROM_EMAIL; read-only here.",
        "Set by mail.fromName (mintgate.yml:9); read-only here.",
        "Not set here: every 5 minutes, set by EXCHANGE_EMAIL_POLL_INTERVAL.",
        "<span class=\"quiet\" id=\"reply_to-origin\">Not set.</span>",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("name=\"from_name\""), "{page}");
    assert!(!page.contains("name=\"new_password\""), "the provider's sign-in has no password: {page}");
}

#[tokio::test]
async fn what_the_configuration_decides_for_one_mailbox_leaves_the_others_free() {
    let installation = Installation::start().await;
    installation.knows("microsoft-graph", MAILBOX).await;
    let fixed = Fixed { from_name: Some("Support".to_owned()), ..Fixed::default() };
    let from_address = Some(OTHER_MAILBOX.to_owned());
    let console = Console::new(Parts { fixed, from_address, ..installation.console_parts() });
    let page = Browser::admin(&console, 1).get(SETTINGS).await.text();
    assert!(page.contains("name=\"from_name\"") && !page.contains("value=\"Support\""), "{page}");
    assert!(page.contains("The address that was connected."), "{page}");
}

#[tokio::test]
async fn a_new_password_is_kept_sealed_and_lets_the_mailbox_go_on() {
    let installation = Installation::start().await;
    let passwords = refused_password(&installation).await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let page = browser.get(SETTINGS).await.text();
    assert!(page.contains("name=\"new_password\"") && !page.contains("canary"), "{page}");
    let wrong = fill(&browser, &[("new_password", "new-canary"), ("check_interval", "soon")]).await;
    assert!(!wrong.text().contains("canary"), "a secret is never given back");

    leads_to(&fill(&browser, &[("new_password", "new-canary")]).await);

    let password = passwords.password(&mailbox(), Purpose::Incoming).await.expect("a password");
    assert_eq!(password.expose_secret(), "new-canary");
    let row = installation.store.mailbox(&mailbox()).await.expect("read").expect("a mailbox");
    assert_eq!((row.state, row.last_error), (MailboxState::Connected, None));
    assert!(!row.settings.contains("canary"));
    leads_to(&fill(&browser, &[("from_name", "Help")]).await);
    let still = passwords.password(&mailbox(), Purpose::Incoming).await.expect("a password");
    assert_eq!(still.expose_secret(), "new-canary", "a field left empty changes nothing");
}

#[tokio::test]
async fn old_mail_is_asked_for_by_an_order_to_the_worker() {
    let installation = Installation::start().await;
    installation.knows("microsoft-graph", MAILBOX).await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    leads_to(&fill(&browser, &[("old_mail", "leave"), ("import_since", "2026-01-31")]).await);
    assert!(installation.store.hints("order:").await.expect("listed").is_empty());

    leads_to(&fill(&browser, &[("old_mail", "import"), ("import_since", "2026-01-31")]).await);

    let since = Timestamp::parse_rfc3339("2026-01-31T00:00:00Z").expect("a moment");
    let order = Order::ImportSince { mailbox: mailbox(), since };
    assert_eq!(installation.store.hints("order:").await.expect("listed"), [order.hint()]);
}

#[tokio::test]
async fn a_refused_password_is_explained_in_the_readers_language_with_its_button() {
    let installation = Installation::start().await;
    refused_password(&installation).await;
    let console = installation.console();
    for (browser, sentence) in [
        (Browser::admin(&console, 1), "wants a password that was made for this program"),
        (Browser::speaking(&console, "de"), "verlangt ein eigens für dieses Programm angelegtes Passwort"),
    ] {
        let page = browser.get("/admin/exchange").await.text();
        let alarm = between(&page, "role=\"alert\">", "<h1>").expect("an alarm");
        assert!(alarm.contains(sentence) && alarm.contains("settings#new_password"), "{alarm}");
    }
}

#[tokio::test]
async fn the_wizards_last_step_asks_for_old_mail_too() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let sign_in = super::wizard::draft(&browser, "help@desk.example").await;
    let manual = leads_to(&submit(&browser, &sign_in, &sign_in, &[("way", "password")]).await);
    let servers = [
        ("incoming_host", "imap.desk.example"),
        ("incoming_port", "993"),
        ("incoming_user", "help"),
        ("outgoing_host", "smtp.desk.example"),
        ("outgoing_port", "465"),
        ("outgoing_user", "help"),
        ("password", "hunter2"),
    ];
    let test = leads_to(&submit(&browser, &manual, &manual.replace("/connect", "/manual"), &servers).await);
    let settings = leads_to(&submit(&browser, &test, &test, &[("action", "skip")]).await);
    let wrong = submit(&browser, &settings, &settings, &[("old_mail", "import")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);

    let fields = [("old_mail", "import"), ("import_since", "2026-01-31")];
    leads_to(&submit(&browser, &settings, &settings, &fields).await);

    let orders = installation.store.hints("order:").await.expect("listed");
    assert!(matches!(&orders[..], [order] if Order::read(order).is_some()), "{orders:?}");
}

#[tokio::test]
async fn a_mailbox_that_is_set_up_again_keeps_what_it_does_and_the_last_step_shows_it() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let row = installation.store.mailboxes().await.expect("read").remove(0);
    let own = MailboxSettings {
        from_name: Some("Help".to_owned()),
        signature: Some("Yours".to_owned()),
        after_processing: AfterProcessing::Delete,
        ..MailboxSettings::parse(&row.settings).expect("settings")
    };
    let written = installation.store.set_mailbox_settings(&row.id, &own.to_json()).await;
    assert!(written.expect("written"));

    let authorize = leave_by_the_wizard(&browser, MAILBOX, "microsoft").await;
    let end = browser.finish(&*installation.http, &authorize, MAILBOX).await;
    let test = leads_to(&browser.get(end.location()).await);
    let last = leads_to(&submit(&browser, &test, &test, &[("action", "skip")]).await);

    let form = browser.get(&last).await.text();
    assert!(form.contains("value=\"Help\"") && form.contains(">Yours</textarea>"), "{form}");
    let row = installation.store.mailboxes().await.expect("read").remove(0);
    assert_eq!(MailboxSettings::parse(&row.settings).expect("settings"), own);
}
