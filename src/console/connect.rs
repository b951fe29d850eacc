//! Leaving for the provider: makes a flow and shows the way.
//!
//! A redirect to another origin after a POST is blocked by `form-action 'self'`, so the answer is a
//! page that goes on by itself.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::Deserialize;
use tracing::{info, warn};
use url::Url;

use crate::base::audit::{Event, Outcome};
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::console::guard::{Change, Client, Reader, Submitted};
use crate::console::language::Texts;
use crate::console::page::{self, Bare, Onward, Page};
use crate::console::shared::Shared;
use crate::console::wizard::name_of;
use crate::mailbox::settings::{MailboxSettings, Provider, SignIn};
use crate::oauth::app::App;
use crate::oauth::discovery::discover;
use crate::oauth::flow::{Pending, Start, Wanted};
use crate::oauth::provider::redirect_uri;
use crate::oauth::source::Resource;
use crate::store::{FlowRow, MailboxRow};
use crate::token::vault::VaultError;
use crate::web::local::Admin;

/// Open flows: of one session, and of all together (memory bound).
const FLOWS_OF_A_SESSION: u32 = 5;
const FLOWS_IN_ALL: u32 = 100;

/// A sign-in that is about to begin.
pub struct Leaving {
    pub provider: Provider,
    /// What the mailbox will be opened by.
    pub resource: Resource,
    pub wanted: Wanted,
}

impl Leaving {
    /// By what the provider's mailboxes are usually opened by.
    pub fn usual(provider: Provider, wanted: Wanted) -> Self {
        let resource = MailboxSettings { provider, ..MailboxSettings::default() }.resource();
        Self { provider, resource, wanted }
    }
}

/// Whose sign-in was chosen.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    provider: Provider,
}

/// POST `/admin/exchange/connect`.
pub async fn start(
    State(shared): State<Arc<Shared>>,
    Reader(t): Reader,
    client: Client,
    Submitted(admin, Chosen { provider }): Submitted<Chosen>,
) -> Result<Page, Page> {
    let leaving = Leaving::usual(provider, shared.newcomer());
    let url = begin_sign_in(&shared, &client, &admin, leaving).await?;
    Ok(leave(&url, provider, &t))
}

/// POST `/admin/exchange/mailboxes/{id}/connect`: a connected mailbox's sign-in, once more.
pub async fn again(
    State(shared): State<Arc<Shared>>,
    Reader(t): Reader,
    Path(id): Path<String>,
    client: Client,
    Change(admin): Change,
) -> Result<Page, Page> {
    let row = shared.mailbox(&id).await?;
    let leaving = same_account(&row)?;
    let provider = leaving.provider;
    let url = begin_sign_in(&shared, &client, &admin, leaving).await?;
    Ok(leave(&url, provider, &t))
}

/// Whose sign-in keeps a mailbox what it is.
pub fn same_account(row: &MailboxRow) -> Result<Leaving, Page> {
    let settings = MailboxSettings::parse(&row.settings).map_err(|refused| Shared::broken(&refused))?;
    if settings.sign_in == SignIn::Password {
        return Err(page::problem(StatusCode::CONFLICT, &page::NOT_CONFIGURED));
    }
    let address = row.address.clone();
    let wanted = if settings.shared { Wanted::Member(address) } else { Wanted::Owner(address) };
    Ok(Leaving { provider: settings.provider, resource: settings.resource(), wanted })
}

/// Starts a sign-in at the provider: where the browser has to go.
pub async fn begin_sign_in(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    leaving: Leaving,
) -> Result<Url, Page> {
    let started = make_flow(shared, admin, leaving).await;
    let outcome = if started.is_ok() { Outcome::Success } else { Outcome::Failure };
    shared.note(client, admin, Event::OauthStart, outcome, "");
    started
}

async fn make_flow(shared: &Shared, admin: &Admin, leaving: Leaving) -> Result<Url, Page> {
    let Leaving { provider, resource, wanted } = leaving;
    // Elsewhere the account's own mailbox would be taken for the shared one.
    if matches!(wanted, Wanted::Member(_)) && resource != Resource::Graph {
        return Err(page::problem(StatusCode::BAD_REQUEST, &page::BAD_FORM));
    }
    let parts = &shared.parts;
    let app = provider.vendor().and_then(|vendor| parts.apps.of(vendor));
    let (Some(app), Some(public_url)) = (app, &parts.public_url) else {
        return Err(page::problem(StatusCode::CONFLICT, not_configured(provider)));
    };
    let start = Start { redirect_uri: redirect_uri(public_url), wanted, resource, session: admin.session };
    let (pending, authorize_url) = begin(shared, app, start).await?;
    keep(shared, &pending, &admin.session).await?;
    info!(flow = pending.id, "sign-in at the provider started");
    Ok(authorize_url)
}

fn not_configured(provider: Provider) -> &'static page::Problem {
    match provider {
        Provider::Google => &page::NO_GOOGLE_CLIENT,
        Provider::Microsoft | Provider::Other => &page::NOT_CONFIGURED,
    }
}

async fn begin(shared: &Shared, app: &App, start: Start) -> Result<(Pending, Url), Page> {
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
