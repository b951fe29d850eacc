//! What every console page has around its content: language, style, where the reader is, who signed in,
//! and what needs an administrator now.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::console::advice::{About, Noted};
use crate::console::assets;
use crate::console::guard::Proof;
use crate::console::language::Texts;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::console::wizard;
use crate::mailbox::settings::{MailboxSettings, Provider, SignIn};
use crate::oauth::advice::Place;
use crate::oauth::app::Vendor;
use crate::oauth::provider::SecretLife;
use crate::store::{MailboxRow, MailboxState, StoreError, Waiting};
use crate::web::local::Admin;

/// Entries of the navigation: message key and path.
const NAVIGATION: [(&str, &str); 8] = [
    ("nav-overview", crate::console::PATH),
    ("nav-setup", crate::console::wizard::PATH),
    ("nav-apps", crate::console::apps::PATH),
    ("nav-queues", crate::console::queues::PATH),
    ("nav-quarantine", crate::console::quarantine::PATH),
    ("nav-events", crate::console::events::PATH),
    ("nav-log", crate::console::journal::PATH),
    ("nav-diagnostics", crate::console::diagnostics::PATH),
];

/// A verified admin who looks at a console page.
pub struct Frame {
    pub t: Arc<Texts>,
    pub admin: Arc<Admin>,
    /// Path of the style sheet.
    pub style: String,
    /// Path of the script.
    pub script: String,
    /// Goes into the hidden field `token` of every form.
    pub form_token: String,
    pub now: Timestamp,
    pub alarms: Vec<Alarm>,
    pub secret_alarm: Option<SecretAlarm>,
    /// What waits and what stands still now.
    pub counts: Waiting,
    path: String,
}

/// A mailbox that an administrator has to connect again.
pub struct Alarm {
    pub id: String,
    pub address: String,
    pub since: Option<Moment>,
    /// Mails of both directions that wait for it.
    pub waiting: u64,
    pub reason: Noted,
    /// Whether the provider's sign-in opens it; a password otherwise.
    pub by_sign_in: bool,
}

/// A client secret that ends soon, or has ended.
pub struct SecretAlarm {
    pub ends: Moment,
    pub is_over: bool,
    /// Message key.
    pub key: &'static str,
    /// Where a new one is made.
    pub url: Option<String>,
    /// Where it is entered; `None` where the configuration names it.
    pub entered_at: Option<String>,
    /// What to do about it.
    pub to_do: String,
}

/// One entry of the navigation.
pub struct Entry {
    pub key: &'static str,
    pub path: &'static str,
    pub current: bool,
    /// What is to be seen there, in a few words.
    pub counts: Option<String>,
}

impl Frame {
    pub fn navigation(&self) -> Vec<Entry> {
        let entry = |(key, path)| Entry { key, path, current: self.path == path, counts: self.told(key) };
        NAVIGATION.map(entry).into()
    }

    fn told(&self, key: &str) -> Option<String> {
        let counts = &self.counts;
        let (waiting, failed) = (counts.mails(), counts.quarantined + counts.failed);
        match key {
            "nav-queues" if waiting + failed > 0 => {
                let say = self.t.say("nav-queues.counts").set("waiting", waiting);
                Some(say.set("failed", failed).to_string())
            }
            "nav-quarantine" if counts.quarantined > 0 => Some(counts.quarantined.to_string()),
            _ => None,
        }
    }

    /// When the page was made.
    pub fn made(&self) -> Moment {
        self.moment(self.now)
    }

    pub fn moment(&self, at: Timestamp) -> Moment {
        Moment::at(at, self.now, &self.t)
    }
}

