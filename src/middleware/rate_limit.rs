//! `rateLimit`: so many requests of one source in so much time, as Traefik counts them.
//!
//! A token bucket per source, kept as one number: the moment up to which its requests are paid for. A
//! request that comes a little early waits for its token, half of the time between two at most, and any
//! earlier one is refused (Traefik's documentation, "RateLimit"). A bucket is forgotten once it is full
//! again, which changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_yaml::Spanned;

use crate::base::clock::Clock;
use crate::base::duration;
use crate::middleware::ip_strategy::Strategy;
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::source::{Criterion, CriterionSpec, Source};
use crate::middleware::{Decision, Middleware, Verdict};
use crate::web::answer::{Answer, short};
use crate::web::exchange::Exchange;
use crate::web::head::RequestHead;

const X_RETRY_IN: HeaderName = HeaderName::from_static("x-retry-in");

/// As many as Traefik remembers; the one that was silent longest goes first.
const MOST_SOURCES: u64 = 65_536;
const LONGEST_IDLE: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Requests per period; 0 is no limit.
    average: u64,
    period: Option<Spanned<String>>,
    burst: u64,
    source_criterion: CriterionSpec,
    redis: Option<Spanned<IgnoredAny>>,
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let criterion = self.source_criterion.compile(&mut errors, &mut warnings);
        let criterion = criterion.unwrap_or(Criterion::Address(Strategy::CLIENT));
        if let Some(redis) = &self.redis {
            errors.push(SpecError::at(redis, "every gateway counts by itself").hint("leave `redis` out"));
        }
        let period = match &self.period {
            None => Duration::from_secs(1),
            Some(text) => duration::read(&text.value).unwrap_or_else(|| {
                let message = format!("`{}` is not a duration such as 10s or 1m30s", text.value);
                errors.push(SpecError::at(text, message));
                Duration::ZERO
            }),
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        let pace = Pace::new(self.average, period, self.burst);
        Ok(Compiled { runs: Arc::new(RateLimit::new(pace, criterion, parts.clock.clone())), warnings })
    }
}

/// How fast a bucket is drained and filled, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    /// From one token to the next; 0 for no limit.
    interval: u64,
    /// How far requests may be ahead of their time: all of the burst but the first.
    ahead: u64,
    /// The longest wait for a token.
    patience: u64,
}

impl Pace {
    /// As in Traefik, a burst of 0 is one of 1 and a period of 0 is a second.
    fn new(average: u64, period: Duration, burst: u64) -> Self {
        let period = if period.is_zero() { Duration::from_secs(1) } else { period };
        let nanos = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
        let interval = nanos.checked_div(average).map_or(0, |interval| interval.max(1));
        let per_second = 1_000_000_000_u64.checked_div(interval).unwrap_or(0);
        let patience = match per_second {
            0 => 500_000_000,
            rate => 1_000_000_000 / (rate * 2),
        };
        Self { interval, ahead: interval.saturating_mul(burst.max(1) - 1), patience }
    }

    fn until_full(&self) -> Duration {
        let filled = Duration::from_nanos(self.ahead.saturating_add(self.interval));
        filled.saturating_add(Duration::from_secs(1)).min(LONGEST_IDLE)
    }
}

/// One source's requests: the moment up to which they are paid for.
#[derive(Default)]
struct Bucket(AtomicU64);

/// What a bucket says; nanoseconds.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    After(u64),
    /// Too early by so much.
    NotBefore(u64),
}

impl Bucket {
    fn take(&self, now: u64, pace: &Pace) -> Token {
        let mut paid = self.0.load(Ordering::Relaxed);
        loop {
            let from = paid.max(now);
            let wait = from.saturating_sub(pace.ahead).saturating_sub(now);
            if wait > pace.patience {
                return Token::NotBefore(wait);
            }
            let next = from.saturating_add(pace.interval);
            match self.0.compare_exchange_weak(paid, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Token::After(wait),
                Err(seen) => paid = seen,
            }
        }
    }
}

struct RateLimit {
    pace: Pace,
    criterion: Criterion,
    clock: Arc<dyn Clock>,
    buckets: Cache<Source, Arc<Bucket>>,
}

impl RateLimit {
    fn new(pace: Pace, criterion: Criterion, clock: Arc<dyn Clock>) -> Self {
        let buckets = Cache::builder()
            .max_capacity(MOST_SOURCES)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(pace.until_full())
            .build();
        Self { pace, criterion, clock, buckets }
    }

