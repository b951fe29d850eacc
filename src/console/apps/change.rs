//! The page on which a registration is entered or changed.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::console::apps::entered::{Entered, Problems};
use crate::console::apps::form::{AppForm, Asking};
use crate::console::apps::{self, Kept, changeable, keep};
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::oauth::app::{App, Vendor};
use crate::oauth::provider::redirect_uri;
use crate::oauth::source::Resource;
use crate::token::registrations::Entered as Stored;

#[derive(Template)]
#[template(path = "apps/change.html")]
struct ChangePage {
    frame: Frame,
    redirect_uri: Option<String>,
    form: AppForm,
    /// Addresses that have to be connected again if the client id changes.
    mailboxes: Vec<String>,
}

/// GET `/admin/exchange/apps/{vendor}`.
pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(word): Path<String>,
) -> Result<Page, Page> {
    let vendor = changeable(&shared, &word)?;
    page(&shared, frame, vendor, None, StatusCode::OK).await
}

/// POST `/admin/exchange/apps/{vendor}`.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(word): Path<String>,
    client: Client,
    Submitted(admin, entered): Submitted<Entered>,
) -> Result<Response, Page> {
    let vendor = changeable(&shared, &word)?;
    let (shown, status) = match keep(&shared, &client, &admin, vendor, &entered).await? {
        Kept::Done => return Ok(page::see_other(apps::PATH)),
        Kept::Refused(problems) => (Some((entered, problems)), StatusCode::UNPROCESSABLE_ENTITY),
        Kept::Overtaken => (None, StatusCode::CONFLICT),
    };
    Ok(page(&shared, frame, vendor, shown, status).await?.into_response())
}

/// With what was entered and is wrong, or with what is stored.
async fn page(
    shared: &Shared,
    frame: Frame,
    vendor: Vendor,
    entered: Option<(Entered, Problems)>,
    status: StatusCode,
) -> Result<Page, Page> {
    let stored =
        shared.parts.registrations.entered(vendor).await.map_err(|failure| Shared::broken(&failure))?;
    let app = stored.as_ref().and_then(app_of);
    let mark = stored.as_ref().map_or("", |stored| &stored.mark);
    let (entered, problems) = entered.unwrap_or_else(|| {
        let entered = app.map_or_else(|| Entered::nothing("", mark), |app| Entered::of(app, mark));
        (entered, Problems::default())
    });
    let asking = Asking {
        vendor,
        action: apps::path_of(vendor),
        personal: false,
        scopes: usual_scopes(vendor),
        has_secret: app.is_some(),
        overtaken: status == StatusCode::CONFLICT,
        problems: &problems,
    };
    let page = ChangePage {
        redirect_uri: shared.parts.public_url.as_ref().map(|url| redirect_uri(url).to_string()),
        mailboxes: shared.connected_by(app).await?,
        form: AppForm::new(&entered, asking, &frame.t),
        frame,
    };
    Ok(Page::console(status, &page))
}

fn app_of(stored: &Stored) -> Option<&App> {
    stored.registration.as_ref().ok().map(|registration| &registration.app)
}

/// The permissions that a mailbox at the provider usually needs.
fn usual_scopes(vendor: Vendor) -> &'static [&'static str] {
    vendor.scopes(match vendor {
        Vendor::Microsoft => Resource::Graph,
        Vendor::Google => Resource::Mail,
    })
}

impl Shared {
    /// The addresses of the mailboxes that were connected by an app.
    pub async fn connected_by(&self, app: Option<&App>) -> Result<Vec<String>, Page> {
        let Some(app) = app else { return Ok(Vec::new()) };
        let rows = self.parts.keeper.granted_to(app.vendor(), app.client_id()).await;
        let rows = rows.map_err(|failure| Self::broken(&failure))?;
        Ok(rows.into_iter().map(|row| row.address).collect())
    }
}
