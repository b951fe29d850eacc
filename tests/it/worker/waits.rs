//! Mails that have to wait: for a desk that is down or slow, for a mailbox that was disconnected, for a clock that
//! was ahead. None is given up for having waited.

use std::time::Duration;

use mintgate::base::clock::Clock;
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::{InboundState, MailboxRow};
use mintgate::worker::Point;

use super::mails::{question, unreadable};
use super::scene::{SECOND_ADDRESS, Scene, id, mailbox_row};

const CREATE: &str = "/api/v1/ticket/create";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn refused(status: u16) -> Effect {
    Effect::RefuseBefore { status, retry_after: None }
}

fn titles(scene: &Scene) -> Vec<String> {
    scene.desk.tickets().into_iter().map(|ticket| ticket.title).collect()
}

#[tokio::test]
async fn a_mail_that_waited_for_the_desk_is_not_put_aside_at_its_first_refusal() {
    let scene = Scene::new().await;
    scene.desk.faults.add(Fault::on("POST", CREATE, refused(502)).times(10));
    scene.deliver(&question(1));
    for _ in 0..10 {
        scene.any_pass().await;
        scene.clock.advance(10 * MINUTE);
    }
    scene.desk.faults.add(Fault::on("POST", CREATE, refused(413)).times(1));
    scene.any_pass().await;
    scene.settle_down().await;
    assert_eq!(titles(&scene), ["Printer 1 smokes"]);
    assert_eq!(scene.count(InboundState::Quarantined).await, 0);
}

#[tokio::test]
async fn a_mail_that_the_desk_alone_fails_over_for_a_day_is_put_aside() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.desk.faults.add(Fault::on("POST", CREATE, refused(500)).times(1));
    scene.troubled_pass().await;
    for number in 2..=13 {
        scene.clock.advance(2 * HOUR);
        scene.desk.faults.add(Fault::on("POST", CREATE, refused(500)).times(1));
        scene.deliver(&question(number));
        scene.any_pass().await;
    }
    assert_eq!(scene.count(InboundState::Done).await, 12);
    assert_eq!(scene.count(InboundState::Quarantined).await, 0, "nothing shows that the desk is well now");
    scene.clock.advance(10 * MINUTE);
    scene.desk.faults.add(Fault::on("POST", CREATE, refused(500)).times(1));
    scene.any_pass().await;
    assert_eq!(scene.count(InboundState::Quarantined).await, 1);
}

#[tokio::test]
async fn a_mail_that_is_put_aside_again_is_told_of_once() {
    let scene = Scene::new().await;
    scene.deliver(&unreadable());
    scene.settle_down().await;
    let aside = scene.store.recent_inbound(Some(InboundState::Quarantined), 9).await.expect("listed");
    scene.store.retry_inbound(aside[0].id, scene.clock.now()).await.expect("answered");
    scene.settle_down().await;
    assert_eq!(scene.count(InboundState::Quarantined).await, 1);
    assert_eq!(titles(&scene), ["A mail could not be read"]);
}

#[tokio::test]
async fn a_mail_that_is_put_aside_while_the_desk_is_down_is_told_of_afterwards() {
    let scene = Scene::new().await;
    scene.desk.faults.add(Fault::anywhere("*", Effect::CutBefore));
    scene.deliver(&unreadable());
    for _ in 0..4 {
        scene.any_pass().await;
        scene.clock.advance(10 * MINUTE);
    }
    assert_eq!(scene.count(InboundState::Quarantined).await, 1);
    scene.desk.faults.clear();
    scene.settle_down().await;
    assert_eq!(titles(&scene), ["A mail could not be read"]);
}

#[tokio::test]
async fn a_mail_in_two_mailboxes_is_one_ticket_although_one_is_disconnected_meanwhile() {
    let scene = Scene::new().await;
    scene.connect_second().await;
    scene.desk.faults.add(Fault::on("POST", CREATE, refused(500)));
    scene.deliver(&question(1));
    scene.graph.deliver(SECOND_ADDRESS, &question(1)).expect("a mailbox");
    scene.any_pass().await;
    // The one that was about to open the ticket.
    let on_its_way = scene.store.recent_inbound(Some(InboundState::Intent), 9).await.expect("listed");
    let sales = on_its_way[0].mailbox.clone();
    assert_ne!(sales, id());
    scene.store.disconnect_mailbox(&sales).await.expect("disconnected");
    scene.desk.faults.clear();
    for _ in 0..3 {
        scene.clock.advance(10 * MINUTE);
        scene.any_pass().await;
    }
    assert_eq!(titles(&scene), ["Printer 1 smokes"]);

    scene.connect_second().await;
    scene.settle_down().await;
    assert_eq!(titles(&scene), ["Printer 1 smokes"]);
}

#[tokio::test]
async fn what_waited_in_a_disconnected_mailbox_goes_on_when_it_is_connected_again() {
    let scene = Scene::new().await;
    scene.desk.faults.add(Fault::anywhere("*", Effect::CutBefore));
    scene.deliver(&question(1));
    scene.any_pass().await;
    scene.store.disconnect_mailbox(&id()).await.expect("disconnected");
    scene.clock.advance(HOUR);
    scene.deliver(&question(2));
    scene.clock.advance(HOUR);
    let row = MailboxRow { accept_since: scene.clock.now(), ..mailbox_row(&super::scene::BOTH) };
    scene.store.connect_mailbox(&row).await.expect("connected");
    scene.desk.faults.clear();
    scene.settle_down().await;
    assert_eq!(titles(&scene), ["Printer 1 smokes"], "what came in between is the administrator's to import");
}

#[tokio::test]
async fn a_desk_that_takes_long_before_the_call_is_waited_for() {
    let scene = Scene::new().await;
    scene.desk.faults.add(Fault::on("POST", CREATE, refused(500)).times(1));
    scene.deliver(&question(1));
    scene.troubled_pass().await;
    scene.clock.advance(10 * MINUTE);
    let clock = scene.clock.clone();
    let slow = scene.worker_at(move |point| {
        if point == Point::IntentWritten {
            clock.advance(Duration::from_secs(29));
        }
    });
    slow.run_once().await.expect("a pass");
    assert_eq!(titles(&scene), ["Printer 1 smokes"]);
    assert_eq!(scene.mailbox_row().await.last_error, None);
}

#[tokio::test]
async fn a_mail_stored_by_a_clock_that_was_ahead_is_worked_once_it_is_right() {
    for desk_is_down in [false, true] {
        let scene = Scene::new().await;
        let right = scene.clock.now();
        scene.clock.advance(8 * HOUR);
        scene.deliver(&question(1));
        let effect = if desk_is_down { Effect::CutBefore } else { refused(500) };
        let path = if desk_is_down { "*" } else { CREATE };
        scene.desk.faults.add(Fault::anywhere(path, effect));
        scene.any_pass().await;
        scene.clock.set(right);
        scene.desk.faults.clear();
        for _ in 0..3 {
            scene.any_pass().await;
            scene.clock.advance(MINUTE);
        }
        assert_eq!(titles(&scene), ["Printer 1 smokes"], "{desk_is_down}");
    }
}
