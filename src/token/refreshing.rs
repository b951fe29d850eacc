//! One refresh: from "no token is ready" to a token that the vault holds, or to the reason why not.
//!
//! The rotated refresh token is stored before the access token is used. Runs while it holds the
//! mailbox's slot, so there is never a second one in this process; other processes are noticed by the
//! record's version.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tracing::warn;

use crate::base::audit::Outcome;
use crate::base::clock::Timestamp;
use crate::base::id::{MailboxId, random_bytes};
use crate::base::report::Report;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::oauth::app::{App, Apps};
use crate::oauth::grant::{Grant, GrantError, refresh};
use crate::oauth::refresh::{Failure, judge};
use crate::oauth::source::{AccessToken, Resource, TokenError};
use crate::store::{MailboxState, StoreError};
use crate::token::cached::Cached;
use crate::token::keeper::{Entry, Inner, Slot, Stopped};
use crate::token::record::{Claim, Record};
use crate::token::replacing::replaced;
use crate::token::vault::{VaultError, Versioned};

/// Refreshes that succeeded are at least this far apart, whatever the wall clock says.
const APART: Duration = Duration::from_secs(60);

/// How long a claim holds: two calls to the provider, each with its time limit.
const CLAIM: Duration = Duration::from_secs(90);

/// How often another process's refresh is looked after, and how often at most.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: u32 = 150;

/// A wish for a token.
pub(super) struct Refreshing {
    pub inner: Arc<Inner>,
    pub entry: Arc<Entry>,
    pub mailbox: MailboxId,
    pub resource: Resource,
    /// What the resource answered 401 to.
    pub refused: Option<SecretString>,
}

impl Refreshing {
    /// A cached token that serves the wish as it is.
    pub fn ready(&self, slot: &Slot) -> Option<AccessToken> {
        let now = self.inner.now();
        let cached = slot.cached.get(&self.resource).filter(|cached| !self.is_refused(&cached.token))?;
        let recently = slot.refreshed.is_some_and(|at| now.steady.saturating_sub(at) < APART);
        let serves = cached.is_fresh(now) || (recently && cached.is_usable_by_the_steady_clock(now));
        serves.then(|| cached.token.clone())
    }

    /// A cached token that is due but not at its end.
    fn usable(&self, slot: &Slot) -> Option<AccessToken> {
        let cached = slot.cached.get(&self.resource).filter(|cached| !self.is_refused(&cached.token))?;
        cached.is_usable(self.inner.now()).then(|| cached.token.clone())
    }

    pub async fn run(self, mut slot: OwnedMutexGuard<Slot>) -> Result<AccessToken, TokenError> {
        match self.attempt(&mut slot).await {
            Err(TokenError::Unavailable { retry_at, source }) => {
                // Until its end the old token is better than none.
                self.usable(&slot).ok_or(TokenError::Unavailable { retry_at, source })
            }
            other => other,
        }
    }

    async fn attempt(&self, slot: &mut Slot) -> Result<AccessToken, TokenError> {
        self.check_stopped(slot).await?;
        self.check_allowed(slot)?;
        self.check_connected().await?;
        if let Some(token) = self.save_unsaved(slot).await? {
            return Ok(token);
        }
        for _ in 0..LOOKS {
            let stored =
                self.inner.vault.read(&self.mailbox).await.map_err(|error| self.vault(slot, error))?;
            let stored = stored.ok_or_else(|| self.needs_reconnect("it has no stored sign-in"))?;
            if let Some(token) = self.adopt_stored(slot, &stored.record) {
                return Ok(token);
            }
            let claimed = self.is_claimed_elsewhere(&stored.record).await;
            if claimed.map_err(|error| self.vault(slot, error))? {
                if self.usable(slot).is_some() {
                    return Err(TokenError::Unavailable {
                        retry_at: self.inner.clock.now() + LOOK,
                        source: None,
                    });
                }
                tokio::time::sleep(LOOK).await;
                continue;
            }
            let apps = self.look(slot).await?;
            let app = self.app(slot, &apps, &stored.record).await?;
            let claimed = self.claim(stored).await.map_err(|error| self.vault(slot, error))?;
            let Some(claimed) = claimed else { continue };
            if let Some(token) = self.refresh(slot, &apps, app, claimed).await? {
                return Ok(token);
            }
        }
        self.postpone(slot, APART, "another process does not finish its refresh".to_owned());
        Err(TokenError::Unavailable { retry_at: self.inner.clock.now() + APART, source: None })
    }

