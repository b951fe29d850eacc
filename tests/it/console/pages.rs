//! What the console's pages say, and who may change what.

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{Method, Request, StatusCode};
use mintgate::base::secret::ExposeSecret;
use mintgate::console::{Console, Parts};
use mintgate::oauth::app::Apps;
use mintgate::oauth::google::GoogleApp;
use mintgate::oauth::source::{Resource, TokenSource};
use mintgate::web::plain;

use super::{button, quarantined, row};
use crate::support::installation::{CALLBACK_URL, Installation, MAILBOX, PUBLIC_URL, mailbox, url};
use crate::support::sign_in::Browser;

#[tokio::test]
async fn a_change_needs_our_form_and_our_origin() {
    let installation = Installation::start().await;
    let console = installation.console();
    let (browser, other) = (Browser::admin(&console, 1), Browser::admin(&console, 2));
    browser.connect(&*installation.http, MAILBOX).await;
    let (token, others) = (browser.form_token().await, other.form_token().await);
    assert_ne!(token, others);
    let path = &button(&installation, "disconnect").await;
    for (token, origin) in
        [("", PUBLIC_URL), (others.as_str(), PUBLIC_URL), (&token, "https://evil.example"), (&token, "null")]
    {
        let page = browser.post(path, token, origin).await;
        assert_eq!(page.status(), StatusCode::FORBIDDEN, "{origin}");
    }
    let cross_site = Request::post(path)
        .header(HOST, "desk.example.com")
        .header(ORIGIN, PUBLIC_URL)
        .header("sec-fetch-site", "cross-site")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let page = browser.ask(cross_site, format!("token={token}")).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert!(row(&installation).await.is_some());
    assert_eq!(browser.get(path).await.status(), StatusCode::OK);
    let test = button(&installation, "test").await;
    assert_eq!(browser.send(Method::GET, &test).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(row(&installation).await.is_some(), "looking at the question changes nothing");
}

#[tokio::test]
async fn disconnecting_forgets_the_tokens() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let page = browser.press(&button(&installation, "disconnect").await).await;
    assert_eq!((page.status(), page.location()), (StatusCode::SEE_OTHER, "/admin/exchange"));
    assert_eq!(row(&installation).await, None);
    assert_eq!(installation.store.sealed_names().await.expect("names"), ["install/secret"]);
}

#[tokio::test]
async fn the_connection_test_shows_each_step() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let test = button(&installation, "test").await;
    let fine = browser.press(&test).await.text();
    assert!(fine.contains("The connection works") && fine.contains("✓ passed"), "{fine}");
    installation.sandbox.identity.end_access_tokens(MAILBOX);
    installation.sandbox.identity.revoke(MAILBOX);
    let broken = browser.press(&test).await.text();
    assert!(broken.contains("The connection does not work") && broken.contains("✗ failed"), "{broken}");
}

#[tokio::test]
async fn a_mail_that_was_put_aside_is_shown_downloaded_and_tried_again() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let raw = b"Subject: <script>alert(1)</script>\r\n\r\n\xff";
    let id = quarantined(&installation, raw, "<script>alert(1)</script>").await;
    let page = browser.get("/admin/exchange").await.text();
    assert!(page.contains("One mail could not be handled and was put aside."), "{page}");
    let page = browser.get("/admin/exchange/quarantine").await.text();
    assert!(page.contains("alert(1)") && !page.contains("<script>"), "{page}");

    let mail = browser.get(&format!("/admin/exchange/quarantine/{id}.eml")).await;
    assert_eq!(mail.0.body().as_ref(), raw);
    assert_eq!(
        (mail.header("content-type"), mail.header("x-content-type-options")),
        ("text/plain", "nosniff")
    );
    assert!(mail.header("content-disposition").starts_with("attachment"));
    for path in ["999.eml", "999", "x.eml"] {
        let page = browser.get(&format!("/admin/exchange/quarantine/{path}")).await;
        assert_eq!(page.status(), StatusCode::NOT_FOUND, "{path}");
    }

    let path = format!("/admin/exchange/quarantine/{id}/retry");
    assert_eq!(browser.press(&path).await.status(), StatusCode::SEE_OTHER);
    let due = installation.store.due_inbound(&mailbox(), installation.now(), None, 10).await.expect("listed");
    assert_eq!(due.iter().map(|mail| mail.id).collect::<Vec<_>>(), [id]);
    let again = browser.press(&path).await;
    assert!(
        again.location().ends_with("?told=retried"),
        "a mail that waits is hastened: {}",
        again.location()
    );
}

