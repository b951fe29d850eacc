//! The console's JSON: its shapes, who may call it, and that it tells no secret.

use std::path::Path;

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{Method, Request, StatusCode};
use mintgate::base::secret::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use crate::support::installation::{Installation, MAILBOX, OTHER_MAILBOX, PUBLIC_URL};
use crate::support::sign_in::{Browser, Page, accept, path_of, query_of};

const CONNECTIONS: &str = "/api/v1/exchange/connections";

pub async fn call(browser: &Browser<'_>, method: &str, path: &str, body: &str) -> Page {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "desk.example.com")
        .header(ORIGIN, PUBLIC_URL)
        .header(CONTENT_TYPE, "application/json");
    browser.ask(request, body.to_owned()).await
}

pub fn json_of(page: &Page) -> Value {
    assert_eq!(page.header("content-type"), "application/json", "{}", page.text());
    assert_eq!(
        (page.header("cache-control"), page.header("x-content-type-options")),
        ("no-store", "nosniff")
    );
    serde_json::from_str(&page.text()).expect("JSON")
}

pub fn refused(page: &Page, status: StatusCode) {
    assert_eq!(page.status(), status, "{}", page.text());
    let body = json_of(page);
    assert_eq!(body["success"], json!(false));
    assert!(body["error"].as_str().is_some_and(|error| !error.is_empty()), "{body}");
}

/// Every call of the document, with a body it accepts.
fn calls(id: &str) -> Vec<(String, String)> {
    let document = serde_json::to_value(mintgate::console::document()).expect("a document");
    let paths = document["paths"].as_object().expect("paths").clone();
    let calls = paths.into_iter().flat_map(|(path, methods)| {
        let path = path.replace("{id}", id).replace("{provider}", "microsoft");
        let methods: Vec<String> = methods.as_object().expect("methods").keys().cloned().collect();
        methods.into_iter().map(move |method| (method.to_uppercase(), path.clone()))
    });
    calls.collect()
}

