//! Keeps every connected mailbox's tokens alive and gives them out.
//!
//! One refresh at a time per mailbox, however many ask; access tokens are cached in memory until about
//! 80 % of their life. Does not know what the tokens are used for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::sync::{Mutex as AsyncMutex, watch};
use tracing::{error, info, warn};
use url::Url;

use crate::base::audit::{self, Audit, Event, Outcome};
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::{MailboxId, random_bytes, short_id};
use crate::base::report::Report;
use crate::base::secret::SecretString;
use crate::base::wake::Wake;
use crate::oauth::app::{Apps, Vendor};
use crate::oauth::grant::Grant;
use crate::oauth::revoke::revoke;
use crate::oauth::source::{AccessToken, Resource, TokenError, TokenSource};
use crate::store::seal::Sealer;
use crate::store::{MailboxRow, MailboxState, Store};
use crate::token::cached::{Cached, Now};
use crate::token::meters::Meters;
use crate::token::record::{Kept, Record};
use crate::token::refreshing::Refreshing;
use crate::token::registrations::Registrations;
use crate::token::vault::{Vault, VaultError};
use crate::web::call::HttpCall;

/// Another process may connect a mailbox; nobody rings for that.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Gives tokens and refreshes them.
pub struct Keeper {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub vault: Vault,
    pub store: Arc<dyn Store>,
    pub http: Arc<dyn HttpCall>,
    pub registrations: Arc<Registrations>,
    pub clock: Arc<dyn Clock>,
    audit: Audit,
    pub meters: Meters,
    /// Tells this process's claims from another's.
    pub holder: String,
    entries: Mutex<HashMap<MailboxId, Arc<Entry>>>,
    pub wake: Wake,
}

/// One mailbox. Whoever holds the slot may refresh.
#[derive(Default)]
pub(super) struct Entry {
    slot: Arc<AsyncMutex<Slot>>,
    status: Mutex<Status>,
}

#[derive(Default)]
pub(super) struct Slot {
    pub cached: HashMap<Resource, Cached>,
    pub failures: u32,
    /// Not before this is the provider asked again: by the steady clock, and as shown to people.
    pub blocked: Option<(Duration, Timestamp)>,
    /// The app registration does not work; a new sign-in or another registration ends this.
    pub stopped: Option<Stopped>,
    /// When the last refresh succeeded, and the last forced one, by the steady clock.
    pub refreshed: Option<Duration>,
    pub renewed: Option<Duration>,
    /// Given by the provider and not in the vault yet, with the version it replaces.
    pub unsaved: Option<(Record, i64)>,
}

/// Why nothing is asked of the provider any more.
pub(super) struct Stopped {
    /// The registrations that it was asked with.
    pub with: Arc<Apps>,
    pub reason: String,
}

/// What can be told about a mailbox's tokens; no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// When the present access token ends.
    pub expires_at: Option<Timestamp>,
    pub last_refresh: Option<Timestamp>,
    pub next_refresh: Option<Timestamp>,
    /// The present failure; gone after the next success.
    pub last_error: Option<(Timestamp, String)>,
}

/// How far a mailbox was disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is kept here; the provider's list of allowed apps still names it.
    Here,
    /// The grant is gone, too.
    AtTheProvider,
}

/// What a sign-in brought.
pub struct Connection {
    pub vendor: Vendor,
    /// The app that the grant was given to.
    pub client_id: String,
    pub token_url: Url,
    pub revoke_url: Option<Url>,
    pub refresh: SecretString,
    pub grant: Grant,
}

impl Keeper {
    pub fn new(
        store: Arc<dyn Store>,
        sealer: Arc<Sealer>,
        http: Arc<dyn HttpCall>,
        registrations: Arc<Registrations>,
        clock: Arc<dyn Clock>,
        audit: Audit,
    ) -> Arc<Self> {
        let vault = Vault::new(Arc::clone(&store), sealer);
        let (entries, wake) = (Mutex::default(), Wake::new());
        let (holder, meters) = (short_id(), Meters::default());
        meters.registered(&registrations.apps());
        let inner = Inner { vault, store, http, registrations, clock, audit, meters, holder, entries, wake };
        Arc::new(Self { inner: Arc::new(inner) })
    }

