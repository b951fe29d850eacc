//! Trouble at the mail server that is not the mail's fault, and trouble that is: neither loses a mail.

use std::time::Duration;

use mintgate::base::clock::Clock;
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::InboundState;

use super::mails::question;
use super::scene::{ADDRESS, Scene};

const HOUR: Duration = Duration::from_secs(3600);
const ANY_MAIL: &str = "/v1.0/me/messages/*/$value";

fn refused(status: u16) -> Effect {
    Effect::RefuseBefore { status, retry_after: None }
}

#[tokio::test]
async fn a_hiccup_of_the_mail_server_loses_no_mail_however_often_it_is_asked() {
    let scene = Scene::new().await;
    scene.graph.faults.add(Fault::on("GET", ANY_MAIL, refused(500)));
    for number in 1..=3 {
        scene.deliver(&question(number));
    }
    scene.troubled_pass().await;
    for _ in 0..6 {
        scene.any_pass().await;
    }
    scene.graph.faults.clear();
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 3);
    assert_eq!(scene.count(InboundState::Done).await, 3);
}

#[tokio::test]
async fn a_mail_server_that_hands_out_nothing_for_days_has_every_mail_fetched_afterwards() {
    let scene = Scene::new().await;
    scene.graph.faults.add(Fault::on("GET", ANY_MAIL, refused(500)));
    for number in 1..=3 {
        scene.deliver(&question(number));
    }
    for _ in 0..40 {
        scene.any_pass().await;
        scene.clock.advance(2 * HOUR);
    }
    assert_eq!(scene.count(InboundState::New).await, 3);
    assert!(scene.mailbox_row().await.last_error.is_some(), "it is told");
    scene.graph.faults.clear();
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 3);
}

#[tokio::test]
async fn a_mail_that_is_never_handed_over_holds_up_no_other_and_is_put_aside_after_a_day() {
    let scene = Scene::new().await;
    let broken = scene.deliver(&question(1));
    scene.deliver(&question(2));
    let path = format!("/v1.0/me/messages/{broken}/$value");
    scene.graph.faults.add(Fault::on("GET", &path, refused(500)));
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    for number in 3..=14 {
        scene.clock.advance(2 * HOUR);
        scene.deliver(&question(number));
        assert_eq!(scene.count(InboundState::Quarantined).await, 0, "{number}");
        scene.pass().await;
    }
    let aside = scene.store.recent_inbound(Some(InboundState::Quarantined), 9).await.expect("listed");
    let titles = || scene.desk.tickets().into_iter().map(|ticket| ticket.title).collect::<Vec<_>>();
    assert_eq!((aside.len(), titles().len()), (1, 14));
    assert_eq!(titles().last().map(String::as_str), Some("A mail could not be read"));

    scene.graph.faults.clear();
    scene.store.retry_inbound(aside[0].id, scene.clock.now()).await.expect("answered");
    scene.pass().await;
    assert_eq!(titles().last().map(String::as_str), Some("Printer 1 smokes"));
}

#[tokio::test]
async fn a_mail_that_is_deleted_before_it_could_be_fetched_waits_no_longer() {
    let scene = Scene::new().await;
    scene.graph.faults.add(Fault::on("GET", ANY_MAIL, refused(500)).times(1));
    scene.deliver(&question(1));
    scene.troubled_pass().await;
    scene.graph.faults.add(Fault::on("GET", ANY_MAIL, refused(404)));
    scene.settle_down().await;
    assert_eq!(scene.count(InboundState::Ignored).await, 1);
    assert!(scene.desk.tickets().is_empty());
}

#[tokio::test]
async fn an_old_mail_that_somebody_reads_is_no_new_one() {
    let scene = Scene::new().await;
    let connected_at = scene.clock.now();
    scene.clock.set(connected_at - HOUR);
    let old = scene.deliver(&question(1));
    scene.clock.set(connected_at);
    scene.pass().await;
    scene.clock.advance(HOUR);
    scene.graph.read_message(ADDRESS, &old);
    scene.pass().await;
    assert!(scene.desk.tickets().is_empty());
    assert!(scene.store.recent_inbound(None, 9).await.expect("listed").is_empty());
}

#[tokio::test]
async fn one_mail_that_cannot_be_marked_keeps_no_other_from_it() {
    let scene = Scene::new().await;
    let stubborn = scene.deliver(&question(1));
    let path = format!("/v1.0/me/messages/{stubborn}");
    scene.graph.faults.add(Fault::on("PATCH", &path, refused(500)));
    let others = [scene.deliver(&question(2)), scene.deliver(&question(3))];
    scene.pass().await;
    assert!(others.iter().all(|mail| scene.is_read(mail)) && !scene.is_read(&stubborn));
    scene.graph.faults.clear();
    scene.settle_down().await;
    assert!(scene.is_read(&stubborn));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_an_empty_folder_nor_an_empty_mail() {
    for (path, what) in [("/v1.0/me/mailFolders/inbox/messages/delta", "listing"), (ANY_MAIL, "mail")] {
        let scene = Scene::new().await;
        scene.deliver(&question(1));
        scene.graph.faults.add(Fault::on("GET", path, Effect::Truncate));
        for _ in 0..6 {
            scene.troubled_pass().await;
            scene.clock.advance(HOUR);
        }
        assert!(scene.desk.tickets().is_empty(), "{what}");
        assert_eq!(scene.count(InboundState::Quarantined).await, 0, "{what}");
        let told = scene.mailbox_row().await.last_error.expect("trouble");
        assert!(told.contains("broke off"), "{what}: {told}");

        scene.graph.faults.clear();
        scene.settle_down().await;
        let titles: Vec<_> = scene.desk.tickets().into_iter().map(|ticket| ticket.title).collect();
        assert_eq!(titles, ["Printer 1 smokes"], "{what}");
    }
}

#[tokio::test]
async fn a_mail_at_which_the_connection_always_ends_holds_up_no_other() {
    let scene = Scene::new().await;
    let broken = scene.deliver(&question(1));
    let path = format!("/v1.0/me/messages/{broken}/$value");
    scene.graph.faults.add(Fault::on("GET", &path, Effect::Truncate));
    for number in 2..=4 {
        scene.deliver(&question(number));
    }
    scene.any_pass().await;
    scene.any_pass().await;
    assert_eq!(scene.desk.tickets().len(), 3);
    assert_eq!(scene.count(InboundState::Quarantined).await, 0);

    scene.graph.faults.clear();
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 4);
}