#[tokio::test]
async fn a_connection_is_made_looked_at_used_and_ended() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let app =
        json!({"tenantId": installation.app.tenant, "clientId": installation.app.client_id}).to_string();
    let none = json_of(&call(&browser, "GET", CONNECTIONS, "").await);
    assert_eq!(none, json!({"success": true, "connections": [], "total": 0}));

    let created = call(&browser, "POST", CONNECTIONS, &app).await;
    assert_eq!(created.status(), StatusCode::CREATED);
    let created = json_of(&created);
    let id = created["connection"]["id"].as_str().expect("an id");
    assert_eq!(created["connection"]["isActive"], json!(false));
    let leave = json_of(&call(&browser, "POST", &format!("{CONNECTIONS}/{id}/oauth/initiate"), "").await);
    let authorize = leave["authUrl"].as_str().expect("a URL").parse().expect("a URL");
    let back = accept(&*installation.http, &authorize, MAILBOX).await;
    let parked = browser.get(&path_of(&back)).await;
    browser.get(&parked.onward().expect("a way on")).await;

    let many = json_of(&call(&browser, "GET", CONNECTIONS, "").await);
    let connection = &many["connections"][0];
    assert_eq!((&many["total"], &connection["isActive"]), (&json!(1), &json!(true)));
    assert_eq!(connection["email"], json!(MAILBOX));
    assert_eq!(connection["tokens"][0]["accessToken"], json!(""));
    assert!(connection["tokens"][0]["expiresAt"].is_string(), "{connection}");
    let more = call(&browser, "POST", CONNECTIONS, &app).await;
    assert_eq!(more.status(), StatusCode::CREATED, "another account may follow");

    let path = format!("{CONNECTIONS}/{}", connection["id"].as_str().expect("an id"));
    let one = json_of(&call(&browser, "GET", &path, "").await);
    assert_eq!(one["connection"], *connection);
    let tested = json_of(&call(&browser, "POST", &format!("{path}/test"), "").await);
    assert_eq!(tested, json!({"success": true, "message": "Connection is working properly"}));
    let ended = json_of(&call(&browser, "DELETE", &path, "").await);
    assert_eq!(ended["message"], json!("Connection deleted successfully"));
    refused(&call(&browser, "GET", &path, "").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_failing_connection_is_called_so() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    installation.sandbox.identity.end_access_tokens(MAILBOX);
    installation.sandbox.identity.revoke(MAILBOX);
    let test = format!("{CONNECTIONS}/{}/test", super::row(&installation).await.expect("a row").id);
    refused(&call(&browser, "POST", &test, "").await, StatusCode::BAD_REQUEST);
    let wanted = r#"{"provider":"exchange"}"#;
    refused(&call(&browser, "POST", "/api/v1/email-provider/test", wanted).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_provider_and_its_figures_are_told() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let config = json_of(&call(&browser, "GET", "/api/v1/email-provider/config", "").await);
    assert_eq!(config["data"]["currentProvider"], json!("Not configured"));
    browser.connect(&*installation.http, MAILBOX).await;
    super::quarantined(&installation, b"Subject: x\r\n\r\n\xff", "unreadable").await;
    let config = json_of(&call(&browser, "GET", "/api/v1/email-provider/config", "").await);
    assert_eq!(config["data"]["currentProvider"], json!("Exchange"));
    let stats = json_of(&call(&browser, "GET", "/api/v1/email-provider/stats", "").await);
    let processing = &stats["data"]["emailProcessing"];
    assert_eq!((&processing["total"], &processing["failed"]), (&json!(1), &json!(1)), "{stats}");
}

#[tokio::test]
async fn bad_calls_are_told_what_is_wrong() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for (method, path, body, status) in [
        ("POST", CONNECTIONS, "{}", 400),
        ("POST", CONNECTIONS, "", 400),
        ("POST", CONNECTIONS, "{", 400),
        ("POST", CONNECTIONS, r#"{"tenantId":7,"clientId":"x"}"#, 400),
        ("POST", CONNECTIONS, r#"{"tenantId":"x","clientId":"y"}"#, 400),
        ("POST", "/api/v1/exchange/connections/m365/process-emails", r#"{"limit":0}"#, 400),
        ("POST", "/api/v1/exchange/connections/m365/process-emails", r#"{"limit":201}"#, 400),
        ("POST", "/api/v1/exchange/connections/m365/process-emails", "{}", 404),
        ("GET", "/api/v1/exchange/connections/NOT%20an%20id", "", 404),
        ("GET", "/api/v1/exchange/oauth/callback?code=a&state=b", "", 410),
        ("POST", "/api/v1/email-provider/test", r#"{"provider":"pigeon"}"#, 400),
        ("POST", "/api/v1/email-provider/test", r#"{"provider":"smtp"}"#, 404),
        ("GET", "/api/v1/exchange", "", 404),
        ("GET", "/api/v1/email-provider/nothing", "", 404),
        ("PUT", CONNECTIONS, "{}", 405),
    ] {
        let answer = call(&browser, method, path, body).await;
        refused(&answer, StatusCode::from_u16(status).expect("a status"));
    }
    let secret = r#"{"tenantId":{"password":"hunter2"},"clientId":"x"}"#;
    assert!(!call(&browser, "POST", CONNECTIONS, secret).await.text().contains("hunter2"));
}

#[tokio::test]
async fn every_call_needs_an_administrator_and_every_change_a_page_of_ours() {
    let installation = Installation::start().await;
    let console = installation.console();
    let (admin, stranger) = (Browser::admin(&console, 1), Browser::stranger(&console));
    admin.connect(&*installation.http, MAILBOX).await;
    let row = super::row(&installation).await.expect("a row");
    let calls = calls(row.id.as_str());
    assert!(calls.len() >= 21, "{calls:?}");
    for (method, path) in calls {
        refused(&call(&stranger, &method, &path, "{}").await, StatusCode::FORBIDDEN);
        if method == "GET" {
            continue;
        }
        for origin in [None, Some("https://evil.example"), Some("null")] {
            let method: Method = method.parse().expect("a method");
            let mut request = Request::builder().method(method).uri(&path).header(HOST, "desk.example.com");
            request = origin.into_iter().fold(request, |request, origin| request.header(ORIGIN, origin));
            refused(&admin.ask(request, "{}".to_owned()).await, StatusCode::FORBIDDEN);
        }
    }
    assert_eq!(super::row(&installation).await, Some(row));
}

#[tokio::test]
async fn no_answer_holds_a_secret() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let row = super::row(&installation).await.expect("a row");
    let secret = installation.app.client_secret.expose_secret().to_owned();
    for (method, path) in calls(row.id.as_str()) {
        if method != "DELETE" {
            let text = call(&browser, &method, &path, "{}").await.text();
            assert!(!text.contains(&secret) && !text.contains("eyJ"), "{method} {path}: {text}");
        }
    }
}

#[tokio::test]
async fn a_connection_is_taken_by_its_id() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    browser.connect(&*installation.http, OTHER_MAILBOX).await;
    let many = json_of(&call(&browser, "GET", CONNECTIONS, "").await);
    assert_eq!(many["total"], json!(2));
    let connection = &many["connections"][1];
    let id = connection["id"].as_str().expect("an id");

    let unclear = call(&browser, "POST", "/api/v1/email-provider/test", r#"{"provider":"exchange"}"#).await;
    refused(&unclear, StatusCode::BAD_REQUEST);
    let named = json!({"provider": "exchange", "connectionId": id}).to_string();
    let tested = call(&browser, "POST", "/api/v1/email-provider/test", &named).await;
    assert_eq!(tested.status(), StatusCode::OK, "{}", tested.text());
    let leave = json_of(&call(&browser, "POST", &format!("{CONNECTIONS}/{id}/oauth/initiate"), "").await);
    let authorize: Url = leave["authUrl"].as_str().expect("a URL").parse().expect("a URL");
    assert_eq!(json!(query_of(&authorize)["login_hint"]), connection["email"]);
    call(&browser, "DELETE", &format!("{CONNECTIONS}/{id}"), "").await;
    let left = super::rows(&installation).await;
    assert_eq!(left.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), [&many["connections"][0]["id"]]);
}

/// `UPDATE=1 cargo test` writes the file anew.
#[tokio::test]
async fn the_document_is_the_committed_one() {
    let document = mintgate::console::document().to_pretty_json().expect("JSON") + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &document).expect("written");
    }
    assert_eq!(std::fs::read_to_string(file).expect("docs/openapi.json"), document);
}
