//! The shield's sessions: handles given out, the cookie that belongs to each, and the desk's token behind it.
//!
//! They lie sealed in the store, found by a keyed hash of the handle, so that they outlive a restart and
//! gateways on one store share them. What was found is remembered for a moment; the cookie needs no look at
//! all, since it is a keyed hash of its handle. Knows no requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use http::header::HeaderValue;
use moka::future::Cache;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use super::browser::{Beginning, Browser};
use super::claims::Claims;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::{hex, random_token};
use crate::base::report::Report;
use crate::base::secret::{ExposeSecret, HashKey, SecretString, equal_in_constant_time};
use crate::store::seal::Sealer;
use crate::store::{SessionRow, Store, StoreError};
use crate::token::vault::{Vault, VaultError};

/// As long as the desk's own tokens live.
const LIFE: Duration = Duration::from_secs(8 * 3600);
/// How long another gateway may not notice that a session was ended.
const LIVE_FOR: Duration = Duration::from_secs(5);
const ABSENT_FOR: Duration = Duration::from_secs(1);
const MOST_REMEMBERED: u64 = 50_000;
/// 256 bits in base64url.
const HANDLE_LENGTH: usize = 43;
const PURPOSE: &str = "desk session";

/// Why no session could be begun or ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("the store is not open")]
    Closed,
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    #[error("the session's token cannot be sealed or opened")]
    Vault(#[from] VaultError),
    #[error("the desk's token does not say whose it is, or has expired already")]
    Token,
    #[error("a stored session holds no token")]
    Garbled,
}

/// A session that lives.
#[derive(Debug)]
pub struct Session {
    /// The desk's user id.
    pub user: String,
    pub beginning: Beginning,
    token: SecretString,
    expires_at: Timestamp,
}

/// What lies sealed in the store.
#[derive(Serialize, Deserialize)]
struct Kept<'t> {
    /// Borrowed from bytes that are wiped; the desk's tokens have no character that JSON escapes.
    token: &'t str,
    beginning: Beginning,
}

impl Session {
    /// The Authorization line that the desk gets.
    pub fn bearer(&self) -> Option<HeaderValue> {
        bearer(&self.token)
    }
}

