//! The provider's redirect back. Needs no cookie, because a `SameSite=Strict` one is absent on it:
//! it only parks what came and sends the browser on to a page that has its session again.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use http::StatusCode;
use tracing::{info, warn};

use crate::base::report::Report;
use crate::base::secret::{ExposeSecret, sha256};
use crate::console::guard::{Prefetch, Reader};
use crate::console::language::Texts;
use crate::console::page::{self, Bare, Onward, Page};
use crate::console::shared::Shared;
use crate::oauth::callback::Callback;
use crate::oauth::flow::Pending;
use crate::store::{FlowRow, StoreError};
use crate::token::vault::VaultError;

/// Why a callback is answered with the same page as an unknown one.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("the callback does not fit its flow")]
    Flow(#[from] crate::oauth::flow::FlowError),
    #[error("the flow's record cannot be opened")]
    Vault(#[from] VaultError),
    #[error("the flow has an answer already, or has expired")]
    Used,
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
    ahead: Option<Prefetch>,
    RawQuery(query): RawQuery,
) -> Page {
    if ahead.is_some() {
        return page::unknown_sign_in();
    }
    let callback = match Callback::parse(query.as_deref().unwrap_or_default()) {
        Ok(callback) => callback,
        Err(refused) => {
            info!(reason = %refused, "a callback was refused unread");
            return page::unknown_sign_in();
        }
    };
    let now = shared.parts.clock.now();
    let state_hash = sha256(callback.state.expose_secret().as_bytes());
    match shared.parts.store.flow_by_state(&state_hash, now).await {
        Ok(Some(row)) => match accept(&shared, &row, callback).await {
            Ok(()) => onward(&row.id, &t),
            Err(unfit) => {
                // A second answer for one flow is a replay (RFC 6749, section 4.1.2).
                warn!(flow = row.id, error = %Report(&unfit), "a callback was refused");
                page::unknown_sign_in()
            }
        },
        Ok(None) => {
            info!("a callback of no open flow was refused");
            page::unknown_sign_in()
        }
        Err(failure) => Shared::broken(&failure),
    }
}

async fn accept(shared: &Shared, row: &FlowRow, callback: Callback) -> Result<(), Unfit> {
    let now = shared.parts.clock.now();
    let bytes = shared.vault.open(&row.id, "flow", 0, &row.sealed).await?;
    let parked = Pending::from_bytes(&bytes)?.accept(callback, now)?;
    let sealed = shared.vault.seal(&row.id, "parked", 0, &parked.to_bytes()).await?;
    match shared.parts.store.park_flow(&row.id, &sealed, now).await? {
        true => Ok(()),
        false => Err(Unfit::Used),
    }
}

fn onward(flow: &str, t: &Texts) -> Page {
    let url = format!("{}/complete?f={flow}", crate::console::PATH);
    let say = |key: &str| t.say(key).set("provider", "Microsoft").to_string();
    let (title, sentence, label) = (say("returned"), say("returned.sentence"), say("returned.onward"));
    let onward = Some(Onward { url: &url, label: &label });
    Page::oauth(StatusCode::OK, &Bare { t, title: &title, sentence: &sentence, onward })
}