    /// Asks the provider and stores what it gives; `None` when the record changed meanwhile.
    async fn refresh(
        &self,
        slot: &mut Slot,
        apps: &Arc<Apps>,
        app: &App,
        claimed: Versioned,
    ) -> Result<Option<AccessToken>, TokenError> {
        match self.ask(app, &claimed.record).await {
            Ok((used, grant)) => {
                let now = self.inner.clock.now();
                let mut record = claimed.record.rotated(&used, &grant, self.resource, now);
                record.client_id = Some(app.client_id().to_owned());
                slot.unsaved = Some((record, claimed.version));
                let token = self.save_unsaved(slot).await?;
                let detail = if token.is_some() { "" } else { "another process was faster" };
                self.inner.meters.refreshed();
                self.inner.audit(&self.mailbox, Outcome::Success, detail);
                Ok(token)
            }
            Err(error) => self.failed(slot, apps, claimed, error).await.map(|()| None),
        }
    }

    async fn is_claimed_elsewhere(&self, record: &Record) -> Result<bool, VaultError> {
        let other = record.claim.as_ref().filter(|claim| claim.holder != self.inner.holder);
        let Some(claim) = other else { return Ok(false) };
        Ok(!claim.is_over(self.shared_time().await?))
    }

    /// What claims are judged by: two processes whose clocks differ must not both believe that they have one.
    async fn shared_time(&self) -> Result<Timestamp, StoreError> {
        self.inner.store.shared_time(self.inner.clock.now()).await
    }

    /// Takes the right to refresh; `None` when somebody else was faster. A store that cannot be
    /// written is noticed here, before the provider rotates anything.
    async fn claim(&self, stored: Versioned) -> Result<Option<Versioned>, VaultError> {
        let Versioned { mut record, version } = stored;
        record.claim = Some(Claim::new(&self.inner.holder, self.shared_time().await? + CLAIM));
        let won = self.inner.vault.write(&self.mailbox, &record, version).await?;
        Ok(won.then_some(Versioned { record, version: version + 1 }))
    }

    /// Gives the right back; a claim that cannot be given back ends by time.
    async fn release(&self, claimed: Versioned) -> Result<bool, VaultError> {
        let Versioned { mut record, version } = claimed;
        record.claim = None;
        self.inner.vault.write(&self.mailbox, &record, version).await
    }

    /// Whether what stopped the refreshes still holds: a registration may have been entered since.
    async fn check_stopped(&self, slot: &mut Slot) -> Result<(), TokenError> {
        if slot.stopped.is_none() {
            return Ok(());
        }
        let apps = self.look(slot).await?;
        match &slot.stopped {
            Some(stopped) if Arc::ptr_eq(&stopped.with, &apps) => {
                Err(TokenError::Misconfigured { reason: stopped.reason.clone() })
            }
            _ => {
                slot.stopped = None;
                Ok(())
            }
        }
    }

    /// The registrations as they are now.
    async fn look(&self, slot: &mut Slot) -> Result<Arc<Apps>, TokenError> {
        self.inner.registrations.look().await.map_err(|error| self.vault(slot, error))
    }

    fn check_allowed(&self, slot: &mut Slot) -> Result<(), TokenError> {
        let now = self.inner.now();
        if let Some((steady, retry_at)) = slot.blocked
            && now.steady < steady
        {
            return Err(TokenError::Unavailable { retry_at, source: None });
        }
        if self.refused.is_some() {
            if let Some(at) = slot.renewed
                && now.steady.saturating_sub(at) < APART
            {
                let wait = (at + APART).saturating_sub(now.steady);
                return Err(TokenError::Unavailable { retry_at: now.wall + wait, source: None });
            }
            slot.renewed = Some(now.steady);
        }
        Ok(())
    }

