//! What nobody means well: addresses, bodies and methods that fit nothing, too much of it, too late. API and
//! wizard alike.

use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use http::{Request, StatusCode};
use serde_json::json;

use super::api::{call, json_of, refused};
use super::wizard::{draft, leads_to, submit};
use crate::support::installation::{Installation, MAILBOX, MINUTE, PUBLIC_URL};
use crate::support::sign_in::{Browser, Page};

const SETTINGS: &str = "/api/tickets/email-settings";
const SETUP: &str = "/admin/exchange/setup";

/// No mailbox has these.
fn hostile_addresses() -> Vec<String> {
    let long = "a".repeat(10_000);
    let texts = [
        "",
        "@",
        "help",
        "help@",
        "a@b@c@desk.example",
        "help@desk.example\r\nBcc: all@desk.example",
        "help\r\nRCPT TO:<x@y.example>@desk.example",
        "help@desk.example\0",
        "help@desk.example%0d%0a",
        "\u{202e}help@desk.example",
        "help@\u{200b}desk.example",
        "<script>alert(1)</script>@desk.example",
        "help@<img src=x>.example",
        "help@127.0.0.1",
        "help@[::1]",
        "help@localhost",
        "help@desk.example/../../etc",
        "\"; DROP TABLE mailbox; --\"@desk.example",
    ];
    let long = [format!("{long}@desk.example"), format!("help@{long}.example"), format!("{long}@{long}")];
    texts.into_iter().map(str::to_owned).chain(long).collect()
}

async fn sent(browser: &Browser<'_>, method: &str, path: &str, kind: Option<&str>, body: String) -> Page {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(HOST, "desk.example.com").header(ORIGIN, PUBLIC_URL);
    let request = kind.into_iter().fold(request, |request, kind| request.header(CONTENT_TYPE, kind));
    browser.ask(request, body).await
}

#[tokio::test]
async fn an_address_that_cannot_be_is_refused_by_the_api_and_repeated_by_nobody() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for address in hostile_addresses() {
        installation.clock.advance(MINUTE);
        for (method, path, field) in [
            ("POST", "/detect/", "email"),
            ("POST", "/oauth/microsoft/", "email"),
            ("PATCH", "/", "support_email_address"),
        ] {
            let body = json!({field: address}).to_string();
            let page = call(&browser, method, &format!("{SETTINGS}{path}"), &body).await;
            refused(&page, StatusCode::UNPROCESSABLE_ENTITY);
            let shown: String = address.chars().take(60).collect();
            assert!(shown.len() < 6 || !page.text().contains(&shown), "{}", page.text());
        }
    }
    assert!(super::rows(&installation).await.is_empty());
}

#[tokio::test]
async fn an_address_that_cannot_be_is_refused_by_the_wizard_and_shown_harmless() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for address in hostile_addresses() {
        installation.clock.advance(MINUTE);
        let page = submit(&browser, SETUP, SETUP, &[("address", &address)]).await;
        assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        let text = page.text();
        assert!(!text.contains("<script>") && !text.contains("<img"), "{text}");
    }
    assert!(installation.store.drafts().await.expect("read").is_empty());
}

