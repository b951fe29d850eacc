//! App registrations that are entered on pages: in the wizard and on their own page, used at once by everybody.

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{Request, StatusCode};
use mintgate::base::secret::{ExposeSecret, SecretString};
use mintgate::console::{Console, Parts};
use mintgate::oauth::app::Apps;
use mintgate::oauth::locations::Locations;
use mintgate::oauth::source::{Resource, TokenError, TokenSource};
use mintgate::store::MailboxState;
use mintgate::token::keeper::Keeper;
use mintgate::token::registrations::Registrations;

use super::wizard::{draft, leads_to, leave_by_the_wizard, submit};
use super::{row, rows};
use crate::support::installation::{Installation, MAILBOX, MINUTE, PUBLIC_URL, url};
use crate::support::oidc_provider::OidcProvider;
use crate::support::provider::{ACCOUNT, Provider};
use crate::support::sign_in::{Browser, Page, between, form, path_of};

mod asked;
mod kept;
mod told;

const APPS: &str = "/admin/exchange/apps";
const MICROSOFT: &str = "/admin/exchange/apps/microsoft";
const GOOGLE: &str = "/admin/exchange/apps/google";
const GUID: &str = "11111111-2222-3333-4444-555555555555";
const SECRET: &str = "hunter8Q~0123456789012345678901234567890";

/// An installation whose configuration names no app.
async fn bare() -> Installation {
    unregistered(Installation::start().await)
}

fn unregistered(mut installation: Installation) -> Installation {
    installation.configure(Apps::default());
    installation.keeper = installation.another_keeper();
    installation
}

/// Sends the form of the page at `path` to `action`, with its hidden fields.
async fn enter(browser: &Browser<'_>, path: &str, action: &str, fields: &[(&str, &str)]) -> Page {
    let page = browser.get(path).await.text();
    send(browser, &page, action, fields).await
}

async fn send(browser: &Browser<'_>, page: &str, action: &str, fields: &[(&str, &str)]) -> Page {
    let hidden = |name: &str| {
        between(page, &format!("name=\"{name}\" value=\""), "\"").expect("a hidden field").to_owned()
    };
    let (token, seen) = (hidden("token"), hidden("seen"));
    let mut all = vec![("token", token.as_str()), ("seen", seen.as_str())];
    all.extend(fields);
    browser.ask(post(action, PUBLIC_URL), form(&all)).await
}

fn post(action: &str, origin: &str) -> http::request::Builder {
    Request::post(action)
        .header(HOST, "desk.example.com")
        .header(ORIGIN, origin)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
}

/// The values that the sandbox's registration has now.
struct Values {
    tenant: String,
    client_id: String,
    client_secret: String,
}

impl Values {
    fn of(installation: &Installation) -> Self {
        let app = installation.sandbox.identity.app();
        let client_secret = app.client_secret.expose_secret().to_owned();
        Self { tenant: app.tenant, client_id: app.client_id, client_secret }
    }

    fn fields(&self) -> [(&str, &str); 4] {
        [
            ("tenant", &self.tenant),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("secret_expires", "2028-05-01"),
        ]
    }
}

/// Enters the sandbox's registration on its own page.
async fn register(installation: &Installation, browser: &Browser<'_>) {
    let values = Values::of(installation);
    assert_eq!(leads_to(&enter(browser, MICROSOFT, MICROSOFT, &values.fields()).await), APPS);
}

/// The connect step for `address`.
async fn connect_step(browser: &Browser<'_>, address: &str, way: &str) -> String {
    let sign_in = draft(browser, address).await;
    leads_to(&submit(browser, &sign_in, &sign_in, &[("way", way)]).await)
}

fn app_of(connect: &str) -> String {
    connect.replace("/connect", "/app")
}

async fn token(keeper: &Keeper, installation: &Installation) -> Result<(), TokenError> {
    let id = row(installation).await.expect("a mailbox").id;
    keeper.token(&id, Resource::Graph).await.map(drop)
}

async fn state(installation: &Installation) -> MailboxState {
    row(installation).await.expect("a mailbox").state
}

/// An installation where a mailbox was connected by a registration that was entered.
async fn connected() -> Installation {
    let installation = bare().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    register(&installation, &browser).await;
    browser.connect(&*installation.http, MAILBOX).await;
    assert_eq!(state(&installation).await, MailboxState::Connected);
    installation
}