#[tokio::test]
async fn the_page_says_why_nothing_is_sent_and_what_is_missing() {
    let installation = Installation::start().await;
    let reason = "The desk has an SMTP provider of its own.";
    installation.store.set_fact("outbound_hold", Some(reason)).await.expect("set");
    let parts = installation.console_parts();
    let console =
        Console::new(Parts { apps: Apps::default(), public_url: None, bot_configured: false, ..parts });
    let browser = Browser::admin(&console, 1);
    let page = browser.get("/admin/exchange").await;
    let text = page.text();
    for sentence in [reason, "MINTGATE_BOT_EMAIL"] {
        assert!(text.contains(sentence), "{sentence}: {text}");
    }
    assert!(!text.contains("/admin/exchange/connect"), "what cannot work is not offered");
}

#[tokio::test]
async fn who_needs_no_provider_is_not_told_that_something_is_missing() {
    let installation = Installation::start().await;
    let parts = installation.console_parts();
    let console = Console::new(Parts { apps: Apps::default(), public_url: None, ..parts });
    let browser = Browser::admin(&console, 1);
    let page = browser.get("/admin/exchange").await.text();
    assert!(page.contains("Mailboxes that take a password need none"), "{page}");
    assert!(!page.contains("No public address") && !page.contains("class=\"note"), "{page}");
}

#[tokio::test]
async fn an_app_without_a_public_address_is_told_of_it_and_not_offered() {
    let installation = Installation::start().await;
    let parts = installation.console_parts();
    let console = Console::new(Parts { public_url: None, ..parts });
    let page = Browser::admin(&console, 1).get("/admin/exchange").await.text();
    assert!(page.contains("No public address") && page.contains("console.publicUrl"), "{page}");
    assert!(!page.contains("/admin/exchange/connect"), "{page}");
}

#[tokio::test]
async fn a_google_client_alone_is_shown_and_left_for_as_microsofts_app_is() {
    let installation = Installation::start().await;
    let google = GoogleApp {
        client_id: "client-7".to_owned(),
        client_secret: "secret".into(),
        authority: url("https://accounts.google.com"),
    };
    let parts = installation.console_parts();
    let console = Console::new(Parts { apps: Apps::new(None, Some(google)), ..parts });
    let page = Browser::admin(&console, 1).get("/admin/exchange").await.text();
    for said in ["<h3>Google</h3>", "client-7", "https://mail.google.com/", "Connect to Google", CALLBACK_URL]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("Connect to Microsoft 365") && !page.contains("Tenant"), "{page}");
}

#[tokio::test]
async fn a_console_opened_under_another_name_says_so() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let elsewhere = Request::get("/admin/exchange").header(HOST, "10.0.0.5:8080");
    let page = browser.ask(elsewhere, String::new()).await.text();
    assert!(page.contains("you opened this page as 10.0.0.5:8080"), "{page}");
    assert!(!browser.get("/admin/exchange").await.text().contains("you opened this page as"));
}