    fn token(&self, source: Source) -> Token {
        let bucket = self.buckets.get(&source).unwrap_or_else(|| self.buckets.get_with(source, Arc::default));
        let now = u64::try_from(self.clock.steady().as_nanos()).unwrap_or(u64::MAX);
        bucket.take(now, &self.pace)
    }
}

impl Middleware for RateLimit {
    fn reads(&self) -> Option<&HeaderName> {
        self.criterion.header()
    }

    fn for_router(&self) -> Option<Arc<dyn Middleware>> {
        Some(Arc::new(Self::new(self.pace, self.criterion.clone(), self.clock.clone())))
    }

    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        if self.pace.interval == 0 {
            return Verdict::pass();
        }
        match self.token(self.criterion.source(exchange, head)) {
            Token::After(0) => Verdict::pass(),
            Token::After(wait) => Verdict::Later(Box::pin(async move {
                tokio::time::sleep(Duration::from_nanos(wait)).await;
                Decision::Pass
            })),
            Token::NotBefore(wait) => {
                let path = exchange.path.text(head.uri().path());
                Verdict::answer(refusal(path, Duration::from_nanos(wait)))
            }
        }
    }
}

fn refusal(path: &str, wait: Duration) -> Answer {
    let mut answer = short(StatusCode::TOO_MANY_REQUESTS, path, "Too Many Requests");
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    if let Ok(text) = HeaderValue::from_bytes(duration::written(wait).as_bytes()) {
        answer.headers_mut().insert(X_RETRY_IN, text);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{ManualClock, Timestamp};
    use crate::middleware::scene::{compiled, exchange, get, problems};

    const SECOND: u64 = 1_000_000_000;

    /// How many of `rate` requests a second pass within `load`, a first burst sent at once, where those that
    /// wait hold up the ones behind them.
    fn passed(pace: &Pace, load: Duration, rate: u64, first: usize) -> usize {
        let (bucket, mut now, mut passed) = (Bucket::default(), 7 * SECOND, 0);
        let end = now + u64::try_from(load.as_nanos()).expect("a short load");
        let mut tick = now;
        while now < end {
            if let Token::After(wait) = bucket.take(now, pace) {
                passed += 1;
                now += wait;
            }
            if passed >= first || passed > usize::try_from(pace.ahead / pace.interval).expect("small") {
                tick += SECOND / rate;
                now = now.max(tick);
            }
        }
        passed
    }

    #[test]
    fn the_average_holds_over_time_and_the_burst_at_once() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        // average, period, burst, seconds of load, requests a second, at once, expected
        let table = [
            (100, second, 1, 2, 400, 0, 200),
            (100, second, 100, 2, 200, 0, 300),
            (100, second, 100, 2, 200, 50, 300),
            (100, second, 100, 2, 200, 150, 300),
            (100, second, 200, 2, 200, 300, 400),
            (5, 10 * second, 0, 2, 100, 0, 2),
            (5, 10 * second, 0, 60, 100, 0, 31),
            (1, minute, 0, 60, 100, 0, 2),
            (50, second / 2, 0, 2, 300, 0, 200),
        ];
        for (average, period, burst, load, rate, first, expected) in table {
            let pace = Pace::new(average, period, burst);
            let passed = passed(&pace, Duration::from_secs(load), rate, first);
            let leeway = 1 + expected / 50;
            assert!(passed.abs_diff(expected) <= leeway, "{average} per {period:?}, burst {burst}: {passed}");
        }
    }

    #[test]
    fn the_longest_wait_is_half_of_the_time_between_two_tokens() {
        let of = |average, period| Pace::new(average, Duration::from_secs(period), 10).patience;
        assert_eq!(of(200, 0), 2_500_000);
        assert_eq!(of(2, 10), 500_000_000);
        assert_eq!(of(1, 1), 500_000_000);
    }

    #[test]
    fn a_refused_request_costs_no_token() {
        let (bucket, pace) = (Bucket::default(), Pace::new(1, Duration::from_secs(60), 1));
        assert_eq!(bucket.take(SECOND, &pace), Token::After(0));
        for _ in 0..1000 {
            assert_eq!(bucket.take(SECOND, &pace), Token::NotBefore(60 * SECOND));
        }
        assert_eq!(bucket.take(61 * SECOND, &pace), Token::After(0));
    }

    #[test]
    fn an_average_of_zero_is_no_limit() {
        let limit = compiled("rateLimit: {average: 0, burst: 10}");
        for _ in 0..1000 {
            let verdict = limit.request(&exchange("192.0.2.1", "/"), &mut get("/", &[]));
            assert!(matches!(verdict, Verdict::Now(Decision::Pass)));
        }
    }

    fn limit(average: u64, period: u64, clock: &Arc<ManualClock>) -> RateLimit {
        let pace = Pace::new(average, Duration::from_secs(period), 1);
        RateLimit::new(pace, Criterion::Address(Strategy::CLIENT), clock.clone())
    }

    fn refused(limit: &dyn Middleware, client: &str, path: &str) -> Option<Answer> {
        match limit.request(&exchange(client, path), &mut get(path, &[])) {
            Verdict::Now(Decision::Answer(answer)) => Some(*answer),
            Verdict::Now(Decision::Pass) => None,
            _ => panic!("it waits"),
        }
    }

    #[test]
    fn a_refusal_says_when_to_come_again() {
        let clock = Arc::new(ManualClock::at(Timestamp(0)));
        let limit = limit(1, 90, &clock);
        assert!(refused(&limit, "192.0.2.1", "/").is_none());
        clock.advance(Duration::from_millis(500));
        let answer = refused(&limit, "192.0.2.1", "/api/v1/x").expect("a refusal");
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(
            (&answer.headers()[RETRY_AFTER], &answer.headers()[X_RETRY_IN]),
            (&HeaderValue::from_static("90"), &HeaderValue::from_static("1m29.5s"))
        );
        assert_eq!(answer.body(), r#"{"message":"Too Many Requests","success":false}"#);
        clock.advance(Duration::from_millis(89_500));
        assert!(refused(&limit, "192.0.2.1", "/").is_none());
    }

    #[test]
    fn sources_and_routers_have_buckets_of_their_own() {
        let clock = Arc::new(ManualClock::at(Timestamp(0)));
        let limit = limit(1, 60, &clock);
        let other = limit.for_router().expect("one of its own");
        assert!(refused(&limit, "192.0.2.1", "/").is_none());
        assert!(refused(&limit, "192.0.2.2", "/").is_none());
        assert!(refused(&*other, "192.0.2.1", "/").is_none());
        assert!(refused(&limit, "192.0.2.1", "/").is_some());
    }

    #[test]
    fn more_sources_than_are_remembered_keep_memory_bounded_and_the_newest_limited() {
        let clock = Arc::new(ManualClock::at(Timestamp(0)));
        let limit = limit(1, 3600, &clock);
        let sources = u32::try_from(MOST_SOURCES).expect("a small number") + 5_000;
        for number in 0..sources {
            limit.token(Source::Address(std::net::Ipv4Addr::from(number).into()));
        }
        limit.buckets.run_pending_tasks();
        assert!(limit.buckets.entry_count() <= MOST_SOURCES);
        let newest = Source::Address(std::net::Ipv4Addr::from(sources - 1).into());
        assert!(matches!(limit.token(newest), Token::NotBefore(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_a_little_too_early_waits_for_its_token() {
        let clock = Arc::new(ManualClock::at(Timestamp(0)));
        let pace = Pace::new(2, Duration::ZERO, 1);
        let limit = RateLimit::new(pace, Criterion::Address(Strategy::CLIENT), clock.clone());
        assert!(refused(&limit, "192.0.2.1", "/").is_none());
        clock.advance(Duration::from_millis(300));
        let begun = tokio::time::Instant::now();
        let Verdict::Later(waiting) = limit.request(&exchange("192.0.2.1", "/"), &mut get("/", &[])) else {
            panic!("it does not wait")
        };
        assert!(matches!(waiting.await, Decision::Pass));
        let waited = begun.elapsed();
        assert!((200..=202).contains(&waited.as_millis()), "{waited:?}");
    }

    #[test]
    fn what_cannot_work_is_told_with_its_place() {
        assert_eq!(
            problems("rateLimit:\n  average: 1\n  period: soon\n"),
            ["3:11 `soon` is not a duration such as 10s or 1m30s"]
        );
        assert_eq!(problems("rateLimit: {average: 1, redis: {endpoints: [a]}}").len(), 1);
        assert_eq!(problems("rateLimit: {sourceCriterion: {ipStrategy: {}, requestHost: true}}").len(), 1);
        compiled("rateLimit: {average: 1, period: 10}");
        let negative: Result<crate::middleware::registry::MiddlewareSpec, _> =
            serde_yaml::from_str("rateLimit: {average: -1}");
        assert!(negative.is_err());
    }
}
