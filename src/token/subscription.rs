//! What is known of a mailbox's subscription at its provider: sealed records beside the tokens, since the
//! secret in them is what a call from outside is believed by. Subscribes nobody and calls nobody.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base::clock::Timestamp;
use crate::base::id::{MailboxId, random_token};
use crate::base::secret::{ExposeSecret, SecretString, equal_in_constant_time};
use crate::store::Store;
use crate::store::seal::Sealer;
use crate::token::vault::{Vault, VaultError};

/// What the seal binds a record to.
const PURPOSE: &str = "subscription";
const TRIES: u32 = 8;

/// A mailbox's subscription, made or yet to be made.
#[derive(Debug, Clone)]
pub struct Subscribed {
    /// The provider's id; `None` until there is one.
    pub id: Option<String>,
    /// Stays the same for as long as the mailbox is connected, so that a call that was made under the last
    /// subscription is believed too.
    pub secret: SecretString,
    /// What the provider calls.
    pub url: String,
    pub expires_at: Timestamp,
    /// The provider asked for a renewal.
    pub renewal_asked: bool,
    /// After a refusal: not before.
    pub try_again_at: Timestamp,
}

impl Subscribed {
    /// Nothing yet, to be told at `url`.
    pub fn wanted(url: &str) -> Self {
        Self {
            id: None,
            secret: SecretString::from(random_token()),
            url: url.to_owned(),
            expires_at: Timestamp(0),
            renewal_asked: false,
            try_again_at: Timestamp(0),
        }
    }

    /// Whether whoever says `secret` was told it by us.
    pub fn believes(&self, secret: &SecretString) -> bool {
        equal_in_constant_time(self.secret.expose_secret().as_bytes(), secret.expose_secret().as_bytes())
    }
}

/// How a record is written.
#[derive(Serialize, Deserialize)]
struct Written {
    id: Option<String>,
    secret: String,
    url: String,
    expires_at: i64,
    renewal_asked: bool,
    try_again_at: i64,
}

/// Keeps the records.
#[derive(Clone)]
pub struct Subscriptions {
    store: Arc<dyn Store>,
    vault: Vault,
}

impl Subscriptions {
    pub fn new(store: Arc<dyn Store>, sealer: Arc<Sealer>) -> Self {
        let vault = Vault::new(Arc::clone(&store), sealer);
        Self { store, vault }
    }

    pub async fn read(&self, mailbox: &MailboxId) -> Result<Option<Subscribed>, VaultError> {
        Ok(self.versioned(mailbox).await?.map(|(subscribed, _)| subscribed))
    }

    /// Adds a record; `false` when there is one.
    pub async fn add(&self, mailbox: &MailboxId, subscribed: &Subscribed) -> Result<bool, VaultError> {
        self.write(mailbox, subscribed, 0).await
    }

    /// Changes the record; `None` when it is gone, since the mailbox may have been disconnected meanwhile. What
    /// another process wrote in between is changed too, not lost.
    pub async fn change(
        &self,
        mailbox: &MailboxId,
        change: impl Fn(&mut Subscribed) + Send,
    ) -> Result<Option<Subscribed>, VaultError> {
        for _ in 0..TRIES {
            let Some((mut subscribed, version)) = self.versioned(mailbox).await? else { return Ok(None) };
            change(&mut subscribed);
            if self.write(mailbox, &subscribed, version).await? {
                return Ok(Some(subscribed));
            }
        }
        Err(VaultError::Contended { record: name(mailbox) })
    }

    async fn write(
        &self,
        mailbox: &MailboxId,
        subscribed: &Subscribed,
        version: i64,
    ) -> Result<bool, VaultError> {
        let record = name(mailbox);
        let plain = Zeroizing::new(bytes(subscribed));
        let sealed = self.vault.seal(&record, PURPOSE, version + 1, &plain).await?;
        Ok(self.store.put_sealed(&record, version, &sealed).await?)
    }

