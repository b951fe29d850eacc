//! `/api/v1/exchange`: Microsoft 365 mailboxes as connections of a tenant and an app registration.
//!
//! The names and shapes are those of an earlier Exchange integration for this helpdesk. There is one app
//! registration, which the operator configures; a connection appears once its sign-in is finished.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::audit::Outcome;
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::console::advice::in_english;
use crate::console::api::parts::{Answer, Asking, Nothing, Ordered, Problems, Refused};
use crate::console::connect::{Leaving, begin_sign_in, same_account};
use crate::console::connected::KIND;
use crate::console::guard::Client;
use crate::console::manage;
use crate::console::shared::Shared;
use crate::mailbox::settings::Provider;
use crate::oauth::provider::MicrosoftApp;
use crate::store::{MailboxRow, MailboxState};
use crate::web::local::Admin;

/// The id of the connection that is not signed in yet.
const PENDING: &str = "pending";

/// How long a call waits for the worker's look at the mailbox.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(250);

/// A Microsoft 365 mailbox, or one that is about to be connected.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    id: String,
    /// The administrator who asks; connections belong to the installation.
    user_id: String,
    tenant_id: String,
    client_id: String,
    /// Whether mail is read and sent; `false` until signed in and after the grant died.
    is_active: bool,
    /// RFC 3339.
    created_at: String,
    updated_at: String,
    /// The mailbox; `null` until signed in.
    #[schema(required)]
    email: Option<String>,
    /// What is known of its tokens; never the tokens.
    tokens: Vec<Token>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    connection_id: String,
    /// Always empty.
    access_token: String,
    token_type: String,
    /// RFC 3339; `null` while no token is loaded.
    #[schema(required)]
    expires_at: Option<String>,
    /// Granted scopes, separated by spaces.
    scope: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct One {
    success: bool,
    connection: Connection,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Many {
    success: bool,
    connections: Vec<Connection>,
    total: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    success: bool,
    message: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewConnection {
    #[serde(default)]
    #[schema(required, min_length = 1)]
    tenant_id: String,
    #[serde(default)]
    #[schema(required, min_length = 1)]
    client_id: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Leave {
    success: bool,
    /// Where the browser has to go.
    auth_url: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// 1 to 200. The worker takes everything that waits; the limit is checked and has no further effect.
    #[serde(default = "fifty")]
    #[schema(minimum = 1, maximum = 200, default = 50)]
    limit: u32,
}

fn fifty() -> u32 {
    50
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Processed {
    success: bool,
    /// Mails that became tickets or comments meanwhile.
    processed: u64,
    /// Mails put aside meanwhile.
    errors: u64,
    message: String,
}

/// Every connection.
#[utoipa::path(get, path = "/api/v1/exchange/connections", tag = "exchange",
    responses((status = 200, body = Many), Problems))]
pub async fn list(State(shared): State<Arc<Shared>>, Asking(admin): Asking) -> Result<Answer<Many>, Refused> {
    let rows = rows(&shared).await?;
    let connections: Vec<Connection> = rows.iter().map(|row| connection(&shared, &admin, row)).collect();
    let total = connections.len();
    Ok(Answer(StatusCode::OK, Many { success: true, connections, total }))
}

/// Says which app registration to use: the configured one. The sign-in follows by `oauth/initiate`.
#[utoipa::path(post, path = "/api/v1/exchange/connections", tag = "exchange", request_body = NewConnection,
    responses((status = 201, body = One), Problems))]
pub async fn create(
    State(shared): State<Arc<Shared>>,
    Ordered(admin, wanted): Ordered<NewConnection>,
) -> Result<Answer<One>, Refused> {
    let bad = |sentence: &str| Refused::new(StatusCode::BAD_REQUEST, sentence);
    if wanted.tenant_id.is_empty() || wanted.client_id.is_empty() {
        return Err(bad("Tenant ID and Client ID are required"));
    }
    let app = app(&shared)?;
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    if !same(&app.tenant, &wanted.tenant_id) || !same(&app.client_id, &wanted.client_id) {
        return Err(bad("This installation uses another app registration; it is set in its configuration."));
    }
    let bound = |row: &MailboxRow| {
        let sender = shared.parts.from_address.as_ref();
        sender.is_some_and(|sender| sender.eq_ignore_ascii_case(&row.address))
    };
    if rows(&shared).await?.iter().any(bound) {
        return Err(Refused::new(StatusCode::CONFLICT, "Connection already exists for this tenant"));
    }
    let connection = pending(&shared, &app, &admin);
    Ok(Answer(StatusCode::CREATED, One { success: true, connection }))
}

