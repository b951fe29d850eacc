//! The mailbox at Graph. Nothing is ever unclear there: a draft's id tells whether it went.

use std::time::Duration;

use mintgate::base::clock::Clock;
use mintgate::sandbox::fault::Fault;
use mintgate::sandbox::grants::Grants;
use mintgate::sandbox::graph::{self, Graph};

use super::carrier::Carrier;
use super::child::Account;
use super::quick_clock::QuickClock;
use super::trouble::{Chance, effect};
use crate::worker::scene::{ADDRESS, BOTH};

const CALLS: [(&str, &str); 6] = [
    ("POST", "/v1.0/me/messages"),
    ("POST", "/v1.0/me/messages/*/send"),
    ("GET", "/v1.0/me/messages/*"),
    ("GET", "/v1.0/me/mailFolders/inbox/messages/delta"),
    ("PATCH", "/v1.0/me/messages/*"),
    ("GET", "/v1.0/me/messages/*/$value"),
];

/// The longest life, in milliseconds of real time.
const LONGEST_LIFE: u32 = 1_000;

/// The stand-in, and a token for it.
pub struct AtGraph {
    graph: Graph,
    token: String,
}

pub async fn start(clock: QuickClock) -> AtGraph {
    let here = ([127, 0, 0, 1], 0).into();
    let graph = graph::start_with_clock(here, Grants::default(), clock.shared()).await.expect("a port");
    graph.add_mailbox(ADDRESS, "Support");
    let year = Duration::from_secs(365 * 24 * 3600);
    let token = graph.grants.issue(ADDRESS, &BOTH, clock.now() + year);
    AtGraph { graph, token }
}

impl Carrier for AtGraph {
    fn account(&self) -> Account {
        Account::Graph { url: self.graph.url(), token: self.token.clone() }
    }

    fn deliver(&self, raw: &[u8]) {
        self.graph.deliver(ADDRESS, raw).expect("the mailbox");
    }

    fn received(&self, address: &str) -> Vec<Vec<u8>> {
        self.graph.received_outside(address)
    }

    fn life(&self, chance: &mut Chance) -> Duration {
        Duration::from_millis(u64::from(5 + chance.below(LONGEST_LIFE)))
    }

    fn trouble_begins(&self, chance: &mut Chance) {
        if chance.happens(50) {
            let (method, path) = chance.pick(&CALLS);
            self.graph.faults.add(Fault::on(method, path, effect(chance)).times(1));
        }
        if chance.happens(3) {
            self.graph.lose_cursors();
        }
    }

    fn trouble_ends(&self) {
        self.graph.faults.clear();
    }

    fn unclear(&self) -> usize {
        0
    }
}