#[tokio::test]
async fn pages_leave_with_strict_headers_and_load_one_style_sheet_and_one_script() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let overview = browser.get("/admin/exchange").await;
    let policy = overview.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
    assert_eq!(overview.text().matches("<script").count(), 1);
    assert!(!overview.text().contains("<script>") && !overview.text().contains("style=\""));
    let callback = browser.get("/admin/exchange/callback").await;
    assert_eq!(callback.header("content-security-policy"), plain::POLICY);
    assert_eq!(callback.header("referrer-policy"), "no-referrer");
    for page in [&overview, &callback] {
        assert_eq!(
            (page.header("cache-control"), page.header("x-content-type-options")),
            ("no-store", "nosniff")
        );
    }
    let text = overview.text();
    let (_, rest) = text.split_once("<link rel=\"stylesheet\" href=\"").expect("a link");
    let (style, _) = rest.split_once('"').expect("an address");
    let sheet = browser.get(style).await;
    assert_eq!((sheet.status(), sheet.header("content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
    let (_, rest) = text.split_once("<script src=\"").expect("a script");
    let (script, _) = rest.split_once('"').expect("an address");
    let comforts = browser.get(script).await;
    assert_eq!(
        (comforts.status(), comforts.header("content-type")),
        (StatusCode::OK, "text/javascript; charset=utf-8")
    );
    let other = browser.get("/admin/exchange/assets/0.css").await;
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn no_page_shows_a_secret() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let id = row(&installation).await.expect("a row").id;
    let token = installation.keeper.token(&id, Resource::Graph).await.expect("a token");
    let secrets = [token.secret.expose_secret(), installation.app.client_secret.expose_secret()];
    let pages = [
        browser.get("/admin/exchange").await,
        browser.press(&button(&installation, "test").await).await,
        browser.press("/admin/exchange/connect").await,
    ];
    for page in &pages {
        for secret in secrets {
            assert!(!page.text().contains(secret));
        }
    }
}

/// What nobody may make the console say or do by a request that it cannot read.
const RUBBISH: [(&str, &str); 8] = [
    ("GET", "/admin/exchange/complete?f=%3Cscript%3E"),
    ("GET", "/admin/exchange/complete?f=a&f=%3Cscript%3E"),
    ("GET", "/admin/exchange/complete?f[]=%3Cscript%3E"),
    ("GET", "/admin/exchange/callback?state=%3Cscript%3E&code=%3Cscript%3E"),
    ("GET", "/admin/exchange/callback?error=%3Cscript%3E&error_description=%3Cscript%3E&state=x"),
    ("GET", "/admin/exchange/quarantine/%3Cscript%3E"),
    ("POST", "/admin/exchange/quarantine/%3Cscript%3E/retry"),
    ("POST", "/admin/exchange/%3Cscript%3E"),
];

#[tokio::test]
async fn refusals_repeat_nothing_and_leave_with_strict_headers() {
    let installation = Installation::start().await;
    let console = installation.console();
    for (method, path) in RUBBISH {
        for browser in [Browser::admin(&console, 1), Browser::stranger(&console)] {
            let page = browser.send(method.parse().expect("a method"), path).await;
            assert!(page.status().is_client_error(), "{path}: {}", page.status());
            let text = page.text().replace("</script>", "");
            assert!(!text.contains("script>") && !text.contains("script&"), "{path}: {text}");
            assert_eq!(page.header("cache-control"), "no-store", "{path}");
            assert!(page.header("content-security-policy").contains("default-src 'none'"), "{path}");
            assert!(matches!(page.header("referrer-policy"), "no-referrer" | "same-origin"), "{path}");
            assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        }
    }
}

#[tokio::test]
async fn no_parameter_sends_a_browser_elsewhere() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for name in ["next", "return_to", "rd", "redirect", "redirect_uri", "url", "continue", "f"] {
        for target in [
            "//evil.example",
            "https://evil.example/",
            "/\\evil.example",
            "\\\\evil.example",
            "/%09/evil.example",
        ] {
            let target: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
            for path in ["/admin/exchange", "/admin/exchange/complete", "/admin/exchange/callback"] {
                let page = browser.get(&format!("{path}?{name}={target}")).await;
                assert_eq!(page.location(), "", "{path} {name}={target}");
                assert!(!page.text().contains("evil.example"), "{path} {name}={target}");
            }
        }
    }
}