/// One connection.
#[utoipa::path(get, path = "/api/v1/exchange/connections/{id}", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = One), Problems))]
pub async fn one(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Asking(admin): Asking,
) -> Result<Answer<One>, Refused> {
    let row = row(&shared, &id).await?;
    Ok(Answer(StatusCode::OK, One { success: true, connection: connection(&shared, &admin, &row) }))
}

/// Disconnects the mailbox and deletes its tokens. Tickets and the record of mails stay.
#[utoipa::path(delete, path = "/api/v1/exchange/connections/{id}", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = Done), Problems))]
pub async fn delete(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    client: Client,
    Ordered(admin, Nothing {}): Ordered<Nothing>,
) -> Result<Answer<Done>, Refused> {
    let row = row(&shared, &id).await?;
    manage::end(&shared, &client, &admin, &row).await?;
    Ok(done("Connection deleted successfully"))
}

/// Starts a sign-in; the answer says where the browser has to go. It comes back to the console.
#[utoipa::path(post, path = "/api/v1/exchange/connections/{id}/oauth/initiate", tag = "exchange",
    params(("id" = String, Path)),
    responses((status = 200, body = Leave), Problems))]
pub async fn initiate(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    client: Client,
    Ordered(admin, Nothing {}): Ordered<Nothing>,
) -> Result<Answer<Leave>, Refused> {
    let leaving = match id.as_str() {
        PENDING => Leaving::usual(Provider::Microsoft, shared.newcomer()),
        id => same_account(&row(&shared, id).await?)?,
    };
    let url = begin_sign_in(&shared, &client, &admin, leaving).await?;
    Ok(Answer(StatusCode::OK, Leave { success: true, auth_url: url.into() }))
}

/// Looks for mail now and tells what came of it.
#[utoipa::path(post, path = "/api/v1/exchange/connections/{id}/process-emails", tag = "exchange",
    params(("id" = String, Path)), request_body = Limit,
    responses((status = 200, body = Processed), Problems))]
pub async fn process(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    client: Client,
    Ordered(admin, Limit { limit }): Ordered<Limit>,
) -> Result<Answer<Processed>, Refused> {
    if !(1..=200).contains(&limit) {
        return Err(Refused::new(StatusCode::BAD_REQUEST, "The limit has to be 1 to 200."));
    }
    let before = row(&shared, &id).await?;
    let store = &shared.parts.store;
    let counts = store.counts().await.map_err(|failure| Refused::broken(&failure))?;
    shared.parts.worker.ring();
    let detail = "a look for mail asked for";
    shared.note_action(&client, &admin, Outcome::Success, detail, Some(&before.id));
    let looked = polled_since(&shared, &before).await?;
    let after = store.counts().await.map_err(|failure| Refused::broken(&failure))?;
    let processed = after.inbound_done.saturating_sub(counts.inbound_done);
    let errors = after.inbound_quarantined.saturating_sub(counts.inbound_quarantined);
    let message = if looked {
        format!("Processed {processed} emails with {errors} errors")
    } else {
        "The worker has not finished its look yet; it goes on.".to_owned()
    };
    Ok(Answer(StatusCode::OK, Processed { success: true, processed, errors, message }))
}

/// Tests the connection step by step, up to the first step that fails.
#[utoipa::path(post, path = "/api/v1/exchange/connections/{id}/test", tag = "exchange",
    params(("id" = String, Path)),
    responses((status = 200, body = Done), Problems))]