    async fn check_connected(&self) -> Result<(), TokenError> {
        let row = self.inner.store.mailbox(&self.mailbox).await.map_err(unreadable)?;
        let row = row.ok_or_else(|| self.needs_reconnect("it is not connected"))?;
        match row.state {
            MailboxState::Connected => Ok(()),
            MailboxState::NeedsReconnect => Err(self.needs_reconnect(
                row.last_error.as_deref().unwrap_or("the provider no longer accepts the stored sign-in"),
            )),
        }
    }

    /// Puts what the provider gave into the vault; `None` when there is nothing, or when somebody else
    /// wrote meanwhile (then their record counts).
    async fn save_unsaved(&self, slot: &mut Slot) -> Result<Option<AccessToken>, TokenError> {
        let Some((record, expected)) = slot.unsaved.take() else { return Ok(None) };
        match self.inner.vault.write(&self.mailbox, &record, expected).await {
            Ok(true) => {
                slot.refreshed = Some(self.inner.clock.steady());
                for kept in &record.access {
                    self.inner.adopt(&self.mailbox, &self.entry, slot, kept, record.refreshed_at);
                }
                Ok(record.kept(self.resource).map(|kept| kept.token.clone()))
            }
            Ok(false) => Ok(None),
            Err(error) => {
                slot.unsaved = Some((record, expected));
                Err(self.vault(slot, error))
            }
        }
    }

    /// Takes over what another process stored, or what was there before a restart; the token if it is
    /// fresh.
    fn adopt_stored(&self, slot: &mut Slot, record: &Record) -> Option<AccessToken> {
        let kept = record.kept(self.resource).filter(|kept| !self.is_refused(&kept.token))?;
        // A token that is cached already was judged by the steady clock and found to be due.
        let known = slot.cached.get(&self.resource);
        if known.is_some_and(|cached| same(&cached.token.secret, &kept.token.secret)) {
            return None;
        }
        let now = self.inner.now();
        let cached = Cached::new(kept, now, 128);
        if cached.is_fresh(now) {
            self.inner.adopt(&self.mailbox, &self.entry, slot, kept, record.refreshed_at);
            return Some(kept.token.clone());
        }
        slot.cached.insert(self.resource, cached);
        None
    }