    /// Forgets it; the provider's id of what is to be ended there. Disconnecting the mailbox forgets it too.
    pub async fn take(&self, mailbox: &MailboxId) -> Result<Option<String>, VaultError> {
        let kept = self.read(mailbox).await?;
        self.store.delete_sealed(&name(mailbox)).await?;
        Ok(kept.and_then(|kept| kept.id))
    }

    async fn versioned(&self, mailbox: &MailboxId) -> Result<Option<(Subscribed, i64)>, VaultError> {
        let record = name(mailbox);
        let Some(row) = self.store.sealed(&record).await? else { return Ok(None) };
        let plain = self.vault.open(&record, PURPOSE, row.version, &row.sealed).await?;
        // serde's own message may quote the record.
        let written = serde_json::from_slice(&plain).map_err(|_| VaultError::Garbled { record })?;
        Ok(Some((of(written), row.version)))
    }
}

fn name(mailbox: &MailboxId) -> String {
    format!("mailbox/{mailbox}/subscription")
}

fn bytes(subscribed: &Subscribed) -> Vec<u8> {
    let written = Written {
        id: subscribed.id.clone(),
        secret: subscribed.secret.expose_secret().to_owned(),
        url: subscribed.url.clone(),
        expires_at: subscribed.expires_at.0,
        renewal_asked: subscribed.renewal_asked,
        try_again_at: subscribed.try_again_at.0,
    };
    serde_json::to_vec(&written).expect("strings and numbers are JSON")
}

fn of(written: Written) -> Subscribed {
    Subscribed {
        id: written.id,
        secret: SecretString::from(written.secret),
        url: written.url,
        expires_at: Timestamp(written.expires_at),
        renewal_asked: written.renewal_asked,
        try_again_at: Timestamp(written.try_again_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::seal::SealingKey;
    use crate::store::{StoreAt, open};

    async fn subscriptions() -> (Subscriptions, Arc<dyn Store>, MailboxId) {
        let store = open(&StoreAt::Sqlite(":memory:".into())).await.expect("a store");
        let sealer = Arc::new(Sealer::new(SealingKey::random()));
        let subscriptions = Subscriptions::new(store.clone(), sealer);
        (subscriptions, store, MailboxId::parse("help").expect("an id"))
    }

    #[tokio::test]
    async fn a_record_is_added_once_and_lies_sealed() {
        let (subscriptions, store, id) = subscriptions().await;
        let first = Subscribed::wanted("https://a/");
        assert!(subscriptions.add(&id, &first).await.expect("added"));
        assert!(!subscriptions.add(&id, &Subscribed::wanted("https://b/")).await.expect("not added"));
        let changed = subscriptions.change(&id, |one| one.id = Some("s1".into())).await.expect("changed");
        let read = subscriptions.read(&id).await.expect("read").expect("there");
        assert_eq!((read.id, read.url.as_str()), (changed.expect("there").id, "https://a/"));
        assert!(read.secret.expose_secret() == first.secret.expose_secret());
        let sealed = store.sealed("mailbox/help/subscription").await.expect("read").expect("there").sealed;
        let secret = first.secret.expose_secret().as_bytes();
        assert!(!sealed.windows(secret.len()).any(|part| part == secret));
    }

    #[tokio::test]
    async fn a_disconnected_mailboxs_record_does_not_come_back() {
        let (subscriptions, store, id) = subscriptions().await;
        subscriptions.add(&id, &Subscribed::wanted("https://a/")).await.expect("added");
        store.disconnect_mailbox(&id).await.expect("disconnected");
        let changed = subscriptions.change(&id, |one| one.id = Some("s1".into())).await.expect("asked");
        assert!(changed.is_none() && subscriptions.read(&id).await.expect("read").is_none());
    }

    #[test]
    fn only_the_secret_itself_is_believed() {
        let subscribed = Subscribed::wanted("https://a/");
        assert!(subscribed.believes(&subscribed.secret.clone()));
        assert!(!subscribed.believes(&SecretString::from("")) && !subscribed.believes(&"guess".into()));
    }
}
