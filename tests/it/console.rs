//! The console, driven as a browser drives it: the way to the provider and back, who may do what, and
//! what its pages say.

use http::header::HOST;
use http::{Method, Request, StatusCode};
use mintgate::sandbox::identity::Problem;
use mintgate::store::{InboundEnd, MailboxRow, NewMail};

use crate::support::installation::{
    CALLBACK_URL, Installation, MAILBOX, MINUTE, OTHER_MAILBOX, PUBLIC_URL, START, mailbox,
};
use crate::support::sign_in::{Browser, Page, accept, cancel, path_of, query_of};

mod api;
mod apps;
mod cards;
mod email_settings;
mod events;
mod hostile;
mod mail_servers;
mod mailboxes;
mod moved;
mod pages;
mod quarantine;
mod queues;
mod registration;
mod reply_to;
mod settings;
mod trip;
pub mod wizard;

const GONE: &str = "This sign-in cannot be finished";

async fn row(installation: &Installation) -> Option<MailboxRow> {
    rows(installation).await.into_iter().next()
}

async fn rows(installation: &Installation) -> Vec<MailboxRow> {
    installation.store.mailboxes().await.expect("listed")
}

/// Where a button of the first mailbox's card leads.
async fn button(installation: &Installation, action: &str) -> String {
    let row = row(installation).await.expect("a mailbox");
    format!("/admin/exchange/mailboxes/{}/{action}", row.id)
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
    let retry = format!("quarantine/{id}/retry");
    for path in ["connect", "mailboxes/m1/connect", "mailboxes/m1/disconnect", "mailboxes/m1/test", &retry] {
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
    assert_eq!(installation.store.sealed_names().await.expect("names"), ["install/secret"]);
    assert_eq!(browser.connect(&*installation.http, MAILBOX).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn reconnecting_keeps_to_the_account_that_is_connected() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let before = rows(&installation).await;
    let reconnect = button(&installation, "connect").await;

    let authorize = browser.leave_by(&reconnect).await;
    let page = browser.finish(&*installation.http, &authorize, OTHER_MAILBOX).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    let authorize = browser.leave_by(&reconnect).await;
    let page = browser.finish(&*installation.http, &authorize, MAILBOX).await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);

    assert_eq!(rows(&installation).await, before);
}

#[tokio::test]
async fn a_reconnect_keeps_since_when_mail_is_accepted() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    installation.clock.advance(90 * MINUTE);
    browser.connect(&*installation.http, MAILBOX).await;
    assert_eq!(rows(&installation).await.len(), 1, "one address is one mailbox");
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
async fn a_silent_provider_changes_nothing() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let cut = mintgate::sandbox::fault::Effect::CutBefore;
    let fault = mintgate::sandbox::fault::Fault::anywhere("*", cut);
    installation.sandbox.identity.faults.add(fault);
    let page = browser.press("/admin/exchange/connect").await;
    assert_eq!(page.status(), StatusCode::BAD_GATEWAY);
    assert!(page.text().contains("The provider cannot be reached"));
}
