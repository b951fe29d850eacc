//! Passwords of mailboxes that sign in without OAuth: sealed records beside the tokens. A password is
//! given out and never shown.

use std::sync::Arc;

use async_trait::async_trait;

use crate::base::id::MailboxId;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::oauth::source::{PasswordSource, Purpose, TokenError};
use crate::store::Store;
use crate::store::seal::Sealer;
use crate::token::vault::{Vault, VaultError};

/// One password for everything, that was typed and is not kept.
pub struct Typed(pub SecretString);

#[async_trait]
impl PasswordSource for Typed {
    async fn password(&self, _: &MailboxId, _: Purpose) -> Result<SecretString, TokenError> {
        Ok(self.0.clone())
    }
}

/// What the seal binds a password to.
const PURPOSE: &str = "password";
const TRIES: u32 = 8;

/// Keeps and gives passwords.
#[derive(Clone)]
pub struct Passwords {
    store: Arc<dyn Store>,
    vault: Vault,
}

impl Passwords {
    pub fn new(store: Arc<dyn Store>, sealer: Arc<Sealer>) -> Self {
        let vault = Vault::new(Arc::clone(&store), sealer);
        Self { store, vault }
    }

    /// Keeps `password`, whatever was kept before. Disconnecting the mailbox drops it.
    pub async fn keep(
        &self,
        mailbox: &MailboxId,
        purpose: Purpose,
        password: &SecretString,
    ) -> Result<(), VaultError> {
        let record = name(mailbox, purpose);
        for _ in 0..TRIES {
            let version = self.store.sealed(&record).await?.map_or(0, |row| row.version);
            let plain = password.expose_secret().as_bytes();
            let sealed = self.vault.seal(&record, PURPOSE, version + 1, plain).await?;
            if self.store.put_sealed(&record, version, &sealed).await? {
                return Ok(());
            }
        }
        Err(VaultError::Contended { record })
    }

    /// Forgets a password; sending then uses the one for reading.
    pub async fn forget(&self, mailbox: &MailboxId, purpose: Purpose) -> Result<(), VaultError> {
        Ok(self.store.delete_sealed(&name(mailbox, purpose)).await?)
    }

    /// Whether a password of its own is kept for `purpose`.
    pub async fn has(&self, mailbox: &MailboxId, purpose: Purpose) -> Result<bool, VaultError> {
        Ok(self.store.sealed(&name(mailbox, purpose)).await?.is_some())
    }

    async fn read(&self, mailbox: &MailboxId, purpose: Purpose) -> Result<Option<SecretString>, VaultError> {
        let record = name(mailbox, purpose);
        let Some(row) = self.store.sealed(&record).await? else { return Ok(None) };
        let plain = self.vault.open(&record, PURPOSE, row.version, &row.sealed).await?;
        let text = std::str::from_utf8(&plain).map_err(|_| VaultError::Garbled { record })?;
        Ok(Some(SecretString::from(text)))
    }
}

fn name(mailbox: &MailboxId, purpose: Purpose) -> String {
    match purpose {
        Purpose::Incoming => format!("mailbox/{mailbox}/password"),
        Purpose::Outgoing => format!("mailbox/{mailbox}/smtp-password"),
    }
}

#[async_trait]
impl PasswordSource for Passwords {
    async fn password(&self, mailbox: &MailboxId, purpose: Purpose) -> Result<SecretString, TokenError> {
        let unreadable = |error: VaultError| TokenError::Vault { source: Box::new(error) };
        if let Some(own) = self.read(mailbox, purpose).await.map_err(unreadable)? {
            return Ok(own);
        }
        let incoming = self.read(mailbox, Purpose::Incoming).await.map_err(unreadable)?;
        let reason = "it has no stored password [mail-no-password]".to_owned();
        incoming.ok_or_else(|| TokenError::NeedsReconnect { mailbox: mailbox.clone(), reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::seal::SealingKey;
    use crate::store::{StoreAt, open};

    async fn passwords() -> (Passwords, MailboxId) {
        let store = open(&StoreAt::Sqlite(":memory:".into())).await.expect("a store");
        let sealer = Arc::new(Sealer::new(SealingKey::random()));
        (Passwords::new(store, sealer), MailboxId::parse("help").expect("an id"))
    }

    #[tokio::test]
    async fn sending_uses_its_own_password_where_there_is_one() {
        let (passwords, id) = passwords().await;
        let given = async |purpose| {
            let password = passwords.password(&id, purpose).await.expect("a password");
            password.expose_secret().to_owned()
        };
        passwords.keep(&id, Purpose::Incoming, &"old".into()).await.expect("kept");
        passwords.keep(&id, Purpose::Incoming, &"in".into()).await.expect("kept");
        assert_eq!(given(Purpose::Outgoing).await, "in");
        passwords.keep(&id, Purpose::Outgoing, &"out".into()).await.expect("kept");
        assert_eq!(
            (given(Purpose::Incoming).await, given(Purpose::Outgoing).await),
            ("in".into(), "out".into())
        );
    }

    #[tokio::test]
    async fn without_a_password_the_mailbox_has_to_be_connected_again() {
        let (passwords, id) = passwords().await;
        let missing = passwords.password(&id, Purpose::Incoming).await;
        assert!(matches!(missing, Err(TokenError::NeedsReconnect { .. })));
    }
}
