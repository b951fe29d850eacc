//! How fast a mailbox's provider may be called. The counting is pure; one shell waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::base::clock::{Clock, Timestamp};

/// Graph allows four calls at once per app and mailbox.
const PARALLEL: usize = 4;
const MINUTE_MS: i64 = 60_000;

/// How much of a provider's patience is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Requests of the last sixty seconds.
    pub used: u32,
    /// Requests per minute.
    pub limit: u32,
}

/// A token bucket that lets through no more than its limit in any sixty seconds: a quarter of the limit
/// may go at once, the rest is spread.
#[derive(Debug)]
struct Bucket {
    /// In thousandths of a request times milliseconds, so that no fraction is lost.
    level: i64,
    full: i64,
    /// Requests per minute.
    refill: i64,
    counted_at: Option<Timestamp>,
    /// When the requests of the last minute went; never more than the limit.
    went: VecDeque<Timestamp>,
}

impl Bucket {
    fn per_minute(limit: u32) -> Self {
        let limit = i64::from(limit.max(1));
        let burst = (limit / 4).max(1);
        let refill = (limit - burst).max(1);
        Self {
            level: burst * MINUTE_MS,
            full: burst * MINUTE_MS,
            refill,
            counted_at: None,
            went: VecDeque::new(),
        }
    }

    /// Takes one request out, or says how long to wait before asking again.
    fn take(&mut self, now: Timestamp) -> Result<(), Duration> {
        let since = self.counted_at.map_or(0, |then| now.0.saturating_sub(then.0).clamp(0, MINUTE_MS));
        self.level = (self.level + since * self.refill).min(self.full);
        self.counted_at = Some(now);
        if self.level >= MINUTE_MS {
            self.level -= MINUTE_MS;
            self.forget(now);
            self.went.push_back(now);
            return Ok(());
        }
        let missing = MINUTE_MS - self.level;
        let wait = missing.div_euclid(self.refill) + 1;
        Err(Duration::from_millis(u64::try_from(wait).unwrap_or(1)))
    }

    /// Drops what went more than a minute ago, or is yet to come because the clock was set back.
    fn forget(&mut self, now: Timestamp) {
        self.went.retain(|at| *at <= now && now.0 - at.0 < MINUTE_MS);
    }
}

/// Lets calls through one by one, at most four at a time and `limit` in any minute.
pub struct Rate {
    bucket: Mutex<Bucket>,
    parallel: Semaphore,
    limit: u32,
    clock: Arc<dyn Clock>,
}

impl Rate {
    /// `limit` is requests per minute; zero counts as one.
    pub fn per_minute(limit: u32, clock: Arc<dyn Clock>) -> Self {
        let limit = limit.max(1);
        Self {
            bucket: Mutex::new(Bucket::per_minute(limit)),
            parallel: Semaphore::new(PARALLEL),
            limit,
            clock,
        }
    }

    /// What of the last minute's requests is used up.
    pub fn budget(&self) -> Budget {
        let mut bucket = self.bucket();
        bucket.forget(self.clock.now());
        Budget { used: u32::try_from(bucket.went.len()).unwrap_or(u32::MAX), limit: self.limit }
    }

    /// Waits for the right to make one call; to be kept until the answer is read.
    pub async fn turn(&self) -> SemaphorePermit<'_> {
        let turn = self.parallel.acquire().await.expect("the semaphore is never closed");
        while let Err(wait) = self.take() {
            tokio::time::sleep(wait).await;
        }
        turn
    }

    fn take(&self) -> Result<(), Duration> {
        self.bucket().take(self.clock.now())
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::ManualClock;

    /// When each of the requests went that were made as early as possible, in milliseconds.
    fn greedy(limit: u32, until: i64) -> Vec<i64> {
        let (mut bucket, mut now, mut went) = (Bucket::per_minute(limit), 0, Vec::new());
        while now < until {
            match bucket.take(Timestamp(now)) {
                Ok(()) => went.push(now),
                Err(wait) => now += i64::try_from(wait.as_millis()).expect("a short wait"),
            }
        }
        went
    }

    #[test]
    fn no_minute_holds_more_than_the_limit() {
        for limit in [2u32, 7, 100, 1_000] {
            let went = greedy(limit, 5 * MINUTE_MS);
            let in_minute =
                |from: &i64| went.iter().filter(|at| (*from..from + MINUTE_MS).contains(at)).count();
            let most = went.iter().map(in_minute).max().expect("some went");
            assert!((limit as usize / 2..=limit as usize).contains(&most), "{most} of {limit}");
        }
    }

    #[test]
    fn a_clock_set_back_gives_nothing_and_breaks_nothing() {
        let mut bucket = Bucket::per_minute(4);
        assert_eq!(bucket.take(Timestamp(MINUTE_MS)), Ok(()));
        assert!(bucket.take(Timestamp(0)).is_err());
    }

    #[tokio::test]
    async fn the_budget_counts_the_last_minute() {
        let clock = Arc::new(ManualClock::default());
        let rate = Rate::per_minute(40, clock.clone());
        for _ in 0..3 {
            drop(rate.turn().await);
        }
        assert_eq!(rate.budget(), Budget { used: 3, limit: 40 });
        clock.advance(Duration::from_secs(60));
        assert_eq!(rate.budget().used, 0);
    }

    #[tokio::test]
    async fn a_fifth_call_waits_for_one_of_four_to_end() {
        let rate = Rate::per_minute(1_000, Arc::new(ManualClock::default()));
        let mut turns = Vec::new();
        for _ in 0..PARALLEL {
            turns.push(rate.turn().await);
        }
        assert!(rate.parallel.try_acquire().is_err());
        turns.pop();
        turns.push(rate.turn().await);
    }
}
