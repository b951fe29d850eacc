//! `/api/v1/email-provider`: what mail is done with, a test, and what was done so far.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::console::advice::in_english;
use crate::console::api::exchange::{self, Done, done};
use crate::console::api::parts::{Answer, Asking, Ordered, Problems, Refused};
use crate::console::connected::KIND;
use crate::console::guard::Client;
use crate::console::manage;
use crate::console::shared::Shared;
use crate::store::{MailboxRow, MailboxState};

#[derive(Debug, Serialize, ToSchema)]
pub struct Config {
    success: bool,
    data: ConfigData,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigData {
    /// `Exchange` while a Microsoft 365 mailbox is connected, `SMTP` while another kind is, else
    /// `Not configured`.
    current_provider: &'static str,
    environment: Environment,
    exchange_connections: Vec<Summary>,
}

/// The sender as configured.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Environment {
    email_provider: &'static str,
    #[schema(required)]
    exchange_from_email: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    id: String,
    is_active: bool,
    /// RFC 3339.
    created_at: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted {
    /// `exchange` or `smtp`.
    #[serde(default)]
    #[schema(required, pattern = "^(exchange|smtp)$")]
    provider: String,
    /// Which connection; the only one when left out.
    connection_id: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Stats {
    success: bool,
    data: StatsData,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatsData {
    exchange_connections: usize,
    email_processing: Processing,
}

/// Mails by what became of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Processing {
    total: u64,
    pending: u64,
    success: u64,
    /// Put aside because they could not be read.
    failed: u64,
    /// Left alone with a reason.
    skipped: u64,
}

/// What mail is done with.
#[utoipa::path(get, path = "/api/v1/email-provider/config", tag = "email-provider",
    responses((status = 200, body = Config), Problems))]
pub async fn config(State(shared): State<Arc<Shared>>, Asking(_): Asking) -> Result<Answer<Config>, Refused> {
    let all = shared.parts.store.mailboxes().await.map_err(|failure| Refused::broken(&failure))?;
    let exchange = exchange::rows(&shared).await?;
    let (current_provider, email_provider) = match (exchange.is_empty(), all.is_empty()) {
        (false, _) => ("Exchange", "exchange"),
        (true, false) => ("SMTP", "smtp"),
        (true, true) => ("Not configured", ""),
    };
    let data = ConfigData {
        current_provider,
        environment: Environment { email_provider, exchange_from_email: shared.parts.from_address.clone() },
        exchange_connections: exchange.iter().map(summary).collect(),
    };
    Ok(Answer(StatusCode::OK, Config { success: true, data }))
}

fn summary(row: &MailboxRow) -> Summary {
    Summary {
        id: row.id.to_string(),
        is_active: row.state == MailboxState::Connected,
        created_at: row.connected_at.rfc3339(),
    }
}

/// Tests a mailbox.
#[utoipa::path(post, path = "/api/v1/email-provider/test", tag = "email-provider", request_body = Wanted,
    responses((status = 200, body = Done), Problems))]
pub async fn test(
    State(shared): State<Arc<Shared>>,
    client: Client,
    Ordered(admin, wanted): Ordered<Wanted>,
) -> Result<Answer<Done>, Refused> {
    let all = shared.parts.store.mailboxes().await.map_err(|failure| Refused::broken(&failure))?;
    let is_exchange = match wanted.provider.as_str() {
        "exchange" => true,
        "smtp" => false,
        _ => return Err(Refused::new(StatusCode::BAD_REQUEST, "The provider has to be exchange or smtp.")),
    };
    let fits = |row: &&MailboxRow| {
        (row.kind == KIND) == is_exchange
            && wanted.connection_id.as_ref().is_none_or(|id| row.id.as_str() == id)
    };
    let row = match all.iter().filter(fits).collect::<Vec<_>>()[..] {
        [] => return Err(Refused::new(StatusCode::NOT_FOUND, "Connection not found")),
        [row] => row,
        _ => {
            return Err(Refused::new(
                StatusCode::BAD_REQUEST,
                "Several connections fit: name one by connectionId.",
            ));
        }
    };
    let checks = manage::probe(&shared, &client, &admin, row).await?;
    match checks.into_iter().find_map(|check| check.outcome.err()) {
        None => Ok(done("Connection test passed")),
        Some(why) => {
            let why = in_english(&why, shared.parts.clock.now());
            Err(Refused::new(StatusCode::BAD_REQUEST, format!("Connection test failed: {why}")))
        }
    }
}

/// What was done so far.
#[utoipa::path(get, path = "/api/v1/email-provider/stats", tag = "email-provider",
    responses((status = 200, body = Stats), Problems))]
pub async fn stats(State(shared): State<Arc<Shared>>, Asking(_): Asking) -> Result<Answer<Stats>, Refused> {
    let counts = shared.parts.store.counts().await.map_err(|failure| Refused::broken(&failure))?;
    let exchange_connections = exchange::rows(&shared).await?.len();
    let email_processing = Processing {
        total: counts.inbound_waiting
            + counts.inbound_done
            + counts.inbound_quarantined
            + counts.inbound_ignored,
        pending: counts.inbound_waiting,
        success: counts.inbound_done,
        failed: counts.inbound_quarantined,
        skipped: counts.inbound_ignored,
    };
    let data = StatsData { exchange_connections, email_processing };
    Ok(Answer(StatusCode::OK, Stats { success: true, data }))
}