    /// The registration that the mailbox's grant was given to.
    async fn app<'a>(
        &self,
        slot: &mut Slot,
        apps: &'a Arc<Apps>,
        record: &Record,
    ) -> Result<&'a App, TokenError> {
        let Some(app) = apps.of(record.vendor) else {
            let reason = format!("no app is registered at {} [mail-no-app]", record.vendor.name());
            return Err(self.stop(slot, apps, reason));
        };
        match replaced(app, record) {
            Some(reason) => Err(self.dead(slot, reason).await?),
            None => Ok(app),
        }
    }

    /// Nothing is asked of the provider until there is another registration.
    fn stop(&self, slot: &mut Slot, apps: &Arc<Apps>, reason: String) -> TokenError {
        slot.stopped = Some(Stopped { with: Arc::clone(apps), reason: reason.clone() });
        self.entry.set_failure(self.inner.clock.now(), reason.clone(), None);
        TokenError::Misconfigured { reason }
    }

    /// Asks with the present refresh token, then with the one before it if that is all there is.
    async fn ask(&self, app: &App, record: &Record) -> Result<(SecretString, Grant), GrantError> {
        let refusal = match self.ask_with(app, record, &record.refresh).await {
            Ok(grant) => return Ok((record.refresh.clone(), grant)),
            Err(GrantError::Refused(refusal)) if refusal.error == "invalid_grant" => refusal,
            Err(error) => return Err(error),
        };
        let Some(previous) = &record.previous else { return Err(GrantError::Refused(refusal)) };
        let grant = self.ask_with(app, record, previous).await;
        grant.map(|grant| (previous.clone(), grant)).map_err(|_| GrantError::Refused(refusal))
    }

    async fn ask_with(&self, app: &App, record: &Record, token: &SecretString) -> Result<Grant, GrantError> {
        let granted = record.kept(self.resource).map(|kept| kept.token.scopes.as_slice());
        let scopes = app.vendor().refreshed(self.resource, granted);
        let now = self.inner.clock.now();
        let mut grant = refresh(&self.inner.http, app, &record.token_url, token, &scopes, now).await?;
        // Neither asked for nor told: what was granted stays (RFC 6749, section 6).
        if let (true, Some(granted)) = (grant.access.scopes.is_empty(), granted) {
            grant.access.scopes = granted.to_vec();
        }
        Ok(grant)
    }

    /// Ok when the record is another one by now, so that looking again makes sense.
    async fn failed(
        &self,
        slot: &mut Slot,
        apps: &Arc<Apps>,
        claimed: Versioned,
        error: GrantError,
    ) -> Result<(), TokenError> {
        let [chance] = random_bytes();
        let now = self.inner.clock.now();
        let failure = judge(claimed.record.vendor, &error, slot.failures + 1, chance, now);
        self.inner.meters.not_refreshed(&failure);
        self.inner.audit(&self.mailbox, Outcome::Failure, why(&failure));
        let released = self.release(claimed).await.map_err(|error| self.vault(slot, error))?;
        match failure {
            Failure::Later { wait } => {
                warn!(mailbox = %self.mailbox, error = %Report(&error), wait_ms = wait.as_millis() as u64,
                    "access token not refreshed");
                self.postpone(slot, wait, Report(&error).to_string());
                Err(TokenError::Unavailable { retry_at: now + wait, source: Some(Box::new(error)) })
            }
            Failure::Misconfigured(_) => {
                warn!(mailbox = %self.mailbox, error = %Report(&error), "refreshing stopped: app registration");
                Err(self.stop(slot, apps, explain(&error)))
            }
            // The claim outlived its time, or an admin has connected again: that record counts.
            Failure::Reconnect(_) if !released => Ok(()),
            Failure::Reconnect(_) => Err(self.dead(slot, explain(&error)).await?),
        }
    }

    async fn dead(&self, slot: &mut Slot, reason: String) -> Result<TokenError, TokenError> {
        warn!(mailbox = %self.mailbox, reason, "the mailbox has to be connected again");
        let (store, now) = (&self.inner.store, self.inner.clock.now());
        let noted = store.set_mailbox_state(&self.mailbox, MailboxState::NeedsReconnect, Some(&reason), now);
        noted.await.map_err(unreadable)?;
        slot.cached.clear();
        self.entry.set_failure(self.inner.clock.now(), reason.clone(), None);
        Ok(self.needs_reconnect(&reason))
    }

    /// The vault failed: no token is given, and the provider is not asked in a loop.
    fn vault(&self, slot: &mut Slot, error: VaultError) -> TokenError {
        warn!(mailbox = %self.mailbox, error = %Report(&error), "the vault cannot be used");
        let wait = Duration::from_secs(1 << slot.failures.min(6));
        self.postpone(slot, wait, Report(&error).to_string());
        TokenError::Vault { source: Box::new(error) }
    }

    fn postpone(&self, slot: &mut Slot, wait: Duration, reason: String) {
        let now = self.inner.now();
        slot.failures += 1;
        slot.blocked = Some((now.steady + wait, now.wall + wait));
        self.entry.set_failure(now.wall, reason, Some(now.wall + wait));
    }

    fn needs_reconnect(&self, reason: &str) -> TokenError {
        TokenError::NeedsReconnect { mailbox: self.mailbox.clone(), reason: reason.to_owned() }
    }

    fn is_refused(&self, token: &AccessToken) -> bool {
        self.refused.as_ref().is_some_and(|refused| same(refused, &token.secret))
    }
}

fn same(left: &SecretString, right: &SecretString) -> bool {
    left.expose_secret() == right.expose_secret()
}

fn unreadable(error: StoreError) -> TokenError {
    TokenError::Vault { source: Box::new(error) }
}

/// A failed refresh, for the audit.
fn why(failure: &Failure) -> &'static str {
    match failure {
        Failure::Later { .. } => "the provider gives no token now",
        Failure::Misconfigured(_) => "the app registration is refused",
        Failure::Reconnect(_) => "the grant is dead",
    }
}

/// What happened, and in brackets what tells the advice and what the provider's support asks for.
fn explain(error: &GrantError) -> String {
    match error {
        GrantError::Refused(refusal) => format!("the provider refused [{}]", refusal.reference()),
        other => Report(other).to_string(),
    }
}
