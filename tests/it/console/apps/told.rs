//! What is written down when a registration is entered, renewed, tested and removed: who, when, from where, what.

use mintgate::base::secret::SecretString;
use serde_json::json;

use super::{MICROSOFT, Values, bare, enter, register, send};
use crate::console::wizard::leads_to;
use crate::support::installation::MINUTE;
use crate::support::log_lines::LogLines;
use crate::support::sign_in::Browser;

#[tokio::test]
async fn every_change_is_audited_with_who_when_and_from_where_and_no_secret() {
    let log = LogLines::new();
    let _collecting = tracing::subscriber::set_default(log.subscriber("debug"));
    let installation = bare().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let old = Values::of(&installation).client_secret;
    register(&installation, &browser).await;
    installation.clock.advance(MINUTE);
    let new = "new8Q~abcdefghijklmnopqrstuvwxyz0123456789";
    installation.sandbox.identity.change_app(|app| app.client_secret = SecretString::from(new));
    let values = Values::of(&installation);
    leads_to(&enter(&browser, MICROSOFT, MICROSOFT, &values.fields()).await);
    browser.press(&format!("{MICROSOFT}/test")).await;
    let remove = format!("{MICROSOFT}/remove");
    let question = browser.get(&remove).await.text();
    leads_to(&send(&browser, &question, &remove, &[]).await);

    let audited: Vec<_> = log.lines().into_iter().filter(|line| line["target"] == "audit").collect();
    let record = |at: &str, what: &str| {
        json!({
            "at": at,
            "event": "console_action",
            "outcome": "success",
            "detail": format!("app registration at Microsoft {what}"),
            "client": "127.0.0.1",
            "user": "u1",
        })
    };
    let told: Vec<_> = audited.iter().map(|line| line["fields"].clone()).collect();
    assert_eq!(
        told,
        [
            record("2026-11-21T01:00:00Z", "entered"),
            record("2026-11-21T01:01:00Z", "renewed"),
            record("2026-11-21T01:01:00Z", "tested"),
            record("2026-11-21T01:01:00Z", "removed"),
        ]
    );
    let whole = log.text();
    assert!(!whole.contains(&old) && !whole.contains(new), "a secret is in the log");
}
