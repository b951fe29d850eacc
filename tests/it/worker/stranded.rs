//! Answers whose mailbox sends nothing any more: whoever wrote one learns of it, and a person can have it sent.

use std::time::Duration;

use mintgate::base::clock::Clock;
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::OutboxState;

use super::mails::question;
use super::scene::{ADDRESS, LONG, Scene, id};

const HOUR: Duration = Duration::from_secs(3600);
const ANSWER: &str = "Use the extinguisher.";

/// A ticket with an answer that waits for its mailbox; the ticket's id.
async fn waiting() -> (Scene, String) {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    let busy = Effect::RefuseBefore { status: 503, retry_after: None };
    scene.graph.faults.add(Fault::on("POST", "/v1.0/me/messages", busy));
    scene.agent_says(&ticket, ANSWER).await;
    scene.troubled_pass().await;
    assert_eq!(scene.outgoing(OutboxState::Queued).await, 1);
    scene.graph.faults.clear();
    (scene, ticket)
}

fn notes(scene: &Scene, ticket: &str) -> usize {
    scene.notes(ticket).iter().filter(|note| note.contains("could not be mailed to the customer")).count()
}

/// Days in which somebody looks every other hour.
async fn hours_pass(scene: &Scene, hours: u32) {
    for _ in 0..hours / 2 {
        scene.clock.advance(2 * HOUR);
        scene.any_pass().await;
    }
}

#[tokio::test]
async fn an_answer_whose_mailbox_is_not_connected_again_is_told_at_its_ticket_and_can_be_sent_later() {
    let (scene, ticket) = waiting().await;
    scene.store.disconnect_mailbox(&id()).await.expect("disconnected");
    hours_pass(&scene, 70).await;
    assert_eq!((notes(&scene, &ticket), scene.outgoing(OutboxState::Queued).await), (0, 1));

    hours_pass(&scene, 20).await;
    assert_eq!((notes(&scene, &ticket), scene.outgoing(OutboxState::Failed).await), (1, 1));
    let given_up = scene.store.recent_outgoing(Some(OutboxState::Failed), 1).await.expect("listed").remove(0);
    let name = format!("out-{}", given_up.id);
    assert!(scene.notes(&ticket).iter().any(|note| note.contains(&name)), "{:?}", scene.notes(&ticket));

    scene.connect().await;
    assert!(scene.store.retry_outgoing(given_up.id, scene.clock.now()).await.expect("answered"));
    scene.settle_down().await;
    assert_eq!((scene.sent().len(), notes(&scene, &ticket)), (1, 1));
}

#[tokio::test]
async fn an_answer_behind_a_dead_sign_in_is_told_at_its_ticket() {
    let (scene, ticket) = waiting().await;
    scene.graph.grants.end(ADDRESS);
    hours_pass(&scene, 70).await;
    assert_eq!(notes(&scene, &ticket), 0);
    hours_pass(&scene, 20).await;
    assert_eq!((notes(&scene, &ticket), scene.outgoing(OutboxState::Failed).await), (1, 1));
    assert!(scene.sent().is_empty());
}

#[tokio::test]
async fn while_the_desk_cannot_be_told_the_answer_goes_on_waiting() {
    let (scene, ticket) = waiting().await;
    scene.store.disconnect_mailbox(&id()).await.expect("disconnected");
    hours_pass(&scene, 70).await;
    scene.desk.faults.add(Fault::on("POST", "/api/v1/ticket/comment", Effect::CutBefore));
    hours_pass(&scene, 20).await;
    assert_eq!(scene.outgoing(OutboxState::Queued).await, 1);
    scene.desk.faults.clear();
    hours_pass(&scene, 4).await;
    assert_eq!((notes(&scene, &ticket), scene.outgoing(OutboxState::Failed).await), (1, 1));
}

#[tokio::test]
async fn a_mailbox_that_is_connected_again_in_time_sends_what_waited() {
    let (scene, ticket) = waiting().await;
    scene.store.disconnect_mailbox(&id()).await.expect("disconnected");
    hours_pass(&scene, 70).await;
    scene.connect().await;
    scene.any_pass().await;
    scene.clock.advance(LONG);
    scene.pass().await;
    assert_eq!((scene.sent().len(), notes(&scene, &ticket)), (1, 0));
}
