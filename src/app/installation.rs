//! What one installation is made of: store, vault, clients, desk, worker, console.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tokio::runtime::Handle;
use tracing::info;

use super::mailboxes;
use crate::base::audit::Audit;
use crate::base::clock::{Clock, SystemClock, Timestamp};
use crate::base::id::short_id;
use crate::base::wake::Wake;
use crate::config::{StartUp, VaultKey};
use crate::console::TrialFactory;
use crate::desk::Desk;
use crate::desk::admin::Admins;
use crate::middleware::login_brake::Attempts;
use crate::middleware::registry::Parts as MiddlewareParts;
use crate::middleware::session_shield::{DeskSide, Means, Sessions};
use crate::net::{self, Egress, PROVIDERS, Timeouts};
use crate::oauth::app::Apps;
use crate::oauth::locations::Locations;
use crate::store::seal::{Sealer, SealingKey};
use crate::store::{self, Store, StoreAt};
use crate::token::install::InstallSecret;
use crate::token::keeper::Keeper;
use crate::token::password::Passwords;
use crate::token::registrations::Registrations;
use crate::token::subscription::Subscriptions;
use crate::web::call::HttpCall;
use crate::worker::{self, MailboxFactory, Worker};

/// The vault key that is made when none is given.
const KEY_FILE: &str = "vault.key";

pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// The client for the desk: its two origins and nobody else.
pub(super) fn desk_client(start_up: &StartUp, runtime: &Handle) -> anyhow::Result<Arc<dyn HttpCall>> {
    let egress = Egress::only([start_up.desk.url.as_str(), start_up.desk.api_url.as_str()])?;
    Ok(Arc::new(net::Client::new(runtime.clone(), egress, Timeouts::default())?))
}

/// The client for identity and mail providers.
pub(super) fn provider_client(start_up: &StartUp, runtime: &Handle) -> anyhow::Result<Arc<dyn HttpCall>> {
    let Locations { microsoft, graph, google } = &start_up.locations;
    // The hosts an operator names as authority and Graph are his word that they may be called.
    let named = [microsoft, graph, google].map(|url| url.origin().ascii_serialization());
    let egress = Egress::hosts(PROVIDERS)?.allow(named)?.allow(&start_up.egress_allow)?;
    let client = match std::env::var("HTTPS_PROXY").or_else(|_| std::env::var("https_proxy")) {
        Ok(proxy) if !proxy.is_empty() => {
            net::Client::behind_proxy(runtime.clone(), egress, Timeouts::default(), &proxy)?
        }
        _ => net::Client::new(runtime.clone(), egress, Timeouts::default())?,
    };
    Ok(Arc::new(client))
}

/// What compiled middlewares need, with keys that no vault holds: enough for `check`, and to see whether the
/// rules can work before anything is opened.
pub(super) fn middleware_parts(start_up: &StartUp, runtime: &Handle) -> anyhow::Result<MiddlewareParts> {
    let sealer = Arc::new(Sealer::new(SealingKey::random()));
    Ok(parts_with(start_up, desk_client(start_up, runtime)?, &sealer, &InstallSecret::random()))
}

fn parts_with(
    start_up: &StartUp,
    http: Arc<dyn HttpCall>,
    sealer: &Arc<Sealer>,
    secret: &InstallSecret,
) -> MiddlewareParts {
    let (desk, clock) = (&start_up.desk, Arc::new(SystemClock));
    let audit = Audit::new(clock.clone());
    let key = secret.derive("desk sessions");
    let admins = Admins::new(http.clone(), &desk.api_url, clock.clone(), key, audit.clone());
    let shield = Means {
        sessions: Arc::new(Sessions::new(sealer.clone(), secret.derive("session handles"), clock)),
        desk: Arc::new(DeskSide::new(http, &desk.url, &desk.api_url)),
        audit: audit.clone(),
    };
    let attempts = Arc::new(Attempts::new(Arc::new(SystemClock)));
    let (admins, shield) = (Arc::new(admins), Arc::new(shield));
    MiddlewareParts {
        clock: Arc::new(SystemClock),
        attempts,
        admins,
        cookies: start_up.cookies.clone(),
        dropped_cookies: Default::default(),
        shield,
        graph_tokens: Default::default(),
        audit,
    }
}

/// Everything behind the gateway.
pub(super) struct Installation {
    pub(super) store: Arc<dyn Store>,
    pub(super) sealer: Arc<Sealer>,
    pub(super) secret: InstallSecret,
    pub(super) parts: Arc<MiddlewareParts>,
    pub(super) desk: Arc<Desk>,
    pub(super) desk_http: Arc<dyn HttpCall>,
    pub(super) registrations: Arc<Registrations>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) mailboxes: MailboxFactory,
    pub(super) trials: TrialFactory,
    pub(super) providers: Arc<dyn HttpCall>,
    pub(super) wake: Wake,
    /// Rung by what is written to the desk.
    pub(super) written: Wake,
    pub(super) meters: worker::Meters,
}

impl Installation {
    /// Reads or makes the vault's key and opens the store.
    pub(super) async fn open(start_up: &StartUp, runtime: &Handle) -> anyhow::Result<Self> {
        make_private_folder(&start_up.data_dir)?;
        let sealer = Arc::new(sealer(start_up)?);
        let store = store::open(&start_up.store).await?;
        Self::over(store, sealer, start_up, runtime).await
    }

    /// The same parts for a command beside a gateway that may be running.
    pub(super) async fn beside(start_up: &StartUp, runtime: &Handle) -> anyhow::Result<Self> {
        let sealer = Arc::new(present_sealer(start_up)?);
        let store = store::open_beside(&start_up.store).await?;
        Self::over(store, sealer, start_up, runtime).await
    }

