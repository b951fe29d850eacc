//! Removing a registration that was entered here, and the question before it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use tracing::info;

use crate::base::audit::Outcome;
use crate::console::apps::{self, vendor_of};
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::oauth::app::Vendor;
use crate::token::registrations::Changed;

#[derive(Template)]
#[template(path = "apps/remove.html")]
struct RemovePage {
    frame: Frame,
    vendor: &'static str,
    provider: &'static str,
    seen: String,
    /// The configuration names another one, which goes on.
    idle: bool,
    /// Addresses that lose their renewal.
    mailboxes: Vec<String>,
}

#[derive(Deserialize)]
pub struct Seen {
    seen: String,
}

/// GET `/admin/exchange/apps/{vendor}/remove`: what it would mean, and the button.
pub async fn confirm(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(word): Path<String>,
) -> Result<Page, Page> {
    let vendor = vendor_of(&word)?;
    let registrations = &shared.parts.registrations;
    let stored = registrations.entered(vendor).await.map_err(|failure| Shared::broken(&failure))?;
    let stored = stored.ok_or_else(|| page::problem(StatusCode::NOT_FOUND, &page::NO_APP_ENTERED))?;
    let idle = registrations.configured(vendor).is_some();
    let app = stored.registration.as_ref().ok().map(|registration| &registration.app).filter(|_| !idle);
    let page = RemovePage {
        vendor: vendor.word(),
        provider: vendor.name(),
        mailboxes: shared.connected_by(app).await?,
        seen: stored.mark,
        idle,
        frame,
    };
    Ok(Page::console(StatusCode::OK, &page))
}

/// POST `/admin/exchange/apps/{vendor}/remove`. A registration that somebody else has changed since stays.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    Path(word): Path<String>,
    client: Client,
    Submitted(admin, Seen { seen }): Submitted<Seen>,
) -> Result<Response, Page> {
    let vendor = vendor_of(&word)?;
    let removed = shared.parts.registrations.remove(vendor, &seen).await;
    if removed.map_err(|failure| Shared::broken(&failure))? == Changed::Overtaken {
        return Err(page::problem(StatusCode::CONFLICT, &page::APP_CHANGED));
    }
    info!(provider = vendor.word(), "an app registration was removed");
    shared.note_action(&client, &admin, Outcome::Success, detail(vendor), None);
    shared.settle_registrations().await?;
    Ok(page::see_other(apps::PATH))
}

pub(super) fn detail(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Microsoft => "app registration at Microsoft removed",
        Vendor::Google => "app registration at Google removed",
    }
}
