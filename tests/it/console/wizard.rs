//! The wizard, from an address to a working mailbox, as a browser without scripts walks through it.

use std::time::Duration;

use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, HOST, ORIGIN};
use http::{Request, StatusCode};
use mintgate::base::id::MailboxId;
use mintgate::mailbox::settings::{AfterProcessing, MailboxSettings};

use crate::support::installation::{Installation, MAILBOX, PUBLIC_URL};
use crate::support::sign_in::{Browser, Page, accept, between, form, path_of};

const SETUP: &str = "/admin/exchange/setup";

/// Sends the form of the page at `path`, its hidden fields included.
pub async fn submit(browser: &Browser<'_>, path: &str, action: &str, fields: &[(&str, &str)]) -> Page {
    let page = browser.get(path).await.text();
    let token = between(&page, "name=\"token\" value=\"", "\"").expect("a form").to_owned();
    let version = between(&page, "name=\"version\" value=\"", "\"").unwrap_or_default().to_owned();
    let mut all = vec![("token", token.as_str()), ("version", version.as_str())];
    all.extend(fields);
    send(browser, action, &all).await
}

async fn send(browser: &Browser<'_>, action: &str, fields: &[(&str, &str)]) -> Page {
    let request = Request::post(action)
        .header(HOST, "desk.example.com")
        .header(ORIGIN, PUBLIC_URL)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    browser.ask(request, form(fields)).await
}

pub fn leads_to(page: &Page) -> String {
    assert_eq!(page.status(), StatusCode::SEE_OTHER, "{}", page.text());
    page.location().to_owned()
}

/// A draft of `address`; its sign-in page.
pub async fn draft(browser: &Browser<'_>, address: &str) -> String {
    leads_to(&submit(browser, SETUP, SETUP, &[("address", address)]).await)
}

/// Sets a mailbox up as far as the provider's sign-in page; its address.
pub async fn leave_by_the_wizard(browser: &Browser<'_>, address: &str, way: &str) -> url::Url {
    let sign_in = draft(browser, address).await;
    let connect = leads_to(&submit(browser, &sign_in, &sign_in, &[("way", way)]).await);
    let page = submit(browser, &connect, &connect, &[]).await;
    assert_eq!(page.status(), StatusCode::OK, "{}", page.text());
    page.onward().expect("a way on").parse().expect("a URL")
}

/// A draft that waits for servers and password; its page.
pub async fn manual(browser: &Browser<'_>) -> String {
    let sign_in = draft(browser, "help@desk.example").await;
    leads_to(&submit(browser, &sign_in, &sign_in, &[("way", "password")]).await)
}

