//! When an access token in memory is fresh, usable or neither. Pure.
//!
//! Two clocks must agree: the wall clock may jump, and the steady clock knows nothing of a restart.

use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::oauth::source::AccessToken;
use crate::token::record::Kept;

/// A usable token has at least this long to live, or a tenth of its life if that is less.
const MARGIN: Duration = Duration::from_secs(120);

/// Now, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub wall: Timestamp,
    pub steady: Duration,
}

/// A token in memory.
pub struct Cached {
    pub token: AccessToken,
    pub refresh_at: Timestamp,
    refresh_steady: Duration,
    usable_until: Timestamp,
    usable_steady: Duration,
}

impl Cached {
    /// `kept` was given at its expiry less its lifetime. It is to be refreshed at 80 % of its life,
    /// ±10 % by `chance`, so that several processes do not all refresh at once.
    pub fn new(kept: &Kept, now: Now, chance: u8) -> Self {
        let Kept { token, lifetime, .. } = kept;
        let issued_at = token.expires_at - *lifetime;
        let age = now.wall.since(issued_at).min(*lifetime);
        let fresh = lifetime.mul_f64(0.8 * (0.9 + 0.2 * f64::from(chance) / 255.0));
        let usable = lifetime.saturating_sub(MARGIN.min(*lifetime / 10));
        Self {
            token: token.clone(),
            refresh_at: issued_at + fresh,
            refresh_steady: (now.steady + fresh).saturating_sub(age),
            usable_until: issued_at + usable,
            usable_steady: (now.steady + usable).saturating_sub(age),
        }
    }

    /// Not due for a refresh.
    pub fn is_fresh(&self, now: Now) -> bool {
        now.wall < self.refresh_at && now.steady < self.refresh_steady
    }

    /// Still good for a call while a refresh is not possible.
    pub fn is_usable(&self, now: Now) -> bool {
        now.wall < self.usable_until && now.steady < self.usable_steady
    }

    /// Still good if only the wall clock is in doubt.
    pub fn is_usable_by_the_steady_clock(&self, now: Now) -> bool {
        now.steady < self.usable_steady
    }

    /// How long until it is due for a refresh.
    pub fn due_in(&self, now: Now) -> Duration {
        self.refresh_steady.saturating_sub(now.steady).min(self.refresh_at.since(now.wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::source::Resource;

    const HOUR: Duration = Duration::from_secs(3600);

    fn now(wall_minutes: i64, steady_minutes: u64) -> Now {
        Now { wall: Timestamp(wall_minutes * 60_000), steady: Duration::from_secs(steady_minutes * 60) }
    }

    fn cached(at: Now, chance: u8) -> Cached {
        let token =
            AccessToken { secret: "a".into(), expires_at: now(1000, 0).wall + HOUR, scopes: Vec::new() };
        Cached::new(&Kept { resource: Resource::Graph, token, lifetime: HOUR }, at, chance)
    }

    #[test]
    fn a_token_is_refreshed_at_four_fifths_of_its_life_give_or_take_a_tenth() {
        let due = |chance| cached(now(1000, 5), chance).due_in(now(1000, 5)).as_secs();
        assert_eq!((due(0), due(255)), (2592, 3168));
    }

    #[test]
    fn a_token_is_usable_until_two_minutes_before_its_end() {
        let cached = cached(now(1000, 5), 128);
        assert!(!cached.is_fresh(now(1057, 62)) && cached.is_usable(now(1057, 62)));
        assert!(!cached.is_usable(now(1058, 63)));
    }

    #[test]
    fn a_wall_clock_set_back_does_not_make_a_token_younger() {
        let cached = cached(now(1000, 5), 128);
        assert!(!cached.is_fresh(now(-440, 60)));
        assert!(!cached.is_usable(now(-440, 65)));
    }

    #[test]
    fn a_token_from_before_a_restart_keeps_its_age() {
        let cached = cached(now(1040, 5), 128);
        assert!(cached.is_fresh(now(1041, 6)));
        assert!(!cached.is_fresh(now(1041, 14)));
    }
}
