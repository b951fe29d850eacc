//! What one installation is made of: store, vault, clients, desk, worker, console.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tokio::runtime::Handle;
use tracing::info;

use crate::base::clock::{Clock, SystemClock, Timestamp};
use crate::base::id::{random_token, short_id};
use crate::base::secret::HashKey;
use crate::base::wake::Wake;
use crate::config::{StartUp, VaultKey};
use crate::desk::Desk;
use crate::desk::admin::Admins;
use crate::mailbox::registry as mailboxes;
use crate::middleware::registry::Parts as MiddlewareParts;
use crate::net::{self, Egress, PROVIDERS, Timeouts};
use crate::store::seal::{Sealer, SealingKey};
use crate::store::{Store, StoreAt};
use crate::web::call::HttpCall;
use crate::worker::{self, MailboxFactory, Worker};

/// The fact under which the installation's own name is stored; sealed records are bound to it.
const INSTALL_FACT: &str = "install_id";

/// The vault key that is made when none is given.
const KEY_FILE: &str = "vault.key";

pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// The client for the desk: its two origins and nobody else.
fn desk_client(start_up: &StartUp, runtime: &Handle) -> anyhow::Result<Arc<dyn HttpCall>> {
    let egress = Egress::only([start_up.desk.url.as_str(), start_up.desk.api_url.as_str()])?;
    Ok(Arc::new(net::Client::new(runtime.clone(), egress, Timeouts::default())?))
}

/// The client for identity and mail providers.
fn provider_client(start_up: &StartUp, runtime: &Handle) -> anyhow::Result<Arc<dyn HttpCall>> {
    let own = start_up.microsoft.iter().flat_map(|app| [&app.authority, &app.graph]);
    // The hosts an operator names as authority and Graph are his word that they may be called.
    let named = own.map(|url| url.origin().ascii_serialization());
    let egress = Egress::hosts(PROVIDERS)?.allow(named)?.allow(&start_up.egress_allow)?;
    let client = match std::env::var("HTTPS_PROXY").or_else(|_| std::env::var("https_proxy")) {
        Ok(proxy) if !proxy.is_empty() => {
            net::Client::behind_proxy(runtime.clone(), egress, Timeouts::default(), &proxy)?
        }
        _ => net::Client::new(runtime.clone(), egress, Timeouts::default())?,
    };
    Ok(Arc::new(client))
}

/// What compiled middlewares need, without a store: enough for `check`.
pub(super) fn middleware_parts(start_up: &StartUp, runtime: &Handle) -> anyhow::Result<MiddlewareParts> {
    let http = desk_client(start_up, runtime)?;
    Ok(parts_with(start_up, http, HashKey::random()))
}

fn parts_with(start_up: &StartUp, http: Arc<dyn HttpCall>, sessions: HashKey) -> MiddlewareParts {
    let admins = Admins::new(http, &start_up.desk.api_url, Arc::new(SystemClock), sessions);
    MiddlewareParts { admins: Arc::new(admins), cookies: start_up.cookies.clone() }
}

fn sealer(key: &VaultKey) -> anyhow::Result<Sealer> {
    let key = match key {
        VaultKey::File(path) => SealingKey::read(path)?,
        VaultKey::MadeIn(folder) => read_or_make(&folder.join(KEY_FILE))?,
    };
    Ok(Sealer::new(key))
}

fn read_or_make(path: &Path) -> anyhow::Result<SealingKey> {
    if path.exists() {
        return Ok(SealingKey::read(path)?);
    }
    let key = SealingKey::make(path)?;
    info!(path = %path.display(), "no vault key was given: one was made; keep a copy elsewhere");
    Ok(key)
}
