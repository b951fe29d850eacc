//! `/api/tickets/email-settings`: settings, detection, sign-in and tests, as a program uses them.

use std::sync::Arc;

use http::StatusCode;
use mintgate::base::secret::ExposeSecret;
use mintgate::console::{Console, Parts};
use mintgate::mailbox::settings::{AfterProcessing, MailboxSettings, Security};
use mintgate::net::Egress;
use mintgate::net::dial::Dialer;
use mintgate::oauth::app::Apps;
use mintgate::oauth::source::{PasswordSource, Purpose};
use mintgate::token::password::Passwords;
use serde_json::{Value, json};
use url::Url;

use super::api::{call, json_of, refused};
use crate::support::dovecot::{Dovecot, PASSWORD, USER};
use crate::support::installation::{Installation, MAILBOX, OTHER_MAILBOX};
use crate::support::mail_server::Sink;
use crate::support::sign_in::{Browser, Page, accept, query_of};

pub const SETTINGS: &str = "/api/tickets/email-settings/";

fn status(page: &Page, status: StatusCode) -> Value {
    assert_eq!(page.status(), status, "{}", page.text());
    json_of(page)
}

async fn patch(browser: &Browser<'_>, path: &str, body: &Value) -> Page {
    call(browser, "PATCH", path, &body.to_string()).await
}

/// A mailbox with a password, whose servers nobody is to call.
async fn password_mailbox(browser: &Browser<'_>) -> Value {
    let body = json!({
        "support_email_address": "help@desk.example",
        "imap_host": "imap.desk.example",
        "imap_password": "hunter2-canary",
        "smtp_host": "smtp.desk.example",
        "smtp_port": 587,
    });
    status(&patch(browser, SETTINGS, &body).await, StatusCode::CREATED)
}

async fn stored(installation: &Installation) -> MailboxSettings {
    let row = super::row(installation).await.expect("a row");
    MailboxSettings::parse(&row.settings).expect("settings")
}

#[tokio::test]
async fn settings_are_read_and_changed() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    refused(&call(&browser, "GET", SETTINGS, "").await, StatusCode::NOT_FOUND);
    browser.connect(&*installation.http, MAILBOX).await;

    let before = status(&call(&browser, "GET", SETTINGS, "").await, StatusCode::OK);
    assert_eq!((&before["provider"], &before["use_oauth"]), (&json!("microsoft"), &json!(true)));
    assert_eq!(before["support_email_address"], json!(MAILBOX));
    assert!(before["oauth_token_expiry"].is_string(), "{before}");
    let body = json!({
        "from_name": "Example Support", "reply_to": "support@desk.example", "check_interval_seconds": 60,
        "move_to_folder": "Done", "acknowledge": true,
    });
    let after = status(&patch(&browser, SETTINGS, &body).await, StatusCode::OK);

    for (field, value) in body.as_object().expect("fields") {
        assert_eq!(after[field], *value, "{field}");
    }
    let settings = stored(&installation).await;
    assert_eq!(settings.after_processing, AfterProcessing::Move { folder: "Done".to_owned() });
    assert_eq!((settings.check_interval, settings.acknowledge), (Some(60), true));
    installation.worker.rung().await;
}

#[tokio::test]
async fn an_address_is_connected_with_a_password_that_is_never_shown() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);

    let made = password_mailbox(&browser).await;

    assert_eq!((&made["use_oauth"], &made["imap_password_set"]), (&json!(false), &json!(true)));
    assert_eq!((&made["imap_port"], &made["imap_use_ssl"]), (&json!(993), &json!(true)));
    assert_eq!((&made["smtp_port"], &made["smtp_use_tls"]), (&json!(587), &json!(true)));
    assert_eq!((&made["oauth_provider"], &made["smtp_password_set"]), (&Value::Null, &json!(false)));
    let read = call(&browser, "GET", SETTINGS, "").await.text();
    assert!(!made.to_string().contains("canary") && !read.contains("canary"), "{made} {read}");
    let row = super::row(&installation).await.expect("a row");
    assert_eq!((row.kind.as_str(), row.address.as_str()), ("imap", "help@desk.example"));
    let again = json!({"support_email_address": "HELP@desk.example", "from_name": "Help"});
    status(&patch(&browser, SETTINGS, &again).await, StatusCode::OK);
    assert_eq!(super::rows(&installation).await.len(), 1);
}

