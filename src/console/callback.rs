//! The provider's redirect back. Needs no cookie, because a `SameSite=Strict` one is absent on it:
//! it only parks what came and sends the browser on to a page that has its session again.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use http::StatusCode;
use tracing::{debug, warn};

use crate::base::audit::{Event, Outcome, Record};
use crate::base::report::Report;
use crate::base::secret::{ExposeSecret, sha256};
use crate::console::consent;
use crate::console::guard::{Client, Prefetch, Reader};
use crate::console::language::Texts;
use crate::console::page::{self, Bare, Onward, Page};
use crate::console::shared::Shared;
use crate::oauth::app::Vendor;
use crate::oauth::callback::{Callback, Returned};
use crate::oauth::flow::{FlowError, Pending};
use crate::store::{FlowRow, StoreError};
use crate::token::vault::VaultError;

/// Why a callback is answered with the same page as an unknown one.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("the callback does not fit its flow")]
    Flow(#[from] FlowError),
    #[error("the flow's record cannot be opened")]
    Vault(#[from] VaultError),
    #[error("the flow has an answer already, or has expired")]
    Used,
}

impl Unfit {
    fn detail(&self) -> &'static str {
        match self {
            Self::Flow(FlowError::OtherIssuer) => "another issuer",
            Self::Flow(_) => "does not fit its flow",
            Self::Vault(_) => "the flow cannot be opened",
            // RFC 6749, section 4.1.2.
            Self::Used => "a second answer for one flow: replay",
        }
    }
}

impl From<StoreError> for Unfit {
    fn from(failure: StoreError) -> Self {
        Self::Vault(failure.into())
    }
}

/// GET `/admin/exchange/callback`.
pub async fn park(
    State(shared): State<Arc<Shared>>,
    Reader(t): Reader,
    client: Client,
    ahead: Option<Prefetch>,
    RawQuery(query): RawQuery,
) -> Page {
    // A look ahead of the person takes nothing and tells nothing.
    if ahead.is_some() {
        return page::unknown_sign_in();
    }
    let (page, outcome, detail) = answer(&shared, query.as_deref().unwrap_or_default(), &t).await;
    let record = Record { client: client.0, ..Record::new(Event::OauthReturn, outcome, detail) };
    shared.parts.audit.record(record);
    page
}

/// The page, and what the audit says of it.
async fn answer(shared: &Shared, query: &str, t: &Texts) -> (Page, Outcome, &'static str) {
    let callback = match Returned::parse(query) {
        Ok(Returned::SignIn(callback)) => callback,
        Ok(Returned::Consent(answer)) => {
            let unknown = || (page::unknown_sign_in(), Outcome::Refused, "a consent nobody here asked for");
            return consent::returned(shared, &answer, t).unwrap_or_else(unknown);
        }
        Err(refused) => {
            debug!(reason = %refused, "a callback was refused unread");
            return (page::unknown_sign_in(), Outcome::Refused, "not a provider's answer");
        }
    };
    match keep(shared, callback).await {
        Ok((flow, vendor)) => (onward(&flow, vendor, t), Outcome::Success, "parked"),
        Err(Unparked::Refused(detail)) => (page::unknown_sign_in(), Outcome::Refused, detail),
        Err(Unparked::Broken(page)) => (page, Outcome::Failure, "the store is silent"),
    }
}

/// Why an answer of the provider was not parked.
pub enum Unparked {
    /// What the audit says of it; who asks is told nothing.
    Refused(&'static str),
    Broken(Page),
}

/// Parks the provider's answer for the session that waits for it; the flow's id, and whose answer it is.
pub async fn keep(shared: &Shared, callback: Callback) -> Result<(String, Vendor), Unparked> {
    let now = shared.parts.clock.now();
    let state_hash = sha256(callback.state.expose_secret().as_bytes());
    let found = shared.parts.store.flow_by_state(&state_hash, now).await;
    let found = found.map_err(|failure| Unparked::Broken(Shared::broken(&failure)))?;
    let row = found.ok_or(Unparked::Refused("no such open flow"))?;
    match accept(shared, &row, callback).await {
        Ok(vendor) => Ok((row.id, vendor)),
        Err(unfit) => {
            warn!(flow = row.id, error = %Report(&unfit), "a callback was refused");
            Err(Unparked::Refused(unfit.detail()))
        }
    }
}

async fn accept(shared: &Shared, row: &FlowRow, callback: Callback) -> Result<Vendor, Unfit> {
    let now = shared.parts.clock.now();
    let bytes = shared.vault.open(&row.id, "flow", 0, &row.sealed).await?;
    let pending = Pending::from_bytes(&bytes)?;
    let parked = pending.accept(callback, now)?;
    let sealed = shared.vault.seal(&row.id, "parked", 0, &parked.to_bytes()).await?;
    match shared.parts.store.park_flow(&row.id, &sealed, now).await? {
        true => Ok(pending.vendor),
        false => Err(Unfit::Used),
    }
}

fn onward(flow: &str, vendor: Vendor, t: &Texts) -> Page {
    let url = format!("{}/complete?f={flow}", crate::console::PATH);
    let say = |key: &str| t.say(key).set("provider", vendor.name()).to_string();
    let (title, sentence, label) = (say("returned"), say("returned.sentence"), say("returned.onward"));
    let onward = Some(Onward { url: &url, label: &label });
    Page::oauth(StatusCode::OK, &Bare { t, title: &title, sentence: &sentence, onward })
}
