//! What the provider says of a registration before anybody signs in by it: asked when it is entered, and by a button.

use http::StatusCode;
use mintgate::console::{Console, Parts};
use mintgate::oauth::app::{App, Apps};
use mintgate::oauth::consent::PERSONAL;
use mintgate::oauth::locations::Locations;
use mintgate::sandbox::identity::Problem;
use mintgate::token::registrations::Registrations;

use super::{APPS, GOOGLE, GUID, MICROSOFT, Values, bare, enter, register};
use crate::console::wizard::leads_to;
use crate::support::emulate::Emulate;
use crate::support::installation::{Installation, url};
use crate::support::oidc_provider::OidcProvider;
use crate::support::provider::Provider;
use crate::support::sign_in::{Browser, Page, between};
use mintgate::base::secret::ExposeSecret;

const TEST: &str = "/admin/exchange/apps/microsoft/test";

/// What stands at the field that is wrong.
fn error_at(page: &Page, field: &str) -> String {
    assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text());
    let text = page.text();
    let start = format!("id=\"{field}-error\">");
    between(&text, &start, "<").unwrap_or_else(|| panic!("nothing at {field}: {text}")).to_owned()
}

async fn entered(installation: &Installation) -> usize {
    installation.registrations.look().await.expect("looked").iter().count()
}

#[tokio::test]
async fn a_value_that_microsoft_refuses_is_told_at_its_field_and_not_kept() {
    let installation = bare().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let right = Values::of(&installation);
    let wrong_secret = Values { client_secret: "hunter2-mistyped".to_owned(), ..Values::of(&installation) };
    let wrong_id = Values { client_id: GUID.to_owned(), ..Values::of(&installation) };
    for (values, field, sentence) in [
        (&wrong_secret, "client_secret", "does not take this client secret"),
        (&wrong_id, "client_id", "knows no app with this client id"),
    ] {
        let refused = enter(&browser, MICROSOFT, MICROSOFT, &values.fields()).await;
        assert!(error_at(&refused, field).contains(sentence), "{}", refused.text());
        assert!(!refused.text().contains(&values.client_secret), "the secret came back");
        assert_eq!(entered(&installation).await, 0);
    }
    let ended = Problem::new(7_000_222, "invalid_client", "The provided client secret keys are expired.");
    installation.sandbox.identity.force_error(ended, 1);
    let refused = enter(&browser, MICROSOFT, MICROSOFT, &right.fields()).await;
    assert!(error_at(&refused, "client_secret").contains("has ended"), "{}", refused.text());
    assert_eq!(leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &right.fields()).await), APPS);
    let names = installation.store.sealed_names().await.expect("names");
    assert_eq!(names, ["app/microsoft/registration", "install/secret"], "no token is kept");
}

#[tokio::test]
async fn who_knows_better_keeps_what_the_provider_refuses() {
    let installation = bare().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let values = Values { client_secret: "a-secret-of-tomorrow".to_owned(), ..Values::of(&installation) };
    assert!(!browser.get(MICROSOFT).await.text().contains("name=\"despite\""), "nothing is refused yet");
    let refused = enter(&browser, MICROSOFT, MICROSOFT, &values.fields()).await;
    assert!(refused.text().contains("name=\"despite\""), "{}", refused.text());

    let mut fields = values.fields().to_vec();
    fields.push(("despite", "on"));
    assert_eq!(leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &fields).await), APPS);
    assert_eq!(entered(&installation).await, 1);
}

#[tokio::test]
async fn a_provider_that_is_down_or_says_nothing_of_use_keeps_nobody_from_saving() {
    let installation = bare().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let values = Values { client_secret: "who-knows".to_owned(), ..Values::of(&installation) };
    let busy = Problem::new(90_033, "temporarily_unavailable", "A transient error has occurred.");
    installation.sandbox.identity.force_error(busy, 1);
    assert_eq!(leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &values.fields()).await), APPS);

    let installation = bare().await;
    let locations = Locations { microsoft: url("http://127.0.0.1:9"), ..Locations::default() };
    let (store, sealer) = (installation.store.clone(), installation.sealer.clone());
    let registrations = Registrations::new(store, sealer, Apps::default(), locations);
    let console = Console::new(Parts { registrations, ..installation.console_parts() });
    let browser = Browser::admin(&console, 1);
    assert_eq!(leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &values.fields()).await), APPS);
}

