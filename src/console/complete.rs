//! The browser is back with its session: only now is the code redeemed, the account checked and the
//! mailbox connected.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use tracing::{info, warn};
use url::Url;

use crate::base::audit::{Event, Outcome as Ended};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::base::report::Report;
use crate::base::secret::SecretString;
use crate::console::Microsoft;
use crate::console::guard::{Client, Prefetch, Proof};
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard;
use crate::oauth::account::account;
use crate::oauth::advice::advise;
use crate::oauth::flow::{Exchange, Outcome, Parked, Pending};
use crate::oauth::grant::{Grant, GrantError};
use crate::oauth::granted::can_read;
use crate::oauth::http::get_json;
use crate::oauth::id_token::{Expected, check};
use crate::oauth::provider::Endpoints;
use crate::store::{FlowRow, MailboxRow, MailboxState};
use crate::token::keeper::Connection;
use crate::web::local::Admin;

#[derive(Deserialize)]
pub struct Which {
    #[serde(default)]
    f: String,
}

/// GET `/admin/exchange/complete?f=<flow id>`.
pub async fn finish(
    State(shared): State<Arc<Shared>>,
    client: Client,
    Proof(admin): Proof,
    ahead: Option<Prefetch>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Page> {
    // The framework's own refusal would repeat what was asked.
    let Ok(Query(which)) = which else {
        return Err(page::problem(StatusCode::BAD_REQUEST, &page::SIGN_IN_GONE));
    };
    if ahead.is_some() {
        return Err(page::problem(StatusCode::BAD_REQUEST, &page::SIGN_IN_GONE));
    }
    let ended = complete(&shared, &admin, &which).await;
    let outcome = if ended.is_ok() { Ended::Success } else { Ended::Refused };
    shared.note(&client, &admin, Event::OauthComplete, outcome, "");
    ended
}

async fn complete(shared: &Shared, admin: &Admin, which: &Which) -> Result<Response, Page> {
    let gone = || page::problem(StatusCode::BAD_REQUEST, &page::SIGN_IN_GONE);
    let microsoft = shared.parts.microsoft.as_ref().ok_or_else(gone)?;
    let now = shared.parts.clock.now();
    let taken = shared.parts.store.take_flow(&which.f, &admin.session, now).await;
    let row = taken.map_err(|failure| Shared::broken(&failure))?.ok_or_else(gone)?;
    match outcome(shared, row, &admin.session, now).await? {
        Outcome::Refused { error, code } => {
            info!(error, code, "the provider refused the sign-in");
            let number = code.map(|code| format!(" (AADSTS{code})")).unwrap_or_default();
            Err(page::advised(&advise(&error, code), &format!("{error}{number}")))
        }
        Outcome::Exchange(exchange) => {
            let (address, mailbox) = connect(shared, microsoft, *exchange).await?;
            let next = wizard::connected(shared, &address, mailbox.as_str()).await?;
            Ok(next.map_or_else(page::back, |path: String| page::see_other(&path)))
        }
    }
}

async fn outcome(shared: &Shared, row: FlowRow, session: &[u8; 32], now: Timestamp) -> Result<Outcome, Page> {
    let gone = || page::problem(StatusCode::BAD_REQUEST, &page::SIGN_IN_GONE);
    let sealed = row.parked.as_deref().ok_or_else(gone)?;
    let pending = shared.vault.open(&row.id, "flow", 0, &row.sealed).await;
    let parked = shared.vault.open(&row.id, "parked", 0, sealed).await;
    let (pending, parked) = match (pending, parked) {
        (Ok(pending), Ok(parked)) => (pending, parked),
        (Err(failure), _) | (_, Err(failure)) => return Err(Shared::broken(&failure)),
    };
    let ended = Pending::from_bytes(&pending)
        .and_then(|pending| pending.complete(Parked::from_bytes(&parked)?, session, now));
    ended.map_err(|refused| {
        warn!(flow = row.id, error = %refused, "a completion was refused");
        gone()
    })
}

/// The mailbox's address and id.
async fn connect(
    shared: &Shared,
    microsoft: &Microsoft,
    exchange: Exchange,
) -> Result<(String, MailboxId), Page> {
    let parts = &shared.parts;
    let (endpoints, nonce) = (exchange.endpoints.clone(), exchange.nonce.clone());
    let wanted = exchange.wanted_address.clone();
    let redeemed = exchange.redeem(&parts.http, &microsoft.app, parts.clock.now()).await;
    let grant = redeemed.map_err(|refused| not_redeemed(&refused))?;
    check_identity(shared, microsoft, &grant, &endpoints, &nonce).await?;
    let address = check_account(shared, microsoft, &grant, wanted.as_deref()).await?;
    if !can_read(&grant.access.scopes) {
        return Err(page::problem(StatusCode::FORBIDDEN, &page::CANNOT_READ));
    }
    keep(shared, microsoft, grant, endpoints.token, address).await
}

fn not_redeemed(refused: &GrantError) -> Page {
    warn!(error = %Report(refused), "the code was not redeemed");
    match refused {
        GrantError::Refused(refusal) => {
            page::advised(&advise(&refusal.error, refusal.code), &refusal.reference())
        }
        _ => page::problem(StatusCode::BAD_GATEWAY, &page::PROVIDER_SILENT),
    }
}

/// The id_token must be the provider's word about this very sign-in.
async fn check_identity(
    shared: &Shared,
    microsoft: &Microsoft,
    grant: &Grant,
    endpoints: &Endpoints,
    nonce: &SecretString,
) -> Result<(), Page> {
    let not_genuine = || page::problem(StatusCode::BAD_REQUEST, &page::NOT_GENUINE);
    let token = grant.id_token.as_ref().ok_or_else(not_genuine)?;
    let keys: JwkSet = get_json(&*shared.parts.http, &endpoints.keys, None).await.map_err(silent)?;
    let expected = Expected { issuer: &endpoints.issuer, client_id: &microsoft.app.client_id, nonce };
    check(token, &keys, &expected, shared.parts.clock.now()).map(drop).map_err(|refused| {
        warn!(error = %refused, "the id_token was refused");
        not_genuine()
    })
}

/// The account's address, if it is the wanted one: somebody else's sign-in must not be slipped in.
async fn check_account(
    shared: &Shared,
    microsoft: &Microsoft,
    grant: &Grant,
    wanted: Option<&str>,
) -> Result<String, Page> {
    let account = account(&*shared.parts.http, &microsoft.app, &grant.access.secret).await.map_err(silent)?;
    match wanted {
        Some(wanted) if !account.is(wanted) => {
            warn!("another account than the wanted one signed in");
            let arguments = vec![("address", account.address), ("wanted", wanted.to_owned())];
            Err(page::told(StatusCode::FORBIDDEN, &page::ANOTHER_ACCOUNT, arguments))
        }
        _ => Ok(account.address),
    }
}

async fn keep(
    shared: &Shared,
    microsoft: &Microsoft,
    grant: Grant,
    token_url: Url,
    address: String,
) -> Result<(String, MailboxId), Page> {
    let lasting = page::problem(StatusCode::BAD_REQUEST, &page::NOT_LASTING);
    let refresh = grant.refresh.clone().ok_or(lasting)?;
    let now = shared.parts.clock.now();
    let row = MailboxRow {
        id: Shared::mailbox_id(),
        kind: "microsoft-graph".to_owned(),
        address,
        state: MailboxState::Connected,
        scopes: grant.access.scopes.join(" "),
        connected_at: now,
        // Graph tells when a mail came in whole seconds; one of this very second is still a new one.
        accept_since: now.whole_second(),
        last_poll_at: None,
        last_mail_at: None,
        last_error: None,
        failing_since: None,
        settings: String::new(),
    };
    forget_another(shared, microsoft, &row).await?;
    let connected = microsoft.keeper.connect(&row, Connection { token_url, refresh, grant }).await;
    connected.map_err(|failure| Shared::broken(&failure))?;
    info!(mailbox = %row.id, "mailbox connected");
    shared.parts.worker.ring();
    Ok((row.address, row.id))
}

/// A cursor of another account's mailbox means nothing in this one.
async fn forget_another(shared: &Shared, microsoft: &Microsoft, row: &MailboxRow) -> Result<(), Page> {
    let present = shared.present().await?;
    if present.is_some_and(|present| !present.address.eq_ignore_ascii_case(&row.address)) {
        let forgotten = microsoft.keeper.disconnect(&row.id).await;
        forgotten.map_err(|failure| Shared::broken(&failure))?;
    }
    Ok(())
}

fn silent(failure: crate::oauth::http::EndpointError) -> Page {
    warn!(error = %Report(&failure), "the provider did not tell who signed in");
    page::problem(StatusCode::BAD_GATEWAY, &page::PROVIDER_SILENT)
}