#[tokio::test]
async fn international_addresses_are_taken_in_one_form() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for (address, domain) in [
        ("info@b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("\u{7528}\u{6237}@\u{4f8b}\u{5b50}.example", "xn--fsqu00a.example"),
    ] {
        let body = json!({"email": address}).to_string();
        let found = json_of(&call(&browser, "POST", &format!("{SETTINGS}/detect"), &body).await);
        assert_eq!(found["domain"], json!(domain));
        let page = browser.get(&draft(&browser, address).await).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.text().contains(domain), "{}", page.text());
    }
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_told_what_is_wrong() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let json = Some("application/json");
    for (kind, body, status, word) in [
        (json, r#"{"from_nam":"x"}"#.to_owned(), 400, "Did you mean `from_name`?"),
        (json, r#"{"imap_port":"hunter2-canary"}"#.to_owned(), 400, "line 1"),
        (json, r#"{"imap_port":65536}"#.to_owned(), 400, "line 1"),
        (json, r#"{"from_name":"a","from_name":"b"}"#.to_owned(), 400, "twice"),
        (json, r#"{"hunter2-canary":1}"#.to_owned(), 400, "line 1"),
        (json, r#"["a"]"#.to_owned(), 400, "object"),
        (json, "null".to_owned(), 400, "object"),
        (json, "{".to_owned(), 400, "JSON"),
        (json, "\u{feff}{}".to_owned(), 400, "object"),
        (json, format!("{{\"signature\":\"{}\"}}", "a".repeat(70_000)), 413, "large"),
        (json, "[".repeat(60_000), 400, "object"),
        (Some("text/plain"), "{}".to_owned(), 415, "application/json"),
        (Some("application/x-www-form-urlencoded"), "a=b".to_owned(), 415, "application/json"),
    ] {
        let page = sent(&browser, "PATCH", SETTINGS, kind, body.clone()).await;
        refused(&page, StatusCode::from_u16(status).expect("a status"));
        let text = page.text();
        assert!(text.contains(word) && !text.contains("canary"), "{body:.80}: {text}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for (method, path, allowed) in [
        ("PUT", "/", "PATCH"),
        ("GET", "/detect", "POST"),
        ("DELETE", "/oauth/microsoft/", "POST"),
        ("HEAD", "/oauth/microsoft/callback/", "POST"),
        ("POST", "/oauth/credentials/", "GET"),
        ("GET", "/oauth/credentials/m1", "DELETE"),
        ("PATCH", "/test-smtp/", "POST"),
    ] {
        let page = sent(&browser, method, &format!("{SETTINGS}{path}"), None, String::new()).await;
        assert_eq!(page.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        let allow = page.header(ALLOW.as_str());
        assert!(allow.contains(allowed), "{method} {path}: {allow}");
    }
}

#[tokio::test]
async fn every_path_works_with_and_without_its_last_slash() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for (method, path) in [
        ("GET", ""),
        ("PATCH", ""),
        ("POST", "/detect"),
        ("POST", "/oauth/google"),
        ("GET", "/oauth/google/callback"),
        ("POST", "/oauth/microsoft/callback"),
        ("GET", "/oauth/credentials"),
        ("DELETE", "/oauth/credentials/m1"),
        ("POST", "/test-imap"),
        ("POST", "/test-smtp"),
    ] {
        let answer = async |path: String| {
            let page = call(&browser, method, &path, "").await;
            (page.status(), json_of(&page))
        };
        let plain = answer(format!("{SETTINGS}{path}")).await;
        assert_eq!(answer(format!("{SETTINGS}{path}/")).await, plain, "{method} {path}");
        assert_ne!(plain.0, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
}

#[tokio::test]
async fn too_many_detections_wait_on_the_api_and_in_the_wizard() {
    let installation = Installation::start().await;
    let console = installation.console();
    let (browser, other) = (Browser::admin(&console, 1), Browser::admin(&console, 2));
    let body = json!({"email": "someone@gmail.com"}).to_string();
    let detect = format!("{SETTINGS}/detect/");
    for _ in 0..20 {
        assert_eq!(call(&browser, "POST", &detect, &body).await.status(), StatusCode::OK);
    }
    let limited = call(&other, "POST", &detect, &body).await;
    refused(&limited, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.header(RETRY_AFTER.as_str()), "3", "the same person in another session");
    let page = submit(&browser, SETUP, SETUP, &[("address", "someone@gmail.com")]).await;
    assert_eq!((page.status(), page.header(RETRY_AFTER.as_str())), (StatusCode::TOO_MANY_REQUESTS, "3"));
    assert!(page.text().contains("Wait 3 s"), "{}", page.text());

    installation.clock.advance(Duration::from_secs(3));
    assert_eq!(call(&browser, "POST", &detect, &body).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn too_many_connection_tests_wait() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let row = super::row(&installation).await.expect("a row");
    let test = format!("{SETTINGS}/test-imap/");
    for _ in 0..10 {
        assert_eq!(call(&browser, "POST", &test, "").await.status(), StatusCode::OK);
    }
    refused(&call(&browser, "POST", &test, "").await, StatusCode::TOO_MANY_REQUESTS);
    let fork = format!("/api/v1/exchange/connections/{}/test", row.id);
    refused(&call(&browser, "POST", &fork, "").await, StatusCode::TOO_MANY_REQUESTS);
    let page = browser.press(&format!("/admin/exchange/mailboxes/{}/test", row.id)).await;
    assert_eq!(page.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn an_expired_draft_has_a_friendly_end() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let sign_in = draft(&browser, MAILBOX).await;
    installation.clock.advance(8 * 24 * 60 * MINUTE);
    let page = browser.get(&sign_in).await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(page.text().contains("This set-up is gone"), "{}", page.text());
    assert!(!browser.get(SETUP).await.text().contains(MAILBOX), "it is not offered either");
    let again = draft(&browser, MAILBOX).await;
    assert_ne!(again, sign_in);
}

#[tokio::test]
async fn a_password_sent_twice_is_one_mailbox() {
    let installation = Installation::start().await;
    let console = installation.console();
    let (one, two) = (Browser::admin(&console, 1), Browser::admin(&console, 2));
    let body = json!({
        "support_email_address": "help@desk.example", "imap_host": "imap.desk.example",
        "smtp_host": "smtp.desk.example", "imap_password": "hunter2",
    });
    let body = body.to_string();
    let (first, second) =
        tokio::join!(call(&one, "PATCH", SETTINGS, &body), call(&two, "PATCH", SETTINGS, &body));
    assert!(
        first.status().is_success() && second.status().is_success(),
        "{} {}",
        first.text(),
        second.text()
    );
    assert_eq!(super::rows(&installation).await.len(), 1);
    let sign_in = draft(&one, "other@desk.example").await;
    let manual = leads_to(&submit(&one, &sign_in, &sign_in, &[("way", "password")]).await);
    assert_eq!(leads_to(&submit(&two, &manual, &sign_in, &[("way", "password")]).await), manual);
}
