//! Who is a helpdesk admin: the desk's own word, asked now or at most 5 s ago.
//!
//! The question carries the browser's own User-Agent and address: the desk deletes a session when both
//! differ from those at login. This file does not know which requests need an admin.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use http::{Request, StatusCode};
use moka::future::Cache;
use url::Url;

use crate::base::clock::{Clock, Timestamp};
use crate::base::report::Report;
use crate::base::secret::{ExposeSecret, HashKey, SecretString};
use crate::desk::profile::{self, Profile};
use crate::web::call::{CallError, HttpCall};
use crate::web::local::Admin;

/// A "yes" is believed this long.
const ADMIN_FOR: Duration = Duration::from_secs(5);
/// A "no" is believed this long: somebody just made admin should not have to wait.
const NOT_ADMIN_FOR: Duration = Duration::from_secs(1);
/// For the desk's whole answer; its profile query loads every notification the user ever had.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The notification list in the answer is unbounded.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Verdicts kept at once.
const MOST_VERDICTS: u64 = 10_000;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whoever makes a request, as far as the desk can tell sessions apart.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The desk's session token.
    pub token: SecretString,
    pub user_agent: Option<HeaderValue>,
    pub client: IpAddr,
}

/// What the desk says about a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Admin(Arc<Admin>),
    /// Signed in, no admin.
    NotAdmin,
    /// The desk does not know this session (any more).
    Anonymous,
    /// The desk cannot be asked.
    DeskDown,
}

impl Standing {
    fn believed_for(&self) -> Duration {
        match self {
            Self::Admin(_) => ADMIN_FOR,
            Self::NotAdmin | Self::Anonymous => NOT_ADMIN_FOR,
            Self::DeskDown => Duration::ZERO,
        }
    }
}

#[derive(Clone)]
struct Known {
    standing: Standing,
    asked_at: Timestamp,
}

impl Known {
    fn holds(&self, now: Timestamp) -> bool {
        // A clock that was set back must not prolong a verdict.
        self.asked_at <= now && now.since(self.asked_at) < self.standing.believed_for()
    }
}

/// Asks the desk and remembers its answers for a short time.
pub struct Admins {
    http: Arc<dyn HttpCall>,
    profile_url: String,
    clock: Arc<dyn Clock>,
    key: HashKey,
    /// Part of every cache key: raising it forgets all verdicts, those still being asked for included.
    generation: AtomicU64,
    verdicts: Cache<[u8; 32], Known>,
}

impl Admins {
    /// `api_url` is the origin of the desk's API; `key` hashes tokens for the cache and for
    /// [`Admin::session`].
    pub fn new(http: Arc<dyn HttpCall>, api_url: &Url, clock: Arc<dyn Clock>, key: HashKey) -> Self {
        let profile_url = format!("{}/api/v1/auth/profile", api_url.as_str().trim_end_matches('/'));
        // Whether a verdict still holds is decided by our clock; this only frees the memory.
        let verdicts = Cache::builder().max_capacity(MOST_VERDICTS).time_to_live(ADMIN_FOR * 2).build();
        Self { http, profile_url, clock, key, generation: AtomicU64::new(0), verdicts }
    }

    /// What is known without asking; `None` when the desk has to be asked.
    pub fn known(&self, caller: &Caller) -> Option<Standing> {
        let known = self.verdicts.get(&self.cache_key(caller)).now_or_never().flatten()?;
        known.holds(self.clock.now()).then_some(known.standing)
    }

    /// The desk's word, at most 5 s old. Callers with the same question wait for one answer.
    pub async fn recent(&self, caller: &Caller) -> Standing {
        let entry = self.verdicts.entry(self.cache_key(caller));
        let known = entry.or_insert_with_if(self.ask(caller), |known| !known.holds(self.clock.now())).await;
        known.into_value().standing
    }

    /// The desk's word, asked for now.
    pub async fn fresh(&self, caller: &Caller) -> Standing {
        let key = self.cache_key(caller);
        let known = self.ask(caller).await;
        self.verdicts.insert(key, known.clone()).await;
        known.standing
    }

    /// Forgets every verdict: somebody's role or session has just changed.
    pub fn invalidate_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.verdicts.invalidate_all();
    }

    fn cache_key(&self, caller: &Caller) -> [u8; 32] {
        let generation = self.generation.load(Ordering::SeqCst).to_be_bytes();
        let user_agent = caller.user_agent.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
        let client = caller.client.to_string();
        let token = caller.token.expose_secret().as_bytes();
        self.key.hash(&[b"verdict", token, user_agent, client.as_bytes(), &generation])
    }

    async fn ask(&self, caller: &Caller) -> Known {
        let asked_at = self.clock.now();
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.profile(caller)).await;
        let standing = match answer {
            Ok(Ok(standing)) => standing,
            Ok(Err(error)) => {
                tracing::warn!(error = %Report(&error), "the desk cannot say who is an admin");
                Standing::DeskDown
            }
            Err(_) => {
                tracing::warn!(
                    after_s = ANSWER_WITHIN.as_secs(),
                    "the desk took too long to say who is an admin"
                );
                Standing::DeskDown
            }
        };
        Known { standing, asked_at }
    }

    async fn profile(&self, caller: &Caller) -> Result<Standing, CallError> {
        let Some(request) = self.request(caller) else { return Ok(Standing::Anonymous) };
        let mut answer = self.http.open(request).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::FORBIDDEN => return Ok(Standing::NotAdmin),
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                return Ok(Standing::DeskDown);
            }
            // 401 is a bad or expired token; 500 is what the desk says when the session row is gone.
            _ => return Ok(Standing::Anonymous),
        }
        let mut body = BytesMut::new();
        let mut reader = profile::Reader::default();
        while let Some(piece) = answer.body_mut().next().await {
            body.extend_from_slice(&piece?);
            if body.len() > LONGEST_ANSWER {
                return Ok(Standing::NotAdmin);
            }
            if let Some(profile) = reader.more(&body) {
                return Ok(self.standing(profile, caller));
            }
        }
        Ok(reader.end(&body).map_or(Standing::NotAdmin, |profile| self.standing(profile, caller)))
    }

    /// `None` when the token cannot stand in a header: then it is not one of the desk's.
    fn request(&self, caller: &Caller) -> Option<Request<Bytes>> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", caller.token.expose_secret())).ok()?;
        bearer.set_sensitive(true);
        let mut request = Request::get(&self.profile_url)
            .header(AUTHORIZATION, bearer)
            .header(X_FORWARDED_FOR, caller.client.to_string())
            .header(ACCEPT, "application/json")
            // The answer is read as it arrives.
            .header(ACCEPT_ENCODING, "identity");
        if let Some(user_agent) = &caller.user_agent {
            request = request.header(USER_AGENT, user_agent);
        }
        request.body(Bytes::new()).ok()
    }

    fn standing(&self, profile: Profile, caller: &Caller) -> Standing {
        if !profile.is_admin {
            return Standing::NotAdmin;
        }
        let session = self.key.hash(&[b"session", caller.token.expose_secret().as_bytes()]);
        let Profile { user_id, email, name, language, .. } = profile;
        Standing::Admin(Arc::new(Admin { user_id, email, name, language, session }))
    }
}
