//! Looking after everything that lies sealed: which keys it needs, and moving it to the active one.
//!
//! Knows each sealed field's place and purpose; what is in them it neither reads nor keeps.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::clock::Timestamp;
use crate::base::id::hex;
use crate::store::seal::{SealError, Sealer, key_id};
use crate::store::{SealedField, SealedPlace, Store, StoreError};
use crate::token::vault::{Vault, VaultError};

/// A gateway with the earlier key may write while fields are moved; it is followed this often.
const PASSES: usize = 10;

/// Why the vault's fields were not moved to the active key.
#[derive(Debug, thiserror::Error)]
pub enum RekeyError {
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    #[error("the vault cannot be used")]
    Vault(#[from] VaultError),
    #[error("{count} sealed field(s) do not open, the first is {first}; nothing was changed")]
    Closed { count: usize, first: String },
    #[error("another process goes on sealing with an earlier key: give it the new one and run this again")]
    Overtaken,
}

/// What the vault holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    /// How many fields each key opens, by the key's id.
    pub opened: BTreeMap<String, usize>,
    /// Fields that do not open: where they lie, and why.
    pub closed: Vec<(String, SealError)>,
}

/// Opens every sealed field and throws away what is in it. Changes nothing.
pub async fn census(
    store: &Arc<dyn Store>,
    sealer: &Arc<Sealer>,
    now: Timestamp,
) -> Result<Census, VaultError> {
    let vault = Vault::new(store.clone(), sealer.clone());
    let mut census = Census::default();
    for field in store.sealed_fields(now).await? {
        let place = Place::of(&field.place);
        match vault.open(&place.record, place.purpose, place.version, &field.sealed).await {
            Ok(_) => match key_id(&field.sealed) {
                Ok(key) => *census.opened.entry(key).or_default() += 1,
                Err(reason) => census.closed.push((place.name(), reason)),
            },
            Err(VaultError::Sealed { source, .. }) => census.closed.push((place.name(), source)),
            Err(other) => return Err(other),
        }
    }
    Ok(census)
}

/// Seals every field that an earlier key opens with the active one; how many there were.
///
/// Each field is one write that either happens or does not: cut off anywhere, every field opens with one of
/// the two keys, and the next run goes on with what is left. Versions stay, so that a refresh that is under
/// way in a gateway still finds its record.
///
/// # Errors
/// When a field opens with none of the keys: then no field is touched.
pub async fn rekey(
    store: &Arc<dyn Store>,
    sealer: &Arc<Sealer>,
    now: Timestamp,
) -> Result<usize, RekeyError> {
    let before = census(store, sealer, now).await?;
    if let Some((first, reason)) = before.closed.first() {
        let first = format!("{first} ({reason})");
        return Err(RekeyError::Closed { count: before.closed.len(), first });
    }
    let vault = Vault::new(store.clone(), sealer.clone());
    let mut moved = 0;
    for _ in 0..PASSES {
        let left = earlier(store.sealed_fields(now).await?, &sealer.active_key_id());
        if left.is_empty() {
            return Ok(moved);
        }
        for field in left {
            let place = Place::of(&field.place);
            let plain = vault.open(&place.record, place.purpose, place.version, &field.sealed).await?;
            let anew = vault.seal(&place.record, place.purpose, place.version, &plain).await?;
            // One that changed meanwhile is looked at again in the next pass.
            moved += usize::from(store.reseal(&field, &anew).await?);
        }
    }
    Err(RekeyError::Overtaken)
}

fn earlier(fields: Vec<SealedField>, active: &str) -> Vec<SealedField> {
    fields.into_iter().filter(|field| key_id(&field.sealed).is_ok_and(|key| key != active)).collect()
}

/// What sealing a field named.
struct Place<'f> {
    record: String,
    purpose: &'f str,
    version: i64,
}

impl<'f> Place<'f> {
    fn of(place: &'f SealedPlace) -> Self {
        match place {
            // A record's name ends with what is in it.
            SealedPlace::Record { name, version } => Self {
                record: name.clone(),
                purpose: name.rsplit_once('/').map_or(name.as_str(), |(_, last)| last),
                version: *version,
            },
            SealedPlace::Flow { id } => Self { record: id.clone(), purpose: "flow", version: 0 },
            SealedPlace::Parked { flow } => Self { record: flow.clone(), purpose: "parked", version: 0 },
            SealedPlace::Session { id, expires_at } => {
                Self { record: hex(id), purpose: "desk session", version: expires_at.0 }
            }
        }
    }

    fn name(&self) -> String {
        format!("`{}` ({})", self.record, self.purpose)
    }
}