impl FromRequestParts<Arc<Shared>> for Frame {
    type Rejection = Page;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Page> {
        let Proof(admin) = Proof::from_request_parts(parts, shared).await?;
        let t = shared.texts(parts.extensions.get::<Arc<Texts>>());
        let now = shared.parts.clock.now();
        let waiting = shared.parts.store.waiting().await.map_err(|failure| Shared::broken(&failure))?;
        let alarms = alarms(shared, &waiting, &t, now).await.map_err(|failure| Shared::broken(&failure))?;
        let secret_alarm = secret_alarm(shared, &t, now);
        Ok(Self {
            alarms,
            secret_alarm,
            counts: in_all(&waiting),
            style: assets::style(),
            script: assets::script(),
            form_token: shared.form_token(&admin),
            path: parts.uri.path().to_owned(),
            t,
            admin,
            now,
        })
    }
}

fn secret_alarm(shared: &Shared, t: &Texts, now: Timestamp) -> Option<SecretAlarm> {
    let apps = shared.parts.registrations.apps();
    let app = apps.microsoft()?;
    let (end, life) = app.secret_life(now)?;
    let is_ours = shared.parts.registrations.configured(Vendor::Microsoft).is_none();
    let key = match life {
        SecretLife::Long => return None,
        SecretLife::Ending => "secret-ends",
        SecretLife::Over => "secret-over",
    };
    Some(SecretAlarm {
        ends: Moment::at(end, now, t),
        is_over: life == SecretLife::Over,
        key,
        url: wizard::outside(Place::EntraSecrets, Some(&app.client_id)),
        entered_at: is_ours.then(|| crate::console::apps::path_of(Vendor::Microsoft)),
        to_do: match is_ours {
            true => t.say("secret-renew-here").to_string(),
            false => {
                let said = |setting, usual| shared.said_by(setting, usual);
                let secret = said("microsoft.clientSecret", "MICROSOFT_CLIENT_SECRET");
                let expires = said("microsoft.clientSecretExpires", "MICROSOFT_CLIENT_SECRET_EXPIRES");
                t.say("secret-renew").set("secret", secret).set("expires", expires).to_string()
            }
        },
    })
}

/// All mailboxes together.
fn in_all(waiting: &[(MailboxId, Waiting)]) -> Waiting {
    waiting.iter().fold(Waiting::default(), |sum, (_, one)| Waiting {
        inbound: sum.inbound + one.inbound,
        quarantined: sum.quarantined + one.quarantined,
        outgoing: sum.outgoing + one.outgoing,
        failed: sum.failed + one.failed,
        oldest: sum.oldest,
    })
}

/// Every mailbox that has to be connected again, and what waits for it.
async fn alarms(
    shared: &Shared,
    waiting: &[(MailboxId, Waiting)],
    t: &Texts,
    now: Timestamp,
) -> Result<Vec<Alarm>, StoreError> {
    let store = &shared.parts.store;
    let mut dead = store.mailboxes().await?;
    dead.retain(|row| row.state == MailboxState::NeedsReconnect);
    let alarm = |row: MailboxRow| Alarm {
        since: row.failing_since.map(|at| Moment::at(at, now, t)),
        waiting: waiting.iter().find(|(id, _)| *id == row.id).map_or(0, |(_, waiting)| waiting.mails()),
        by_sign_in: MailboxSettings::parse(&row.settings).is_ok_and(|own| own.sign_in == SignIn::OAuth),
        reason: noted(shared, &row, t),
        id: row.id.to_string(),
        address: row.address,
    };
    Ok(dead.into_iter().map(alarm).collect())
}

fn noted(shared: &Shared, row: &MailboxRow, t: &Texts) -> Noted {
    let client_id = shared.client_id(Provider::Microsoft);
    // What cannot be understood is told by the worker.
    let own = MailboxSettings::parse(&row.settings).ok();
    let consent = own.as_ref().and_then(|own| shared.consent_for(own, &row.address));
    let about = About {
        client_id: client_id.as_deref(),
        consent: consent.as_deref(),
        mailbox: Some(row.id.as_str()),
        provider: own.map(|own| own.provider),
    };
    let reason = row.last_error.clone();
    Noted::of(reason.unwrap_or_else(|| t.say("reason-unknown").to_string()), about, t)
}