/// The Authorization line for a token of the desk; `None` when it cannot stand in one.
pub fn bearer(token: &SecretString) -> Option<HeaderValue> {
    let line = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
    let mut value = HeaderValue::from_str(&line).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What is known about a handle.
#[derive(Debug, Clone)]
pub enum Found {
    Live(Arc<Session>),
    /// Ended, expired, or never given out.
    Absent,
    /// The store cannot be asked.
    Unknown,
}

#[derive(Clone)]
struct Known {
    found: Found,
    asked_at: Timestamp,
}

impl Known {
    fn holds(&self, now: Timestamp) -> bool {
        let believed_for = match &self.found {
            Found::Live(session) if session.expires_at <= now => return false,
            Found::Live(_) => LIVE_FOR,
            Found::Absent => ABSENT_FOR,
            Found::Unknown => Duration::ZERO,
        };
        // A clock that was set back must not prolong a session.
        self.asked_at <= now && now.since(self.asked_at) < believed_for
    }
}

/// What a browser is given at sign-in.
#[derive(Debug)]
pub struct Given {
    /// The desk's user id.
    pub user: String,
    /// For the desk's script, in place of the token.
    pub handle: SecretString,
    /// For the cookie that no script can read.
    pub cookie: SecretString,
}

struct Opened {
    store: Arc<dyn Store>,
    vault: Vault,
    /// Where the store lives.
    runtime: Handle,
}

/// All sessions of an installation.
pub struct Sessions {
    sealer: Arc<Sealer>,
    clock: Arc<dyn Clock>,
    key: HashKey,
    opened: OnceLock<Opened>,
    /// Part of every key of `known`: raising it forgets everything, look-ups under way included.
    generation: AtomicU64,
    known: Cache<[u8; 32], Known>,
}

/// Whether a text can be a handle; the desk's own tokens are longer and have dots.
pub fn is_handle(text: &str) -> bool {
    text.len() == HANDLE_LENGTH
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl Sessions {
    /// Until [`Sessions::open`] nobody's session can be told. `key` hashes handles; the same for every gateway
    /// on one store.
    pub fn new(sealer: Arc<Sealer>, key: HashKey, clock: Arc<dyn Clock>) -> Self {
        // Whether something known still holds is decided by our clock; this only frees the memory.
        let known = Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(LIVE_FOR * 2).build();
        Self { sealer, clock, key, opened: OnceLock::new(), generation: AtomicU64::new(0), known }
    }

    /// Gives the sessions their store, once; `runtime` is where it lives.
    pub fn open(&self, store: Arc<dyn Store>, runtime: Handle) {
        let vault = Vault::new(store.clone(), self.sealer.clone());
        if self.opened.set(Opened { store, vault, runtime }).is_err() {
            tracing::debug!("the sessions have their store already");
        }
    }

    /// Whether `cookie` was given with `handle`. Asks nobody.
    pub fn belongs(&self, handle: &str, cookie: &str) -> bool {
        equal_in_constant_time(self.cookie(handle).expose_secret().as_bytes(), cookie.as_bytes())
    }

    /// What is known without asking; `None` when the store has to be asked.
    pub fn known(&self, handle: &SecretString) -> Option<Found> {
        let known = self.known.get(&self.known_key(handle)).now_or_never().flatten()?;
        known.holds(self.clock.now()).then_some(known.found)
    }

    /// The session behind a handle, as the store had it 5 s ago or later.
    pub async fn find(self: Arc<Self>, handle: SecretString) -> Found {
        let Ok(opened) = self.opened() else { return Found::Unknown };
        let runtime = opened.runtime.clone();
        // The store's sockets belong to its own runtime.
        let asked = runtime.spawn(async move {
            let entry = self.known.entry(self.known_key(&handle));
            let look = self.look(&handle);
            let known = entry.or_insert_with_if(look, |known| !known.holds(self.clock.now())).await;
            known.into_value().found
        });
        asked.await.unwrap_or(Found::Unknown)
    }

    /// Begins a session for a token that the desk has just given out to `browser`.
    ///
    /// # Errors
    /// When the token does not say whose it is, or the store cannot be used: then there is no session.
    pub async fn begin(&self, token: &SecretString, browser: &Browser) -> Result<Given, SessionError> {
        let Opened { store, vault, .. } = self.opened()?;
        let now = self.clock.now();
        let claims = Claims::of(token.expose_secret()).ok_or(SessionError::Token)?;
        let expires_at = claims.expires_at.map_or(now + LIFE, |end| end.min(now + LIFE));
        if expires_at <= now {
            return Err(SessionError::Token);
        }
        let handle = SecretString::from(random_token());
        let id = self.id(&handle);
        let kept = Kept { token: token.expose_secret(), beginning: Beginning::by(browser) };
        let plain = Zeroizing::new(serde_json::to_vec(&kept).map_err(|_| SessionError::Token)?);
        let sealed = vault.seal(&hex(&id), PURPOSE, expires_at.0, &plain).await?;
        let owner = self.owner(&claims.user).to_vec();
        let row = SessionRow { id: id.to_vec(), owner, sealed, created_at: now, expires_at };
        store.add_session(&row, now).await?;
        Ok(Given { user: claims.user, cookie: self.cookie(handle.expose_secret()), handle })
    }

    /// Ends one session.
    pub async fn end(&self, handle: &SecretString) -> Result<(), SessionError> {
        self.opened()?.store.end_session(&self.id(handle)).await?;
        self.forget();
        Ok(())
    }

    /// Ends every session of a desk's user. User ids are compared without regard to case.
    pub async fn end_all_of(&self, user: &str) -> Result<(), SessionError> {
        self.opened()?.store.end_sessions_of(&self.owner(user)).await?;
        self.forget();
        Ok(())
    }

    fn opened(&self) -> Result<&Opened, SessionError> {
        self.opened.get().ok_or(SessionError::Closed)
    }

    fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.known.invalidate_all();
    }

    async fn look(&self, handle: &SecretString) -> Known {
        let asked_at = self.clock.now();
        let found = self.stored(handle, asked_at).await.unwrap_or_else(|error| {
            tracing::error!(error = %Report(&error), "a session cannot be looked up");
            Found::Unknown
        });
        Known { found, asked_at }
    }

    async fn stored(&self, handle: &SecretString, now: Timestamp) -> Result<Found, SessionError> {
        let Opened { store, vault, .. } = self.opened()?;
        let id = self.id(handle);
        let Some(row) = store.session(&id, now).await? else { return Ok(Found::Absent) };
        let plain = vault.open(&hex(&id), PURPOSE, row.expires_at.0, &row.sealed).await?;
        let Ok(Kept { token, beginning }) = serde_json::from_slice(&plain) else {
            tracing::info!("a session of an older form counts as over");
            return Ok(Found::Absent);
        };
        let claims = Claims::of(token).ok_or(SessionError::Garbled)?;
        let (user, token, expires_at) = (claims.user, SecretString::from(token), row.expires_at);
        Ok(Found::Live(Arc::new(Session { user, beginning, token, expires_at })))
    }

    fn id(&self, handle: &SecretString) -> [u8; 32] {
        self.key.hash(&[b"session", handle.expose_secret().as_bytes()])
    }

    fn owner(&self, user: &str) -> [u8; 32] {
        self.key.hash(&[b"user", user.to_ascii_lowercase().as_bytes()])
    }

    fn cookie(&self, handle: &str) -> SecretString {
        SecretString::from(URL_SAFE_NO_PAD.encode(self.key.hash(&[b"cookie", handle.as_bytes()])))
    }

    fn known_key(&self, handle: &SecretString) -> [u8; 32] {
        let generation = self.generation.load(Ordering::SeqCst).to_be_bytes();
        self.key.hash(&[b"known", handle.expose_secret().as_bytes(), &generation])
    }
}
