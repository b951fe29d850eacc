//! What every console page has around its content: language, style, where the reader is, who signed in,
//! and what needs an administrator now.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::base::clock::Timestamp;
use crate::console::assets;
use crate::console::guard::Proof;
use crate::console::language::Texts;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::store::{MailboxState, QueueCounts};
use crate::web::local::Admin;

/// Entries of the navigation: message key and path.
const NAVIGATION: [(&str, &str); 4] = [
    ("nav-overview", crate::console::PATH),
    ("nav-setup", crate::console::wizard::PATH),
    ("nav-queues", crate::console::queues::PATH),
    ("nav-quarantine", crate::console::quarantine::PATH),
];

/// A verified admin who looks at a console page.
pub struct Frame {
    pub t: Arc<Texts>,
    pub admin: Arc<Admin>,
    /// Path of the style sheet.
    pub style: String,
    /// Goes into the hidden field `token` of every form.
    pub form_token: String,
    pub now: Timestamp,
    pub alarms: Vec<Alarm>,
    /// What waits and what stands still now.
    pub counts: QueueCounts,
    path: String,
}

/// A mailbox that an administrator has to connect again.
pub struct Alarm {
    pub address: String,
    pub since: Option<Moment>,
    pub reason: String,
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
        let waiting = counts.inbound_waiting + counts.outgoing_waiting;
        let failed = counts.inbound_failed + counts.outgoing_failed;
        match key {
            "nav-queues" if waiting + failed > 0 => {
                let say = self.t.say("nav-queues.counts").set("waiting", waiting);
                Some(say.set("failed", failed).to_string())
            }
            "nav-quarantine" if counts.inbound_failed > 0 => Some(counts.inbound_failed.to_string()),
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
        let rows = shared.parts.store.mailboxes().await.map_err(|failure| Shared::broken(&failure))?;
        let counts = shared.parts.store.queue_counts().await.map_err(|failure| Shared::broken(&failure))?;
        let dead = rows.into_iter().filter(|row| row.state == MailboxState::NeedsReconnect);
        let alarms = dead.map(|row| Alarm {
            since: row.failing_since.map(|at| Moment::at(at, now, &t)),
            reason: row.last_error.unwrap_or_else(|| t.say("reason-unknown").to_string()),
            address: row.address,
        });
        Ok(Self {
            alarms: alarms.collect(),
            counts,
            style: assets::path(),
            form_token: shared.form_token(&admin),
            path: parts.uri.path().to_owned(),
            t,
            admin,
            now,
        })
    }
}
