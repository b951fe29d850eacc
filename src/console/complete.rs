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

use crate::base::audit::{Event, Outcome as Ended};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::base::report::Report;
use crate::base::secret::SecretString;
use crate::console::connected::{self, Kept, SignedIn, Whose};
use crate::console::guard::{Client, Prefetch, Proof};
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard;
use crate::oauth::account::{Account, account};
use crate::oauth::advice::NOTHING_READABLE;
use crate::oauth::app::{App, Vendor};
use crate::oauth::flow::{Exchange, Outcome, Parked, Pending, Wanted};
use crate::oauth::grant::{Grant, GrantError};
use crate::oauth::granted::{can_read, can_read_shared};
use crate::oauth::http::{EndpointError, get_json};
use crate::oauth::id_token::{Claims, Expected, check};
use crate::oauth::provider::Endpoints;
use crate::store::FlowRow;
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
    let kept = complete(&shared, &client, &admin, &which.f).await?;
    Ok(kept.next.map_or_else(page::back, |path| page::see_other(&path)))
}

/// Redeems what is parked for this session in `flow`, and connects the mailbox.
pub async fn complete(shared: &Shared, client: &Client, admin: &Admin, flow: &str) -> Result<Kept, Page> {
    let note = |outcome, mailbox: Option<&MailboxId>| {
        shared.note_about(client, admin, Event::OauthComplete, (outcome, ""), mailbox);
    };
    let ended = take(shared, admin, flow).await.inspect_err(|_| note(Ended::Refused, None))?;
    let wanted = match &ended {
        Outcome::Exchange(exchange) => exchange.wanted.clone(),
        Outcome::Refused { wanted, .. } => wanted.clone(),
    };
    match finish_with(shared, ended).await {
        Ok(kept) => {
            note(Ended::Success, Some(&kept.mailbox.id));
            Ok(kept)
        }
        Err(page) => {
            note(Ended::Refused, shared.mailbox_wanted(&wanted).await?.as_ref());
            Err(back_to_set_up(shared, page, &wanted).await?)
        }
    }
}

/// What came back for this session; a flow can be taken once.
async fn take(shared: &Shared, admin: &Admin, flow: &str) -> Result<Outcome, Page> {
    let gone = || page::problem(StatusCode::BAD_REQUEST, &page::SIGN_IN_GONE);
    let now = shared.parts.clock.now();
    let taken = shared.parts.store.take_flow(flow, &admin.session, now).await;
    let row = taken.map_err(|failure| Shared::broken(&failure))?.ok_or_else(gone)?;
    outcome(shared, row, &admin.session, now).await
}

/// A refusal that leads to the set-up which waits for this sign-in, where there is one.
async fn back_to_set_up(shared: &Shared, page: Page, wanted: &Wanted) -> Result<Page, Page> {
    let (Wanted::Owner(address) | Wanted::Member(address)) = wanted else { return Ok(page) };
    Ok(match wizard::waiting(shared, address).await? {
        Some(stored) => page.leading_to(wizard::resume_path(&stored.id)),
        None => page,
    })
}