/// The page of a test once it asks again no more.
async fn ended(installation: &Installation, browser: &Browser<'_>, path: &str) -> String {
    for _ in 0..1_000 {
        installation.clock.advance(Duration::from_millis(100));
        let page = browser.get(path).await.text();
        if !page.contains("http-equiv=\"refresh\"") {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the test does not end: {}", browser.get(path).await.text());
}

/// Runs the test of the page at `path`; the page once it has ended.
pub async fn tested(installation: &Installation, browser: &Browser<'_>, path: &str) -> String {
    leads_to(&submit(browser, path, path, &[("action", "run")]).await);
    ended(installation, browser, path).await
}

#[tokio::test]
async fn an_address_becomes_a_tested_mailbox() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let sign_in = draft(&browser, MAILBOX).await;
    assert!(browser.get(&sign_in).await.text().contains(MAILBOX));
    let connect = leads_to(&submit(&browser, &sign_in, &sign_in, &[("way", "microsoft")]).await);
    let page = browser.get(&connect).await.text();
    assert!(page.contains("https://desk.example.com/admin/exchange/callback"), "{page}");
    assert!(page.contains("Mail.ReadWrite"), "{page}");

    let leave = submit(&browser, &connect, &connect, &[]).await;
    let authorize = leave.onward().expect("a way on").parse().expect("a URL");
    let back = accept(&*installation.http, &authorize, MAILBOX).await;
    let parked = browser.get(&path_of(&back)).await;
    let id_page = leads_to(&browser.get(&parked.onward().expect("a way on")).await);
    let test = leads_to(&browser.get(&id_page).await);
    assert!(test.ends_with("/test"), "{test}");
    leads_to(&submit(&browser, &test, &test, &[("action", "run")]).await);
    let shown = ended(&installation, &browser, &test).await;
    assert!(shown.contains("The connection works") && shown.contains("The mail arrives"), "{shown}");

    let settings = leads_to(&submit(&browser, &test, &test, &[("action", "go-on")]).await);
    let fields = [("from_name", "Help"), ("after", "leave"), ("check_interval", "10"), ("acknowledge", "on")];
    let end = submit(&browser, &settings, &settings, &fields).await;
    assert_eq!(leads_to(&end), "/admin/exchange");
    let rows = installation.store.mailboxes().await.expect("read");
    let kept = MailboxSettings::parse(&rows[0].settings).expect("settings");
    assert_eq!(
        (kept.from_name.as_deref(), kept.check_interval, kept.acknowledge),
        (Some("Help"), Some(600), true)
    );
    assert_eq!(kept.after_processing, AfterProcessing::Leave);
    assert!(!browser.get(SETUP).await.text().contains(MAILBOX), "a finished draft is not offered again");
}

#[tokio::test]
async fn what_is_no_address_is_said_beside_the_field() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let long = format!("{}@example.com", "x".repeat(300));
    for address in
        ["", "support", "a b@example.com", "x@192.0.2.1", "x@", long.as_str(), "<script>@example.com"]
    {
        let page = submit(&browser, SETUP, SETUP, &[("address", address)]).await;
        assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        let text = page.text();
        for part in ["<title>Error: ", "id=\"errors\"", "aria-invalid=\"true\"", "address-error"] {
            assert!(text.contains(part), "{address}: {part}");
        }
        assert!(!text.contains("<script>"), "{text}");
    }
    assert!(installation.store.drafts().await.expect("read").is_empty());
}

#[tokio::test]
async fn a_step_that_is_not_due_leads_to_the_one_that_is() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let sign_in = draft(&browser, "help@desk.example").await;
    let base = sign_in.strip_suffix("/sign-in").expect("a step").to_owned();
    for step in ["connect", "test", "settings"] {
        assert_eq!(leads_to(&browser.get(&format!("{base}/{step}")).await), sign_in, "{step}");
        let sent = submit(&browser, &sign_in, &format!("{base}/{step}"), &[]).await;
        assert_eq!(leads_to(&sent), sign_in, "{step}");
    }
    assert_eq!(browser.get(&format!("{SETUP}/unknown/test")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(leads_to(&browser.get(&base).await), sign_in);
}

#[tokio::test]
async fn a_form_counts_once() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let sign_in = draft(&browser, "help@desk.example").await;
    let page = browser.get(&sign_in).await.text();
    let token = between(&page, "name=\"token\" value=\"", "\"").expect("a form");
    let first = [("token", token), ("version", "1"), ("way", "microsoft")];
    let second = [("token", token), ("version", "1"), ("way", "password")];
    let connect = leads_to(&send(&browser, &sign_in, &first).await);
    assert_eq!(leads_to(&send(&browser, &sign_in, &second).await), connect);
    assert!(browser.get(&connect).await.text().contains("Connect with Microsoft"));
}

#[tokio::test]
async fn microsofts_addresses_are_not_asked_for_a_password() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let sign_in = draft(&browser, "someone@outlook.com").await;
    let page = browser.get(&sign_in).await.text();
    assert!(page.contains("takes no password") && page.contains("Personal Microsoft accounts"), "{page}");
    let forced = submit(&browser, &sign_in, &sign_in, &[("way", "password")]).await;
    assert_eq!(forced.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn wrong_servers_are_named_and_the_password_is_not_given_back() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let page = manual(&browser).await;
    let action = page.replace("/connect", "/manual");
    let fields = [
        ("incoming_host", "imap desk"),
        ("incoming_port", "0"),
        ("incoming_user", ""),
        ("outgoing_host", "smtp.desk.example"),
        ("outgoing_port", "465"),
        ("outgoing_user", "help"),
        ("password", "hunter2-canary"),
    ];
    let refused = submit(&browser, &page, &action, &fields).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let text = refused.text();
    for part in
        ["incoming_host-error", "incoming_port-error", "incoming_user-error", "value=\"smtp.desk.example\""]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("outgoing_host-error") && !text.contains("canary"), "{text}");
    assert!(installation.store.mailboxes().await.expect("read").is_empty());
}

