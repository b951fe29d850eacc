//! How often one administrator may have servers looked up and called. Both reach out to places that whoever
//! asks chooses, so even a stolen session cannot scan a network with them. Counts live in memory.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as RateClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::base::audit::{Event, Outcome};
use crate::base::clock::Clock;
use crate::console::guard::Client;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::web::local::Admin;

/// In a minute; so many may also come at once.
const DETECTIONS: NonZeroU32 = NonZeroU32::new(20).expect("not zero");
const TESTS: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Finding a provider: questions to name services, and calls of servers.
    Detection,
    /// Signing in at mail servers.
    Test,
}

/// Our clock as the limiter wants it.
#[derive(Clone)]
struct Steady(Arc<dyn Clock>);

impl RateClock for Steady {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.steady()
    }
}

/// By the user's id at the desk.
type Counts = RateLimiter<String, DefaultKeyedStateStore<String>, Steady, NoOpMiddleware<Duration>>;

pub struct Limits {
    clock: Steady,
    detections: Counts,
    tests: Counts,
}

impl Limits {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let clock = Steady(clock);
        let counts = |most| {
            RateLimiter::new(Quota::per_minute(most), DefaultKeyedStateStore::default(), clock.clone())
        };
        Self { detections: counts(DETECTIONS), tests: counts(TESTS), clock }
    }

    /// Counts one piece of work; how long to wait when it is one too many.
    fn take(&self, user: &str, work: Work) -> Result<(), Duration> {
        let counts = match work {
            Work::Detection => &self.detections,
            Work::Test => &self.tests,
        };
        counts.check_key(&user.to_owned()).map_err(|early| early.wait_time_from(self.clock.now()))
    }
}

impl Shared {
    /// Lets an administrator go on, or says when.
    pub fn admit(&self, client: &Client, admin: &Admin, work: Work) -> Result<(), Page> {
        self.limits.take(&admin.user_id, work).map_err(|wait| {
            let detail = match work {
                Work::Detection => "too many detections",
                Work::Test => "too many connection tests",
            };
            self.note(client, admin, Event::Brake, Outcome::Refused, detail);
            page::slow_down(wait)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{ManualClock, Timestamp};

    #[test]
    fn one_too_many_waits_and_nobody_else_does() {
        let clock = Arc::new(ManualClock::at(Timestamp(0)));
        let limits = Limits::new(clock.clone());
        for _ in 0..TESTS.get() {
            assert_eq!(limits.take("u1", Work::Test), Ok(()));
        }
        let wait = limits.take("u1", Work::Test).expect_err("one too many");
        assert_eq!(wait, Duration::from_secs(6));
        assert_eq!(limits.take("u2", Work::Test), Ok(()));
        assert_eq!(limits.take("u1", Work::Detection), Ok(()));
        clock.advance(wait);
        assert_eq!(limits.take("u1", Work::Test), Ok(()));
        assert!(limits.take("u1", Work::Test).is_err());
    }
}
