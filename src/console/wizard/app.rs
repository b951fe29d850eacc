//! Registering an app from within the wizard, where there is none yet at the mailbox's provider.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};

use crate::console::apps::{AppForm, Asking, Entered, Kept, Problems, keep};
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::language::Texts;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard::connect::{self, Showing, has_personal_address, scopes};
use crate::console::wizard::draft::{Step, Stored};
use crate::console::wizard::drafts;
use crate::oauth::app::Vendor;
use crate::oauth::consent::PERSONAL;

/// POST `/admin/exchange/setup/{id}/app`. What somebody else has entered meanwhile is shown by the step.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
    client: Client,
    headers: HeaderMap,
    uri: Uri,
    Submitted(admin, entered): Submitted<Entered>,
) -> Result<Response, Page> {
    let stored = match drafts::open(&shared, &id, Step::Connect).await {
        Ok(stored) => stored,
        Err(response) => return Ok(response),
    };
    let vendor = stored.draft.settings.provider.vendor();
    let vendor = vendor.ok_or_else(|| page::problem(StatusCode::BAD_REQUEST, &page::BAD_FORM))?;
    let step = || page::see_other(&drafts::path_of(&id, Step::Connect));
    if shared.apps().await?.of(vendor).is_some() {
        return Ok(step());
    }
    match keep(&shared, &client, &admin, vendor, &entered).await? {
        Kept::Done | Kept::Overtaken => Ok(step()),
        Kept::Refused(problems) => {
            let host = shared.other_host(&headers, &uri);
            let showing = Showing::Refused(entered, problems);
            Ok(connect::page(&shared, frame, stored, host, showing).await?.into_response())
        }
    }
}

/// The form, where no app is registered at the provider of the draft.
pub async fn form(
    shared: &Shared,
    stored: &Stored,
    entered: Option<(Entered, Problems)>,
    t: &Texts,
) -> Result<Option<AppForm>, Page> {
    let Some(vendor) = stored.draft.settings.provider.vendor() else { return Ok(None) };
    if shared.parts.registrations.apps().of(vendor).is_some() {
        return Ok(None);
    }
    // What was entered and cannot be opened is written over.
    let present = shared.parts.registrations.entered(vendor).await;
    let present = present.map_err(|failure| Shared::broken(&failure))?;
    let mark = present.as_ref().map_or("", |present| &present.mark);
    let (entered, problems) = entered.unwrap_or_else(|| {
        let tenant = if vendor == Vendor::Microsoft { likely_tenant(stored) } else { "" };
        (Entered::nothing(tenant, mark), Problems::default())
    });
    let asking = Asking {
        vendor,
        action: format!("{}/{}/app", crate::console::wizard::PATH, stored.id),
        personal: has_personal_address(&stored.draft),
        scopes: scopes(&stored.draft.settings),
        has_secret: false,
        overtaken: false,
        problems: &problems,
    };
    Ok(Some(AppForm::new(&entered, asking, t)))
}

/// The mailbox's domain is one of the organisation's; whether Microsoft knows it shows when it is saved.
fn likely_tenant(stored: &Stored) -> &str {
    match has_personal_address(&stored.draft) {
        true => PERSONAL,
        false => stored.draft.domain(),
    }
}
