//! The page of all registrations: one card for each provider, and who says what is on it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::console::apps;
use crate::console::frame::Frame;
use crate::console::page::Page;
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::console::wizard;
use crate::oauth::advice::Place;
use crate::oauth::app::{App, Vendor};
use crate::oauth::provider::{MicrosoftApp, SecretLife, redirect_uri};

#[derive(Template)]
#[template(path = "apps/list.html")]
struct AppsPage {
    frame: Frame,
    redirect_uri: Option<String>,
    cards: Vec<Card>,
}

/// One provider's registration.
struct Card {
    vendor: &'static str,
    provider: &'static str,
    /// Where it is entered and changed.
    path: String,
    app: Option<Shown>,
    /// Sentence on where the configuration names it, so that it cannot be changed here.
    configured: Option<String>,
    /// When and by whom it was entered.
    set: Option<(Moment, String)>,
    /// Something was entered that cannot be opened.
    closed: bool,
    /// The provider's page of its credentials.
    credentials: Option<String>,
    mailboxes: Vec<String>,
}

/// What is shown of an app.
struct Shown {
    client_id: String,
    tenant: Option<Value>,
    secret: Option<Ends>,
    /// Where the configuration says the secret, where it does.
    secret_origin: Option<String>,
}

/// A value, and where the configuration says it, where it does.
struct Value {
    text: String,
    origin: Option<String>,
}

/// When the client secret ends, and the message key for what that means now.
struct Ends {
    at: Moment,
    key: &'static str,
    is_over: bool,
    origin: Option<String>,
}

impl Card {
    /// Something was entered, and does not count.
    fn is_idle(&self) -> bool {
        self.configured.is_some() && (self.set.is_some() || self.closed)
    }
}

/// GET `/admin/exchange/apps`.
pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame) -> Result<Page, Page> {
    let mut cards = Vec::new();
    for vendor in Vendor::ALL {
        cards.push(card(&shared, &frame, vendor).await?);
    }
    let public = shared.parts.public_url.as_ref();
    let page = AppsPage { redirect_uri: public.map(|url| redirect_uri(url).to_string()), cards, frame };
    Ok(Page::console(StatusCode::OK, &page))
}

async fn card(shared: &Shared, frame: &Frame, vendor: Vendor) -> Result<Card, Page> {
    let registrations = &shared.parts.registrations;
    let stored = registrations.entered(vendor).await.map_err(|failure| Shared::broken(&failure))?;
    let (closed, stored) = match stored.map(|stored| stored.registration) {
        Some(Err(_)) => (true, None),
        Some(Ok(registration)) => (false, Some(registration)),
        None => (false, None),
    };
    let configured = registrations.configured(vendor);
    let app = configured.or(stored.as_ref().map(|registration| &registration.app));
    let set = stored.as_ref().map(|stored| (frame.moment(stored.set_at), stored.set_by.clone()));
    Ok(Card {
        vendor: vendor.word(),
        provider: vendor.name(),
        path: apps::path_of(vendor),
        configured: configured.map(|_| shared.set_by(&setting(vendor, "clientId"), &frame.t)),
        set,
        closed,
        credentials: credentials(vendor, app),
        mailboxes: shared.connected_by(app).await?,
        app: app.map(|app| shown(shared, app, frame)),
    })
}

/// `microsoft.clientId`.
fn setting(vendor: Vendor, key: &str) -> String {
    format!("{}.{key}", vendor.word())
}

fn shown(shared: &Shared, app: &App, frame: &Frame) -> Shown {
    let is_configured = shared.parts.registrations.configured(app.vendor()).is_some();
    let origin = |key: &str| is_configured.then(|| shared.set_by(&setting(app.vendor(), key), &frame.t));
    let tenant = |app: &MicrosoftApp| Value { text: app.tenant.clone(), origin: origin("tenantId") };
    let (tenant, life) = match app {
        App::Microsoft(app) => (Some(tenant(app)), app.secret_life(frame.now)),
        App::Google(_) => (None, None),
    };
    let secret = life.map(|(end, life)| Ends {
        at: frame.moment(end),
        key: match life {
            SecretLife::Long => "app-secret-lasts",
            SecretLife::Ending => "app-secret-ending",
            SecretLife::Over => "app-secret-over",
        },
        is_over: life == SecretLife::Over,
        origin: origin("clientSecretExpires"),
    });
    let secret_origin = origin("clientSecret");
    Shown { client_id: app.client_id().to_owned(), tenant, secret, secret_origin }
}

fn credentials(vendor: Vendor, app: Option<&App>) -> Option<String> {
    let place = match vendor {
        Vendor::Microsoft => Place::EntraSecrets,
        Vendor::Google => Place::GoogleClients,
    };
    app.and_then(|app| wizard::outside(place, Some(app.client_id())))
}