#[tokio::test]
async fn microsoft_takes_no_password_here_either() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let body = json!({"support_email_address": "someone@outlook.com", "imap_password": "hunter2"});
    refused(&patch(&browser, SETTINGS, &body).await, StatusCode::CONFLICT);
    assert!(super::rows(&installation).await.is_empty());
}

#[tokio::test]
async fn a_stored_password_is_replaced_but_never_sent_elsewhere() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    password_mailbox(&browser).await;
    let before = stored(&installation).await;
    let tests = format!("{SETTINGS}test-imap/");
    let elsewhere = json!({"imap_host": "127.0.0.1", "imap_password": ""});
    refused(&patch(&browser, SETTINGS, &elsewhere).await, StatusCode::UNPROCESSABLE_ENTITY);
    refused(&call(&browser, "POST", &tests, &elsewhere.to_string()).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stored(&installation).await, before);

    let moved = json!({"imap_host": "127.0.0.1", "imap_password": "other-canary"});
    status(&patch(&browser, SETTINGS, &moved).await, StatusCode::OK);

    let row = super::row(&installation).await.expect("a row");
    let passwords = Passwords::new(installation.store.clone(), installation.sealer.clone());
    let kept = passwords.password(&row.id, Purpose::Incoming).await.expect("a password");
    assert_eq!(kept.expose_secret(), "other-canary");
    assert_eq!(stored(&installation).await.incoming.expect("a server").host, "127.0.0.1");
}

#[tokio::test]
async fn one_of_several_mailboxes_is_named() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    browser.connect(&*installation.http, OTHER_MAILBOX).await;
    let rows = super::rows(&installation).await;
    let (first, second) = (&rows[0].id, &rows[1].id);
    let name = json!({"from_name": "Second"});

    refused(&patch(&browser, SETTINGS, &name).await, StatusCode::CONFLICT);
    refused(&call(&browser, "POST", &format!("{SETTINGS}test-imap"), "").await, StatusCode::CONFLICT);
    status(&patch(&browser, &format!("{SETTINGS}?mailbox={second}"), &name).await, StatusCode::OK);

    let read = async |path: &str| status(&call(&browser, "GET", path, "").await, StatusCode::OK);
    assert_eq!(read(&format!("{SETTINGS}?mailbox={second}")).await["from_name"], json!("Second"));
    assert_eq!(read(SETTINGS).await["id"], json!(first.as_str()));
    let other = json!({"support_email_address": rows[0].address});
    let path = format!("{SETTINGS}?mailbox={second}");
    refused(&patch(&browser, &path, &other).await, StatusCode::CONFLICT);
    for (query, status) in
        [("mailbox=gone", 404), ("mailbox=..%2F", 404), ("mail=x", 400), ("mailbox=a&mailbox=b", 400)]
    {
        let page = call(&browser, "GET", &format!("{SETTINGS}?{query}"), "").await;
        refused(&page, StatusCode::from_u16(status).expect("a status"));
    }
}

#[tokio::test]
async fn a_sign_in_is_started_finished_listed_and_forgotten() {
    for posted in [false, true] {
        let installation = Installation::start().await;
        let console = installation.console();
        let browser = Browser::admin(&console, 1);
        let oauth = format!("{SETTINGS}oauth/microsoft/");
        let start = json!({"email": MAILBOX}).to_string();

        let leave = status(&call(&browser, "POST", &oauth, &start).await, StatusCode::OK);
        let authorize: Url = leave["authorization_url"].as_str().expect("a URL").parse().expect("a URL");
        assert_eq!(leave["state"], json!(query_of(&authorize)["state"]));
        let back = accept(&*installation.http, &authorize, MAILBOX).await;
        let (path, answer) = (format!("{oauth}callback/"), query_of(&back));
        let returned = json!({"code": answer["code"], "state": answer["state"]}).to_string();
        let finish = async |browser: &Browser<'_>| match posted {
            true => call(browser, "POST", &path, &returned).await,
            false => call(browser, "GET", &format!("{path}?{}", back.query().expect("a query")), "").await,
        };
        let signed_in = status(&finish(&browser).await, StatusCode::OK);

        assert_eq!(signed_in["email"], json!(MAILBOX));
        assert!(signed_in["expires_at"].is_string(), "{signed_in}");
        refused(&finish(&browser).await, StatusCode::BAD_REQUEST);
        let credentials = format!("{SETTINGS}oauth/credentials/");
        let listed = status(&call(&browser, "GET", &credentials, "").await, StatusCode::OK);
        let id = signed_in["credential_id"].as_str().expect("an id");
        assert_eq!(listed["credentials"][0]["id"], json!(id));
        assert_eq!(listed["credentials"][0]["is_valid"], json!(true));
        let one = format!("{credentials}{id}/");
        status(&call(&browser, "DELETE", &one, "").await, StatusCode::OK);
        refused(&call(&browser, "DELETE", &one, "").await, StatusCode::NOT_FOUND);
        assert!(super::rows(&installation).await.is_empty());
    }
}

