//! Keeping a registration that was entered: its values are judged, the provider is asked what it says of them, and
//! from then on everybody uses it.

use tracing::info;

use crate::base::audit::Outcome;
use crate::console::apps::entered::{Entered, Name, Problems};
use crate::console::apps::trial::{self, Directory, Trial};
use crate::console::guard::Client;
use crate::console::limits::Work;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::oauth::app::Vendor;
use crate::oauth::trial::{Fault, Verdict, fault};
use crate::token::registrations::{Changed, Registration};
use crate::web::local::Admin;

/// What came of what was entered.
pub enum Kept {
    Done,
    Refused(Problems),
    /// Somebody else has changed the registration since the form was made.
    Overtaken,
}

/// Keeps what was entered for `vendor`.
pub async fn keep(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    vendor: Vendor,
    entered: &Entered,
) -> Result<Kept, Page> {
    let registrations = &shared.parts.registrations;
    let present = registrations.entered(vendor).await.map_err(|failure| Shared::broken(&failure))?;
    if present.as_ref().map_or("", |present| &present.mark) != entered.seen {
        return Ok(Kept::Overtaken);
    }
    let stored = present.and_then(|present| present.registration.ok()).map(|registration| registration.app);
    let now = shared.parts.clock.now();
    let app = match entered.read(vendor, registrations.locations(), stored.as_ref(), now) {
        Ok(app) => app,
        Err(problems) => return Ok(Kept::Refused(problems)),
    };
    shared.admit(client, admin, Work::Test)?;
    let doubts = doubts(&trial::hold(shared, &app).await);
    if let Some(problem) = doubts.filter(|_| entered.despite.is_none()) {
        return Ok(Kept::Refused(Problems { fields: vec![problem], by_provider: true }));
    }
    let renews = stored.is_some_and(|stored| stored.client_id() == app.client_id());
    let registration = Registration { app, set_at: now, set_by: admin.name.clone() };
    let changed = registrations.keep(&registration, &entered.seen).await;
    if changed.map_err(|failure| Shared::broken(&failure))? == Changed::Overtaken {
        return Ok(Kept::Overtaken);
    }
    info!(provider = vendor.word(), renews, "an app registration was entered");
    shared.note_action(client, admin, Outcome::Success, detail(vendor, renews), None);
    shared.settle_registrations().await?;
    Ok(Kept::Done)
}

impl Shared {
    /// After a change of the registrations: what follows for mailboxes, and the worker looks again.
    pub async fn settle_registrations(&self) -> Result<(), Page> {
        self.parts.keeper.settle().await.map_err(|failure| Self::broken(&failure))?;
        self.parts.worker.ring();
        Ok(())
    }
}

/// The field that the provider finds wrong, and its message key. A provider that does not answer now is no reason
/// to refuse.
fn doubts(trial: &Trial) -> Option<(Name, &'static str)> {
    let fault = match trial {
        Trial::Judged { verdict: Ok(Verdict::Refused(refusal)), .. } => fault(refusal)?,
        Trial::Unreachable { directory: Directory::Unknown, .. } => Fault::Tenant,
        Trial::Judged { .. } | Trial::Unreachable { .. } => return None,
    };
    Some(match fault {
        Fault::Tenant => (Name::Tenant, "app-tenant-unknown"),
        Fault::ClientId => (Name::ClientId, "app-id-unknown"),
        Fault::Secret => (Name::ClientSecret, "app-secret-refused"),
        Fault::SecretEnded => (Name::ClientSecret, "app-secret-ended"),
        Fault::IdOrSecret => (Name::ClientSecret, "app-not-taken"),
    })
}

pub(super) fn detail(vendor: Vendor, renews: bool) -> &'static str {
    match (vendor, renews) {
        (Vendor::Microsoft, false) => "app registration at Microsoft entered",
        (Vendor::Microsoft, true) => "app registration at Microsoft renewed",
        (Vendor::Google, false) => "app registration at Google entered",
        (Vendor::Google, true) => "app registration at Google renewed",
    }
}
