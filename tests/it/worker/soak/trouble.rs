//! What goes wrong at the desk while a life lasts, and the chance by which anything does.

use mintgate::sandbox::desk::Desk;
use mintgate::sandbox::fault::{Effect, Fault};

use super::carrier::Carrier;
use super::quick_clock::SPEED;

/// Seconds by the quick clock that a call may be applied after its connection was cut.
const LATEST: u32 = 30;

const AT_THE_DESK: [(&str, &str); 6] = [
    ("POST", "/api/v1/ticket/create"),
    ("POST", "/api/v1/ticket/comment"),
    ("PUT", "/api/v1/ticket/status/update"),
    ("GET", "/api/v1/tickets/all"),
    ("GET", "/api/v1/ticket/*"),
    ("GET", "/api/v1/auth/profile"),
];

/// Numbers that look random and are the same in every run.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(limit)).expect("below a u32")
    }

    pub fn happens(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let count = u32::try_from(from.len()).expect("few");
        from[self.below(count) as usize]
    }
}

pub fn begins(chance: &mut Chance, desk: &Desk, carrier: &dyn Carrier) {
    for _ in 0..chance.below(3) {
        let (method, path) = chance.pick(&AT_THE_DESK);
        desk.faults.add(Fault::on(method, path, effect(chance)).times(1));
    }
    carrier.trouble_begins(chance);
}

pub fn ends(desk: &Desk, carrier: &dyn Carrier) {
    desk.faults.clear();
    carrier.trouble_ends();
}

pub fn effect(chance: &mut Chance) -> Effect {
    let late = u64::from(chance.below(LATEST * 1_000 / SPEED));
    match chance.below(6) {
        0 => Effect::CutBefore,
        1 | 2 => Effect::CutAfter,
        3 => Effect::RefuseAfter { status: 500, retry_after: None },
        4 => Effect::RefuseBefore { status: 500, retry_after: None },
        _ => Effect::ApplyLate { milliseconds: late },
    }
}