#[tokio::test]
async fn a_mailbox_with_a_password_is_kept_sealed() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let page = manual(&browser).await;
    let action = page.replace("/connect", "/manual");
    let fields = [
        ("incoming_host", "imap.desk.example"),
        ("incoming_port", "993"),
        ("incoming_user", "help"),
        ("outgoing_host", "smtp.desk.example"),
        ("outgoing_port", "587"),
        ("outgoing_security", "starttls"),
        ("outgoing_user", "help"),
        ("password", "hunter2-canary"),
    ];
    let test = leads_to(&submit(&browser, &page, &action, &fields).await);
    assert!(test.ends_with("/test"), "{test}");
    let rows = installation.store.mailboxes().await.expect("read");
    assert_eq!((rows[0].kind.as_str(), rows[0].address.as_str()), ("imap", "help@desk.example"));
    assert!(!rows[0].settings.contains("canary"));
    let names = installation.store.sealed_names().await.expect("names");
    assert!(names.contains(&format!("mailbox/{}/password", rows[0].id)), "{names:?}");
    assert!(MailboxId::parse(rows[0].id.as_str()).is_some());
    let settings = leads_to(&submit(&browser, &test, &test, &[("action", "skip")]).await);
    assert!(browser.get(&settings).await.text().contains("The test was not passed"));
}

#[tokio::test]
async fn what_microsoft_shows_becomes_advice() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let sign_in = draft(&browser, MAILBOX).await;
    let connect = leads_to(&submit(&browser, &sign_in, &sign_in, &[("way", "microsoft")]).await);
    let pasted = "Sorry, <b>AADSTS50011</b>: The redirect URI specified in the request does not match.";
    let page = submit(&browser, &connect, &connect, &[("pasted", pasted)]).await.text();
    assert!(page.contains("The redirect URI is not registered.") && !page.contains("<b>"), "{page}");
}

#[tokio::test]
async fn the_wizard_speaks_german() {
    let installation = Installation::start().await;
    let console = installation.console();
    let stranger = Browser::stranger(&console);
    let request =
        Request::get(SETUP).header(HOST, "desk.example.com").header(ACCEPT_LANGUAGE, "de-CH, en;q=0.1");
    let refused = stranger.ask(request, String::new()).await.text();
    assert!(
        refused.contains("<html lang=\"de\">") && refused.contains("Nur für Administratoren"),
        "{refused}"
    );
    let browser = Browser::speaking(&console, "de");
    let page = browser.get(SETUP).await.text();
    assert!(page.contains("<html lang=\"de\">") && page.contains("Welches Postfach"), "{page}");
}

#[tokio::test]
async fn two_posts_of_one_address_at_the_same_moment_make_one_draft() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let token = browser.form_token().await;
    let fields = [("token", token.as_str()), ("address", "help@desk.example")];
    let press = || send(&browser, SETUP, &fields);
    let (one, two) = tokio::join!(press(), press());

    assert_eq!(leads_to(&one), leads_to(&two));
    assert_eq!(installation.store.drafts().await.expect("read").len(), 1);
}

#[tokio::test]
async fn a_form_that_is_refused_leads_back_to_the_page_it_came_from() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let sign_in = draft(&browser, "help@desk.example").await;
    let set_up = sign_in.strip_suffix("/sign-in").expect("a step");
    for (path, token, origin, leads_to) in [
        (sign_in.as_str(), "old", PUBLIC_URL, Some(set_up)),
        (SETUP, "old", PUBLIC_URL, Some(SETUP)),
        (sign_in.as_str(), "old", "https://evil.example", Some(set_up)),
        (
            "/admin/exchange/mailboxes/m1/settings",
            "old",
            PUBLIC_URL,
            Some("/admin/exchange/mailboxes/m1/settings"),
        ),
        ("/admin/exchange/connect", "old", PUBLIC_URL, None),
    ] {
        let page = browser.post(path, token, origin).await;
        assert_eq!(page.status(), StatusCode::FORBIDDEN, "{path}");
        let text = page.text();
        let onward = between(&text, "<a class=\"button first\" href=\"", "\"");
        assert_eq!(onward, leads_to, "{path}: {text}");
    }
    assert_eq!(leads_to(&browser.get(set_up).await), sign_in, "the set-up waits where it was");
}
