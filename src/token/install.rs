//! The installation's own secret: what sessions, forms and Message-IDs are hashed with.
//!
//! It lies sealed in the store, so that it is the same in every gateway on that store and stays the same
//! when the vault gets another key.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::base::id::random_bytes;
use crate::base::secret::HashKey;
use crate::store::Store;
use crate::store::seal::Sealer;
use crate::token::vault::{Vault, VaultError};

/// Its sealed record.
const RECORD: &str = "install/secret";
const PURPOSE: &str = "secret";
/// It is written once.
const VERSION: i64 = 1;

/// 32 random bytes that keys are derived from. Has no Debug and no Display.
#[derive(Clone)]
pub struct InstallSecret(HashKey);

impl InstallSecret {
    /// One that no store holds: what is hashed with it is worth nothing once it is dropped.
    pub fn random() -> Self {
        Self(HashKey::random())
    }

    /// The secret of `store`; made on the first call.
    ///
    /// # Errors
    /// When the store holds one that none of the sealer's keys opens: then these are not the keys of this
    /// store, and nothing in it was changed.
    pub async fn of(store: &Arc<dyn Store>, sealer: &Arc<Sealer>) -> Result<Self, VaultError> {
        let vault = Vault::new(store.clone(), sealer.clone());
        if store.sealed(RECORD).await?.is_none() {
            let made = Zeroizing::new(random_bytes::<32>());
            let sealed = vault.seal(RECORD, PURPOSE, VERSION, &*made).await?;
            // Another gateway may have been faster: then its secret is the one.
            store.put_sealed(RECORD, VERSION - 1, &sealed).await?;
        }
        let garbled = || VaultError::Garbled { record: RECORD.to_owned() };
        let row = store.sealed(RECORD).await?.ok_or_else(garbled)?;
        let plain = vault.open(RECORD, PURPOSE, row.version, &row.sealed).await?;
        let bytes = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| garbled())?;
        Ok(Self(HashKey::from_bytes(bytes)))
    }

    /// A key for hashing under `purpose`, independent of those of other purposes.
    pub fn derive(&self, purpose: &str) -> HashKey {
        HashKey::from_bytes(self.0.hash(&[b"mintgate derived key 1", purpose.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_keys_differ_by_purpose_and_by_installation() {
        let (one, other) = (InstallSecret::random(), InstallSecret::random());
        let hash = |secret: &InstallSecret, purpose: &str| secret.derive(purpose).hash(&[b"x"]);
        assert_eq!(hash(&one, "message ids"), hash(&one.clone(), "message ids"));
        assert_ne!(hash(&one, "message ids"), hash(&one, "sessions"));
        assert_ne!(hash(&one, "message ids"), hash(&other, "message ids"));
    }
}
