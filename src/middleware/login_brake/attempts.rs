//! Who tried how often. Counts live in memory, outlive a reload of the rules, and are bounded: whoever was
//! silent longest is forgotten first. Accounts are kept as keyed hashes of what was typed.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::base::address::subscriber;
use crate::base::clock::Clock;
use crate::base::secret::HashKey;

/// Of addresses, and of accounts.
const MOST_REMEMBERED: u64 = 65_536;
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3600);
/// How long an address stays welcome at an account after a sign-in.
const WELCOME_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// Addresses that tried one account within a period before it is worth a record.
const MANY_ADDRESSES: usize = 5;

/// So many within a period; one more closes the door for `lockout`, or to the period's end where it is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    pub most: u32,
    pub period: Duration,
    pub lockout: Duration,
}

/// A client, as [`subscriber`] counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Who(IpAddr);

impl Who {
    pub(super) fn of(client: IpAddr) -> Self {
        Self(subscriber(client))
    }
}

/// An account, whether or not there is one of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Account([u8; 32]);

/// A sign-in that was let through to the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt {
    who: Who,
    account: Account,
    /// It is counted for the account too.
    is_stranger: bool,
    /// It is the one by which many addresses have tried the account.
    pub is_by_many: bool,
}

/// Why a sign-in is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    Address(Duration),
    Account(Duration),
}

/// All counts.
pub struct Attempts {
    clock: Arc<dyn Clock>,
    key: HashKey,
    addresses: Counts<Who>,
    accounts: Counts<Account>,
    tickets: Counts<Who>,
    welcome: Cache<[u8; 32], ()>,
}

/// One key's count since the beginning of a period.
#[derive(Default)]
struct Tally {
    since: Duration,
    count: u32,
    closed_until: Duration,
    /// Different addresses of this period, as long as they are few.
    seen: Vec<Who>,
}

type Counts<K> = Cache<K, Arc<Mutex<Tally>>>;

fn counts<K: std::hash::Hash + Eq + Send + Sync + 'static>() -> Counts<K> {
    let builder = Cache::builder().max_capacity(MOST_REMEMBERED).eviction_policy(EvictionPolicy::lru());
    builder.time_to_idle(REMEMBERED_FOR).build()
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    fn take(&mut self, now: Duration, limit: &Limit) -> Result<(), Duration> {
        if now < self.closed_until {
            return Err(self.closed_until - now);
        }
        let is_over = now.saturating_sub(self.since) >= limit.period || self.closed_until > self.since;
        if self.count == 0 || is_over {
            *self = Self { since: now, ..Self::default() };
        }
        if self.count >= limit.most {
            let lasts =
                if limit.lockout.is_zero() { limit.period - (now - self.since) } else { limit.lockout };
            self.closed_until = now + lasts;
            return Err(lasts);
        }
        self.count += 1;
        Ok(())
    }

    /// Whether `who` is the one that makes them many.
    fn see(&mut self, who: Who) -> bool {
        if self.seen.len() >= MANY_ADDRESSES || self.seen.contains(&who) {
            return false;
        }
        self.seen.push(who);
        self.seen.len() == MANY_ADDRESSES
    }
}

