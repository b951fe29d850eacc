//! Sealing: what the store keeps of a secret can be read only with the key and only in its place.
//!
//! Each record has its own random data key; the key from the file wraps that one. Both layers name
//! install, record, purpose and version as associated data, so a sealed record that was moved, renamed
//! or set back does not open. Knows neither the database nor what the secrets mean.

mod key;

pub use key::{KeyError, SealingKey};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::base::id::{hex, random_bytes};

/// Layout: version, key id, nonce of the wrap, wrapped data key with its tag, nonce of the record;
/// then the record with its tag.
const LAYOUT: u8 = 1;
const KEY_ID: usize = 8;
const NONCE: usize = 24;
const TAG: usize = 16;
const WRAP_NONCE_AT: usize = 1 + KEY_ID;
const WRAPPED_AT: usize = WRAP_NONCE_AT + NONCE;
const NONCE_AT: usize = WRAPPED_AT + 32 + TAG;
const HEAD: usize = NONCE_AT + NONCE;

/// Why sealed bytes do not open. Nothing of them is returned in any of these cases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("the sealed record is cut short")]
    TooShort,
    #[error("the sealed record has layout {found}, which this version does not know")]
    Layout { found: u8 },
    #[error("the record was sealed with key {key_id}, which is not among the configured keys")]
    UnknownKey { key_id: String },
    #[error("the sealed record was changed, or belongs to another place")]
    Refused,
}

/// The place of a sealed record. Opening demands the same place that sealing named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// The installation's own id, so that two installations sharing a key cannot swap records.
    pub install: &'a str,
    /// The record's name, such as `mailbox/m365/tokens` or a flow's id.
    pub record: &'a str,
    /// Which field of the record.
    pub purpose: &'a str,
    /// The record's version; 0 where records have none.
    pub version: i64,
}

impl Context<'_> {
    /// Associated data: every part behind its length, so that parts cannot run into each other.
    fn associated(&self, layer: &str, head: &[u8]) -> Vec<u8> {
        let version = self.version.to_be_bytes();
        let parts: [&[u8]; 7] = [
            b"mintgate seal 1",
            layer.as_bytes(),
            self.install.as_bytes(),
            self.record.as_bytes(),
            self.purpose.as_bytes(),
            &version,
            head,
        ];
        let mut data = Vec::new();
        for part in parts {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

/// Seals with one active key; opens with that one and any number of earlier ones.
pub struct Sealer {
    active: SealingKey,
    earlier: Vec<SealingKey>,
}

impl Sealer {
    pub fn new(active: SealingKey) -> Self {
        Self { active, earlier: Vec::new() }
    }

    /// Also opens what `key` sealed; new records are never sealed with it.
    #[must_use]
    pub fn with_earlier(mut self, key: SealingKey) -> Self {
        self.earlier.push(key);
        self
    }

    /// Hexadecimal id of the active key; not a secret.
    pub fn active_key_id(&self) -> String {
        hex(&self.active.id())
    }

    /// Seals `plain` into the place `context`. Sealing twice gives different bytes.
    pub fn seal(&self, context: &Context<'_>, plain: &[u8]) -> Vec<u8> {
        let data_key = Zeroizing::new(random_bytes::<32>());
        let (wrap_nonce, nonce) = (random_bytes::<NONCE>(), random_bytes::<NONCE>());
        let mut sealed = Vec::with_capacity(HEAD + plain.len() + TAG);
        sealed.push(LAYOUT);
        sealed.extend_from_slice(&self.active.id());
        let wrap_data = context.associated("key", &sealed);
        sealed.extend_from_slice(&wrap_nonce);
        sealed.extend(encrypt(&self.active.derived("wrap", ""), wrap_nonce, &*data_key, &wrap_data));
        sealed.extend_from_slice(&nonce);
        let record_data = context.associated("record", &sealed);
        sealed.extend(encrypt(&data_key, nonce, plain, &record_data));
        sealed
    }

    /// Opens what [`Sealer::seal`] made for the same place.
    pub fn open(&self, context: &Context<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (head, body) = split(sealed)?;
        let key = self.key(&head[1..WRAP_NONCE_AT])?;
        let wrap_data = context.associated("key", &head[..WRAP_NONCE_AT]);
        let wrapped = &head[WRAPPED_AT..NONCE_AT];
        let unwrapped =
            decrypt(&key.derived("wrap", ""), &head[WRAP_NONCE_AT..WRAPPED_AT], wrapped, &wrap_data)?;
        let data_key = Zeroizing::new(<[u8; 32]>::try_from(&unwrapped[..]).map_err(|_| SealError::Refused)?);
        decrypt(&data_key, &head[NONCE_AT..], body, &context.associated("record", head))
    }

    fn key(&self, id: &[u8]) -> Result<&SealingKey, SealError> {
        std::iter::once(&self.active)
            .chain(&self.earlier)
            .find(|key| key.id() == id)
            .ok_or_else(|| SealError::UnknownKey { key_id: hex(id) })
    }
}

/// Hexadecimal id of the key that a record was sealed with.
pub fn key_id(sealed: &[u8]) -> Result<String, SealError> {
    split(sealed).map(|(head, _)| hex(&head[1..WRAP_NONCE_AT]))
}

/// Head and body.
fn split(sealed: &[u8]) -> Result<(&[u8], &[u8]), SealError> {
    match sealed.first() {
        Some(&LAYOUT) if sealed.len() >= HEAD + TAG => Ok(sealed.split_at(HEAD)),
        None | Some(&LAYOUT) => Err(SealError::TooShort),
        Some(&found) => Err(SealError::Layout { found }),
    }
}

fn encrypt(key: &[u8; 32], nonce: [u8; NONCE], plain: &[u8], associated: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: associated })
        .expect("XChaCha20-Poly1305 refuses only messages above 256 GiB")
}

