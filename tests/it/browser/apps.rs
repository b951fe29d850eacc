//! An app is registered on the way to a mailbox, in a real Chromium, with and without scripts.

use mintgate::base::secret::ExposeSecret;
use mintgate::console::Parts;
use mintgate::oauth::app::Apps;

use super::wizard::{choose, enter_address, go_on, replace};
use crate::support::chromium::Chromium;
use crate::support::installation::{Installation, MAILBOX};
use crate::support::stage::Stage;

/// Fills in the form for Microsoft, whatever was in it.
pub async fn fill(browser: &Chromium, tenant: &str, client_id: &str, client_secret: &str) {
    for (field, text) in [("#tenant", tenant), ("#client_id", client_id), ("#client_secret", client_secret)] {
        replace(browser, field, text).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_entered_in_place_and_signs_the_mailbox_in_with_and_without_scripts() {
    let Some(browser) = Chromium::start().await else { return };
    for scripts in [true, false] {
        if !scripts {
            browser.switch_scripts_off().await;
        }
        let mut installation = Installation::start().await;
        installation.configure(Apps::default());
        installation.keeper = installation.another_keeper();
        let stage = Stage::start(&installation, |parts: Parts| parts).await;
        let app = installation.sandbox.identity.app();
        browser.open(&stage.at("/admin/exchange/setup")).await;
        enter_address(&browser, MAILBOX).await;
        choose(&browser, "microsoft").await;
        browser.shows("No app is registered at Microsoft yet").await;

        fill(&browser, "elsewhere.example", &app.client_id, app.client_secret.expose_secret()).await;
        go_on(&browser).await;
        browser.shows("Microsoft knows no such directory.").await;
        let secret = browser.find("#client_secret").await.prop("value").await.expect("a field");
        assert_eq!(secret.as_deref(), Some(""), "scripts: {scripts}");
        fill(&browser, &app.tenant, &app.client_id, app.client_secret.expose_secret()).await;
        go_on(&browser).await;
        browser.shows("These permissions are asked for").await;
        go_on(&browser).await;
        browser.press("Accept").await;

        browser.shows("It never becomes a ticket.").await;
        let rows = installation.store.mailboxes().await.expect("read");
        assert_eq!((rows.len(), rows[0].address.as_str()), (1, MAILBOX), "scripts: {scripts}");
    }
}