impl Attempts {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            key: HashKey::random(),
            addresses: counts(),
            accounts: counts(),
            tickets: counts(),
            welcome: Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(WELCOME_FOR).build(),
        }
    }

    /// The account that a sign-in names; case and blanks around it make no other one.
    pub(super) fn account(&self, email: &str) -> Account {
        Account(self.key.hash(&[b"account", email.trim().to_lowercase().as_bytes()]))
    }

    /// Whether `who` has tried too often; nothing is counted.
    pub(super) fn closed(&self, who: Who) -> Result<(), Duration> {
        let Some(tally) = self.addresses.get(&who) else { return Ok(()) };
        let wait = lock(&tally).closed_until.saturating_sub(self.clock.steady());
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    /// Counts one attempt of an address.
    pub(super) fn reserve(&self, who: Who, limit: &Limit) -> Result<(), Duration> {
        self.count(&self.addresses, who, limit)
    }

    /// Counts one ticket of an address.
    pub(super) fn ticket(&self, who: Who, limit: &Limit) -> Result<(), Duration> {
        self.count(&self.tickets, who, limit)
    }

    /// Counts one sign-in as failed until it is known to be none, so that many at once are not more than
    /// many one by one.
    pub(super) fn begin(&self, who: Who, account: Account, limit: &Limit) -> Result<Attempt, Closed> {
        self.reserve(who, limit).map_err(Closed::Address)?;
        let is_stranger = !self.welcome.contains_key(&self.pair(who, account));
        if !is_stranger {
            return Ok(Attempt { who, account, is_stranger, is_by_many: false });
        }
        let tally = self.accounts.get_with(account, Arc::default);
        let mut tally = lock(&tally);
        tally.take(self.clock.steady(), limit).map_err(Closed::Account)?;
        Ok(Attempt { who, account, is_stranger, is_by_many: tally.see(who) })
    }

    /// The desk knows the password: the account starts anew, and the address is welcome there. What the
    /// address did to other accounts stays counted.
    pub(super) fn succeeded(&self, attempt: &Attempt) {
        self.unknown(attempt);
        self.accounts.invalidate(&attempt.account);
        self.welcome.insert(self.pair(attempt.who, attempt.account), ());
    }

    /// The desk was not able to say.
    pub(super) fn unknown(&self, attempt: &Attempt) {
        give_back(&self.addresses, attempt.who);
        if attempt.is_stranger {
            give_back(&self.accounts, attempt.account);
        }
    }

    fn count<K>(&self, counts: &Counts<K>, key: K, limit: &Limit) -> Result<(), Duration>
    where
        K: std::hash::Hash + Eq + Send + Sync + 'static,
    {
        let tally = counts.get_with(key, Arc::default);
        lock(&tally).take(self.clock.steady(), limit)
    }

    fn pair(&self, who: Who, account: Account) -> [u8; 32] {
        self.key.hash(&[b"pair", who.0.to_string().as_bytes(), &account.0])
    }
}

