//! Figures about mail, under `mintgate_mail_*`. No label tells an address.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Worker, WorkerError};
use crate::base::clock::Timestamp;
use crate::store::{Counts, MailboxRow, MailboxState};

/// From seconds to a day.
const BUCKETS: [f64; 10] = [1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Way {
    direction: &'static str,
}

const IN: Way = Way { direction: "in" };
const OUT: Way = Way { direction: "out" };

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Standing {
    mailbox: String,
    state: &'static str,
}

/// What became of a provider's call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Announced {
    /// The mailbox is looked at.
    Rung,
    /// It did not know the secret.
    Unbelieved,
    Garbled,
    TooMany,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    outcome: &'static str,
}

type Ages = Family<Way, Gauge<f64, AtomicU64>>;

/// Clones share their figures.
#[derive(Debug, Clone)]
pub struct Meters {
    lag: Histogram,
    waiting: Family<Way, Gauge>,
    oldest: Ages,
    quarantined: Gauge,
    failed: Gauge,
    possible_doubles: Gauge,
    mailboxes: Family<Standing, Gauge>,
    throttled: Counter,
    loops: Counter,
    announcements: Family<Call, Counter>,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            lag: Histogram::new(BUCKETS),
            waiting: Family::default(),
            oldest: Ages::default(),
            quarantined: Gauge::default(),
            failed: Gauge::default(),
            possible_doubles: Gauge::default(),
            mailboxes: Family::default(),
            throttled: Counter::default(),
            loops: Counter::default(),
            announcements: Family::default(),
        }
    }
}

impl Meters {
    pub fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "mintgate_mail_lag",
            "From a mail's arrival at its server to its ticket or comment",
            Unit::Seconds,
            self.lag.clone(),
        );
        registry.register("mintgate_mail_waiting", "Mails stored and not done", self.waiting.clone());
        registry.register_with_unit(
            "mintgate_mail_oldest",
            "Age of the oldest mail that waits; 0 when none does",
            Unit::Seconds,
            self.oldest.clone(),
        );
        registry.register("mintgate_mail_quarantined", "Mails put aside", self.quarantined.clone());
        registry.register("mintgate_mail_failed", "Answers given up", self.failed.clone());
        registry.register(
            "mintgate_mail_possible_doubles",
            "Times a mail was sent again without proof that it had not arrived",
            self.possible_doubles.clone(),
        );
        registry.register(
            "mintgate_mailbox_state",
            "1 for the state a mailbox is in: working, failing, or needs-reconnect",
            self.mailboxes.clone(),
        );
        registry.register(
            "mintgate_mail_throttled",
            "Times a mail server asked to wait",
            self.throttled.clone(),
        );
        registry.register(
            "mintgate_mail_loops_suppressed",
            "Notices not sent because the sender writes like a loop",
            self.loops.clone(),
        );
        registry.register(
            "mintgate_mail_announcements",
            "Calls that say mail has arrived: rung, unbelieved, garbled, or too-many at once",
            self.announcements.clone(),
        );
    }

    pub(super) fn arrived(&self, lag: Duration) {
        self.lag.observe(lag.as_secs_f64());
    }

    pub(super) fn throttled(&self) {
        self.throttled.inc();
    }

    pub(super) fn announced(&self, what: Announced) {
        let outcome = match what {
            Announced::Rung => "rung",
            Announced::Unbelieved => "unbelieved",
            Announced::Garbled => "garbled",
            Announced::TooMany => "too-many",
        };
        self.announcements.get_or_create(&Call { outcome }).inc();
    }

    pub(super) fn loop_suppressed(&self) {
        self.loops.inc();
    }

    /// How every mailbox stands; one that is gone is told of no more.
    fn show_mailboxes(&self, rows: &[MailboxRow]) {
        self.mailboxes.clear();
        for row in rows {
            let standing = Standing { mailbox: row.id.to_string(), state: state(row) };
            self.mailboxes.get_or_create(&standing).set(1);
        }
    }

    fn show(&self, counts: &Counts, now: Timestamp) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let age = |at: Option<i64>| at.map_or(0.0, |at| now.since(Timestamp(at)).as_secs_f64());
        self.waiting.get_or_create(&IN).set(number(counts.inbound_waiting));
        self.waiting.get_or_create(&OUT).set(number(counts.outgoing_waiting));
        self.oldest.get_or_create(&IN).set(age(counts.oldest_inbound));
        self.oldest.get_or_create(&OUT).set(age(counts.oldest_outgoing));
        self.quarantined.set(number(counts.inbound_quarantined));
        self.failed.set(number(counts.outgoing_failed));
        self.possible_doubles.set(number(counts.outgoing_doubled));
    }
}

impl Worker {
    /// Counts anew.
    pub(super) async fn measure(&self) -> Result<(), WorkerError> {
        let counts = self.parts.store.counts().await?;
        self.parts.meters.show(&counts, self.parts.clock.now());
        self.parts.meters.show_mailboxes(&self.parts.store.mailboxes().await?);
        Ok(())
    }
}

fn state(row: &MailboxRow) -> &'static str {
    match (row.state, row.failing_since) {
        (MailboxState::NeedsReconnect, _) => "needs-reconnect",
        (MailboxState::Connected, Some(_)) => "failing",
        (MailboxState::Connected, None) => "working",
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn figures_are_told_by_name_and_direction() {
        let mut registry = Registry::default();
        let meters = Meters::default();
        meters.register(&mut registry);
        let counts = Counts { inbound_waiting: 2, oldest_inbound: Some(1_000), ..Counts::default() };
        meters.show(&counts, Timestamp(61_000));
        meters.arrived(Duration::from_secs(3));
        meters.loop_suppressed();
        let mut text = String::new();
        encode(&mut text, &registry).expect("text takes everything");
        for line in [
            "mintgate_mail_waiting{direction=\"in\"} 2",
            "mintgate_mail_oldest_seconds{direction=\"in\"} 60",
            "mintgate_mail_lag_seconds_bucket{le=\"5.0\"} 1",
            "mintgate_mail_loops_suppressed_total 1",
            "mintgate_mail_quarantined 0",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
