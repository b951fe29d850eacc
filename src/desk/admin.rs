//! Who is a helpdesk admin: the desk's own word, asked now or at most 5 s ago.
//!
//! The question carries the browser's own User-Agent and address: the desk deletes a session when both
//! differ from those at login. This file does not know which requests need an admin.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use http::{Request, StatusCode};
use moka::future::Cache;
use url::Url;

use crate::base::audit::{Audit, Event, Outcome, Record};
use crate::base::clock::{Clock, Timestamp};
use crate::base::report::Report;
use crate::base::secret::{ExposeSecret, HashKey};
use crate::desk::caller::Caller;
use crate::desk::profile::{self, Profile};
use crate::web::call::{CallError, HttpCall};
use crate::web::local::Admin;

/// A "yes" is believed this long.
const ADMIN_FOR: Duration = Duration::from_secs(5);
/// A "no" is believed this long: somebody just made admin should not have to wait.
const NOT_ADMIN_FOR: Duration = Duration::from_secs(1);
/// For the desk's whole answer; its profile query loads every notification the user ever had.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// The notification list in the answer is unbounded.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Verdicts kept at once.
const MOST_VERDICTS: u64 = 10_000;
/// As long as a session of the desk lives: who was an administrator is remembered for the audit only.
const SESSION_LIFE: Duration = Duration::from_secs(8 * 3600);

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

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
    /// Sessions that were an administrator's at the last look.
    administrators: Cache<[u8; 32], ()>,
    audit: Audit,
}

