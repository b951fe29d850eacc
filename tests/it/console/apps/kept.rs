//! Registrations beside the configuration, other gateways, restarts and the calendar.

use std::sync::Arc;

use http::StatusCode;
use mintgate::base::secret::{ExposeSecret, SecretString};
use mintgate::console::{Console, Parts};
use mintgate::oauth::app::Apps;
use mintgate::store::{self, MailboxState, StoreAt};
use mintgate::token::keeper::Keeper;
use mintgate::token::registrations::Registrations;

use super::{
    APPS, MICROSOFT, Values, bare, connected, enter, post, register, send, state, token, unregistered,
};
use crate::console::wizard::leads_to;
use crate::support::installation::{Installation, MAILBOX, MINUTE, PUBLIC_URL};
use crate::support::postgres::database;
use crate::support::sign_in::{Browser, between, form};

#[tokio::test]
async fn what_the_configuration_names_is_shown_and_cannot_be_changed_here() {
    let installation = bare().await;
    let values = Values::of(&installation);
    let entering = installation.console();
    register(&installation, &Browser::admin(&entering, 1)).await;
    let registrations = installation.registrations_of(Apps::new(Some(installation.app.clone()), None));
    let origins = [
        ("microsoft.clientId", "MICROSOFT_CLIENT_ID"),
        ("microsoft.tenantId", "microsoft.tenantId (mintgate.yml:7)"),
        ("microsoft.clientSecret", "MICROSOFT_CLIENT_SECRET_FILE"),
    ];
    let origins = origins.into_iter().collect();
    let console = Console::new(Parts { registrations, origins, ..installation.console_parts() });
    let browser = Browser::admin(&console, 1);

    let page = browser.get(APPS).await.text();
    for origin in
        ["MICROSOFT_CLIENT_ID", "microsoft.tenantId (mintgate.yml:7)", "MICROSOFT_CLIENT_SECRET_FILE"]
    {
        assert!(page.contains(&format!("Set by {origin}; read-only here.")), "{origin}: {page}");
    }
    assert!(page.contains("It is not used while the configuration names one."), "{page}");
    assert!(!page.contains("href=\"/admin/exchange/apps/microsoft\""), "{page}");
    assert_eq!(browser.get(MICROSOFT).await.status(), StatusCode::CONFLICT);
    let token = browser.form_token().await;
    let mut fields = vec![("token", token.as_str()), ("seen", "")];
    fields.extend(values.fields());
    let refused = browser.ask(post(MICROSOFT, PUBLIC_URL), form(&fields)).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let remove = format!("{MICROSOFT}/remove");
    let question = browser.get(&remove).await.text();
    assert!(question.contains("Nothing changes for mailboxes."), "{question}");
    assert_eq!(leads_to(&send(&browser, &question, &remove, &[]).await), APPS);
    assert!(!browser.get(APPS).await.text().contains("It is not used"));
}

#[tokio::test]
async fn a_second_gateway_on_the_same_store_uses_it_too() {
    let Some(place) = database() else { return };
    let installation = unregistered(Installation::start_on(&place).await);
    let other = Other::of(&installation, &place).await;
    let (ours, others) = (installation.console(), other.console(&installation));
    let (here, there) = (Browser::admin(&ours, 1), Browser::admin(&others, 1));
    assert!(there.get(APPS).await.text().contains("No app is registered at Microsoft."));
    register(&installation, &here).await;

    there.connect(&*installation.http, MAILBOX).await;
    assert_eq!(state(&installation).await, MailboxState::Connected);
    let new = "new8Q~abcdefghijklmnopqrstuvwxyz0123456789";
    installation.sandbox.identity.change_app(|app| app.client_secret = SecretString::from(new));
    let values = Values::of(&installation);
    leads_to(&enter(&here, MICROSOFT, MICROSOFT, &values.fields()).await);
    installation.clock.advance(60 * MINUTE);
    token(&other.keeper, &installation).await.expect("a token by the new secret");
}

/// Another process's part of an installation.
struct Other {
    registrations: Arc<Registrations>,
    keeper: Arc<Keeper>,
}

impl Other {
    async fn of(installation: &Installation, place: &StoreAt) -> Self {
        let store = store::open(place).await.expect("a store");
        let Installation { sealer, http, clock, audit, .. } = installation;
        let locations = installation.registrations.locations().clone();
        let registrations = Registrations::new(store.clone(), sealer.clone(), Apps::default(), locations);
        let keeper = Keeper::new(
            store,
            sealer.clone(),
            http.clone(),
            registrations.clone(),
            clock.clone(),
            audit.clone(),
        );
        Self { registrations, keeper }
    }

    fn console(&self, installation: &Installation) -> Console {
        let (registrations, keeper) = (self.registrations.clone(), self.keeper.clone());
        Console::new(Parts { registrations, keeper, ..installation.console_parts() })
    }
}

#[tokio::test]
async fn a_restart_keeps_it_and_the_secret_lies_in_no_file_and_on_no_page() {
    let installation = connected().await;
    let secret = Values::of(&installation).client_secret;
    let restarted = installation.registrations_of(Apps::default());
    let apps = restarted.look().await.expect("looked");
    assert!(apps.microsoft().is_some_and(|app| app.client_secret.expose_secret() == secret));

    let keeper = installation.another_keeper();
    installation.clock.advance(60 * MINUTE);
    token(&keeper, &installation).await.expect("a token");
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let remove = format!("{MICROSOFT}/remove");
    for path in ["/admin/exchange", APPS, MICROSOFT, &remove, "/admin/exchange/diagnostics"] {
        let page = browser.get(path).await.text();
        assert!(!page.contains(&secret), "{path}");
    }
    let mut files = Vec::new();
    for ending in ["", "-wal", "-shm"] {
        let path = format!("{}{ending}", installation.database().display());
        files.extend(std::fs::read(path).unwrap_or_default());
    }
    assert!(files.len() > 4096 && !files.windows(20).any(|part| secret.as_bytes()[..20] == *part));
}

#[tokio::test]
async fn the_day_on_which_an_entered_secret_ends_is_told_with_the_way_to_enter_another() {
    let installation = bare().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let values = Values::of(&installation);
    let mut fields = values.fields();
    let soon = installation.now() + 20 * 24 * 60 * MINUTE;
    let day: String = soon.rfc3339().chars().take(10).collect();
    fields[3].1 = &day;
    leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &fields).await);
    let page = browser.get("/admin/exchange").await.text();
    let alarm = between(&page, "role=\"alert\">", "</div>").expect("an alarm");
    assert!(
        alarm.contains("in 19 days") && alarm.contains("href=\"/admin/exchange/apps/microsoft\""),
        "{alarm}"
    );
    assert!(!alarm.contains("restart"), "{alarm}");
    assert!(browser.get(APPS).await.text().contains("! It ends soon:"));
}
