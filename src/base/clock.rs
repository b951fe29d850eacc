//! Time as a value. Code that decides takes a [`Timestamp`]; only the edges hold a [`Clock`].

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// Milliseconds since 1970-01-01T00:00:00Z; this is also how the store keeps times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads RFC 3339, as Graph and the desk write it.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }

    /// RFC 3339 in UTC, whole seconds.
    pub fn rfc3339(self) -> String {
        self.calendar().format(&Rfc3339).unwrap_or_else(|_| self.0.to_string())
    }

    /// RFC 5322 `Date:` form in UTC.
    pub fn rfc2822(self) -> String {
        self.calendar().format(&Rfc2822).unwrap_or_else(|_| self.0.to_string())
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The beginning of its second.
    pub fn whole_second(self) -> Timestamp {
        Timestamp(self.seconds() * 1000)
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn calendar(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Wall time; may jump either way.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment; never runs backwards, goes on while the machine sleeps.
    fn steady(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn steady(&self) -> Duration {
        let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::try_from(since_boot).expect("the time since boot is not negative")
    }
}

/// A clock that a test moves by hand.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall: AtomicI64,
    steady: AtomicI64,
}

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        Self { wall: AtomicI64::new(now.0), steady: AtomicI64::new(0) }
    }

    /// The wall clock jumps; no time passes.
    pub fn set(&self, now: Timestamp) {
        self.wall.store(now.0, Ordering::SeqCst);
    }

    /// Time passes.
    pub fn advance(&self, span: Duration) {
        self.set(self.now() + span);
        let passed = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.steady.fetch_add(passed, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.steady.load(Ordering::SeqCst)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_and_written_in_utc() {
        let moment = Timestamp::parse_rfc3339("2026-11-21T01:02:03.500+01:00").expect("a moment");
        assert_eq!(moment.0 % 1000, 500);
        assert_eq!(moment.rfc3339(), "2026-11-21T00:02:03Z");
        assert_eq!(moment.rfc2822(), "Sat, 21 Nov 2026 00:02:03 +0000");
    }

    #[test]
    fn the_steady_clock_does_not_follow_a_jump_of_the_wall_clock() {
        let clock = ManualClock::at(Timestamp(0));
        clock.set(Timestamp(86_400_000));
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.steady(), Duration::from_secs(5));
        assert!(SystemClock.steady() > Duration::ZERO);
    }

    #[test]
    fn a_second_begins_at_or_before_its_moments() {
        assert_eq!(Timestamp(1_999).whole_second(), Timestamp(1_000));
        assert_eq!(Timestamp(-1).whole_second(), Timestamp(-1_000));
    }

    #[test]
    fn a_span_backwards_is_zero() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
    }
}