#[tokio::test]
async fn from_no_app_at_all_to_a_mailbox_that_stays_connected() {
    let installation = bare().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let connect = connect_step(&browser, MAILBOX, "microsoft").await;
    let page = browser.get(&connect).await.text();
    for said in [
        "App registrations",
        "CreateApplicationBlade",
        "Single tenant",
        "/admin/exchange/callback",
        "Directory (tenant) ID",
        "not the “Secret ID”",
        "Mail.ReadWrite",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let domain = MAILBOX.split('@').nth(1).expect("a domain");
    assert!(page.contains(&format!("value=\"{domain}\"")), "a domain of the organisation is a guess: {page}");

    let values = Values::of(&installation);
    let entered = enter(&browser, &connect, &app_of(&connect), &values.fields()).await;
    assert_eq!(leads_to(&entered), connect);
    let leave = submit(&browser, &connect, &connect, &[]).await;
    let end = browser.finish(&*installation.http, &url(&leave.onward().expect("a way on")), MAILBOX).await;
    assert_eq!(end.status(), StatusCode::SEE_OTHER, "{}", end.text());
    let given = installation.sandbox.identity.tokens_given();
    installation.clock.advance(60 * MINUTE);

    token(&installation.keeper, &installation).await.expect("a refreshed token");
    assert_eq!(installation.sandbox.identity.tokens_given(), given + 1);
}

#[tokio::test]
async fn a_mailbox_at_google_is_connected_by_a_client_that_is_entered() {
    let Some(provider) = OidcProvider::google().await else { return };
    let installation = Installation::start().await.before_another_provider(provider.app());
    let mut installation = installation;
    installation.registrations = Registrations::new(
        installation.store.clone(),
        installation.sealer.clone(),
        Apps::default(),
        Locations { google: provider.app().authority().clone(), ..Locations::default() },
    );
    installation.keeper = installation.another_keeper();
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let connect = connect_step(&browser, ACCOUNT, "google").await;
    let page = browser.get(&connect).await.text();
    assert!(page.contains("Web application") && page.contains("GOCSPX-"), "{page}");
    let app = provider.app();
    let secret = app.client_secret().expose_secret();
    let fields = [("google_client_id", app.client_id()), ("google_client_secret", secret)];
    assert_eq!(leads_to(&enter(&browser, &connect, &app_of(&connect), &fields).await), connect);

    let leave = submit(&browser, &connect, &connect, &[]).await;
    let authorize = url(&leave.onward().expect("a way on"));
    let back = provider.sign_in(&*installation.http, &authorize).await;
    let parked = browser.get(&path_of(&back)).await;
    let end = browser.get(&parked.onward().expect("a way on")).await;

    assert!(end.location().starts_with("/admin/exchange/setup/"), "{}", end.text());
    let row = row(&installation).await.expect("a mailbox");
    assert_eq!(row.address, ACCOUNT);
    installation.clock.advance(60 * MINUTE);
    installation.keeper.token(&row.id, Resource::Mail).await.expect("a refreshed token");
    let page = browser.get(APPS).await.text();
    assert!(page.contains(app.client_id()) && page.contains(ACCOUNT), "{page}");
}

#[tokio::test]
async fn a_renewed_secret_is_used_without_a_restart() {
    let installation = connected().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let new = "new8Q~abcdefghijklmnopqrstuvwxyz0123456789";
    installation.sandbox.identity.change_app(|app| app.client_secret = SecretString::from(new));
    installation.clock.advance(60 * MINUTE);
    let refused = token(&installation.keeper, &installation).await;
    assert!(matches!(refused, Err(TokenError::Misconfigured { .. })), "{refused:?}");

    let app = installation.sandbox.identity.app();
    let renewed = [
        ("tenant", app.tenant.as_str()),
        ("client_id", &app.client_id),
        ("client_secret", new),
        ("secret_expires", "2028-12-31"),
    ];
    assert_eq!(leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &renewed).await), APPS);

    token(&installation.keeper, &installation).await.expect("a token by the new secret");
    assert_eq!(state(&installation).await, MailboxState::Connected);
    let page = browser.get(APPS).await.text();
    assert!(page.contains("Dec 2028") || page.contains("2028-12-31"), "{page}");
}

#[tokio::test]
async fn the_rest_is_changed_without_the_secret_and_the_secret_stays() {
    let installation = connected().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let page = browser.get(MICROSOFT).await.text();
    assert!(page.contains("value=\"2028-05-01\"") && page.contains("the stored one stays"), "{page}");
    let values = Values::of(&installation);
    let fields =
        [("tenant", values.tenant.as_str()), ("client_id", &values.client_id), ("client_secret", "")];
    assert_eq!(leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &fields).await), APPS);
    installation.clock.advance(60 * MINUTE);
    token(&installation.keeper, &installation).await.expect("a token by the same secret");
}