async fn finish_with(shared: &Shared, ended: Outcome) -> Result<Kept, Page> {
    match ended {
        Outcome::Refused { vendor, resource, wanted, error, code } => {
            info!(error, code, "the provider refused the sign-in");
            let number = code.map(|code| format!(" (AADSTS{code})")).unwrap_or_default();
            let consent = shared.consent_link(resource, &wanted);
            let reference = format!("{error}{number}");
            Err(page::advised(StatusCode::BAD_REQUEST, &vendor.advise(&error, code), &reference, consent))
        }
        Outcome::Exchange(exchange) => {
            let signed_in = sign_in(shared, *exchange).await?;
            connected::keep(shared, signed_in).await
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

/// Redeems the code; nobody but the wanted account gets through.
async fn sign_in(shared: &Shared, exchange: Exchange) -> Result<SignedIn, Page> {
    let parts = &shared.parts;
    let (vendor, resource) = (exchange.vendor, exchange.resource);
    let gone = || page::problem(StatusCode::BAD_REQUEST, &page::SIGN_IN_GONE);
    let apps = shared.apps().await?;
    let app = apps.of(vendor).ok_or_else(gone)?;
    let (endpoints, nonce) = (exchange.endpoints.clone(), exchange.nonce.clone());
    let wanted = exchange.wanted.clone();
    let redeemed = exchange.redeem(&parts.http, app, parts.clock.now()).await;
    let consent = || shared.consent_link(resource, &wanted);
    let grant = redeemed.map_err(|refused| not_redeemed(vendor, &refused, consent()))?;
    let claims = check_identity(shared, app, &grant, &endpoints, &nonce).await?;
    let account = account(&*parts.http, app, resource, &grant.access.secret, &claims).await;
    let (address, whose) = check_account(shared, account.map_err(nobody)?, wanted)?;
    let readable = match whose {
        Whose::Shared => can_read_shared(&grant.access.scopes),
        Whose::Own => can_read(resource, &grant.access.scopes),
    };
    match (readable, vendor) {
        (true, _) => {
            let client_id = app.client_id().to_owned();
            Ok(SignedIn { client_id, address, whose, vendor, resource, grant, endpoints })
        }
        (false, Vendor::Microsoft) => Err(page::advised(StatusCode::FORBIDDEN, &NOTHING_READABLE, "", None)),
        // Its consent page has a box for each permission, and none is ticked.
        (false, Vendor::Google) => Err(page::problem(StatusCode::FORBIDDEN, &page::MAIL_NOT_TICKED)),
    }
}

fn not_redeemed(vendor: Vendor, refused: &GrantError, consent: Option<String>) -> Page {
    warn!(error = %Report(refused), "the code was not redeemed");
    match refused {
        GrantError::Refused(refusal) => {
            let advice = vendor.advise(&refusal.error, refusal.code);
            page::advised(StatusCode::BAD_REQUEST, &advice, &refusal.reference(), consent)
        }
        _ => page::problem(StatusCode::BAD_GATEWAY, &page::PROVIDER_SILENT),
    }
}

/// The id_token must be the provider's word about this very sign-in.
async fn check_identity(
    shared: &Shared,
    app: &App,
    grant: &Grant,
    endpoints: &Endpoints,
    nonce: &SecretString,
) -> Result<Claims, Page> {
    let not_genuine = || page::problem(StatusCode::BAD_REQUEST, &page::NOT_GENUINE);
    let token = grant.id_token.as_ref().ok_or_else(not_genuine)?;
    let keys: JwkSet = get_json(&*shared.parts.http, &endpoints.keys, None).await.map_err(silent)?;
    let expected = Expected { issuer: &endpoints.issuer, client_id: app.client_id(), nonce };
    check(token, &keys, &expected, shared.parts.clock.now()).map_err(|refused| {
        warn!(error = %refused, "the id_token was refused");
        not_genuine()
    })
}

/// The mailbox's address, if the account is the wanted one: somebody else's sign-in must not be slipped in.
fn check_account(shared: &Shared, account: Account, wanted: Wanted) -> Result<(String, Whose), Page> {
    // The configured sender binds, whichever page the sign-in began on.
    let sender = shared.parts.from_address.as_deref();
    let other_sender = |expected| (expected, &page::OTHER_SENDER);
    let refused = match &wanted {
        Wanted::Owner(owner) if !account.is(owner) => Some((owner.as_str(), &page::ANOTHER_ACCOUNT)),
        Wanted::Anybody | Wanted::Owner(_) => sender.filter(|sender| !account.is(sender)).map(other_sender),
        Wanted::Member(mailbox) => {
            sender.filter(|sender| !sender.eq_ignore_ascii_case(mailbox)).map(other_sender)
        }
    };
    if let Some((expected, problem)) = refused {
        warn!("another account than the wanted one signed in");
        let found = if let Wanted::Member(mailbox) = &wanted { mailbox.clone() } else { account.address };
        let origin = shared.said_by("mail.from", "EXCHANGE_FROM_EMAIL").to_owned();
        let arguments = vec![("address", found), ("wanted", expected.to_owned()), ("origin", origin)];
        return Err(page::told(StatusCode::FORBIDDEN, problem, arguments));
    }
    Ok(match wanted {
        Wanted::Member(mailbox) => (mailbox, Whose::Shared),
        Wanted::Anybody | Wanted::Owner(_) => (account.address, Whose::Own),
    })
}

fn nobody(failure: EndpointError) -> Page {
    match failure {
        EndpointError::Incomplete { .. } => page::problem(StatusCode::FORBIDDEN, &page::UNNAMED_ACCOUNT),
        other => silent(other),
    }
}

fn silent(failure: EndpointError) -> Page {
    warn!(error = %Report(&failure), "the provider did not tell who signed in");
    page::problem(StatusCode::BAD_GATEWAY, &page::PROVIDER_SILENT)
}
