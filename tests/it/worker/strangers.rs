//! Public comments of others than agents: customers in the desk's portal, another bot.

use std::sync::Arc;
use std::time::Duration;

use mintgate::base::clock::Clock;
use mintgate::base::secret::SecretString;
use mintgate::desk::{Bot, Desk};
use mintgate::sandbox::desk::AGENT;
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::worker::{Parts, Worker};
use serde_json::{Value, json};

use super::mails::question;
use super::scene::Scene;
use crate::desk_user::{DeskUser, http_to};

/// Nobody is taken for not having looked.
const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

const EVE: (&str, &str) = ("eve@portal.example", "eve");

/// Somebody who signs in at the customers' portal.
async fn eve(scene: &Scene) -> DeskUser {
    let account = json!({"name": "Eve", "email": EVE.0, "password": EVE.1});
    scene.agent().call("POST", "/auth/user/register/external", &account).await;
    DeskUser::sign_in(&scene.desk.url(), EVE).await
}

async fn asked() -> (Scene, String) {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    (scene, ticket)
}

fn told(scene: &Scene, ticket: &str) -> usize {
    scene.notes(ticket).iter().filter(|note| note.contains("does not work at the desk")).count()
}

#[tokio::test]
async fn what_a_portal_customer_writes_on_anothers_ticket_is_never_mailed_from_our_address() {
    let (scene, ticket) = asked().await;
    let eve = eve(&scene).await;
    eve.comment(&ticket, "Pay here.", true).await;
    eve.comment(&ticket, "Pay now.", true).await;
    scene.settle_down().await;
    assert_eq!((scene.sent().len(), told(&scene, &ticket)), (0, 1));
    scene.agent_says(&ticket, "Do not pay.").await;
    scene.settle_down().await;
    assert_eq!((scene.sent().len(), told(&scene, &ticket)), (1, 1));
}

#[tokio::test]
async fn a_portal_customer_is_not_mailed_his_own_words() {
    let scene = Scene::new().await;
    scene.pass().await;
    scene.clock.advance(Duration::from_secs(60));
    let eve = eve(&scene).await;
    let id = eve.call("GET", "/auth/profile", &Value::Null).await["user"]["id"].clone();
    let made = json!({"name": "Eve", "email": EVE.0, "title": "By portal", "detail": [], "priority": "low",
        "type": "support", "createdBy": {"id": id, "name": "Eve", "role": "external", "email": EVE.0}});
    eve.call("POST", "/ticket/create", &made).await;
    let ticket = scene.desk.tickets()[0].id.clone();
    eve.comment(&ticket, "It still smokes.", true).await;
    scene.settle_down().await;
    assert_eq!((scene.sent_to(EVE.0).len(), scene.notes(&ticket).len()), (0, 0));
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.settle_down().await;
    assert_eq!(scene.sent_to(EVE.0).len(), 1);
}

#[tokio::test]
async fn while_the_desk_does_not_tell_who_works_there_answers_wait_and_are_not_lost() {
    let (scene, ticket) = asked().await;
    let refusal = Effect::RefuseBefore { status: 500, retry_after: None };
    scene.desk.faults.add(Fault::on("GET", "/api/v1/users/all", refusal.clone()));
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    for _ in 0..3 {
        scene.clock.advance(HALF_AN_HOUR);
        scene.any_pass().await;
    }
    assert!(scene.sent().is_empty() && scene.notes(&ticket).is_empty());
    let why = scene.fact("desk_failure").await.expect("it is told");
    assert!(why.contains("who works there"), "{why}");
    scene.desk.faults.clear();
    scene.settle_down().await;
    assert_eq!(scene.sent().len(), 1);
}

#[tokio::test]
async fn an_agent_who_was_known_is_believed_while_the_desk_does_not_tell_who_works_there() {
    let (scene, ticket) = asked().await;
    let worker = scene.worker();
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    worker.run_once().await.expect("a pass");
    scene.desk.faults.add(Fault::on("GET", "/api/v1/users/all", Effect::CutBefore));
    scene.clock.advance(HALF_AN_HOUR);
    scene.agent_says(&ticket, "Then open a window.").await;
    worker.run_once().await.expect("a pass");
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!(scene.sent().len(), 2);
}

#[tokio::test]
async fn public_comments_of_the_bot_are_not_mailed_by_the_bot_that_follows() {
    let (scene, ticket) = asked().await;
    scene.bot_says(&ticket, "Ann <ann@desk.example> wrote on 2026-11-21 [mail 0123456789]\nDone.").await;
    scene.settle_down().await;
    let bot = Bot { email: AGENT.0.to_owned(), password: SecretString::from(AGENT.1) };
    let url = scene.desk.url();
    let desk = Desk::new(http_to(&url), url.parse().expect("a URL"), Some(bot), scene.clock.clone());
    let other = Worker::new(Parts { desk: Arc::new(desk), ..scene.parts("the only one", |_| {}) });
    for _ in 0..3 {
        scene.clock.set(scene.clock.now() + HALF_AN_HOUR);
        other.run_once().await.expect("a pass");
    }
    assert!(scene.sent().is_empty());
}

#[tokio::test]
async fn a_ticket_that_mails_have_made_huge_is_answered_like_any_other() {
    let (scene, ticket) = asked().await;
    for _ in 0..22 {
        scene.bot_says(&ticket, &"long ".repeat(160_000)).await;
    }
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.pass().await;
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!(scene.sent().len(), 1);
}
