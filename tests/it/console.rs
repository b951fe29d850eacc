//! The console, driven as a browser drives it: the way to the provider and back, who may do what, and
//! what its pages say.

use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{Method, Request, StatusCode};
use mintgate::base::secret::ExposeSecret;
use mintgate::console::Console;
use mintgate::oauth::provider::MicrosoftApp;
use mintgate::oauth::source::{Resource, TokenSource};
use mintgate::sandbox::identity::Problem;
use mintgate::store::{InboundEnd, MailboxRow, NewMail};

use crate::support::emulate::{self, Emulate};
use crate::support::installation::{
    CALLBACK_URL, Installation, MAILBOX, MINUTE, OTHER_MAILBOX, PUBLIC_URL, START, mailbox,
};
use crate::support::sign_in::{Browser, Page, accept, cancel, path_of, post_for_redirect, query_of};

const GONE: &str = "This sign-in cannot be finished";

async fn row(installation: &Installation) -> Option<MailboxRow> {
    installation.store.mailbox(&mailbox()).await.expect("read")
}

fn given(installation: &Installation) -> u32 {
    installation.sandbox.identity.tokens_given()
}

/// A flow whose callback has not come yet: the callback's path and query.
async fn callback(installation: &Installation, browser: &Browser<'_>) -> String {
    let authorize = browser.leave().await;
    path_of(&accept(&*installation.http, &authorize, MAILBOX).await)
}

async fn quarantined(installation: &Installation, raw: &[u8], reason: &str) -> i64 {
    let mail = NewMail {
        mailbox: mailbox(),
        source_key: "key-1".to_owned(),
        received_at: START,
        stored_at: START,
        raw: raw.to_vec(),
    };
    let id = installation.store.add_inbound(&mail).await.expect("stored").expect("new");
    let end = InboundEnd::Quarantined { reason: reason.to_owned() };
    installation.store.end_inbound(id, None, &end, None, START).await.expect("ended");
    id
}

fn assert_gone(page: &Page) {
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    assert!(page.text().contains(GONE), "{}", page.text());
}

#[tokio::test]
async fn an_admin_connects_the_mailbox() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let before = browser.get("/admin/exchange").await.text();
    assert!(before.contains("No mailbox is connected.") && before.contains(CALLBACK_URL));

    let end = browser.connect(&*installation.http, MAILBOX).await;
    assert_eq!((end.status(), end.location()), (StatusCode::SEE_OTHER, "/admin/exchange"));
    let row = row(&installation).await.expect("a row");
    assert_eq!((row.address.as_str(), row.kind.as_str()), (MAILBOX, "microsoft-graph"));
    assert_eq!((row.accept_since, row.connected_at), (START, START));
    installation.worker.rung().await;
    let after = browser.get("/admin/exchange").await.text();
    assert!(after.contains("✓ Connected") && after.contains(MAILBOX), "{after}");
    assert!(!after.contains("is missing"), "{after}");
}

#[tokio::test]
async fn the_way_out_is_a_page_and_asks_for_the_least() {
    let installation = Installation::start().await;
    let console = installation.console();
    let authorize = Browser::admin(&console, 1).leave().await;
    let query = query_of(&authorize);
    assert_eq!(query["redirect_uri"], CALLBACK_URL);
    assert_eq!(query["scope"], "User.Read Mail.ReadWrite Mail.Send openid profile email offline_access");
    assert_eq!((query["code_challenge_method"].as_str(), query["response_mode"].as_str()), ("S256", "query"));
}

