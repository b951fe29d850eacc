//! What another process asks of the worker by rows in the store.

use std::time::Duration;

use mintgate::base::clock::Clock;
use mintgate::base::id::MailboxId;
use mintgate::mailbox::settings::MailboxSettings;
use mintgate::store::OutboxState;
use mintgate::worker::orders::Order;
use tokio::sync::watch;

use super::mails::question;
use super::scene::{Scene, id};

#[tokio::test]
async fn a_look_that_is_asked_for_by_a_row_is_taken_by_the_running_worker() {
    let scene = Scene::new().await;
    let (_stop, stopped) = watch::channel(false);
    let running = tokio::spawn(scene.worker().run(stopped));
    scene.wake.ring();
    let order = Order::Poll { mailbox: id() };
    scene.deliver(&question(1));
    scene.store.add_hint(&order.hint(), scene.clock.now()).await.expect("left");
    scene.until(|| scene.desk.tickets().len() == 1).await;
    assert!(scene.store.hints("order:").await.expect("listed").is_empty(), "the order is done");
    running.abort();
}

#[tokio::test]
async fn an_order_for_a_mailbox_that_is_gone_is_dropped() {
    let scene = Scene::new().await;
    for mailbox in ["gone", "tickets"] {
        let order = Order::Poll { mailbox: MailboxId::parse(mailbox).expect("an id") };
        scene.store.add_hint(&order.hint(), scene.clock.now()).await.expect("left");
    }
    scene.pass().await;
    assert_eq!(scene.store.hints("order:").await.expect("listed"), Vec::<String>::new());
}

#[tokio::test]
async fn old_mail_becomes_tickets_once_it_is_asked_for() {
    let scene = Scene::new().await;
    let connected_at = scene.clock.now();
    scene.clock.set(connected_at - Duration::from_secs(10 * 24 * 3600));
    scene.deliver(&question(1));
    scene.clock.set(connected_at - Duration::from_secs(3 * 24 * 3600));
    scene.deliver(&question(2));
    scene.clock.set(connected_at);
    scene.deliver(&question(3));
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    let since = connected_at - Duration::from_secs(5 * 24 * 3600);
    let order = Order::ImportSince { mailbox: id(), since };
    scene.store.add_hint(&order.hint(), connected_at).await.expect("left");
    scene.pass().await;
    scene.settle_down().await;
    let mut titles: Vec<_> = scene.desk.tickets().into_iter().map(|ticket| ticket.title).collect();
    titles.sort();
    assert_eq!(titles, ["Printer 2 smokes", "Printer 3 smokes"]);
}

#[tokio::test]
async fn a_paused_mailbox_is_neither_read_nor_sent_from_until_it_goes_on() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets().remove(0).id;
    let paused = MailboxSettings { paused: true, ..MailboxSettings::default() };
    assert!(scene.store.set_mailbox_settings(&id(), &paused.to_json()).await.expect("the store"));
    scene.deliver(&question(2));
    scene.agent_says(&ticket, "Here is how.").await;

    scene.pass().await;

    assert_eq!((scene.desk.tickets().len(), scene.sent().len()), (1, 0));
    assert_eq!(scene.outgoing(OutboxState::Queued).await, 1, "it waits");
    assert!(scene.store.set_mailbox_settings(&id(), "{}").await.expect("the store"));
    scene.settle_down().await;
    assert_eq!((scene.desk.tickets().len(), scene.sent().len()), (2, 1));
}
