//! Step 3: leaving for the provider's sign-in, or the servers and a password.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;

use crate::console::advice::{About, Explained};
use crate::console::apps::{AppForm, Entered, Problems};
use crate::console::connect::{Leaving, begin_sign_in, leave};
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard::app;
use crate::console::wizard::draft::{Draft, Step, Stored};
use crate::console::wizard::drafts;
use crate::console::wizard::links::links;
use crate::console::wizard::manual;
use crate::console::wizard::rail::{Mark, rail};
use crate::mailbox::settings::{MailboxSettings, Provider, SignIn};
use crate::oauth::advice::advise_pasted;
use crate::oauth::app::Vendor;
use crate::oauth::consent::is_personal;
use crate::oauth::flow::Wanted;
use crate::oauth::provider::redirect_uri;
use crate::oauth::registration::{Slip, slips};
use crate::oauth::source::Resource;

#[derive(Template)]
#[template(path = "wizard/connect.html")]
struct ConnectPage {
    frame: Frame,
    rail: Vec<Mark>,
    id: String,
    version: i64,
    draft: Draft,
    provider: &'static str,
    /// `None`: nothing can be connected before the public address is configured.
    redirect_uri: Option<String>,
    /// How the browser reached this page, when the provider will send it elsewhere.
    other_host: Option<String>,
    links: Vec<(&'static str, String)>,
    /// Message keys of what is wrong with the registration for this address, as far as it shows.
    cautions: Vec<&'static str>,
    /// The link for an administrator of the tenant who agrees for everybody.
    consent: Option<String>,
    scopes: &'static [&'static str],
    /// Whether the address may be a mailbox that others share with who signs in.
    may_be_shared: bool,
    pasted: String,
    advice: Option<Explained>,
    /// Where no app is registered yet.
    form: Option<AppForm>,
}

impl ConnectPage {
    fn is_wrong(&self) -> bool {
        self.form.as_ref().is_some_and(AppForm::is_wrong)
    }
}

/// What the page shows besides the step itself.
pub enum Showing {
    Step,
    /// An error that the provider showed, and what it means.
    Pasted(String),
    /// What was entered for a registration, and is wrong.
    Refused(Entered, Problems),
}

#[derive(Deserialize)]
pub struct Pressed {
    version: i64,
    /// Present when the address is a shared mailbox.
    shared: Option<String>,
    /// An error that the provider showed instead of coming back.
    pasted: Option<String>,
}

/// GET `/admin/exchange/setup/{id}/connect`.
pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match drafts::open(&shared, &id, Step::Connect).await {
        Ok(stored) if stored.draft.settings.sign_in == SignIn::Password => {
            manual::page(frame, stored).into_response()
        }
        Ok(stored) => {
            let host = shared.other_host(&headers, &uri);
            page(&shared, frame, stored, host, Showing::Step).await.into_response()
        }
        Err(response) => response,
    }
}

/// POST `/admin/exchange/setup/{id}/connect`.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
    client: Client,
    headers: HeaderMap,
    uri: Uri,
    Submitted(admin, pressed): Submitted<Pressed>,
) -> Result<Response, Page> {
    let mut stored = match drafts::open(&shared, &id, Step::Connect).await {
        Ok(stored) => stored,
        Err(response) => return Ok(response),
    };
    if let Some(pasted) = pressed.pasted {
        let host = shared.other_host(&headers, &uri);
        return Ok(page(&shared, frame, stored, host, Showing::Pasted(pasted)).await?.into_response());
    }
    if stored.version != pressed.version {
        return Ok(page::see_other(&drafts::path_of(&id, Step::Connect)));
    }
    let t = frame.t.clone();
    stored.draft.settings.shared = pressed.shared.is_some() && may_be_shared(&shared, &stored.draft.settings);
    let saved = drafts::save(&shared, &stored).await;
    if saved.status().is_server_error() {
        return Ok(saved);
    }
    let Draft { address, settings, .. } = stored.draft;
    let wanted = if settings.shared { Wanted::Member(address) } else { Wanted::Owner(address) };
    let leaving = Leaving { provider: settings.provider, resource: settings.resource(), wanted };
    let url = begin_sign_in(&shared, &client, &admin, leaving).await?;
    Ok(leave(&url, settings.provider, &t).into_response())
}

pub async fn page(
    shared: &Shared,
    frame: Frame,
    stored: Stored,
    other_host: Option<String>,
    showing: Showing,
) -> Result<Page, Page> {
    let (pasted, entered) = match showing {
        Showing::Step => (None, None),
        Showing::Pasted(pasted) => (Some(pasted), None),
        Showing::Refused(entered, problems) => (None, Some((entered, problems))),
    };
    let status = if entered.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let form = app::form(shared, &stored, entered, &frame.t).await?;
    let public = shared.parts.public_url.as_ref();
    let provider = stored.draft.settings.provider;
    let client_id = shared.client_id(provider);
    let consent = shared.consent_for(&stored.draft.settings, &stored.draft.address);
    let about = About {
        client_id: client_id.as_deref(),
        consent: consent.as_deref(),
        provider: Some(provider),
        mailbox: None,
    };
    let explain = |text: &str| Explained::of(&advise_pasted(text), "", about, &frame.t);
    let page = ConnectPage {
        rail: rail(&stored.id, Some(&stored.draft), Step::Connect),
        provider: name_of(provider),
        redirect_uri: public.map(|url| redirect_uri(url).to_string()),
        other_host,
        links: links(provider, client_id.as_deref()),
        scopes: scopes(&stored.draft.settings),
        may_be_shared: may_be_shared(shared, &stored.draft.settings),
        advice: pasted.as_deref().map(explain),
        pasted: pasted.unwrap_or_default(),
        cautions: cautions(shared, &stored.draft),
        consent,
        form,
        id: stored.id,
        version: stored.version,
        draft: stored.draft,
        frame,
    };
    Ok(Page::console(status, &page))
}

/// What would end at the provider's error page, or very likely so.
fn cautions(shared: &Shared, draft: &Draft) -> Vec<&'static str> {
    let vendor = draft.settings.provider.vendor();
    let apps = shared.parts.registrations.apps();
    let app = vendor.and_then(|vendor| apps.of(vendor));
    let admits_personal = app.map(is_personal);
    let kind = match (vendor, admits_personal, has_personal_address(draft)) {
        (Some(Vendor::Microsoft), Some(false), true) => Some("caution-personal"),
        (Some(Vendor::Microsoft), None, true) => Some("caution-personal-new"),
        (Some(Vendor::Microsoft), Some(true), false) => Some("caution-organisation"),
        _ => None,
    };
    kind.into_iter().chain(app.map(slips).into_iter().flatten().map(Slip::key)).collect()
}

/// Whether the address is one of outlook.com and its like.
pub fn has_personal_address(draft: &Draft) -> bool {
    draft.found.warnings.iter().any(|code| code == "personalAccount")
}

pub fn scopes(settings: &MailboxSettings) -> &'static [&'static str] {
    settings.provider.vendor().map_or(&[], |vendor| vendor.scopes(settings.resource()))
}

/// Only Graph opens a mailbox for somebody else than its owner, and only inside an organisation.
fn may_be_shared(shared: &Shared, settings: &MailboxSettings) -> bool {
    let apps = shared.parts.registrations.apps();
    let app = apps.of(Vendor::Microsoft);
    settings.resource() == Resource::Graph && !app.is_some_and(is_personal)
}

/// As people call the provider.
pub fn name_of(provider: Provider) -> &'static str {
    provider.vendor().map_or("", Vendor::name)
}
