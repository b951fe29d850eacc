//! A clock that several processes share and that runs faster than the machine's: half a minute of waiting
//! costs a second and a half.

use std::sync::Arc;
use std::time::Duration;

use mintgate::base::clock::{Clock, SystemClock, Timestamp};
use serde::{Deserialize, Serialize};

/// Seconds by this clock in one real second.
pub const SPEED: u32 = 20;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct QuickClock {
    /// Real and shown milliseconds at the moment it was made.
    real: i64,
    shown: i64,
}

impl QuickClock {
    pub fn starting_at(shown: Timestamp) -> Self {
        Self { real: SystemClock.now().0, shown: shown.0 }
    }

    pub fn shared(self) -> Arc<dyn Clock> {
        Arc::new(self)
    }
}

impl Clock for QuickClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.shown + (SystemClock.now().0 - self.real) * i64::from(SPEED))
    }

    fn steady(&self) -> Duration {
        SystemClock.steady() * SPEED
    }
}
