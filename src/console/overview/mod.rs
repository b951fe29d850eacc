//! The overview: what is wrong and since when, how each mailbox does, what waits, what is configured.
//!
//! Reads the store and the keeper's status; asks neither the provider nor the mail server.

mod card;

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::{HeaderMap, StatusCode, Uri};

use self::card::{Card, card};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::console::advice::{About, Noted};
use crate::console::frame::Frame;
use crate::console::language::Texts;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::desk::advice::Hold;
use crate::mailbox::settings::{MailboxSettings, Provider};
use crate::oauth::app::{App, Vendor};
use crate::oauth::provider::redirect_uri;
use crate::store::{Counts, InboundState, MailboxRow, OutboxState, StoreError, Waiting};

/// The worker's word on why no answers leave now.
const HOLD_FACT: &str = "outbound_hold";

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    setup: Setup,
    mailboxes: Vec<Card>,
    hold: Option<Held>,
    counts: Counts,
    /// When the newest mail came that was put aside.
    last_put_aside: Option<Moment>,
    /// When the newest answer was written that could not be sent.
    last_not_sent: Option<Moment>,
}

/// Why no answers are sent now.
struct Held {
    reason: Noted,
    since: Option<Moment>,
}

/// What has to be configured, and what is.
struct Setup {
    apps: Vec<Registration>,
    redirect_uri: Option<String>,
    /// How the browser reached this page, when a provider will send it elsewhere.
    other_host: Option<String>,
    from_address: Option<String>,
    bot_configured: bool,
    /// Providers that can be left for at once: the value of the form's field, and the button's message.
    ways: Vec<(&'static str, &'static str)>,
}

/// What is registered at a provider.
struct Registration {
    /// As people call the provider.
    name: &'static str,
    client_id: String,
    tenant: Option<String>,
    /// Sentence on where it comes from.
    origin: String,
    scopes: String,
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
        setup: setup(&shared, shared.other_host(&headers, &uri), &frame.t),
        mailboxes: mailboxes.collect(),
        hold: read.hold.map(|told| held(told, &frame)),
        counts: read.counts,
        last_put_aside: read.last_put_aside.map(|at| frame.moment(at)),
        last_not_sent: read.last_not_sent.map(|at| frame.moment(at)),
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
    last_put_aside: Option<Timestamp>,
    last_not_sent: Option<Timestamp>,
}

impl Read {
    async fn all(shared: &Shared) -> Result<Self, StoreError> {
        let store = &shared.parts.store;
        let put_aside = store.recent_inbound(Some(InboundState::Quarantined), 1).await?;
        let not_sent = store.recent_outgoing(Some(OutboxState::Failed), 1).await?;
        Ok(Self {
            mailboxes: store.mailboxes().await?,
            waiting: store.waiting().await?.into_iter().collect(),
            hold: store.fact(HOLD_FACT).await?,
            counts: store.counts().await?,
            last_put_aside: put_aside.first().map(|row| row.received_at),
            last_not_sent: not_sent.first().map(|row| row.created_at),
        })
    }
}

fn held(told: String, frame: &Frame) -> Held {
    let since = Hold::read(&told).map(|hold| frame.moment(hold.since));
    Held { reason: Noted::of(told, About::default(), &frame.t), since }
}

fn setup(shared: &Shared, other_host: Option<String>, t: &Texts) -> Setup {
    let parts = &shared.parts;
    let public = parts.public_url.as_ref();
    let registered = parts.registrations.apps();
    let apps: Vec<Registration> = registered.iter().map(|app| registration(shared, app, t)).collect();
    let can_leave = |vendor| public.is_some() && registered.of(vendor).is_some();
    let ways =
        [(Vendor::Microsoft, "microsoft", "connect-microsoft"), (Vendor::Google, "google", "connect-google")];
    Setup {
        redirect_uri: public.map(|url| redirect_uri(url).to_string()),
        // Without an app nobody is sent away, so nobody comes back.
        other_host: other_host.filter(|_| !apps.is_empty()),
        apps,
        from_address: parts.from_address.clone(),
        bot_configured: parts.bot_configured,
        ways: ways.into_iter().filter(|(of, ..)| can_leave(*of)).map(|(_, way, key)| (way, key)).collect(),
    }
}

fn registration(shared: &Shared, app: &App, t: &Texts) -> Registration {
    let vendor = app.vendor();
    let origin = match shared.parts.registrations.configured(vendor) {
        Some(_) => shared.set_by(&format!("{}.clientId", vendor.word()), t),
        None => t.say("app-entered").to_string(),
    };
    let resource =
        MailboxSettings { provider: Provider::of(vendor), ..MailboxSettings::default() }.resource();
    let tenant = match app {
        App::Microsoft(app) => Some(app.tenant.clone()),
        App::Google(_) => None,
    };
    Registration {
        name: vendor.name(),
        client_id: app.client_id().to_owned(),
        tenant,
        origin,
        scopes: vendor.scopes(resource).join(", "),
    }
}
