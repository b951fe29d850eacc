//! What the vault holds about one mailbox, as a value and as the bytes that are sealed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use crate::base::clock::Timestamp;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::oauth::app::Vendor;
use crate::oauth::grant::Grant;
use crate::oauth::source::{AccessToken, Resource};

/// The tokens of one mailbox.
pub struct Record {
    pub vendor: Vendor,
    /// The app that the grant was given to; another one's client secret cannot refresh it. `None` in records
    /// of earlier versions, until the next refresh.
    pub client_id: Option<String>,
    /// Where they are refreshed; the provider's own.
    pub token_url: Url,
    /// Where the grant is ended, where that is possible.
    pub revoke_url: Option<Url>,
    pub refresh: SecretString,
    /// The refresh token before the last rotation, until the present one has worked once: a provider
    /// may have told us of a rotation that it then lost.
    pub previous: Option<SecretString>,
    pub access: Vec<Kept>,
    pub refreshed_at: Timestamp,
    /// Who is asking the provider right now.
    pub claim: Option<Claim>,
}

/// Far more than a claim lasts.
const TOO_FAR: Duration = Duration::from_secs(600);

/// One process's right to refresh, for as long as an answer may take. Where rotation is strict, a second
/// process that asks with the same refresh token would be told that the grant is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Random per process.
    pub holder: String,
    until: i64,
}

impl Claim {
    pub fn new(holder: &str, until: Timestamp) -> Self {
        Self { holder: holder.to_owned(), until: until.0 }
    }

    /// By the same clock that `until` was taken from. One that ends far ahead was written while that clock was
    /// ahead.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let until = Timestamp(self.until);
        until <= now || until > now + TOO_FAR
    }
}

/// An access token and how long it was meant to live when it was given.
#[derive(Clone)]
pub struct Kept {
    pub resource: Resource,
    pub token: AccessToken,
    pub lifetime: Duration,
}

impl Kept {
    pub fn of(grant: &Grant, resource: Resource) -> Self {
        Self { resource, token: grant.access.clone(), lifetime: grant.lifetime }
    }
}

impl Record {
    /// The record after `grant` was given for `used` (the present refresh token or the previous one).
    pub fn rotated(&self, used: &SecretString, grant: &Grant, resource: Resource, now: Timestamp) -> Self {
        let (refresh, previous) = match &grant.refresh {
            Some(new) if new.expose_secret() != used.expose_secret() => (new.clone(), Some(used.clone())),
            _ => (used.clone(), None),
        };
        let mut access = self.access.clone();
        access.retain(|kept| kept.resource != resource);
        access.push(Kept::of(grant, resource));
        Self {
            vendor: self.vendor,
            client_id: self.client_id.clone(),
            token_url: self.token_url.clone(),
            revoke_url: self.revoke_url.clone(),
            refresh,
            previous,
            access,
            refreshed_at: now,
            claim: None,
        }
    }

    pub fn kept(&self, resource: Resource) -> Option<&Kept> {
        self.access.iter().find(|kept| kept.resource == resource)
    }

    /// The bytes to seal.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let stored = Stored {
            vendor: self.vendor,
            client_id: self.client_id.clone(),
            token_url: self.token_url.clone(),
            revoke_url: self.revoke_url.clone(),
            refresh: self.refresh.expose_secret().into(),
            previous: self.previous.as_ref().map(|token| token.expose_secret().into()),
            access: self.access.iter().map(StoredAccess::of).collect(),
            refreshed_at: self.refreshed_at.0,
            claim: self.claim.clone(),
        };
        Zeroizing::new(serde_json::to_vec(&stored).expect("a record is plain JSON"))
    }

    /// `None` when the bytes are no record.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            vendor: stored.vendor,
            client_id: stored.client_id,
            token_url: stored.token_url,
            revoke_url: stored.revoke_url,
            refresh: SecretString::from(stored.refresh),
            previous: stored.previous.map(SecretString::from),
            access: stored.access.into_iter().map(StoredAccess::kept).collect(),
            refreshed_at: Timestamp(stored.refreshed_at),
            claim: stored.claim,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    vendor: Vendor,
    #[serde(default)]
    client_id: Option<String>,
    token_url: Url,
    revoke_url: Option<Url>,
    refresh: String,
    previous: Option<String>,
    access: Vec<StoredAccess>,
    refreshed_at: i64,
    claim: Option<Claim>,
}

#[derive(Serialize, Deserialize)]
struct StoredAccess {
    resource: Resource,
    secret: String,
    expires_at: i64,
    lifetime_ms: u64,
    scopes: Vec<String>,
}