/// A console of an installation at the real providers, where nothing is registered.
fn at_the_real_providers(installation: &Installation) -> Console {
    let (store, sealer) = (installation.store.clone(), installation.sealer.clone());
    let registrations = Registrations::new(store, sealer, Apps::default(), Locations::default());
    Console::new(Parts { registrations, ..installation.console_parts() })
}

#[tokio::test]
async fn each_wrong_value_is_refused_with_its_sentence_and_no_secret_comes_back() {
    let installation = bare().await;
    let console = at_the_real_providers(&installation);
    let browser = Browser::admin(&console, 1);
    let connect = connect_step(&browser, MAILBOX, "microsoft").await;
    let google_id = "1234.apps.googleusercontent.com";
    for (page, action, fields, sentence) in [
        (
            MICROSOFT,
            MICROSOFT,
            vec![("tenant", "common"), ("client_id", GUID), ("client_secret", SECRET)],
            "would let the mailboxes of any organisation in",
        ),
        (
            MICROSOFT,
            MICROSOFT,
            vec![("tenant", "c.example"), ("client_id", "app"), ("client_secret", SECRET)],
            "The client id is no GUID.",
        ),
        (
            MICROSOFT,
            MICROSOFT,
            vec![
                ("tenant", "c.example"),
                ("client_id", GUID),
                ("client_secret", "66666666-2222-3333-4444-555555555555"),
            ],
            "that is its Secret ID",
        ),
        (
            MICROSOFT,
            MICROSOFT,
            vec![
                ("tenant", "c.example"),
                ("client_id", GUID),
                ("client_secret", SECRET),
                ("secret_expires", "2020-01-01"),
            ],
            "This day is past.",
        ),
        (
            &connect,
            &app_of(&connect),
            vec![("tenant", "c.example"), ("client_id", ""), ("client_secret", SECRET)],
            "Enter the client id.",
        ),
        (
            GOOGLE,
            GOOGLE,
            vec![("google_client_id", google_id), ("google_client_secret", "")],
            "Enter the client secret.",
        ),
        (
            GOOGLE,
            GOOGLE,
            vec![("google_client_id", "GOCSPX-hunter"), ("google_client_secret", google_id)],
            "that is the client secret. Swap the two.",
        ),
    ] {
        let refused = enter(&browser, page, action, &fields).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        let text = refused.text();
        assert!(text.contains("Please correct this") && text.contains("<title>Error: "), "{text}");
        assert!(text.contains(sentence), "{sentence}: {text}");
        for (name, value) in &fields {
            let is_secret = name.ends_with("secret") && !value.is_empty();
            assert!(!is_secret || !text.contains(value), "{name} came back: {text}");
            let is_kept = is_secret || value.is_empty() || text.contains(&format!("value=\"{value}\""));
            assert!(is_kept, "{name} is lost: {text}");
        }
    }
    let entered = installation.registrations.look().await.expect("looked");
    assert_eq!(entered.iter().count(), 0);
}

#[tokio::test]
async fn a_tenant_that_microsoft_does_not_know_is_told_before_anybody_leaves() {
    let installation = bare().await;
    let console = installation.console();
    let browser = Browser::speaking(&console, "de");
    let values = Values { tenant: "elsewhere.example".to_owned(), ..Values::of(&installation) };
    let refused = enter(&browser, MICROSOFT, MICROSOFT, &values.fields()).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("Microsoft kennt kein solches Verzeichnis"), "{}", refused.text());
}