impl Admins {
    /// `api_url` is the origin of the desk's API; `key` hashes tokens for the cache and for
    /// [`Admin::session`].
    pub fn new(
        http: Arc<dyn HttpCall>,
        api_url: &Url,
        clock: Arc<dyn Clock>,
        key: HashKey,
        audit: Audit,
    ) -> Self {
        let profile_url = format!("{}/api/v1/auth/profile", api_url.as_str().trim_end_matches('/'));
        // Whether a verdict still holds is decided by our clock; this only frees the memory.
        let verdicts = Cache::builder().max_capacity(MOST_VERDICTS).time_to_live(ADMIN_FOR * 2).build();
        let administrators = Cache::builder().max_capacity(MOST_VERDICTS).time_to_live(SESSION_LIFE).build();
        let generation = AtomicU64::new(0);
        Self { http, profile_url, clock, key, generation, verdicts, administrators, audit }
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
            Ok(Ok(standing)) => {
                self.note_demotion(caller, &standing).await;
                standing
            }
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

    /// Tells of a session that was an administrator's when the desk was asked before.
    async fn note_demotion(&self, caller: &Caller, standing: &Standing) {
        let session = self.session(caller);
        match standing {
            Standing::Admin(_) => self.administrators.insert(session, ()).await,
            Standing::NotAdmin if self.administrators.remove(&session).await.is_some() => {
                let demoted = Record::new(Event::Demotion, Outcome::Success, "no longer an administrator");
                self.audit.record(demoted.from(caller.client));
            }
            Standing::NotAdmin | Standing::Anonymous | Standing::DeskDown => {}
        }
    }

    fn session(&self, caller: &Caller) -> [u8; 32] {
        self.key.hash(&[b"session", caller.token.expose_secret().as_bytes()])
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
        let session = self.session(caller);
        let Profile { user_id, email, name, language, .. } = profile;
        Standing::Admin(Arc::new(Admin { user_id, email, name, language, session }))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, future::join_all, stream};
    use http::Response;

    use std::net::IpAddr;

    use super::*;
    use crate::base::clock::ManualClock;
    use crate::base::secret::SecretString;
    use crate::desk::scripted::{Scripted, pieces, profile, unreachable, whole};

    struct Scene {
        desk: Arc<Scripted>,
        clock: Arc<ManualClock>,
        admins: Arc<Admins>,
    }

    fn scene(desk: Scripted) -> Scene {
        let (desk, clock) = (Arc::new(desk), Arc::new(ManualClock::at(Timestamp(1_000_000))));
        let url = Url::parse("http://127.0.0.1:5003").expect("a URL");
        let key = HashKey::from_bytes([7; 32]);
        let audit = Audit::new(clock.clone());
        let admins = Admins::new(desk.clone(), &url, clock.clone(), key, audit);
        Scene { desk, clock, admins: Arc::new(admins) }
    }

    fn caller(token: &str) -> Caller {
        let user_agent = Some(HeaderValue::from_static("Mozilla/5.0 (test)"));
        Caller { token: SecretString::from(token), user_agent, client: IpAddr::from([203, 0, 113, 7]) }
    }

    fn is_admin(standing: &Standing) -> bool {
        matches!(standing, Standing::Admin(_))
    }

    #[tokio::test]
    async fn the_question_carries_the_browsers_own_agent_and_address() {
        let scene = scene(Scripted::desk());
        let standing = scene.admins.recent(&caller("admin")).await;
        let asked = scene.desk.asked.lock().expect("not poisoned");
        let headers = asked[0].headers();
        assert!(is_admin(&standing));
        assert_eq!(asked[0].uri(), "http://127.0.0.1:5003/api/v1/auth/profile");
        assert_eq!(headers[AUTHORIZATION], "Bearer admin");
        assert_eq!(headers[USER_AGENT], "Mozilla/5.0 (test)");
        assert_eq!(headers.get_all(X_FORWARDED_FOR).iter().collect::<Vec<_>>(), ["203.0.113.7"]);
    }

    #[tokio::test]
    async fn the_proof_names_the_admin_and_the_session() {
        let scene = scene(Scripted::desk());
        let Standing::Admin(one) = scene.admins.recent(&caller("admin")).await else { panic!("an admin") };
        let Standing::Admin(again) = scene.admins.fresh(&caller("admin")).await else { panic!("an admin") };
        assert_eq!(
            (one.user_id.as_str(), one.email.as_str(), one.language.as_str()),
            ("u1", "ann@example.com", "en")
        );
        assert_eq!(one.session, again.session);
        assert_ne!(one.session, crate::base::secret::sha256(b"admin"));
    }

    #[tokio::test]
    async fn a_yes_is_believed_five_seconds_and_a_no_one() {
        for (token, known_for_ms) in [("admin", 5_000), ("agent", 1_000), ("nobody", 1_000)] {
            let scene = scene(Scripted::desk());
            let standing = scene.admins.recent(&caller(token)).await;
            scene.clock.advance(Duration::from_millis(known_for_ms - 1));
            assert_eq!(scene.admins.known(&caller(token)), Some(standing), "{token}");
            scene.clock.advance(Duration::from_millis(1));
            assert_eq!(scene.admins.known(&caller(token)), None, "{token}");
            scene.admins.recent(&caller(token)).await;
            assert_eq!(scene.desk.calls(), 2, "{token}");
        }
    }

    #[tokio::test]
    async fn a_clock_set_back_prolongs_nothing() {
        let scene = scene(Scripted::desk());
        scene.admins.recent(&caller("admin")).await;
        scene.clock.set(Timestamp(500_000));
        assert_eq!(scene.admins.known(&caller("admin")), None);
    }

    #[tokio::test]
    async fn another_token_agent_or_address_is_another_question() {
        let scene = scene(Scripted::desk());
        scene.admins.recent(&caller("admin")).await;
        let other_agent = Caller { user_agent: None, ..caller("admin") };
        let other_address = Caller { client: IpAddr::from([203, 0, 113, 8]), ..caller("admin") };
        for other in [caller("agent"), other_agent, other_address] {
            assert_eq!(scene.admins.known(&other), None);
        }
    }

    #[tokio::test]
    async fn whatever_is_not_a_clear_yes_is_a_no() {
        let yes = profile(true);
        let table = [
            (StatusCode::UNAUTHORIZED, yes.as_str(), Standing::Anonymous),
            (StatusCode::INTERNAL_SERVER_ERROR, yes.as_str(), Standing::Anonymous),
            (StatusCode::FOUND, yes.as_str(), Standing::Anonymous),
            (StatusCode::FORBIDDEN, yes.as_str(), Standing::NotAdmin),
            (StatusCode::BAD_GATEWAY, yes.as_str(), Standing::DeskDown),
            (StatusCode::SERVICE_UNAVAILABLE, yes.as_str(), Standing::DeskDown),
            (StatusCode::OK, "<html>", Standing::NotAdmin),
            (StatusCode::OK, "", Standing::NotAdmin),
            (StatusCode::OK, r#"{"user":{"id":"u1","isAdmin":"true"}}"#, Standing::NotAdmin),
        ];
        for (status, body, expected) in table {
            let body = body.to_owned();
            let scene = scene(Scripted::new(move |_| Ok(whole(status, &body))));
            assert_eq!(scene.admins.recent(&caller("admin")).await, expected, "{status}");
        }
    }

    #[tokio::test]
    async fn a_desk_that_is_down_is_asked_again_at_once() {
        let scene = scene(Scripted::new(|_| Err(unreachable())));
        assert_eq!(scene.admins.recent(&caller("admin")).await, Standing::DeskDown);
        scene.desk.now_says(|_| Ok(whole(StatusCode::OK, &profile(true))));
        assert!(is_admin(&scene.admins.recent(&caller("admin")).await));
    }

    #[tokio::test]
    async fn a_desk_that_breaks_off_says_nothing() {
        let broken = |_: &str| {
            let start = Ok(Bytes::from_static(br#"{"user":{"id":"u1","isAdmin":true"#));
            Ok(Response::new(stream::iter([start, Err(unreachable())]).boxed()))
        };
        let scene = scene(Scripted::new(broken));
        assert_eq!(scene.admins.recent(&caller("admin")).await, Standing::DeskDown);
    }

    #[tokio::test(start_paused = true)]
    async fn a_desk_that_takes_longer_than_two_seconds_says_nothing() {
        let scene = scene(Scripted::desk().gated());
        let begun = tokio::time::Instant::now();
        assert_eq!(scene.admins.recent(&caller("admin")).await, Standing::DeskDown);
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test]
    async fn reading_ends_where_the_notifications_begin() {
        let endless = |_: &str| {
            let text = profile(true);
            let start = Bytes::from(text[..text.find("[]").expect("a list") + 1].to_owned());
            Ok(Response::new(stream::iter([Ok(start)]).chain(stream::pending()).boxed()))
        };
        let scene = scene(Scripted::new(endless));
        assert!(is_admin(&scene.admins.recent(&caller("admin")).await));
    }

    #[tokio::test]
    async fn an_answer_without_end_is_a_no() {
        let filler = Bytes::from(format!(r#"{{"x":"{}"#, "x".repeat(65_536)));
        let endless = vec![filler; 65];
        let scene = scene(Scripted::new(move |_| Ok(pieces(StatusCode::OK, endless.clone()))));
        assert_eq!(scene.admins.recent(&caller("admin")).await, Standing::NotAdmin);
    }

    #[tokio::test]
    async fn five_hundred_callers_wait_for_one_answer() {
        let scene = scene(Scripted::desk().gated());
        let admins = &scene.admins;
        let question = caller("admin");
        let all = join_all((0..500).map(|_| admins.recent(&question)));
        let open = async { scene.desk.gate.add_permits(500) };
        let (standings, ()) = tokio::join!(all, open);
        assert!(standings.iter().all(is_admin));
        assert_eq!(scene.desk.calls(), 1);
    }

    #[tokio::test]
    async fn what_was_asked_before_a_change_does_not_count_after_it() {
        let scene = scene(Scripted::desk().gated());
        let question = caller("admin");
        let change = async {
            scene.admins.invalidate_all();
            scene.desk.gate.add_permits(2);
        };
        let (before, ()) = tokio::join!(scene.admins.recent(&question), change);
        scene.desk.now_says(|_| Ok(whole(StatusCode::OK, &profile(false))));
        assert!(is_admin(&before));
        assert_eq!(scene.admins.known(&question), None);
        assert_eq!(scene.admins.recent(&question).await, Standing::NotAdmin);
    }

    #[tokio::test]
    async fn a_fresh_no_replaces_a_remembered_yes() {
        let scene = scene(Scripted::desk());
        scene.admins.recent(&caller("admin")).await;
        scene.desk.now_says(|_| Ok(whole(StatusCode::OK, &profile(false))));
        assert_eq!(scene.admins.fresh(&caller("admin")).await, Standing::NotAdmin);
        assert_eq!(scene.admins.known(&caller("admin")), Some(Standing::NotAdmin));
    }

    #[tokio::test]
    async fn a_token_that_fits_no_header_is_never_sent() {
        let scene = scene(Scripted::desk());
        assert_eq!(scene.admins.recent(&caller("a\nb")).await, Standing::Anonymous);
        assert_eq!(scene.desk.calls(), 0);
    }
}
