//! Times in which nobody looked at the desk: what was answered then, the desk may have mailed.

use std::time::Duration;

use serde_json::json;

use super::mails::question;
use super::scene::{Scene, id};

const HOUR: Duration = Duration::from_secs(3600);

/// Two hours without a look, in which the desk's own provider mails `answers`.
async fn desk_mails(scene: &Scene, ticket: &str, answers: &[&str]) {
    scene.clock.advance(HOUR);
    scene.agent().set_provider(true).await;
    for answer in answers {
        scene.agent_says(ticket, answer).await;
    }
    scene.agent().set_provider(false).await;
    scene.clock.advance(HOUR + Duration::from_secs(60));
}

fn told(scene: &Scene, ticket: &str) -> usize {
    scene.notes(ticket).iter().filter(|note| note.contains("was not mailed")).count()
}

#[tokio::test]
async fn what_was_answered_while_nobody_looked_is_told_once_and_not_mailed() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.store.disconnect_mailbox(&id()).await.expect("the store");
    desk_mails(&scene, &ticket, &["The desk mailed this.", "And this."]).await;
    scene.connect().await;
    scene.settle_down().await;
    assert_eq!((scene.sent().len(), told(&scene, &ticket)), (0, 1));
    scene.agent_says(&ticket, "This is ours to mail.").await;
    scene.settle_down().await;
    assert_eq!((scene.sent().len(), told(&scene, &ticket)), (1, 1));
}

#[tokio::test]
async fn what_was_answered_on_a_ticket_of_the_desk_while_nobody_looked_is_not_mailed() {
    let scene = Scene::new().await;
    scene.pass().await;
    scene.store.disconnect_mailbox(&id()).await.expect("the store");
    let made = json!({"name": "Dora", "email": "dora@customer.example", "title": "By phone",
        "detail": [], "priority": "low", "type": "support"});
    scene.agent().call("POST", "/ticket/create", &made).await;
    let ticket = scene.desk.tickets()[0].id.clone();
    desk_mails(&scene, &ticket, &["The desk mailed this."]).await;
    scene.connect().await;
    scene.settle_down().await;
    assert_eq!((scene.sent_to("dora@customer.example").len(), told(&scene, &ticket)), (0, 1));
}

#[tokio::test]
async fn the_desks_provider_is_seen_while_no_mailbox_is_connected() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.store.disconnect_mailbox(&id()).await.expect("the store");
    let look = async || {
        scene.clock.advance(Duration::from_secs(300));
        scene.worker().run_once().await.expect("a look");
        scene.clock.advance(Duration::from_secs(300));
    };
    look().await;
    scene.agent().set_provider(true).await;
    look().await;
    scene.agent_says(&ticket, "The desk mailed this.").await;
    look().await;
    scene.agent().set_provider(false).await;
    look().await;
    scene.agent_says(&ticket, "This is ours to mail.").await;
    look().await;
    scene.connect().await;
    scene.settle_down().await;
    let sent = scene.sent();
    assert_eq!((sent.len(), told(&scene, &ticket)), (1, 0));
    assert!(String::from_utf8_lossy(&sent[0]).contains("This is ours to mail."));
}
