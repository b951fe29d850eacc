//! What an admin does with a connected mailbox.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use tracing::{info, warn};

use crate::base::audit::Outcome;
use crate::base::report::Report;
use crate::console::MailboxFactory;
use crate::console::advice::About;
use crate::console::checks::{Line, lines};
use crate::console::frame::Frame;
use crate::console::guard::{Change, Client};
use crate::console::limits::Work;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::mailbox::Check;
use crate::mailbox::settings::{MailboxSettings, Provider, SignIn};
use crate::store::MailboxRow;
use crate::token::keeper::Ended;
use crate::token::subscription::Subscriptions;
use crate::web::local::Admin;

#[derive(Template)]
#[template(path = "disconnect.html")]
struct DisconnectPage {
    frame: Frame,
    id: String,
    address: String,
    /// Message key of what becomes of its tokens or its password.
    forgotten: &'static str,
    waiting: u64,
}

/// GET `/admin/exchange/mailboxes/{id}/disconnect`: what it would mean, and the button.
pub async fn confirm_disconnect(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
) -> Result<Page, Page> {
    let row = shared.mailbox(&id).await?;
    let all = shared.parts.store.waiting().await.map_err(|failure| Shared::broken(&failure))?;
    let page = DisconnectPage {
        frame,
        forgotten: forgotten(&row),
        waiting: all.iter().find(|(of, _)| *of == row.id).map_or(0, |(_, waiting)| waiting.mails()),
        id: row.id.to_string(),
        address: row.address,
    };
    Ok(Page::console(StatusCode::OK, &page))
}

fn forgotten(row: &MailboxRow) -> &'static str {
    match MailboxSettings::parse(&row.settings) {
        Ok(own) if own.sign_in == SignIn::Password => "disconnect-password",
        Ok(own) if own.provider == Provider::Google => "disconnect-google",
        _ => "disconnect-sign-in",
    }
}

/// POST `/admin/exchange/mailboxes/{id}/disconnect`.
pub async fn disconnect(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    client: Client,
    Change(admin): Change,
) -> Result<Response, Page> {
    let row = shared.mailbox(&id).await?;
    end(&shared, &client, &admin, &row).await?;
    Ok(page::back())
}

/// Forgets a mailbox and its tokens.
pub async fn end(shared: &Shared, client: &Client, admin: &Admin, row: &MailboxRow) -> Result<(), Page> {
    let subscriptions = Subscriptions::new(shared.parts.store.clone(), shared.parts.sealer.clone());
    end_subscription(&subscriptions, &shared.parts.mailboxes, row).await;
    let ended = shared.parts.keeper.disconnect(&row.id).await;
    let ended = ended.map_err(|failure| Shared::broken(&failure))?;
    info!(mailbox = %row.id, at_provider = ended == Ended::AtTheProvider, "mailbox disconnected");
    shared.note_action(client, admin, Outcome::Success, "mailbox disconnected", Some(&row.id));
    shared.parts.worker.ring();
    Ok(())
}

/// Ends the mailbox's subscription at its provider, while there is still a token to do it with. One that stays
/// behind ends by itself within days, and its calls are believed no more.
pub async fn end_subscription(subscriptions: &Subscriptions, mailboxes: &MailboxFactory, row: &MailboxRow) {
    let ended = match subscriptions.take(&row.id).await {
        Ok(Some(id)) => match mailboxes(row) {
            Some(mailbox) => mailbox.unsubscribe(&id).await.map_err(|failure| Report(&failure).to_string()),
            None => Ok(()),
        },
        Ok(None) => Ok(()),
        Err(failure) => Err(Report(&failure).to_string()),
    };
    if let Err(error) = ended {
        warn!(mailbox = %row.id, error, "the subscription at the provider could not be ended");
    }
}

/// Tests a mailbox, each step up to the first that fails.
pub async fn probe(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    row: &MailboxRow,
) -> Result<Vec<Check>, Page> {
    shared.admit(client, admin, Work::Test)?;
    let missing = || page::problem(StatusCode::CONFLICT, &page::NOT_CONNECTED);
    let checks = (shared.parts.mailboxes)(row).ok_or_else(missing)?.probe().await;
    let passed = !checks.is_empty() && checks.iter().all(|check| check.outcome.is_ok());
    let outcome = if passed { Outcome::Success } else { Outcome::Failure };
    shared.note_action(client, admin, outcome, "connection tested", Some(&row.id));
    Ok(checks)
}

#[derive(Template)]
#[template(path = "test.html")]
struct TestPage {
    frame: Frame,
    address: String,
    checks: Vec<Line>,
    passed: bool,
}

/// POST `/admin/exchange/mailboxes/{id}/test`.
pub async fn test(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
    client: Client,
    Change(admin): Change,
) -> Result<Page, Page> {
    let row = shared.mailbox(&id).await?;
    let checks = probe(&shared, &client, &admin, &row).await?;
    let passed = !checks.is_empty() && checks.iter().all(|check| check.outcome.is_ok());
    let settings = MailboxSettings::parse(&row.settings).ok();
    let client_id = shared.client_id(Provider::Microsoft);
    let consent = settings.as_ref().and_then(|settings| shared.consent_for(settings, &row.address));
    let about = About {
        client_id: client_id.as_deref(),
        consent: consent.as_deref(),
        mailbox: Some(row.id.as_str()),
        provider: settings.map(|settings| settings.provider),
    };
    let checks = lines(&checks, about, frame.now, &frame.t);
    let address = row.address;
    Ok(Page::console(StatusCode::OK, &TestPage { frame, address, checks, passed }))
}
