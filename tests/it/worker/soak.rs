//! The worker as a process of its own, killed again and again while desk and provider misbehave: at the end
//! nothing is lost and nothing was done twice.
//!
//! `make soak` runs it a thousand times; the ordinary tests run it for a few lives.

mod at_graph;
mod at_servers;
mod carrier;
mod child;
mod customers;
mod quick_clock;
mod trouble;

use std::time::Duration;

use mintgate::base::clock::Timestamp;
use mintgate::sandbox::desk::{self, AGENT};

use self::at_servers::Servers;
use self::carrier::Carrier;
use self::child::{Child, Scenery};
use self::customers::{Customers, Tally};
use self::quick_clock::QuickClock;
use self::trouble::Chance;
use crate::desk_user::DeskUser;

/// Lives of the worker in an ordinary test run.
const FEW: u32 = 12;
/// Real time that everything may take to come to rest after the last kill.
const PATIENCE: Duration = Duration::from_secs(300);
/// Real time watched afterwards for anything that is done once more; 15 minutes by the quick clock.
const AFTERWARDS: Duration = Duration::from_secs(45);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_lives_at_graph_lose_and_double_nothing() {
    let clock = begin();
    let graph = at_graph::start(clock).await;
    let tally = soak(&graph, clock, FEW, 7, Duration::from_secs(5)).await;
    assert!(tally.questions > 0 && tally.answers > 0, "{tally}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_lives_at_mail_servers_lose_nothing_and_double_only_what_nobody_can_know() {
    let clock = begin();
    let Some(servers) = Servers::start(clock).await else { return };
    let tally = soak(&servers, clock, FEW, 7, Duration::from_secs(5)).await;
    assert!(tally.questions > 0 && tally.answers > 0, "{tally}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour; run by `make soak`"]
async fn a_thousand_killed_lives_at_graph_lose_and_double_nothing() {
    let clock = begin();
    let graph = at_graph::start(clock).await;
    soak_long("graph", &graph, clock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour; run by `make soak`"]
async fn a_thousand_killed_lives_at_mail_servers_lose_nothing_and_double_only_what_nobody_can_know() {
    let clock = begin();
    let Some(servers) = Servers::start(clock).await else { return };
    soak_long("mail servers", &servers, clock).await;
}

fn begin() -> QuickClock {
    QuickClock::starting_at(Timestamp(1_795_219_200_000))
}

async fn soak_long(place: &str, carrier: &dyn Carrier, clock: QuickClock) {
    let number =
        |name: &str, otherwise| std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"));
    let kills = number("MINTGATE_SOAK_KILLS", 1_000);
    let tally = soak(carrier, clock, kills, u64::from(number("MINTGATE_SOAK_SEED", 1)), AFTERWARDS).await;
    println!("soak at {place}: kills={kills} {tally}");
}

async fn soak(
    carrier: &dyn Carrier,
    clock: QuickClock,
    kills: u32,
    seed: u64,
    afterwards: Duration,
) -> Tally {
    let desk = desk::start_with_clock(([127, 0, 0, 1], 0).into(), clock.shared()).await.expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store.db");
    let scenery = Scenery { store, desk: desk.url(), account: carrier.account(), clock };
    let mut chance = Chance::new(seed);
    let mut customers = Customers::default();
    for _ in 0..kills {
        trouble::ends(&desk, carrier);
        // By the quick clock the desk's sessions end before a long run does.
        let agent = DeskUser::sign_in(&desk.url(), AGENT).await;
        customers.write(&mut chance, carrier, &desk, &agent).await;
        trouble::begins(&mut chance, &desk, carrier);
        let life = carrier.life(&mut chance);
        let mut child = Child::start(&scenery);
        // How long a process takes to begin depends on the machine; most lives are to see some work.
        if chance.happens(90) {
            child.works().await;
        }
        tokio::time::sleep(life).await;
        child.kill().await;
    }
    trouble::ends(&desk, carrier);
    let _last = Child::start(&scenery);
    let agent = DeskUser::sign_in(&desk.url(), AGENT).await;
    customers.answer_everything(&desk, &agent, PATIENCE).await;
    customers.settle(carrier, &desk, PATIENCE).await;
    tokio::time::sleep(afterwards).await;
    let tally = customers.tally(carrier, &desk);
    assert!(tally.is_clean(), "{tally}");
    tally
}
