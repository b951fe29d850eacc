//! Step 3: leaving for the provider's sign-in, or the servers and a password.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;

use crate::console::advice::{About, Explained};
use crate::console::connect::{Leaving, begin_sign_in, leave};
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard::draft::{Draft, State as At, Step, Stored};
use crate::console::wizard::drafts;
use crate::console::wizard::links::links;
use crate::console::wizard::manual;
use crate::console::wizard::rail::{Mark, rail};
use crate::mailbox::settings::{MailboxSettings, Provider};
use crate::oauth::advice::advise_pasted;
use crate::oauth::app::Vendor;
use crate::oauth::flow::Wanted;
use crate::oauth::provider::redirect_uri;
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
    client_id: Option<String>,
    links: Vec<(&'static str, String)>,
    scopes: &'static [&'static str],
    /// Whether the address may be a mailbox that others share with who signs in.
    may_be_shared: bool,
    pasted: String,
    advice: Option<Explained>,
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
        Ok(stored) if stored.draft.state == At::Manual => manual::page(frame, stored).into_response(),
        Ok(stored) => page(&shared, frame, stored, shared.other_host(&headers, &uri), None).into_response(),
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
        return Ok(page(&shared, frame, stored, host, Some(pasted)).into_response());
    }
    if stored.version != pressed.version {
        return Ok(page::see_other(&drafts::path_of(&id, Step::Connect)));
    }
    let t = frame.t.clone();
    stored.draft.settings.shared = pressed.shared.is_some() && may_be_shared(&stored.draft.settings);
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

fn page(
    shared: &Shared,
    frame: Frame,
    stored: Stored,
    other_host: Option<String>,
    pasted: Option<String>,
) -> Page {
    let public = shared.parts.public_url.as_ref();
    let provider = stored.draft.settings.provider;
    let client_id = shared.client_id(provider);
    let about = About { client_id: client_id.as_deref(), provider: Some(provider), mailbox: None };
    let explain = |text: &str| Explained::of(&advise_pasted(text), "", about, &frame.t);
    let page = ConnectPage {
        rail: rail(&stored.id, Some(&stored.draft), Step::Connect),
        provider: name_of(provider),
        redirect_uri: public.map(|url| redirect_uri(url).to_string()),
        other_host,
        links: links(provider, client_id.as_deref()),
        scopes: scopes(&stored.draft.settings),
        may_be_shared: may_be_shared(&stored.draft.settings),
        advice: pasted.as_deref().map(explain),
        pasted: pasted.unwrap_or_default(),
        client_id,
        id: stored.id,
        version: stored.version,
        draft: stored.draft,
        frame,
    };
    Page::console(StatusCode::OK, &page)
}

fn scopes(settings: &MailboxSettings) -> &'static [&'static str] {
    settings.provider.vendor().map_or(&[], |vendor| vendor.scopes(settings.resource()))
}

/// Only Graph opens a mailbox for somebody else than its owner.
fn may_be_shared(settings: &MailboxSettings) -> bool {
    settings.resource() == Resource::Graph
}

/// As people call the provider.
pub fn name_of(provider: Provider) -> &'static str {
    provider.vendor().map_or("", Vendor::name)
}
