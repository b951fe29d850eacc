//! Leaving for the provider: makes a flow and shows the way.
//!
//! A redirect to another origin after a POST is blocked by `form-action 'self'`, so the answer is a
//! page that goes on by itself.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use tracing::{info, warn};
use url::Url;

use crate::base::audit::{Event, Outcome};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::console::guard::{Change, Client, Reader};
use crate::console::language::Texts;
use crate::console::page::{self, Bare, Onward, Page};
use crate::console::shared::Shared;
use crate::console::wizard::name_of;
use crate::mailbox::settings::Provider;
use crate::oauth::discovery::discover;
use crate::oauth::flow::{Pending, Start};
use crate::oauth::provider::{MicrosoftApp, redirect_uri};
use crate::store::FlowRow;
use crate::token::vault::VaultError;
use crate::web::local::Admin;

/// Open flows: of one session, and of all together (memory bound).
const FLOWS_OF_A_SESSION: u32 = 5;
const FLOWS_IN_ALL: u32 = 100;

/// POST `/admin/exchange/connect`.
pub async fn start(
    State(shared): State<Arc<Shared>>,
    Reader(t): Reader,
    client: Client,
    Change(admin): Change,
) -> Result<Page, Page> {
    let wanted = Wanted { provider: Provider::Microsoft, address: shared.wanted_address().await? };
    let url = begin_sign_in(&shared, &client, &admin, wanted).await?;
    Ok(leave(&url, Provider::Microsoft, &t))
}

/// Which account is to sign in.
pub struct Wanted {
    pub provider: Provider,
    /// Nobody else is accepted; anybody where it is `None`.
    pub address: Option<String>,
}

/// Starts a sign-in at the provider: where the browser has to go.
pub async fn begin_sign_in(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    wanted: Wanted,
) -> Result<Url, Page> {
    let started = make_flow(shared, admin, wanted).await;
    let outcome = if started.is_ok() { Outcome::Success } else { Outcome::Failure };
    shared.note(client, admin, Event::OauthStart, outcome, "");
    started
}

async fn make_flow(shared: &Shared, admin: &Admin, wanted: Wanted) -> Result<Url, Page> {
    let parts = &shared.parts;
    let microsoft = parts.microsoft.as_ref().filter(|_| wanted.provider == Provider::Microsoft);
    let (Some(microsoft), Some(public_url)) = (microsoft, &parts.public_url) else {
        return Err(page::problem(StatusCode::CONFLICT, &page::NOT_CONFIGURED));
    };
    let start = Start {
        redirect_uri: redirect_uri(public_url),
        wanted_address: wanted.address,
        session: admin.session,
    };
    let (pending, authorize_url) = begin(shared, &microsoft.app, start).await?;
    keep(shared, &pending, &admin.session).await?;
    info!(flow = pending.id, "sign-in at the provider started");
    Ok(authorize_url)
}

async fn begin(shared: &Shared, app: &MicrosoftApp, start: Start) -> Result<(Pending, Url), Page> {
    let endpoints = discover(&*shared.parts.http, app).await.map_err(|failure| {
        warn!(error = %Report(&failure), "the provider's endpoints are not known");
        page::problem(StatusCode::BAD_GATEWAY, &page::PROVIDER_SILENT)
    })?;
    Ok(start.begin(app, endpoints, shared.parts.clock.now()))
}

async fn keep(shared: &Shared, pending: &Pending, session: &[u8; 32]) -> Result<(), Page> {
    let now = shared.parts.clock.now();
    let row = flow_row(shared, pending, session, now).await.map_err(|failure| Shared::broken(&failure))?;
    let started = shared.parts.store.start_flow(&row, now, FLOWS_OF_A_SESSION, FLOWS_IN_ALL).await;
    match started.map_err(|failure| Shared::broken(&failure))? {
        true => Ok(()),
        false => Err(page::problem(StatusCode::TOO_MANY_REQUESTS, &page::TOO_MANY)),
    }
}

async fn flow_row(
    shared: &Shared,
    pending: &Pending,
    session: &[u8; 32],
    now: Timestamp,
) -> Result<FlowRow, VaultError> {
    Ok(FlowRow {
        id: pending.id.clone(),
        state_hash: pending.state_hash().to_vec(),
        session: session.to_vec(),
        sealed: shared.vault.seal(&pending.id, "flow", 0, &pending.to_bytes()).await?,
        created_at: now,
        expires_at: pending.expires_at(),
        parked: None,
        parked_at: None,
    })
}

/// The page that leads to the provider.
pub fn leave(authorize_url: &Url, provider: Provider, t: &Texts) -> Page {
    let say = |key: &str| t.say(key).set("provider", name_of(provider)).to_string();
    let (title, sentence, label) = (say("leave"), say("leave.sentence"), say("leave.onward"));
    let onward = Some(Onward { url: authorize_url.as_str(), label: &label });
    Page::oauth(StatusCode::OK, &Bare { t, title: &title, sentence: &sentence, onward })
}