    /// Stores the tokens of a new sign-in, then the mailbox's row; both replace what was there.
    pub async fn connect(&self, row: &MailboxRow, connection: Connection) -> Result<(), VaultError> {
        let inner = &self.inner;
        let entry = inner.entry(&row.id);
        let mut slot = entry.slot.lock().await;
        let now = inner.now();
        let kept = Kept::of(&connection.grant, resource_of(row));
        let record = Record {
            vendor: connection.vendor,
            client_id: Some(connection.client_id),
            token_url: connection.token_url,
            revoke_url: connection.revoke_url,
            refresh: connection.refresh,
            previous: None,
            access: vec![kept.clone()],
            refreshed_at: now.wall,
            claim: None,
        };
        inner.vault.replace(&row.id, &record).await?;
        *slot = Slot { refreshed: Some(now.steady), ..Slot::default() };
        inner.store.connect_mailbox(row).await?;
        inner.adopt(&row.id, &entry, &mut slot, &kept, record.refreshed_at);
        inner.wake.ring();
        Ok(())
    }

    /// Forgets the mailbox and ends its grant at the provider, where that can be asked for. Microsoft has no
    /// way to revoke a single refresh token; the account's owner ends the grant at myapps.microsoft.com.
    pub async fn disconnect(&self, mailbox: &MailboxId) -> Result<Ended, VaultError> {
        let record = match self.inner.vault.read(mailbox).await {
            Ok(stored) => stored.map(|stored| stored.record),
            // What cannot be opened keeps nobody from disconnecting.
            Err(failure) => {
                warn!(%mailbox, error = %Report(&failure), "the grant is not ended at the provider");
                None
            }
        };
        self.forget(mailbox).await?;
        match record {
            Some(record) => Ok(self.inner.end_grant(mailbox, &record).await),
            None => Ok(Ended::Here),
        }
    }

    /// Forgets the mailbox's row and tokens; the grant lives on at the provider.
    pub async fn forget(&self, mailbox: &MailboxId) -> Result<(), VaultError> {
        let entry = self.inner.entry(mailbox);
        let mut slot = entry.slot.lock().await;
        self.inner.store.disconnect_mailbox(mailbox).await?;
        self.inner.meters.forgotten(mailbox);
        *slot = Slot::default();
        entry.set_status(Status::default());
        Ok(())
    }

    pub fn meters(&self) -> &Meters {
        &self.inner.meters
    }

