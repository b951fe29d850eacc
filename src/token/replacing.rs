//! What another app registration means for mailboxes that are connected. A grant belongs to the app that it was
//! given to: no other one can refresh it.

use tracing::warn;

use crate::oauth::app::{App, Apps, Vendor};
use crate::store::{MailboxRow, MailboxState, StoreError};
use crate::token::keeper::{Inner, Keeper};
use crate::token::record::Record;
use crate::token::vault::VaultError;

/// Key of the advice at the end of the reason, by which it is known again.
const REPLACED: &str = "[mail-app-replaced]";

/// Why the app cannot refresh the record: the grant was given to another one.
pub(super) fn replaced(app: &App, record: &Record) -> Option<String> {
    let granted = record.client_id.as_deref()?;
    let reason = || format!("the app registration at {} was replaced {REPLACED}", record.vendor.name());
    (granted != app.client_id()).then(reason)
}

impl Keeper {
    /// Settles what follows for connected mailboxes when a registration was entered, changed or removed: whose
    /// grant was given to another app has to be connected again, and who only had to because of that goes on.
    pub async fn settle(&self) -> Result<(), VaultError> {
        let inner = &self.inner;
        let apps = inner.registrations.look().await?;
        inner.meters.registered(&apps);
        for row in inner.store.mailboxes().await? {
            let stored = match inner.vault.read(&row.id).await {
                Ok(Some(stored)) => stored,
                Ok(None) => continue,
                Err(VaultError::Store(failure)) => return Err(failure.into()),
                // Told by the next refresh.
                Err(_) => continue,
            };
            inner.settle_one(&row, &stored.record, &apps).await?;
        }
        inner.wake.ring();
        Ok(())
    }

    /// The connected mailboxes whose grants were given to the app `client_id` at `vendor`, or to one that was
    /// not noted.
    pub async fn granted_to(&self, vendor: Vendor, client_id: &str) -> Result<Vec<MailboxRow>, VaultError> {
        let mut granted = self.inner.store.mailboxes().await?;
        let mut ids = Vec::new();
        for row in &granted {
            match self.inner.vault.read(&row.id).await {
                Ok(Some(stored)) if is_granted_to(&stored.record, vendor, client_id) => {
                    ids.push(row.id.clone())
                }
                Ok(_) => {}
                Err(VaultError::Store(failure)) => return Err(failure.into()),
                Err(_) => {}
            }
        }
        granted.retain(|row| ids.contains(&row.id));
        Ok(granted)
    }
}

impl Inner {
    async fn settle_one(&self, row: &MailboxRow, record: &Record, apps: &Apps) -> Result<(), StoreError> {
        let Some(app) = apps.of(record.vendor) else { return Ok(()) };
        let is_noted = row.last_error.as_deref().is_some_and(|reason| reason.ends_with(REPLACED));
        let (state, reason) = match (replaced(app, record), row.state) {
            (Some(reason), MailboxState::Connected) => (MailboxState::NeedsReconnect, Some(reason)),
            (None, MailboxState::NeedsReconnect) if is_noted => (MailboxState::Connected, None),
            _ => return Ok(()),
        };
        warn!(mailbox = %row.id, connected = state == MailboxState::Connected, "the app registration was replaced");
        self.store.set_mailbox_state(&row.id, state, reason.as_deref(), self.clock.now()).await?;
        Ok(())
    }
}

fn is_granted_to(record: &Record, vendor: Vendor, client_id: &str) -> bool {
    record.vendor == vendor && record.client_id.as_deref().is_none_or(|granted| granted == client_id)
}
