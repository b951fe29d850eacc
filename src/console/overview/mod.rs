//! The overview: how each mailbox does, what waits for an admin, what is configured.
//!
//! Reads the store and the keeper's status; asks neither the provider nor the mail server.

mod card;

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::{HeaderMap, StatusCode, Uri};

use self::card::{Card, card};
use crate::base::id::MailboxId;
use crate::console::frame::Frame;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::oauth::app::Vendor;
use crate::oauth::provider::redirect_uri;
use crate::store::{
    Counts, InboundRow, InboundState, MailboxRow, OutboxRow, OutboxState, StoreError, Waiting,
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
    /// The configuration names it; otherwise it was entered here.
    configured: bool,
    client_id: String,
    tenant: String,
    redirect_uri: Option<String>,
    /// How the browser reached this page, when the provider will send it elsewhere.
    other_host: Option<String>,
    from_address: Option<String>,
    bot_configured: bool,
    can_connect: bool,
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
    let mut read = Read::all(&shared).await.map_err(|failure| Shared::broken(&failure))?;
    let mailboxes = read.mailboxes.into_iter().map(|row| {
        let waiting = read.waiting.remove(&row.id).unwrap_or_default();
        card(&shared, row, waiting, &frame)
    });
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
    waiting: HashMap<MailboxId, Waiting>,
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
            waiting: store.waiting().await?.into_iter().collect(),
            hold: store.fact(HOLD_FACT).await?,
            counts: store.counts().await?,
            quarantined: store.recent_inbound(Some(InboundState::Quarantined), LISTED).await?,
            failed: store.recent_outgoing(Some(OutboxState::Failed), LISTED).await?,
        })
    }
}

fn setup(shared: &Shared, other_host: Option<String>) -> Setup {
    let parts = &shared.parts;
    let apps = parts.registrations.apps();
    let app = apps.microsoft();
    let public = parts.public_url.as_ref();
    Setup {
        app_registered: app.is_some(),
        configured: parts.registrations.configured(Vendor::Microsoft).is_some(),
        client_id: app.map(|app| app.client_id.clone()).unwrap_or_default(),
        tenant: app.map(|app| app.tenant.clone()).unwrap_or_default(),
        redirect_uri: public.map(|url| redirect_uri(url).to_string()),
        other_host,
        from_address: parts.from_address.clone(),
        bot_configured: parts.bot_configured,
        can_connect: app.is_some() && public.is_some(),
    }
}

fn put_aside(row: InboundRow, frame: &Frame) -> PutAside {
    PutAside { id: row.id, received: frame.moment(row.received_at), reason: reason(row.reason, frame) }
}

fn not_sent(row: OutboxRow, frame: &Frame) -> NotSent {
    NotSent { ticket: row.ticket, created: frame.moment(row.created_at), reason: reason(row.reason, frame) }
}

fn reason(noted: Option<String>, frame: &Frame) -> String {
    noted.unwrap_or_else(|| frame.t.say("reason-unknown").to_string())
}
