//! Where tokens lie: sealed records of the store, one per mailbox. Does not refresh and does not cache.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::base::id::{MailboxId, short_id};
use crate::store::seal::{Context, SealError, Sealer};
use crate::store::{Store, StoreError};
use crate::token::record::Record;

/// Why the vault gave or took nothing.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    #[error("the sealed record `{record}` cannot be opened")]
    Sealed { record: String, source: SealError },
    #[error("the sealed record `{record}` is not a token record")]
    Garbled { record: String },
    #[error("the sealed record `{record}` keeps changing")]
    Contended { record: String },
}

/// Sealed records of this installation.
#[derive(Clone)]
pub struct Vault {
    store: Arc<dyn Store>,
    sealer: Arc<Sealer>,
    install: Arc<OnceCell<String>>,
}

/// A record and the version it has in the store.
pub struct Versioned {
    pub record: Record,
    pub version: i64,
}

impl Vault {
    pub fn new(store: Arc<dyn Store>, sealer: Arc<Sealer>) -> Self {
        Self { store, sealer, install: Arc::default() }
    }

    /// The mailbox's tokens; `None` when it is not connected.
    pub async fn read(&self, mailbox: &MailboxId) -> Result<Option<Versioned>, VaultError> {
        let name = name(mailbox);
        let Some(row) = self.store.sealed(&name).await? else { return Ok(None) };
        let bytes = self.open(&name, "tokens", row.version, &row.sealed).await?;
        let record = Record::from_bytes(&bytes).ok_or(VaultError::Garbled { record: name })?;
        Ok(Some(Versioned { record, version: row.version }))
    }

    /// Writes if the stored version is still `expected` (0: absent); `false` when it is not.
    pub async fn write(
        &self,
        mailbox: &MailboxId,
        record: &Record,
        expected: i64,
    ) -> Result<bool, VaultError> {
        let name = name(mailbox);
        let sealed = self.seal(&name, "tokens", expected + 1, &record.to_bytes()).await?;
        Ok(self.store.put_sealed(&name, expected, &sealed).await?)
    }

    /// Writes whatever is there now: a new sign-in outweighs every earlier token.
    pub async fn replace(&self, mailbox: &MailboxId, record: &Record) -> Result<(), VaultError> {
        let name = name(mailbox);
        for _ in 0..8 {
            let present = self.store.sealed(&name).await?;
            let expected = present.map_or(0, |row| row.version);
            if self.write(mailbox, record, expected).await? {
                return Ok(());
            }
        }
        Err(VaultError::Contended { record: name })
    }

    /// Seals `plain` for the place `record`, `purpose`, `version` of this installation. What goes into a
    /// row of sealed records has the last segment of the row's name as its purpose (`mailbox/m365/tokens`:
    /// `tokens`), and the row's version.
    pub async fn seal(
        &self,
        record: &str,
        purpose: &str,
        version: i64,
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let install = self.install().await?;
        Ok(self.sealer.seal(&Context { install, record, purpose, version }, plain))
    }

    /// Opens what [`Vault::seal`] sealed for the same place.
    pub async fn open(
        &self,
        record: &str,
        purpose: &str,
        version: i64,
        sealed: &[u8],
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, VaultError> {
        let install = self.install().await?;
        let context = Context { install, record, purpose, version };
        let opened = self.sealer.open(&context, sealed);
        opened.map_err(|source| VaultError::Sealed { record: record.to_owned(), source })
    }

    async fn install(&self) -> Result<&str, StoreError> {
        const NAME: &str = "install_id";
        let id = self.install.get_or_try_init(|| async {
            // Looked for first: a store that is only looked at cannot be written.
            match self.store.fact(NAME).await? {
                Some(id) => Ok(id),
                None => self.store.fact_or_insert(NAME, &short_id()).await,
            }
        });
        id.await.map(String::as_str)
    }
}

fn name(mailbox: &MailboxId) -> String {
    format!("mailbox/{mailbox}/tokens")
}
