//! Messages that anybody can provoke are told now and then, with the number of those left out.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::clock::Timestamp;

/// Lets one message through per span of time.
#[derive(Debug)]
pub struct Sparing {
    span: Duration,
    /// In milliseconds since 1970; before this nothing is told.
    next: AtomicI64,
    left_out: AtomicU64,
}

impl Sparing {
    pub fn every(span: Duration) -> Self {
        Self { span, next: AtomicI64::new(i64::MIN), left_out: AtomicU64::new(0) }
    }

    /// How many messages were left out since the last one, when this one may be told.
    pub fn speak(&self, now: Timestamp) -> Option<u64> {
        let next = self.next.load(Ordering::Relaxed);
        let then = now + self.span;
        let first = now.0 >= next
            && self.next.compare_exchange(next, then.0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if first {
            return Some(self.left_out.swap(0, Ordering::Relaxed));
        }
        self.left_out.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_passes_per_span_and_tells_how_many_did_not() {
        let sparing = Sparing::every(Duration::from_secs(10));
        let told: Vec<_> =
            [0, 1, 9_999, 10_000, 10_001, 30_000].map(|moment| sparing.speak(Timestamp(moment))).to_vec();
        assert_eq!(told, [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