#[tokio::test]
async fn the_button_says_what_the_provider_says_now() {
    let installation = bare().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    assert_eq!(browser.press(TEST).await.status(), StatusCode::NOT_FOUND, "nothing is registered");
    register(&installation, &browser).await;
    assert!(browser.get(APPS).await.text().contains(TEST));
    let passed = browser.press(TEST).await.text();
    assert!(passed.contains("Microsoft takes the client id and the client secret."), "{passed}");

    installation.sandbox.identity.change_app(|app| app.client_secret = "another-secret".into());
    let german = Browser::speaking(&console, "de");
    let failed = german.press(TEST).await.text();
    let client_id = Values::of(&installation).client_id;
    for said in [
        "Die Registrierung funktioniert nicht",
        "Der geheime Clientschlüssel ist falsch.",
        &format!("/Credentials/appId/{client_id}"),
        "AADSTS7000215",
    ] {
        assert!(failed.contains(said), "{said}: {failed}");
    }
    installation.sandbox.identity.change_app(|app| app.tenant = "moved.example".to_owned());
    let gone = browser.press(TEST).await.text();
    assert!(gone.contains("Microsoft does not know the tenant."), "{gone}");
}

#[tokio::test]
async fn an_app_for_personal_accounts_is_judged_at_the_sign_in_only() {
    let installation = bare().await;
    installation.sandbox.identity.serve_personal_accounts();
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let values =
        Values { tenant: PERSONAL.to_owned(), client_secret: "any".to_owned(), ..Values::of(&installation) };
    assert_eq!(leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &values.fields()).await), APPS);
    let told = browser.press(TEST).await.text();
    assert!(told.contains("only when somebody signs in"), "{told}");
}

/// The installation before somebody else's provider, and what is entered for it.
fn before(installation: Installation, provider: &dyn Provider) -> Installation {
    let mut installation = installation.before_another_provider(provider.app());
    let locations = match provider.app() {
        App::Microsoft(app) => {
            Locations { microsoft: app.authority, graph: app.graph, ..Locations::default() }
        }
        App::Google(app) => Locations { google: app.authority, ..Locations::default() },
    };
    let (store, sealer) = (installation.store.clone(), installation.sealer.clone());
    installation.registrations = Registrations::new(store, sealer, Apps::default(), locations);
    installation.keeper = installation.another_keeper();
    installation
}

#[tokio::test]
async fn somebody_elses_entra_tells_a_wrong_secret_from_a_right_one() {
    let Some(provider) = Emulate::start().await else { return };
    let installation = before(Installation::start().await, &provider);
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let App::Microsoft(app) = provider.app() else { panic!("a registration at Microsoft") };
    let fields = |secret| [("tenant", app.tenant.as_str()), ("client_id", &app.client_id), secret];

    let refused = enter(&browser, MICROSOFT, MICROSOFT, &fields(("client_secret", "mistyped"))).await;
    assert!(error_at(&refused, "client_secret").contains("Copy both again"), "{}", refused.text());
    let secret = app.client_secret.expose_secret();
    assert_eq!(
        leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &fields(("client_secret", secret))).await),
        APPS
    );
    let passed = browser.press(TEST).await.text();
    assert!(passed.contains("Microsoft takes the client id and the client secret."), "{passed}");
}

#[tokio::test]
async fn a_provider_like_google_tells_a_wrong_secret_from_a_right_one_by_a_code_that_means_nothing() {
    let Some(provider) = OidcProvider::google().await else { return };
    let installation = before(Installation::start().await, &provider);
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let app = provider.app();
    let fields = |secret| [("google_client_id", app.client_id()), secret];

    let mistyped = fields(("google_client_secret", "mistyped"));
    let refused = enter(&browser, GOOGLE, GOOGLE, &mistyped).await;
    assert!(error_at(&refused, "google_client_secret").contains("Copy both again"), "{}", refused.text());
    let right = fields(("google_client_secret", app.client_secret().expose_secret()));
    assert_eq!(leads_to(&enter(&browser, GOOGLE, GOOGLE, &right).await), APPS);
    let passed = browser.press(&format!("{GOOGLE}/test")).await.text();
    assert!(passed.contains("Google takes the client id and the client secret."), "{passed}");
}