fn give_back<K: std::hash::Hash + Eq + Send + Sync + 'static>(counts: &Counts<K>, key: K) {
    if let Some(tally) = counts.get(&key) {
        let mut tally = lock(&tally);
        tally.count = tally.count.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{ManualClock, Timestamp};

    const MINUTE: Duration = Duration::from_secs(60);
    const LIMIT: Limit =
        Limit { most: 3, period: Duration::from_secs(300), lockout: Duration::from_secs(900) };

    struct Scene {
        clock: Arc<ManualClock>,
        attempts: Attempts,
    }

    impl Scene {
        fn new() -> Self {
            let clock = Arc::new(ManualClock::at(Timestamp(0)));
            clock.advance(MINUTE);
            Self { attempts: Attempts::new(clock.clone()), clock }
        }

        fn begin(&self, client: &str, email: &str) -> Result<Attempt, Closed> {
            let who = Who::of(client.parse().expect("an address"));
            self.attempts.begin(who, self.attempts.account(email), &LIMIT)
        }

        fn fail(&self, client: &str, email: &str) -> bool {
            self.begin(client, email).is_ok()
        }
    }

    #[test]
    fn too_many_failures_of_an_address_close_it_for_the_lockout() {
        let scene = Scene::new();
        let let_through: Vec<bool> = (0..5).map(|n| scene.fail("192.0.2.1", &format!("user {n}"))).collect();
        assert_eq!(let_through, [true, true, true, false, false]);
        assert!(scene.fail("192.0.2.2", "somebody"));
        scene.clock.advance(14 * MINUTE);
        assert_eq!(scene.begin("192.0.2.1", "a"), Err(Closed::Address(MINUTE)));
        scene.clock.advance(MINUTE);
        assert!(scene.fail("192.0.2.1", "b"));
    }

    #[test]
    fn many_addresses_do_not_get_more_tries_at_one_account_and_are_noticed() {
        let scene = Scene::new();
        let let_through: Vec<bool> =
            (1..6).map(|n| scene.fail(&format!("192.0.2.{n}"), " A@Desk.Example ")).collect();
        assert_eq!(let_through, [true, true, true, false, false]);
        assert_eq!(scene.begin("192.0.2.9", "a@desk.example"), Err(Closed::Account(LIMIT.lockout)));
        assert!(scene.fail("192.0.2.9", "b@desk.example"));
        let patient = Limit { most: 100, ..LIMIT };
        let account = scene.attempts.account("c@desk.example");
        let noticed: Vec<bool> = [1, 2, 2, 3, 4, 5, 6]
            .map(|n| {
                let who = Who::of(IpAddr::from([198, 51, 100, n]));
                scene.attempts.begin(who, account, &patient).expect("let through").is_by_many
            })
            .into();
        assert_eq!(noticed, [false, false, false, false, false, true, false]);
    }

    #[test]
    fn a_success_clears_the_account_but_not_what_the_address_did_to_others() {
        let scene = Scene::new();
        assert!(scene.fail("192.0.2.1", "a") && scene.fail("192.0.2.2", "a"));
        let attempt = scene.begin("192.0.2.1", "a").expect("let through");
        scene.attempts.succeeded(&attempt);
        for client in ["192.0.2.3", "192.0.2.4", "192.0.2.5"] {
            assert!(scene.fail(client, "a"), "{client}");
        }
        assert!(scene.fail("192.0.2.1", "b") && scene.fail("192.0.2.1", "c"));
        assert!(!scene.fail("192.0.2.1", "d"));
    }

    #[test]
    fn an_owner_at_a_known_address_is_not_locked_out_by_strangers() {
        let scene = Scene::new();
        let attempt = scene.begin("192.0.2.1", "a").expect("let through");
        scene.attempts.succeeded(&attempt);
        for n in 10..20 {
            scene.fail(&format!("192.0.2.{n}"), "a");
        }
        assert!(matches!(scene.begin("192.0.2.30", "a"), Err(Closed::Account(_))));
        assert!(scene.begin("192.0.2.1", "a").is_ok());
    }

    #[test]
    fn what_the_desk_could_not_say_costs_nothing() {
        let scene = Scene::new();
        for _ in 0..20 {
            let attempt = scene.begin("192.0.2.1", "a").expect("let through");
            scene.attempts.unknown(&attempt);
        }
    }

    #[test]
    fn failures_that_are_far_apart_are_not_added_up() {
        let scene = Scene::new();
        for _ in 0..20 {
            assert!(scene.fail("192.0.2.1", "a"));
            scene.clock.advance(3 * MINUTE);
        }
    }

    #[test]
    fn without_a_lockout_the_door_opens_with_the_next_period() {
        let scene = Scene::new();
        let (who, limit) =
            (Who::of(IpAddr::from([192, 0, 2, 1])), Limit { lockout: Duration::ZERO, ..LIMIT });
        let answers: Vec<_> = (0..4).map(|_| scene.attempts.ticket(who, &limit)).collect();
        assert_eq!(answers[2..], [Ok(()), Err(5 * MINUTE)]);
        scene.clock.advance(5 * MINUTE);
        assert_eq!(scene.attempts.ticket(who, &limit), Ok(()));
    }

    #[test]
    fn the_counts_are_bounded() {
        let scene = Scene::new();
        for n in 0..u32::try_from(MOST_REMEMBERED).expect("small") + 1000 {
            scene.attempts.reserve(Who(IpAddr::from(n.to_be_bytes())), &LIMIT).expect("the first of each");
        }
        scene.attempts.addresses.run_pending_tasks();
        assert!(scene.attempts.addresses.entry_count() <= MOST_REMEMBERED);
    }
}
