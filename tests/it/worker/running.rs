//! When the worker works: by ring, by lease, and not while a mailbox waits to be connected again.

use std::time::Duration;

use mintgate::base::clock::Clock;
use mintgate::base::id::MailboxId;
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::MailboxState;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::mails::question;
use super::scene::{ADDRESS, Scene, id};

#[tokio::test]
async fn a_ring_is_answered_at_once_and_a_stop_ends_the_work() {
    let scene = Scene::new().await;
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(scene.worker().run(stopped));
    for number in 1..=3 {
        scene.deliver(&question(number));
        scene.wake.ring();
        scene.until(|| scene.desk.tickets().len() == number as usize).await;
    }
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.wake.ring();
    scene.until(|| scene.has_left("extinguisher")).await;
    stop.send(true).expect("the worker listens");
    tokio::time::timeout(Duration::from_secs(20), running).await.expect("it ends").expect("it does not die");
}

#[tokio::test]
async fn a_mailbox_connected_while_running_is_worked_from_the_next_ring_on() {
    let scene = Scene::new().await;
    scene.store.disconnect_mailbox(&id()).await.expect("the store");
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(scene.worker().run(stopped));
    scene.connect().await;
    scene.deliver(&question(1));
    scene.wake.ring();
    scene.until(|| scene.desk.tickets().len() == 1).await;
    drop(stop);
    tokio::time::timeout(Duration::from_secs(20), running).await.expect("it ends").expect("it does not die");
}

#[tokio::test]
async fn a_mailbox_that_another_worker_holds_is_left_alone_until_the_lease_ends() {
    let scene = Scene::new().await;
    let now = scene.clock.now();
    let minute = Duration::from_secs(60);
    scene.store.lease(&id(), "somebody else", minute, now).await.expect("the store").expect("the lease");
    scene.deliver(&question(1));
    scene.any_pass().await;
    assert!(scene.desk.tickets().is_empty());
    scene.clock.advance(minute);
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
}

#[tokio::test]
async fn a_refused_token_stops_the_polling_until_the_mailbox_is_connected_again() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.graph.grants.end(ADDRESS);
    scene.troubled_pass().await;
    let row = scene.mailbox_row().await;
    assert_eq!(row.state, MailboxState::NeedsReconnect);
    let polled_at = row.last_poll_at;
    scene.clock.advance(Duration::from_secs(600));
    scene.any_pass().await;
    assert_eq!(scene.mailbox_row().await.last_poll_at, polled_at);
}

#[tokio::test]
async fn a_dead_token_is_a_figure_within_two_polls() {
    let scene = Scene::new().await;
    let figures = || {
        let (mut registry, mut text) = (Registry::default(), String::new());
        scene.meters.register(&mut registry);
        encode(&mut text, &registry).expect("text takes everything");
        text
    };
    scene.pass().await;
    assert!(figures().contains("state=\"working\"} 1"), "{}", figures());
    scene.graph.grants.end(ADDRESS);
    scene.troubled_pass().await;
    scene.any_pass().await;
    assert!(figures().contains("state=\"needs-reconnect\"} 1"), "{}", figures());
    assert!(!figures().contains("state=\"working\""), "{}", figures());
}

#[tokio::test]
async fn what_was_fetched_reaches_the_desk_although_the_mailbox_is_dead() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.desk.faults.add(Fault::anywhere("*", Effect::CutBefore));
    scene.troubled_pass().await;
    scene.desk.faults.clear();
    scene.graph.grants.end(ADDRESS);
    scene.clock.advance(Duration::from_secs(1200));
    scene.troubled_pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
}

#[tokio::test]
async fn a_look_that_takes_long_keeps_no_mailbox_waiting() {
    let scene = Scene::new().await;
    scene.store.disconnect_mailbox(&id()).await.expect("the store");
    scene.desk.faults.add(Fault::on("GET", "/api/v1/config/email", Effect::Slow { milliseconds: 60_000 }));
    let (_stop, stopped) = watch::channel(false);
    let running = tokio::spawn(scene.worker().run(stopped));
    scene.until(|| scene.desk.faults.met() > 0).await;
    scene.connect().await;
    scene.deliver(&question(1));
    scene.wake.ring();
    scene.until(|| scene.desk.tickets().len() == 1).await;
    running.abort();
}

#[tokio::test]
async fn what_is_written_at_the_desk_makes_no_mailbox_list_its_mail() {
    let scene = Scene::new().await;
    let mail = scene.deliver(&question(1));
    let (_stop, stopped) = watch::channel(false);
    let running = tokio::spawn(scene.worker().run(stopped));
    // The last step of the first round; the next one is a poll interval away.
    scene.until(|| scene.is_read(&mail)).await;
    let no_delay = || Effect::Slow { milliseconds: 0 };
    scene.desk.faults.add(Fault::on("GET", "/api/v1/config/email", no_delay()));
    scene.graph.faults.add(Fault::anywhere("*", no_delay()));
    for looks in 1..=3 {
        scene.written.ring();
        scene.until(|| scene.desk.faults.met() >= looks).await;
    }
    assert_eq!(scene.graph.faults.met(), 0);
    running.abort();
}

#[tokio::test]
async fn settings_that_another_version_wrote_stop_their_own_mailbox_only() {
    let scene = Scene::new().await;
    scene.connect_second().await;
    let other = MailboxId::parse("sales").expect("an id");
    scene.store.set_mailbox_settings(&other, r#"{"newKey":1}"#).await.expect("the store");
    scene.deliver(&question(1));
    scene.any_pass().await;
    let ticket = scene.desk.tickets().pop().expect("a ticket").id;
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.any_pass().await;
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!(scene.sent().len(), 1);
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_look_forgets_no_ticket_that_waits_for_its_turn() {
    let scene = Scene::new().await;
    let hints = ["ticket:first", "ticket:second", "ticket:third"];
    for (at, hint) in (0..).zip(hints) {
        let now = scene.clock.now() + Duration::from_secs(at);
        scene.store.add_hint(hint, now).await.expect("the store");
    }
    let slow = Effect::Slow { milliseconds: 60_000 };
    scene.desk.faults.add(Fault::on("GET", "/api/v1/ticket/first", slow));
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(scene.worker().run(stopped));
    scene.until(|| scene.desk.faults.met() > 0).await;
    stop.send(true).expect("the worker listens");
    tokio::time::timeout(Duration::from_secs(20), running).await.expect("it ends").expect("it does not die");
    assert_eq!(scene.store.hints("ticket:").await.expect("listed"), hints[1..]);
}
