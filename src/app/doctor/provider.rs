//! The identity providers: is an app registered, does the provider answer, is its clock ours.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;

use super::{Http, Line, clock_line};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::mailbox::settings::{MailboxSettings, SignIn};
use crate::oauth::app::{App, Apps, Vendor};
use crate::oauth::discovery::discover;
use crate::oauth::provider::{MicrosoftApp, SecretLife};
use crate::store::{MailboxRow, Store};

pub(super) const TOPIC: &str = "identity provider";
const GOOGLE: &str = "identity provider Google";
const CLOCK: &str = "provider's clock";
const SECRET: &str = "client secret";

/// Whether a mailbox signs in at a provider, or may yet: as long as none is connected, nobody knows.
pub(super) async fn is_needed(store: Option<&Arc<dyn Store>>) -> bool {
    let Some(store) = store else { return true };
    let Ok(rows) = store.mailboxes().await else { return true };
    let signs_in = |row: &MailboxRow| {
        !MailboxSettings::parse(&row.settings).is_ok_and(|own| own.sign_in == SignIn::Password)
    };
    rows.is_empty() || rows.iter().any(signs_in)
}

pub(super) async fn look(apps: &Apps, http: &Http, now: Timestamp, is_needed: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    for app in apps.iter() {
        lines.extend(look_at(app, http, now).await);
    }
    lines.extend(apps.microsoft().map(|app| secret(app, now)));
    if lines.is_empty() && !is_needed {
        lines.push(Line::ok(TOPIC, "No app is registered, and no mailbox needs one."));
    }
    if lines.is_empty() {
        let to_do = "Enter the app registration at /admin/exchange/apps, or set `microsoft.clientId`, \
                     `clientSecret` and `tenantId`, or `google.clientId` and `clientSecret`.";
        lines.push(Line::warning(TOPIC, "No app registration is configured.", to_do));
    }
    lines
}

async fn look_at(app: &App, http: &Http, now: Timestamp) -> Vec<Line> {
    let (topic, found, to_do) = match app.vendor() {
        Vendor::Microsoft => (
            TOPIC,
            "It knows the tenant and answers.",
            "Check `microsoft.tenantId`, and that this machine may call login.microsoftonline.com.",
        ),
        Vendor::Google => (
            GOOGLE,
            "It answers; whether it knows the client id shows at a sign-in.",
            "Check that this machine may call accounts.google.com, oauth2.googleapis.com and www.googleapis.com.",
        ),
    };
    match discover(&**http, app).await {
        Ok(_) => vec![Line::ok(topic, found), clock(http, app.metadata_url().as_str(), now).await],
        Err(error) => vec![Line::problem(topic, format!("{}.", Report(&error)), to_do)],
    }
}

async fn clock(http: &Http, url: &str, now: Timestamp) -> Line {
    let request = Request::get(url).body(Bytes::new()).expect("a URL makes a request");
    match http.call(request, 1 << 20).await {
        Ok(answer) => clock_line(CLOCK, answer.headers(), now),
        Err(_) => Line::cannot_tell(CLOCK, "It did not answer again.", ""),
    }
}

/// Whether the client secret lasts. When it ends is told by the registration's own page only.
fn secret(app: &MicrosoftApp, now: Timestamp) -> Line {
    const TO_DO: &str = "Create a new client secret; enter its Value and its day at /admin/exchange/apps, or set them and restart.";
    let Some((end, life)) = app.secret_life(now) else {
        let to_do = "Set `microsoft.clientSecretExpires`, or the day at /admin/exchange/apps, to the date in \
                     Entra's column Expires.";
        return Line::cannot_tell(SECRET, "When it ends is not told here.", to_do);
    };
    let days = end.since(now).as_secs() / 86_400;
    match life {
        SecretLife::Long => Line::ok(SECRET, format!("It ends at {end}, in {days} days.")),
        SecretLife::Ending => Line::warning(SECRET, format!("It ends at {end}, in {days} days."), TO_DO),
        SecretLife::Over => Line::problem(SECRET, format!("It ended at {end}."), TO_DO),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use url::Url;

    use super::*;
    use crate::app::doctor::State;

    #[test]
    fn a_client_secret_is_warned_of_before_it_ends() {
        const NOW: Timestamp = Timestamp(1_795_219_200_000);
        const DAY: Duration = Duration::from_secs(86_400);
        for (end, state) in [
            (None, State::CannotTell),
            (Some(NOW + 31 * DAY), State::Ok),
            (Some(NOW + 29 * DAY), State::Warning),
            (Some(NOW), State::Problem),
        ] {
            let app = MicrosoftApp {
                client_id: "app".into(),
                client_secret: "canary".into(),
                secret_expires: end,
                tenant: "contoso.example".into(),
                authority: Url::parse("https://login.example").expect("a URL"),
                graph: Url::parse("https://graph.example").expect("a URL"),
            };
            let line = secret(&app, NOW);
            assert_eq!(line.state, state, "{line}");
            assert!(!line.to_string().contains("canary"));
        }
    }
}