#[tokio::test]
async fn without_the_guards_proof_nothing_but_the_callback_answers() {
    let installation = Installation::start().await;
    let console = installation.console();
    let stranger = Browser::stranger(&console);
    let id = quarantined(&installation, b"raw", "unreadable").await;
    for path in
        ["/admin/exchange", "/admin/exchange/complete?f=1", &format!("/admin/exchange/quarantine/{id}.eml")]
    {
        assert_eq!(stranger.get(path).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    let token = Browser::admin(&console, 1).form_token().await;
    for path in ["connect", "disconnect", "test", &format!("quarantine/{id}/retry")] {
        let page = stranger.post(&format!("/admin/exchange/{path}"), &token, PUBLIC_URL).await;
        assert_eq!(page.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_gone(&stranger.get("/admin/exchange/callback?code=a&state=b").await);
}

#[tokio::test]
async fn the_callback_needs_no_session() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let path = callback(&installation, &browser).await;
    let parked = Browser::stranger(&console).get(&path).await;
    assert_eq!(parked.status(), StatusCode::OK);
    assert_eq!(given(&installation), 0, "nothing is redeemed before the session is back");
    let code = query_of(&crate::support::installation::url(&format!("{PUBLIC_URL}{path}")))["code"].clone();
    assert!(!parked.text().contains(&code), "the code does not pass through the page");
    let end = browser.get(&parked.onward().expect("a way on")).await;
    assert_eq!(end.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn unknown_expired_used_and_malformed_callbacks_get_the_same_page() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let unknown = browser.get("/admin/exchange/callback?code=a&state=b").await;
    assert_gone(&unknown);

    let used = callback(&installation, &browser).await;
    assert_eq!(browser.get(&used).await.status(), StatusCode::OK);
    let expired = callback(&installation, &browser).await;
    let pages = [
        browser.get(&used).await,
        browser.get("/admin/exchange/callback").await,
        browser.get("/admin/exchange/callback?code[]=a&state=b").await,
        {
            installation.clock.advance(10 * MINUTE);
            browser.get(&expired).await
        },
    ];
    for page in pages {
        assert_eq!((page.status(), page.text()), (unknown.status(), unknown.text()));
        assert_eq!(page.0.headers(), unknown.0.headers());
    }
    assert_eq!(given(&installation), 0);
}

#[tokio::test]
async fn a_malformed_callback_does_not_consume_its_flow() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let path = callback(&installation, &browser).await;
    for more in ["&code=again", "&state=again", "&error=x", &format!("&iss={}", "a".repeat(5000)), "&x=%00"] {
        assert_gone(&browser.get(&format!("{path}{more}")).await);
    }
    assert_eq!(browser.get(&path).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn only_a_get_by_a_person_consumes_a_callback() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let path = callback(&installation, &browser).await;
    for method in [Method::HEAD, Method::POST, Method::PUT, Method::OPTIONS] {
        let page = browser.send(method.clone(), &path).await;
        assert_eq!(page.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    let ahead =
        Request::get(&path).header(HOST, "desk.example.com").header("sec-purpose", "prefetch;prerender");
    assert_gone(&browser.ask(ahead, String::new()).await);
    let parked = browser.get(&path).await;
    assert_eq!(parked.status(), StatusCode::OK);
    let onward = parked.onward().expect("a way on");
    assert_eq!(browser.send(Method::HEAD, &onward).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(browser.get(&onward).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_completion_works_once() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let parked = browser.sign_in(&*installation.http, MAILBOX).await;
    let onward = parked.onward().expect("a way on");
    let (one, two) = tokio::join!(browser.get(&onward), browser.get(&onward));
    let mut statuses = [one.status(), two.status()];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::BAD_REQUEST]);
    assert_eq!(given(&installation), 1);
}

#[tokio::test]
async fn another_admins_session_cannot_finish_the_sign_in() {
    let installation = Installation::start().await;
    let console = installation.console();
    let (starter, other) = (Browser::admin(&console, 1), Browser::admin(&console, 2));
    let parked = starter.sign_in(&*installation.http, MAILBOX).await;
    let onward = parked.onward().expect("a way on");
    assert_gone(&other.get(&onward).await);
    assert_eq!(given(&installation), 0);
    assert_eq!(starter.get(&onward).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_parked_code_is_good_for_a_minute() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let parked = browser.sign_in(&*installation.http, MAILBOX).await;
    installation.clock.advance(MINUTE);
    assert_gone(&browser.get(&parked.onward().expect("a way on")).await);
    assert_eq!(given(&installation), 0);
    assert_eq!(row(&installation).await, None);
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let path = callback(&installation, &browser).await;
    assert_gone(&browser.get(&format!("{path}&iss=https%3A%2F%2Fevil.example")).await);
    let authority = installation.app.authority.as_str().trim_end_matches('/');
    let issuer = format!("{authority}/{}/v2.0", installation.app.tenant);
    assert_eq!(browser.get(&format!("{path}&iss={issuer}")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn another_account_than_the_configured_one_is_refused() {
    let installation = Installation::start().await;
    let console = installation.console_for(Some(MAILBOX));
    let browser = Browser::admin(&console, 1);
    let page = browser.connect(&*installation.http, OTHER_MAILBOX).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert!(page.text().contains(OTHER_MAILBOX) && page.text().contains(MAILBOX), "{}", page.text());
    assert_eq!(row(&installation).await, None);
    assert!(installation.store.sealed_names().await.expect("names").is_empty());
    assert_eq!(browser.connect(&*installation.http, MAILBOX).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn reconnecting_keeps_to_the_account_that_is_connected() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let page = browser.connect(&*installation.http, OTHER_MAILBOX).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert_eq!(row(&installation).await.expect("a row").address, MAILBOX);
    browser.press("/admin/exchange/disconnect").await;
    let page = browser.connect(&*installation.http, OTHER_MAILBOX).await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert_eq!(row(&installation).await.expect("a row").address, OTHER_MAILBOX);
}

#[tokio::test]
async fn a_reconnect_keeps_since_when_mail_is_accepted() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    installation.clock.advance(90 * MINUTE);
    browser.connect(&*installation.http, MAILBOX).await;
    let row = row(&installation).await.expect("a row");
    assert_eq!((row.accept_since, row.connected_at), (START, START + 90 * MINUTE));
}

#[tokio::test]
async fn a_cancelled_sign_in_gets_fixed_advice() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let back = cancel(&*installation.http, &browser.leave().await).await;
    let parked = browser.get(&path_of(&back)).await;
    let page = browser.get(&parked.onward().expect("a way on")).await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    assert!(page.text().contains("The permissions were declined."), "{}", page.text());
    assert!(page.text().contains("access_denied (AADSTS65004)"));
    assert!(!page.text().contains("Trace ID"), "the provider's own text is not repeated");
}

#[tokio::test]
async fn a_refused_code_gets_advice_and_the_numbers_for_support() {
    let installation = Installation::start().await;
    let console = installation.console();
    let problem = Problem::new(7_000_222, "invalid_client", "<b>expired</b>");
    installation.sandbox.identity.force_error(problem, 1);
    let page = Browser::admin(&console, 1).connect(&*installation.http, MAILBOX).await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    assert!(page.text().contains("The client secret has expired."), "{}", page.text());
    assert!(page.text().contains("AADSTS7000222") && page.text().contains("correlation "));
    assert!(!page.text().contains("<b>"));
    assert_eq!(row(&installation).await, None);
}

#[tokio::test]
async fn fewer_permissions_are_named_and_too_few_are_refused() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let grant = |scopes: &[&str]| {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        installation.sandbox.identity.change(|settings| settings.granted = Some(scopes));
    };
    grant(&["User.Read", "Mail.Send"]);
    let page = browser.connect(&*installation.http, MAILBOX).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert!(page.text().contains("Permissions are missing"));
    assert_eq!(row(&installation).await, None);

    grant(&["User.Read", "Mail.Read", "Mail.Send"]);
    assert_eq!(browser.connect(&*installation.http, MAILBOX).await.status(), StatusCode::SEE_OTHER);
    let page = browser.get("/admin/exchange").await.text();
    assert!(page.contains("The permission Mail.ReadWrite is missing."), "{page}");
    assert!(!page.contains("The permission Mail.Send is missing."));
}

#[tokio::test]
async fn full_scope_names_are_understood() {
    let installation = Installation::start().await;
    installation.sandbox.identity.change(|settings| settings.full_scope_names = true);
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    assert_eq!(browser.connect(&*installation.http, MAILBOX).await.status(), StatusCode::SEE_OTHER);
    assert!(!browser.get("/admin/exchange").await.text().contains("is missing"));
}

#[tokio::test]
async fn a_sixth_open_sign_in_of_a_session_is_refused() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for _ in 0..5 {
        browser.leave().await;
    }
    let page = browser.press("/admin/exchange/connect").await;
    assert_eq!(page.status(), StatusCode::TOO_MANY_REQUESTS);
    Browser::admin(&console, 2).leave().await;
}

#[tokio::test]
async fn a_change_needs_our_form_and_our_origin() {
    let installation = Installation::start().await;
    let console = installation.console();
    let (browser, other) = (Browser::admin(&console, 1), Browser::admin(&console, 2));
    browser.connect(&*installation.http, MAILBOX).await;
    let (token, others) = (browser.form_token().await, other.form_token().await);
    assert_ne!(token, others);
    let path = "/admin/exchange/disconnect";
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
    assert_eq!(browser.send(Method::GET, path).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn disconnecting_forgets_the_tokens() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let page = browser.press("/admin/exchange/disconnect").await;
    assert_eq!((page.status(), page.location()), (StatusCode::SEE_OTHER, "/admin/exchange"));
    assert_eq!(row(&installation).await, None);
    assert!(installation.store.sealed_names().await.expect("names").is_empty());
}

#[tokio::test]
async fn the_connection_test_shows_each_step() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let fine = browser.press("/admin/exchange/test").await.text();
    assert!(fine.contains("The connection works") && fine.contains("✓ passed"), "{fine}");
    installation.sandbox.identity.end_access_tokens(MAILBOX);
    installation.sandbox.identity.revoke(MAILBOX);
    let broken = browser.press("/admin/exchange/test").await.text();
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
    assert!(page.contains("alert(1)") && !page.contains("<script"), "{page}");

    let mail = browser.get(&format!("/admin/exchange/quarantine/{id}.eml")).await;
    assert_eq!(mail.0.body().as_ref(), raw);
    assert_eq!(
        (mail.header("content-type"), mail.header("x-content-type-options")),
        ("text/plain", "nosniff")
    );
    assert!(mail.header("content-disposition").starts_with("attachment"));
    for path in ["999.eml", &format!("{id}"), "x.eml"] {
        let page = browser.get(&format!("/admin/exchange/quarantine/{path}")).await;
        assert_eq!(page.status(), StatusCode::NOT_FOUND, "{path}");
    }

    let path = format!("/admin/exchange/quarantine/{id}/retry");
    assert_eq!(browser.press(&path).await.status(), StatusCode::SEE_OTHER);
    let due = installation.store.due_inbound(installation.now(), 10).await.expect("listed");
    assert_eq!(due.iter().map(|mail| mail.id).collect::<Vec<_>>(), [id]);
    assert_eq!(browser.press(&path).await.status(), StatusCode::NOT_FOUND, "it waits already");
}

#[tokio::test]
async fn the_page_says_why_nothing_is_sent_and_what_is_missing() {
    let installation = Installation::start().await;
    let reason = "The desk has an SMTP provider of its own.";
    installation.store.set_fact("outbound_hold", Some(reason)).await.expect("set");
    let parts = installation.console_parts();
    let console = Console::new(mintgate::console::Parts {
        microsoft: None,
        public_url: None,
        bot_configured: false,
        ..parts
    });
    let browser = Browser::admin(&console, 1);
    let page = browser.get("/admin/exchange").await;
    let text = page.text();
    for sentence in [reason, "MICROSOFT_CLIENT_ID", "No public address", "MINTGATE_BOT_EMAIL"] {
        assert!(text.contains(sentence), "{sentence}: {text}");
    }
    assert!(!text.contains("/admin/exchange/connect"), "what cannot work is not offered");
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
async fn pages_leave_with_strict_headers_and_load_one_style_sheet() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let overview = browser.get("/admin/exchange").await;
    let policy = overview.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
    assert!(!overview.text().contains("<script") && !overview.text().contains("style=\""));
    let callback = browser.get("/admin/exchange/callback").await;
    let bare = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
    assert_eq!(callback.header("content-security-policy"), bare);
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
    let other = browser.get("/admin/exchange/assets/0.css").await;
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn no_page_shows_a_secret() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let token = installation.keeper.token(&mailbox(), Resource::Graph).await.expect("a token");
    let secrets = [token.secret.expose_secret(), installation.app.client_secret.expose_secret()];
    let pages = [
        browser.get("/admin/exchange").await,
        browser.press("/admin/exchange/test").await,
        browser.press("/admin/exchange/connect").await,
    ];
    for page in &pages {
        for secret in secrets {
            assert!(!page.text().contains(secret));
        }
    }
}

#[tokio::test]
async fn a_silent_provider_changes_nothing() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let cut = mintgate::sandbox::fault::Effect::CutBefore;
    let fault = mintgate::sandbox::fault::Fault::anywhere("*", cut);
    installation.sandbox.identity.faults.add(fault);
    let page = browser.press("/admin/exchange/connect").await;
    assert_eq!(page.status(), StatusCode::BAD_GATEWAY);
    assert!(page.text().contains("Microsoft cannot be reached"));
}

#[tokio::test]
async fn somebody_elses_provider_is_understood_too() {
    let Some(emulate) = Emulate::start().await else { return };
    let app = MicrosoftApp {
        client_id: "emulate-app".to_owned(),
        client_secret: "emulate-secret".into(),
        tenant: emulate::TENANT.to_owned(),
        authority: emulate.url.clone(),
        graph: emulate.url.clone(),
    };
    let installation = Installation::start().await.before_another_provider(app);
    let console = installation.console();
    let browser = Browser::admin(&console, 1);

    let authorize = browser.leave().await;
    let mut action = authorize.clone();
    action.set_path("/oauth2/v2.0/authorize/callback");
    action.set_query(None);
    let query = query_of(&authorize);
    let mut fields: Vec<(&str, &str)> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.push(("email", "tickets@emulate.example"));
    let back = post_for_redirect(&*installation.http, &action, &fields).await;
    let parked = browser.get(&path_of(&back)).await;
    let end = browser.get(&parked.onward().expect("a way on")).await;
    assert_eq!(end.location(), "/admin/exchange", "{}", end.text());
    assert_eq!(row(&installation).await.expect("a row").address, "tickets@emulate.example");

    let first = installation.keeper.token(&mailbox(), Resource::Graph).await.expect("a token");
    installation.clock.advance(Duration::from_secs(3600));
    let second = installation.keeper.token(&mailbox(), Resource::Graph).await.expect("a rotated token");
    assert_ne!(first.secret.expose_secret(), second.secret.expose_secret());
    installation.clock.advance(Duration::from_secs(3600));
    let third = installation.keeper.token(&mailbox(), Resource::Graph).await;
    assert!(third.is_ok(), "the rotated refresh token was kept: {third:?}");
}