#[tokio::test]
async fn another_admins_sign_in_cannot_be_finished() {
    let installation = Installation::start().await;
    let console = installation.console();
    let (starter, other) = (Browser::admin(&console, 1), Browser::admin(&console, 2));
    let leave = json_of(&call(&starter, "POST", &format!("{SETTINGS}oauth/microsoft"), "").await);
    let authorize: Url = leave["authorization_url"].as_str().expect("a URL").parse().expect("a URL");
    let back = accept(&*installation.http, &authorize, MAILBOX).await;
    let path = format!("{SETTINGS}oauth/microsoft/callback/?{}", back.query().expect("a query"));
    refused(&call(&other, "GET", &path, "").await, StatusCode::BAD_REQUEST);
    assert!(super::rows(&installation).await.is_empty());
}

#[tokio::test]
async fn only_the_two_providers_are_known() {
    let installation = Installation::start().await;
    let console = Console::new(Parts {
        registrations: installation.registrations_of(Apps::default()),
        ..installation.console_parts()
    });
    let browser = Browser::admin(&console, 1);
    for path in ["oauth/pigeon", "oauth/pigeon/callback", "oauth/Microsoft"] {
        let body = if path.ends_with("callback") { r#"{"code":"a","state":"b"}"# } else { "{}" };
        let page = call(&browser, "POST", &format!("{SETTINGS}{path}/"), body).await;
        refused(&page, StatusCode::NOT_FOUND);
    }
    let page = call(&browser, "POST", &format!("{SETTINGS}oauth/microsoft/"), "").await;
    refused(&page, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_address_is_detected_in_the_plans_words() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let detect = async |email: &str| {
        let body = json!({"email": email}).to_string();
        status(&call(&browser, "POST", &format!("{SETTINGS}detect/"), &body).await, StatusCode::OK)
    };
    let found = detect("Someone@GMAIL.com").await;
    assert_eq!((&found["provider"], &found["detected_via"]), (&json!("google"), &json!("known_domain")));
    assert_eq!((&found["imap_host"], &found["imap_port"]), (&json!("imap.gmail.com"), &json!(993)));
    assert_eq!((&found["oauth_supported"], &found["password_supported"]), (&json!(true), &json!(true)));
    let found = detect("someone@hotmail.com").await;
    assert_eq!((&found["provider"], &found["password_supported"]), (&json!("microsoft"), &json!(false)));
    assert_eq!(found["oauth_configured"], json!(true));
    for (email, provider) in [("a@yahoo.com", "yahoo"), ("a@icloud.com", "apple"), ("a@aol.com", "aol")] {
        let found = detect(email).await;
        assert_eq!(found["provider"], json!(provider));
        assert!(found["app_password_url"].is_string(), "{found}");
    }
    let found = detect("help@desk.example").await;
    assert_eq!((&found["detected"], &found["detected_via"]), (&json!(false), &json!("none")));
}

#[tokio::test]
async fn servers_are_tested_as_sent_and_nothing_is_kept() {
    let sink = Sink::start().await;
    let Some(dovecot) = Dovecot::start(sink.address.port()).await else { return };
    let installation = Installation::start().await;
    let console = Console::new(installation.console_parts_calling(dovecot.dialer()));
    let browser = Browser::admin(&console, 1);
    let (imap, smtp) = (dovecot.incoming(Security::Tls), dovecot.outgoing());
    let test = async |path: &str, body: Value| {
        status(
            &call(&browser, "POST", &format!("{SETTINGS}{path}/"), &body.to_string()).await,
            StatusCode::OK,
        )
    };
    let imap = |password: &str| {
        json!({"imap_host": imap.host, "imap_port": imap.port, "imap_use_ssl": true,
            "imap_username": USER, "imap_password": password})
    };
    let smtp = json!({"smtp_host": smtp.host, "smtp_port": smtp.port, "smtp_use_tls": true,
        "smtp_username": USER, "smtp_password": PASSWORD});

    let read = test("test-imap", imap(PASSWORD)).await;
    let steps = ["incoming-name", "incoming-connection", "incoming-encryption", "incoming"];
    for (at, step) in steps.into_iter().enumerate() {
        assert_eq!(read["steps"][at]["step"], step, "{read}");
    }
    assert_eq!((&read["success"], read["steps"].as_array().map(Vec::len)), (&json!(true), Some(4)));
    let sent = test("test-smtp", smtp).await;
    assert_eq!((&sent["success"], &sent["steps"][3]["step"]), (&json!(true), &json!("outgoing")), "{sent}");
    let wrong = test("test-imap", imap("wrong-canary")).await;

    assert_eq!(wrong["success"], json!(false));
    assert!(wrong["hint"].as_str().is_some_and(|hint| hint.contains("password")), "{wrong}");
    assert!(!wrong.to_string().contains("canary"), "{wrong}");
    assert!(super::rows(&installation).await.is_empty());
    assert_eq!(installation.store.sealed_names().await.expect("names"), ["install/secret"]);
}

#[tokio::test]
async fn a_stored_mailbox_is_tested_as_it_is_stored() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    refused(&call(&browser, "POST", &format!("{SETTINGS}test-imap/"), "{}").await, StatusCode::NOT_FOUND);
    browser.connect(&*installation.http, MAILBOX).await;
    let tested = call(&browser, "POST", &format!("{SETTINGS}test-imap/"), "").await;
    let tested = status(&tested, StatusCode::OK);
    assert_eq!(tested["success"], json!(true), "{tested}");
}

#[tokio::test]
async fn a_server_inside_is_not_called_unless_its_network_is_opened() {
    let installation = Installation::start().await;
    let dialer = Dialer::new(Egress::default()).expect("a dialer");
    let console = Console::new(installation.console_parts_calling(Arc::new(dialer)));
    let browser = Browser::admin(&console, 1);
    let test =
        |host: &str| json!({"imap_host": host, "imap_username": "help", "imap_password": "x"}).to_string();
    for host in ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "::1"] {
        let tested = call(&browser, "POST", &format!("{SETTINGS}test-imap/"), &test(host)).await;
        let tested = status(&tested, StatusCode::OK);
        let hint = tested["hint"].as_str().expect("a hint");
        assert!(hint.contains("not public") && hint.contains("`mail.privateNetworks`"), "{host}: {hint}");
    }
}