    async fn over(
        store: Arc<dyn Store>,
        sealer: Arc<Sealer>,
        start_up: &StartUp,
        runtime: &Handle,
    ) -> anyhow::Result<Self> {
        let secret = InstallSecret::of(&store, &sealer).await;
        let secret = secret.context("the vault's key does not fit the store")?;
        let desk_http = desk_client(start_up, runtime)?;
        let parts = Arc::new(parts_with(start_up, desk_http.clone(), &sealer, &secret));
        parts.shield.sessions.open(store.clone(), runtime.clone());
        let providers = provider_client(start_up, runtime)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let bot = start_up.desk.bot.clone();
        let desk = Desk::new(desk_http.clone(), start_up.desk.api_url.clone(), bot, clock.clone());
        let registrations = registrations(start_up, &store, &sealer);
        // What cannot be read now is read by whoever needs it, and told there.
        registrations.look().await.context("the registrations at providers cannot be read")?;
        let keeper = Keeper::new(
            store.clone(),
            sealer.clone(),
            providers.clone(),
            registrations.clone(),
            clock.clone(),
            parts.audit.clone(),
        );
        parts.graph_tokens.open(keeper.clone(), store.clone(), runtime.clone());
        let passwords = Passwords::new(store.clone(), sealer.clone());
        let made_of = mailboxes::parts(start_up, &keeper, passwords, &providers)?;
        Ok(Self {
            trials: mailboxes::trials(made_of.clone()),
            mailboxes: mailboxes::factory(made_of),
            desk: Arc::new(desk),
            desk_http,
            wake: Wake::new(),
            written: Wake::new(),
            meters: worker::Meters::default(),
            parts,
            store,
            sealer,
            secret,
            registrations,
            keeper,
            providers,
        })
    }

    /// The mail worker, unless mail is off.
    pub(super) fn worker(&self, start_up: &StartUp) -> Option<Arc<Worker>> {
        let mail = &start_up.mail;
        let settings = worker::Settings {
            poll_interval: mail.poll_interval,
            from_address: mail.from_address.clone(),
            from_name: mail.from_name.clone(),
            reply_to: mail.reply_to.clone(),
            max_size: mail.max_size,
            told_at: mail.told_at.clone(),
            message_id_domain: mail.message_id_domain.clone(),
            policy: mail.policy.clone(),
        };
        let worker = || {
            Worker::new(worker::Parts {
                store: self.store.clone(),
                desk: self.desk.clone(),
                mailboxes: self.mailboxes.clone(),
                clock: Arc::new(SystemClock),
                wake: self.wake.clone(),
                written: self.written.clone(),
                message_ids: self.secret.derive("message ids"),
                holder: holder(&start_up.store),
                settings,
                subscriptions: Subscriptions::new(self.store.clone(), self.sealer.clone()),
                meters: self.meters.clone(),
                at: Arc::new(|_| {}),
            })
        };
        mail.enabled.then(worker)
    }
}

/// What the configuration names, and what is entered in its place.
pub(super) fn registrations(
    start_up: &StartUp,
    store: &Arc<dyn Store>,
    sealer: &Arc<Sealer>,
) -> Arc<Registrations> {
    let configured = Apps::new(start_up.microsoft.clone(), start_up.google.clone());
    Registrations::new(store.clone(), sealer.clone(), configured, start_up.locations.clone())
}

/// Only one process has a SQLite store open; its lease need not be waited for after a crash.
fn holder(store: &StoreAt) -> String {
    match store {
        StoreAt::Sqlite(_) => "this process".to_owned(),
        StoreAt::Postgres(_) => short_id(),
    }
}

/// Seals with the active key, which is made where none is named, and opens with the previous ones too.
fn sealer(start_up: &StartUp) -> anyhow::Result<Sealer> {
    let key = match &start_up.vault {
        VaultKey::File(path) => SealingKey::read(path)?,
        VaultKey::MadeIn(folder) => read_or_make(&folder.join(KEY_FILE))?,
    };
    with_previous(key, start_up)
}

/// The same from keys that are there; none is made.
pub(super) fn present_sealer(start_up: &StartUp) -> anyhow::Result<Sealer> {
    let key = match &start_up.vault {
        VaultKey::File(path) => SealingKey::read(path)?,
        VaultKey::MadeIn(folder) => SealingKey::read(&folder.join(KEY_FILE))?,
    };
    with_previous(key, start_up)
}

fn with_previous(key: SealingKey, start_up: &StartUp) -> anyhow::Result<Sealer> {
    let previous = start_up.previous_keys.iter().map(|path| SealingKey::read(path));
    let previous = previous.collect::<Result<Vec<_>, _>>()?;
    Ok(previous.into_iter().fold(Sealer::new(key), Sealer::with_earlier))
}

/// Whether the keys that are named can be used; one that is yet to be made can.
pub(super) fn check_keys(start_up: &StartUp) -> anyhow::Result<()> {
    match &start_up.vault {
        VaultKey::MadeIn(folder) if !folder.join(KEY_FILE).exists() => {
            with_previous(SealingKey::random(), start_up).map(drop)
        }
        VaultKey::File(_) | VaultKey::MadeIn(_) => present_sealer(start_up).map(drop),
    }
}

/// Store, key and certificate lie in it: nobody else looks inside. One that is there keeps its mode.
fn make_private_folder(path: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("the data folder `{}` cannot be made", path.display()))
}

fn read_or_make(path: &Path) -> anyhow::Result<SealingKey> {
    if path.exists() {
        return Ok(SealingKey::read(path)?);
    }
    let key = SealingKey::make(path)?;
    info!(path = %path.display(), "no vault key was given: one was made; keep a copy elsewhere");
    Ok(key)
}