pub async fn test(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    client: Client,
    Ordered(admin, Nothing {}): Ordered<Nothing>,
) -> Result<Answer<Done>, Refused> {
    let row = row(&shared, &id).await?;
    let checks = manage::probe(&shared, &client, &admin, &row).await?;
    match checks.into_iter().find_map(|check| check.outcome.err()) {
        None => Ok(done("Connection is working properly")),
        Some(why) => {
            let why = in_english(&why, shared.parts.clock.now());
            Err(Refused::new(StatusCode::BAD_REQUEST, format!("Connection test failed: {why}")))
        }
    }
}

/// The provider never comes back here: the redirect URI is `/admin/exchange/callback`.
#[utoipa::path(get, path = "/api/v1/exchange/oauth/callback", tag = "exchange", responses(Problems))]
pub async fn callback(Asking(_): Asking) -> Refused {
    Refused::new(StatusCode::GONE, "The redirect URI of this installation ends in /admin/exchange/callback.")
}

pub fn done(message: &str) -> Answer<Done> {
    Answer(StatusCode::OK, Done { success: true, message: message.to_owned() })
}

/// Every mailbox of this kind.
pub async fn rows(shared: &Shared) -> Result<Vec<MailboxRow>, Refused> {
    let mut rows = shared.parts.store.mailboxes().await.map_err(|failure| Refused::broken(&failure))?;
    rows.retain(|row| row.kind == KIND);
    Ok(rows)
}

pub async fn row(shared: &Shared, id: &str) -> Result<MailboxRow, Refused> {
    let absent = || Refused::new(StatusCode::NOT_FOUND, "Connection not found");
    let id = MailboxId::parse(id).ok_or_else(absent)?;
    let row = shared.parts.store.mailbox(&id).await.map_err(|failure| Refused::broken(&failure))?;
    row.filter(|row| row.kind == KIND).ok_or_else(absent)
}

fn app(shared: &Shared) -> Result<MicrosoftApp, Refused> {
    let app = shared.parts.registrations.apps().microsoft().cloned();
    app.ok_or_else(|| Refused::new(StatusCode::CONFLICT, "No app registration is configured."))
}

/// Whether the worker has looked at the mailbox since `before` was read; gives up after a while.
async fn polled_since(shared: &Shared, before: &MailboxRow) -> Result<bool, Refused> {
    let looks = u32::try_from(PATIENCE.as_millis() / PAUSE.as_millis()).expect("a small number");
    for _ in 0..looks {
        let now = row(shared, before.id.as_str()).await?;
        if now.last_poll_at > before.last_poll_at {
            return Ok(true);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(false)
}

fn pending(shared: &Shared, app: &MicrosoftApp, admin: &Admin) -> Connection {
    let now = shared.parts.clock.now().rfc3339();
    Connection {
        id: PENDING.to_owned(),
        user_id: admin.user_id.clone(),
        tenant_id: app.tenant.clone(),
        client_id: app.client_id.clone(),
        is_active: false,
        created_at: now.clone(),
        updated_at: now,
        email: None,
        tokens: Vec::new(),
    }
}

fn connection(shared: &Shared, admin: &Admin, row: &MailboxRow) -> Connection {
    let apps = shared.parts.registrations.apps();
    let app = apps.microsoft();
    let status = shared.parts.keeper.status(&row.id);
    let updated = status.last_refresh.unwrap_or(row.connected_at);
    Connection {
        id: row.id.to_string(),
        user_id: admin.user_id.clone(),
        tenant_id: app.map(|app| app.tenant.clone()).unwrap_or_default(),
        client_id: app.map(|app| app.client_id.clone()).unwrap_or_default(),
        is_active: row.state == MailboxState::Connected,
        created_at: row.connected_at.rfc3339(),
        updated_at: updated.rfc3339(),
        email: Some(row.address.clone()),
        tokens: vec![Token {
            connection_id: row.id.to_string(),
            access_token: String::new(),
            token_type: "Bearer".to_owned(),
            expires_at: status.expires_at.map(Timestamp::rfc3339),
            scope: row.scopes.clone(),
        }],
    }
}