#[tokio::test]
async fn what_two_admins_change_at_once_is_all_there() {
    let installation = Installation::start().await;
    let console = installation.console();
    let (one, two) = (Browser::admin(&console, 1), Browser::admin(&console, 2));
    one.connect(&*installation.http, MAILBOX).await;
    let (name, notice) = (json!({"from_name": "Help"}), json!({"closing_notice": true}));
    let (first, second) = tokio::join!(patch(&one, SETTINGS, &name), patch(&two, SETTINGS, &notice));
    assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::OK));
    let settings = stored(&installation).await;
    assert_eq!((settings.from_name.as_deref(), settings.closing_notice), (Some("Help"), true));
}

#[tokio::test]
async fn what_the_configuration_decides_is_shown_and_kept() {
    let installation = Installation::start().await;
    let fixed = mintgate::console::Fixed {
        from_name: Some("Desk".to_owned()),
        ..mintgate::console::Fixed::default()
    };
    let console = Console::new(Parts { fixed, ..installation.console_parts() });
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let read = json_of(&call(&browser, "GET", SETTINGS, "").await);
    assert_eq!(read["from_name"], json!("Desk"));
    refused(&patch(&browser, SETTINGS, &json!({"from_name": "Help"})).await, StatusCode::CONFLICT);
}

#[tokio::test]
async fn what_two_gateways_change_at_once_is_all_there() {
    let installation = Installation::start().await;
    let (one, two) = (installation.console(), installation.console());
    let (first, second) = (Browser::admin(&one, 1), Browser::admin(&two, 2));
    first.connect(&*installation.http, MAILBOX).await;
    for round in 0..20 {
        let name = json!({"from_name": format!("Name {round}")});
        let interval = json!({"check_interval_seconds": 60 * (round + 1)});
        let (name, interval) = (patch(&first, SETTINGS, &name), patch(&second, SETTINGS, &interval));
        let (name, interval) = tokio::join!(name, interval);
        status(&name, StatusCode::OK);
        status(&interval, StatusCode::OK);

        let kept = stored(&installation).await;
        assert_eq!(kept.from_name, Some(format!("Name {round}")));
        assert_eq!(kept.check_interval, Some(60 * (round + 1)));
    }
}