#[tokio::test]
async fn nobody_but_an_administrator_on_a_page_of_ours_changes_a_registration() {
    let installation = bare().await;
    let console = installation.console();
    let (stranger, browser) = (Browser::stranger(&console), Browser::admin(&console, 1));
    for path in [APPS, MICROSOFT, GOOGLE, "/admin/exchange/apps/microsoft/remove"] {
        assert_eq!(stranger.get(path).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    let (token, values) = (browser.form_token().await, Values::of(&installation));
    let mut fields = vec![("token", token.as_str()), ("seen", "")];
    fields.extend(values.fields());
    for (browser, origin, token) in [
        (&stranger, PUBLIC_URL, token.as_str()),
        (&browser, "https://evil.example", &token),
        (&browser, PUBLIC_URL, "forged"),
    ] {
        fields[0].1 = token;
        let refused = browser.ask(post(MICROSOFT, origin), form(&fields)).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{origin} {token}");
    }
    assert_eq!(installation.registrations.look().await.expect("looked").iter().count(), 0);
}

#[tokio::test]
async fn of_two_administrators_at_once_the_second_sees_what_the_first_has_entered() {
    let installation = bare().await;
    let console = installation.console();
    let (one, two) = (Browser::admin(&console, 1), Browser::admin(&console, 2));
    let connect = connect_step(&two, MAILBOX, "microsoft").await;
    let (page, step) = (two.get(MICROSOFT).await.text(), two.get(&connect).await.text());
    register(&installation, &one).await;

    let late = [("tenant", "c.example"), ("client_id", "another-app"), ("client_secret", SECRET)];
    let told = send(&two, &page, MICROSOFT, &late).await;
    assert_eq!(told.status(), StatusCode::CONFLICT);
    let client_id = installation.sandbox.identity.app().client_id;
    assert!(told.text().contains("Somebody else has changed") && told.text().contains(&client_id));
    assert!(!told.text().contains("another-app") && !told.text().contains(SECRET));
    let shown = leads_to(&send(&two, &step, &app_of(&connect), &late).await);
    assert!(two.get(&shown).await.text().contains("Go on to Microsoft"));
    let apps = installation.registrations.look().await.expect("looked");
    assert_eq!(apps.microsoft().map(|app| app.client_id.as_str()), Some(client_id.as_str()));
}

#[tokio::test]
async fn with_another_client_id_mailboxes_have_to_be_connected_again_and_with_the_old_one_they_go_on() {
    let installation = connected().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let old = Values::of(&installation);
    assert!(browser.get(MICROSOFT).await.text().contains(MAILBOX), "it is told before");
    installation.sandbox.identity.change_app(|app| app.client_id = GUID.to_owned());
    let new = Values::of(&installation);
    assert_eq!(leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &new.fields()).await), APPS);

    assert_eq!(state(&installation).await, MailboxState::NeedsReconnect);
    let page = browser.get(APPS).await.text();
    assert!(
        page.contains("has to be connected again") && page.contains("was replaced by another one"),
        "{page}"
    );
    installation.clock.advance(60 * MINUTE);
    let refused = token(&installation.keeper, &installation).await;
    assert!(matches!(refused, Err(TokenError::NeedsReconnect { .. })), "{refused:?}");

    installation.sandbox.identity.change_app(|app| app.client_id.clone_from(&old.client_id));
    assert_eq!(leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &old.fields()).await), APPS);
    assert_eq!(state(&installation).await, MailboxState::Connected);
    token(&installation.keeper, &installation).await.expect("a token");
}

#[tokio::test]
async fn whoever_connects_again_by_the_new_app_goes_on() {
    let installation = connected().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    installation.sandbox.identity.change_app(|app| app.client_id = GUID.to_owned());
    let new = Values::of(&installation);
    leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &new.fields()).await);
    let authorize = leave_by_the_wizard(&browser, MAILBOX, "microsoft").await;
    browser.finish(&*installation.http, &authorize, MAILBOX).await;
    assert_eq!((rows(&installation).await.len(), state(&installation).await), (1, MailboxState::Connected));
    installation.clock.advance(60 * MINUTE);
    token(&installation.keeper, &installation).await.expect("a token");
}

#[tokio::test]
async fn removing_is_asked_before_says_who_loses_by_it_and_is_undone_by_entering_it_again() {
    let installation = connected().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let remove = format!("{MICROSOFT}/remove");
    let question = browser.get(&remove).await.text();
    assert!(question.contains("lose their renewal") && question.contains(MAILBOX), "{question}");
    assert_eq!(leads_to(&send(&browser, &question, &remove, &[]).await), APPS);

    let page = browser.get(APPS).await.text();
    assert!(page.contains("No app is registered at Microsoft."), "{page}");
    assert_eq!(browser.get(&remove).await.status(), StatusCode::NOT_FOUND);
    let late = send(&browser, &question, &remove, &[]).await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
    installation.clock.advance(60 * MINUTE);
    let refused = token(&installation.keeper, &installation).await;
    assert!(matches!(refused, Err(TokenError::Misconfigured { .. })), "{refused:?}");
    let overview = browser.get("/admin/exchange").await.text();
    assert!(overview.contains("No app is registered at the mailbox"), "{overview}");

    register(&installation, &browser).await;
    token(&installation.keeper, &installation).await.expect("a token");
}