impl StoredAccess {
    fn of(kept: &Kept) -> Self {
        Self {
            resource: kept.resource,
            secret: kept.token.secret.expose_secret().into(),
            expires_at: kept.token.expires_at.0,
            lifetime_ms: u64::try_from(kept.lifetime.as_millis()).unwrap_or(u64::MAX),
            scopes: kept.token.scopes.clone(),
        }
    }

    fn kept(self) -> Kept {
        Kept {
            resource: self.resource,
            token: AccessToken {
                secret: SecretString::from(self.secret),
                expires_at: Timestamp(self.expires_at),
                scopes: self.scopes,
            },
            lifetime: Duration::from_millis(self.lifetime_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(access: &str, refresh: Option<&str>) -> Grant {
        Grant {
            access: AccessToken {
                secret: access.into(),
                expires_at: Timestamp(3_600_000),
                scopes: vec!["mail.send".into()],
            },
            lifetime: Duration::from_secs(3600),
            refresh: refresh.map(SecretString::from),
            id_token: None,
        }
    }

    fn record() -> Record {
        Record {
            vendor: Vendor::Google,
            client_id: Some("app".into()),
            token_url: Url::parse("https://login.example/token").expect("a URL"),
            revoke_url: Url::parse("https://login.example/revoke").ok(),
            refresh: "r1".into(),
            previous: Some("r0".into()),
            access: Vec::new(),
            refreshed_at: Timestamp(0),
            claim: Some(Claim::new("one", Timestamp(9))),
        }
    }

    #[test]
    fn a_record_survives_its_bytes() {
        let after = record().rotated(&"r1".into(), &grant("a", Some("r2")), Resource::Graph, Timestamp(7));
        let read = Record::from_bytes(&after.to_bytes()).expect("a record");
        assert_eq!((read.vendor, &read.revoke_url), (Vendor::Google, &record().revoke_url));
        assert_eq!(read.client_id.as_deref(), Some("app"));
        assert_eq!(read.refresh.expose_secret(), "r2");
        assert_eq!(read.previous.as_ref().map(ExposeSecret::expose_secret), Some("r1"));
        let kept = read.kept(Resource::Graph).expect("a token");
        assert_eq!((kept.lifetime, kept.token.expires_at), (Duration::from_secs(3600), Timestamp(3_600_000)));
        assert!(kept.token.grants("Mail.Send"));
        assert_eq!(read.refreshed_at, Timestamp(7));
        assert_eq!(read.claim, None, "the refresh is over");
    }

    #[test]
    fn a_record_from_before_there_were_other_providers_is_microsofts() {
        let text = r#"{"token_url":"https://login.example/token","refresh":"r","previous":null,
            "access":[{"resource":"graph","secret":"a","expires_at":1,"lifetime_ms":1,"scopes":[]}],
            "refreshed_at":1,"claim":null}"#;
        let read = Record::from_bytes(text.as_bytes()).expect("a record");
        assert_eq!((read.vendor, read.revoke_url.as_ref()), (Vendor::Microsoft, None));
        assert_eq!(read.client_id, None);
        assert!(read.kept(Resource::Graph).is_some());
    }

    #[test]
    fn a_claim_survives_its_bytes_and_ends_by_time() {
        let claim = Record::from_bytes(&record().to_bytes()).expect("a record").claim.expect("a claim");
        assert!(!claim.is_over(Timestamp(8)) && claim.is_over(Timestamp(9)));
        assert!(
            claim.is_over(Timestamp(9) - Duration::from_secs(601)),
            "the clock was ahead when it was written"
        );
    }

    #[test]
    fn without_a_rotation_the_token_that_worked_is_kept_alone() {
        let after = record().rotated(&"r1".into(), &grant("a", None), Resource::Graph, Timestamp(7));
        assert_eq!(after.refresh.expose_secret(), "r1");
        assert!(after.previous.is_none());
    }

    #[test]
    fn tokens_of_two_resources_stand_side_by_side() {
        let one = record().rotated(&"r1".into(), &grant("graph", None), Resource::Graph, Timestamp(7));
        let two = one.rotated(&"r1".into(), &grant("mail", None), Resource::Mail, Timestamp(8));
        let secret = |resource| two.kept(resource).expect("a token").token.secret.expose_secret().to_owned();
        assert_eq!((secret(Resource::Graph), secret(Resource::Mail)), ("graph".into(), "mail".into()));
    }
}
