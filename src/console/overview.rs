//! The overview: what is configured, how each mailbox does, what waits for an admin.
//!
//! Reads the store and the keeper's status; asks neither the provider nor the mail server.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::{HeaderMap, StatusCode, Uri};

use crate::base::clock::Timestamp;
use crate::console::frame::Frame;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::mailbox::settings::{MailboxSettings, SignIn};
use crate::oauth::granted::{consequence, missing};
use crate::oauth::provider::{GRAPH_SCOPES, SHARED_SCOPES, redirect_uri};
use crate::store::{
    Counts, InboundRow, InboundState, MailboxRow, MailboxState, OutboxRow, OutboxState, StoreError,
};

/// The worker's word on why no answers leave now.
const HOLD_FACT: &str = "outbound_hold";

/// How many mails of a kind the page lists.
const LISTED: u32 = 20;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    setup: Setup,
    mailboxes: Vec<Card>,
    hold: Option<String>,
    counts: Counts,
    quarantined: Vec<PutAside>,
    failed: Vec<NotSent>,
}

/// What has to be configured, and what is.
struct Setup {
    app_registered: bool,
    client_id: String,
    tenant: String,
    redirect_uri: Option<String>,
    /// How the browser reached this page, when the provider will send it elsewhere.
    other_host: Option<String>,
    from_address: Option<String>,
    bot_configured: bool,
    can_connect: bool,
}

/// One mailbox.
struct Card {
    id: String,
    /// The provider's sign-in opens it; a password otherwise.
    by_sign_in: bool,
    /// The address is a shared mailbox.
    shared: bool,
    address: String,
    connected: bool,
    connected_at: Moment,
    missing: Vec<Missing>,
    expires: Option<Moment>,
    last_refresh: Option<Moment>,
    next_refresh: Option<Moment>,
    token_error: Option<(Moment, String)>,
    last_poll: Option<Moment>,
    last_mail: Option<Moment>,
    last_error: Option<String>,
    failing_since: Option<Moment>,
}

struct Missing {
    scope: &'static str,
    consequence: &'static str,
}

struct PutAside {
    id: i64,
    received: Moment,
    reason: String,
}

struct NotSent {
    ticket: String,
    created: Moment,
    reason: String,
}

/// GET `/admin/exchange`.
pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Page, Page> {
    let read = Read::all(&shared).await.map_err(|failure| Shared::broken(&failure))?;
    let mailboxes = read.mailboxes.into_iter().map(|row| card(&shared, row, &frame));
    let overview = Overview {
        setup: setup(&shared, shared.other_host(&headers, &uri)),
        mailboxes: mailboxes.collect(),
        hold: read.hold,
        counts: read.counts,
        quarantined: read.quarantined.into_iter().map(|row| put_aside(row, &frame)).collect(),
        failed: read.failed.into_iter().map(|row| not_sent(row, &frame)).collect(),
        frame,
    };
    Ok(Page::console(StatusCode::OK, &overview))
}

/// Everything of the store that the page shows.
struct Read {
    mailboxes: Vec<MailboxRow>,
    hold: Option<String>,
    counts: Counts,
    quarantined: Vec<InboundRow>,
    failed: Vec<OutboxRow>,
}

impl Read {
    async fn all(shared: &Shared) -> Result<Self, StoreError> {
        let store = &shared.parts.store;
        Ok(Self {
            mailboxes: store.mailboxes().await?,
            hold: store.fact(HOLD_FACT).await?,
            counts: store.counts().await?,
            quarantined: store.recent_inbound(Some(InboundState::Quarantined), LISTED).await?,
            failed: store.recent_outgoing(Some(OutboxState::Failed), LISTED).await?,
        })
    }
}

fn setup(shared: &Shared, other_host: Option<String>) -> Setup {
    let parts = &shared.parts;
    let app = parts.apps.microsoft();
    let public = parts.public_url.as_ref();
    Setup {
        app_registered: app.is_some(),
        client_id: app.map(|app| app.client_id.clone()).unwrap_or_default(),
        tenant: app.map(|app| app.tenant.clone()).unwrap_or_default(),
        redirect_uri: public.map(|url| redirect_uri(url).to_string()),
        other_host,
        from_address: parts.from_address.clone(),
        bot_configured: parts.bot_configured,
        can_connect: app.is_some() && public.is_some(),
    }
}

fn card(shared: &Shared, row: MailboxRow, frame: &Frame) -> Card {
    let moment = |at: Timestamp| frame.moment(at);
    let status = shared.parts.keeper.status(&row.id);
    // What cannot be understood is told by the worker; the card shows the rest.
    let settings = MailboxSettings::parse(&row.settings).ok();
    let is_shared = settings.as_ref().is_some_and(|settings| settings.shared);
    let granted: Vec<String> = row.scopes.split_whitespace().map(str::to_owned).collect();
    let wanted: &[&str] = match (row.kind.as_str(), is_shared) {
        ("microsoft-graph", true) => &SHARED_SCOPES,
        ("microsoft-graph", false) => &GRAPH_SCOPES,
        _ => &[],
    };
    let missing = missing(&granted, wanted).into_iter();
    Card {
        id: row.id.to_string(),
        by_sign_in: settings.is_none_or(|settings| settings.sign_in == SignIn::OAuth),
        shared: is_shared,
        address: row.address,
        connected: row.state == MailboxState::Connected,
        connected_at: moment(row.connected_at),
        missing: missing.map(|scope| Missing { scope, consequence: consequence(scope) }).collect(),
        expires: status.expires_at.map(moment),
        last_refresh: status.last_refresh.map(moment),
        next_refresh: status.next_refresh.map(moment),
        token_error: status.last_error.map(|(at, reason)| (moment(at), reason)),
        last_poll: row.last_poll_at.map(moment),
        last_mail: row.last_mail_at.map(moment),
        last_error: row.last_error,
        failing_since: row.failing_since.map(moment),
    }
}

fn put_aside(row: InboundRow, frame: &Frame) -> PutAside {
    let received = frame.moment(row.received_at);
    PutAside { id: row.id, received, reason: row.reason.unwrap_or_else(|| "no reason was noted".to_owned()) }
}

fn not_sent(row: OutboxRow, frame: &Frame) -> NotSent {
    let reason = row.reason.unwrap_or_else(|| "no reason was noted".to_owned());
    NotSent { ticket: row.ticket, created: frame.moment(row.created_at), reason }
}