    pub fn status(&self, mailbox: &MailboxId) -> Status {
        self.inner.entry(mailbox).status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refreshes in time, until `stop` is true or its sender is gone.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            let wait = self.refresh_due().await;
            tokio::select! {
                _ = stop.wait_for(|stopped| *stopped) => return,
                () = self.inner.wake.rung() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Refreshes what is due and says how long nothing will be.
    async fn refresh_due(&self) -> Duration {
        match self.inner.registrations.look().await {
            Ok(apps) => self.inner.meters.registered(&apps),
            Err(failure) => error!(error = %Report(&failure), "the registrations cannot be read"),
        }
        let rows = match self.inner.store.mailboxes().await {
            Ok(rows) => rows,
            Err(failure) => {
                error!(error = %Report(&failure), "connected mailboxes cannot be listed");
                return LOOK_AGAIN;
            }
        };
        let connected = rows.iter().filter(|row| row.state == MailboxState::Connected);
        let waits = join_all(connected.map(|row| self.keep_alive(row))).await;
        waits.into_iter().min().unwrap_or(LOOK_AGAIN).clamp(Duration::from_secs(1), LOOK_AGAIN)
    }

    async fn keep_alive(&self, row: &MailboxRow) -> Duration {
        let (mailbox, resource) = (&row.id, resource_of(row));
        // A mailbox with a password has no tokens. What cannot be read is told by the refresh.
        if matches!(self.inner.vault.read(mailbox).await, Ok(None)) {
            return LOOK_AGAIN;
        }
        // A failure is recorded where it happens, with the time of the next try.
        if self.token(mailbox, resource).await.is_err() {
            let retry = self.status(mailbox).next_refresh;
            return retry.map_or(LOOK_AGAIN, |at| at.since(self.inner.clock.now()));
        }
        let entry = self.inner.entry(mailbox);
        let slot = entry.slot.lock().await;
        let now = self.inner.now();
        slot.cached.get(&resource).map_or(LOOK_AGAIN, |cached| cached.due_in(now))
    }

    async fn obtain(
        &self,
        mailbox: &MailboxId,
        resource: Resource,
        refused: Option<SecretString>,
    ) -> Result<AccessToken, TokenError> {
        let entry = self.inner.entry(mailbox);
        let slot = Arc::clone(&entry.slot).lock_owned().await;
        let refreshing =
            Refreshing { inner: Arc::clone(&self.inner), entry, mailbox: mailbox.clone(), resource, refused };
        if let Some(token) = refreshing.ready(&slot) {
            return Ok(token);
        }
        // On a task of its own: a caller that goes away must not cut a refresh off between the
        // provider's answer and the vault.
        let task = tokio::spawn(async move { refreshing.run(slot).await });
        task.await.unwrap_or_else(|broken| {
            Err(TokenError::Unavailable { retry_at: self.inner.clock.now(), source: Some(Box::new(broken)) })
        })
    }
}

/// What the mailbox's tokens are used for.
fn resource_of(row: &MailboxRow) -> Resource {
    if row.kind == "imap" { Resource::Mail } else { Resource::Graph }
}

#[async_trait]
impl TokenSource for Keeper {
    async fn token(&self, mailbox: &MailboxId, resource: Resource) -> Result<AccessToken, TokenError> {
        self.obtain(mailbox, resource, None).await
    }

    async fn renew(
        &self,
        mailbox: &MailboxId,
        resource: Resource,
        refused: &AccessToken,
    ) -> Result<AccessToken, TokenError> {
        self.obtain(mailbox, resource, Some(refused.secret.clone())).await
    }
}

impl Inner {
    pub fn now(&self) -> Now {
        Now { wall: self.clock.now(), steady: self.clock.steady() }
    }

    /// Tells the audit how a refresh ended.
    pub fn audit(&self, mailbox: &MailboxId, outcome: Outcome, detail: &'static str) {
        self.audit.record(audit::Record::new(Event::Refresh, outcome, detail).about(mailbox));
    }

    /// The mailbox is forgotten already: a provider that does not answer is only told of.
    async fn end_grant(&self, mailbox: &MailboxId, record: &Record) -> Ended {
        let apps = self.registrations.apps();
        let (Some(app), Some(url)) = (apps.of(record.vendor), &record.revoke_url) else {
            return Ended::Here;
        };
        match revoke(&*self.http, app, url, &record.refresh).await {
            Ok(()) => {
                info!(%mailbox, "the grant was ended at the provider");
                Ended::AtTheProvider
            }
            Err(failure) => {
                warn!(%mailbox, error = %Report(&failure), "the grant is not ended at the provider");
                Ended::Here
            }
        }
    }

    fn entry(&self, mailbox: &MailboxId) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(mailbox.clone()).or_default())
    }

    /// Caches a token that the vault holds.
    pub fn adopt(
        &self,
        mailbox: &MailboxId,
        entry: &Entry,
        slot: &mut Slot,
        kept: &Kept,
        refreshed_at: Timestamp,
    ) {
        self.meters.given(mailbox, kept.token.expires_at);
        let [chance] = random_bytes();
        let cached = Cached::new(kept, self.now(), chance);
        entry.set_status(Status {
            expires_at: Some(kept.token.expires_at),
            last_refresh: Some(refreshed_at),
            next_refresh: Some(cached.refresh_at),
            last_error: None,
        });
        slot.cached.insert(kept.resource, cached);
        slot.failures = 0;
        slot.blocked = None;
    }
}

impl Entry {
    pub fn set_status(&self, status: Status) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    /// Notes a failure and when the next try is, if there is one.
    pub fn set_failure(&self, at: Timestamp, reason: String, next: Option<Timestamp>) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.last_error = Some((at, reason));
        status.next_refresh = next;
    }
}
