//! How long to wait before the next try. Pure: the jitter's random part is an argument.

use std::time::Duration;

/// Doubling waits between a floor and a ceiling.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    pub floor: Duration,
    pub ceiling: Duration,
}

impl Backoff {
    /// Wait after `failures` failures in a row (1 is the first), spread by ±25 %.
    /// `chance` is uniform in 0..=255.
    pub fn wait(&self, failures: u32, chance: u8) -> Duration {
        let doubled = self.floor.saturating_mul(1u32 << failures.saturating_sub(1).min(20));
        let steady = doubled.clamp(self.floor, self.ceiling);
        steady.mul_f64(0.75 + f64::from(chance) / 510.0).max(self.floor.mul_f64(0.75))
    }
}

/// Waits of outgoing mail after a temporary refusal: 1 min, 5 min, 15 min, then hourly.
pub fn mail_retry(attempts: u32) -> Duration {
    let minutes = match attempts {
        0 | 1 => 1,
        2 => 5,
        3 => 15,
        _ => 60,
    };
    Duration::from_secs(minutes * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { floor: Duration::from_secs(1), ceiling: Duration::from_secs(300) };

    #[test]
    fn waits_double_up_to_the_ceiling() {
        let middle = |failures| BACKOFF.wait(failures, 128).as_secs();
        assert_eq!([middle(1), middle(2), middle(3), middle(30)], [1, 2, 4, 300]);
    }

    #[test]
    fn jitter_stays_within_a_quarter() {
        for chance in [0, 255] {
            let wait = BACKOFF.wait(5, chance).as_secs_f64();
            assert!((12.0..=20.0).contains(&wait), "{wait}");
        }
    }
}