fn decrypt(
    key: &[u8; 32],
    nonce: &[u8],
    sealed: &[u8],
    associated: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| SealError::TooShort)?;
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: associated })
        .map(Zeroizing::new)
        .map_err(|_| SealError::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Context<'static> =
        Context { install: "install-1", record: "mailbox/m365/tokens", purpose: "tokens", version: 3 };
    const PLAIN: &[u8] = b"a refresh token that nobody else may read";

    fn sealer() -> Sealer {
        Sealer::new(SealingKey::random())
    }

    #[test]
    fn what_was_sealed_opens_in_its_place() {
        let sealer = sealer();
        let sealed = sealer.seal(&PLACE, PLAIN);
        assert_eq!(sealer.open(&PLACE, &sealed).expect("opens").as_slice(), PLAIN);
        assert!(!sealed.windows(8).any(|part| PLAIN.windows(8).any(|plain| plain == part)));
        assert_ne!(sealed, sealer.seal(&PLACE, PLAIN), "two seals share no key and no nonce");
    }

    #[test]
    fn an_empty_secret_opens_too() {
        let sealer = sealer();
        let sealed = sealer.seal(&PLACE, b"");
        assert!(sealer.open(&PLACE, &sealed).expect("opens").is_empty());
    }

    #[test]
    fn a_record_in_another_place_does_not_open() {
        let sealer = sealer();
        let sealed = sealer.seal(&PLACE, PLAIN);
        let elsewhere = [
            Context { install: "install-2", ..PLACE },
            Context { record: "mailbox/other/tokens", ..PLACE },
            Context { purpose: "password", ..PLACE },
            Context { version: 2, ..PLACE },
            // The same letters, divided otherwise.
            Context { record: "mailbox/m365/tokenst", purpose: "okens", ..PLACE },
        ];
        for place in elsewhere {
            assert_eq!(sealer.open(&place, &sealed), Err(SealError::Refused), "{place:?}");
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let sealer = sealer();
        let sealed = sealer.seal(&PLACE, PLAIN);
        for at in 0..sealed.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = sealed.clone();
                changed[at] ^= change;
                assert!(sealer.open(&PLACE, &changed).is_err(), "byte {at} ^ {change:#x}");
            }
        }
    }

    #[test]
    fn a_record_cut_anywhere_or_grown_is_refused() {
        let sealer = sealer();
        let mut sealed = sealer.seal(&PLACE, PLAIN);
        for length in 0..sealed.len() {
            assert!(sealer.open(&PLACE, &sealed[..length]).is_err(), "{length} bytes");
        }
        sealed.push(0);
        assert_eq!(sealer.open(&PLACE, &sealed), Err(SealError::Refused));
    }

    #[test]
    fn parts_of_two_records_cannot_be_mixed() {
        let sealer = sealer();
        let one = sealer.seal(&PLACE, PLAIN);
        let other = sealer.seal(&PLACE, PLAIN);
        for cut in [WRAP_NONCE_AT, WRAPPED_AT, NONCE_AT, HEAD] {
            let mixed = [&one[..cut], &other[cut..]].concat();
            let whole = mixed == one || mixed == other;
            assert!(whole || sealer.open(&PLACE, &mixed).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn an_unknown_key_is_named_and_an_earlier_one_still_opens() {
        let old = SealingKey::random();
        let sealed = Sealer::new(old.clone()).seal(&PLACE, PLAIN);
        let renewed = sealer();
        assert_eq!(renewed.open(&PLACE, &sealed), Err(SealError::UnknownKey { key_id: hex(&old.id()) }));
        let renewed = renewed.with_earlier(old);
        assert_eq!(renewed.open(&PLACE, &sealed).expect("opens").as_slice(), PLAIN);
        let again = renewed.seal(&PLACE, PLAIN);
        assert_eq!(hex(&again[1..WRAP_NONCE_AT]), renewed.active_key_id());
    }

    #[test]
    fn a_record_tells_which_key_it_needs() {
        let sealer = sealer();
        let sealed = sealer.seal(&PLACE, PLAIN);
        assert_eq!(key_id(&sealed), Ok(sealer.active_key_id()));
        assert_eq!(key_id(&sealed[..HEAD]), Err(SealError::TooShort));
        assert_eq!(key_id(&[9; 300]), Err(SealError::Layout { found: 9 }));
    }
}
