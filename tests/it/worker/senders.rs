//! Which mailbox a mail of ours leaves by, and under which name.

use mintgate::mail::policy::{Letters, Policy};

use super::mails::{header, mail, question};
use super::scene::{ADDRESS, SECOND_ADDRESS, Scene};

async fn with_two_mailboxes(policy: Policy) -> Scene {
    let mut scene = Scene::new().await;
    scene.policy = policy;
    scene.connect_second().await;
    scene
}

/// A ticket that an agent makes by hand for Dora.
async fn made_by_hand(scene: &Scene) -> String {
    let made = serde_json::json!({"name": "Dora", "email": "dora@customer.example", "title": "By phone",
        "detail": [], "priority": "low", "type": "support"});
    scene.agent().call("POST", "/ticket/create", &made).await;
    scene.desk.tickets().pop().expect("a ticket").id
}

/// From of what Dora got.
fn from_to_dora(scene: &Scene) -> Vec<String> {
    let mails = scene.sent_to("dora@customer.example");
    mails.iter().filter_map(|raw| header(raw, "From")).collect()
}

#[tokio::test]
async fn every_answer_leaves_by_the_mailbox_its_ticket_came_in_by() {
    let mut scene = with_two_mailboxes(Policy::default()).await;
    scene.from_address = Some(ADDRESS.to_owned());
    scene.graph.deliver(ADDRESS, &question(1)).expect("a mailbox");
    let other = mail("carl@customer.example", "c@customer.example", "Offer", "", "How much?");
    scene.graph.deliver(SECOND_ADDRESS, &other).expect("a mailbox");
    scene.pass().await;
    for ticket in scene.desk.tickets() {
        scene.agent_says(&ticket.id, "Soon.").await;
    }
    scene.settle_down().await;
    let from = |address| header(&scene.sent_to(address)[0], "From").expect("a sender");
    let (first, second) = (from("bob@customer.example"), from("carl@customer.example"));
    assert!(first.contains("Support") && first.contains(ADDRESS), "{first}");
    assert!(!second.contains("Support") && second.contains(SECOND_ADDRESS), "{second}");
}

#[tokio::test]
async fn a_ticket_made_by_hand_is_answered_by_the_default_mailbox() {
    let named = Policy { default_mailbox: Some(SECOND_ADDRESS.to_uppercase()), ..Policy::default() };
    for (policy, from_address, wanted) in [
        (named.clone(), Some(ADDRESS.to_owned()), SECOND_ADDRESS),
        (Policy::default(), Some(SECOND_ADDRESS.to_owned()), SECOND_ADDRESS),
        (Policy::default(), Some(ADDRESS.to_owned()), ADDRESS),
    ] {
        let mut scene = with_two_mailboxes(policy).await;
        scene.from_address = from_address;
        scene.pass().await;
        let ticket = made_by_hand(&scene).await;
        scene.agent_says(&ticket, "Your toner is here.").await;
        scene.settle_down().await;
        let from = from_to_dora(&scene);
        assert!(from.len() == 1 && from[0].contains(wanted), "{from:?}");
    }
}

#[tokio::test]
async fn a_comment_seen_on_its_way_makes_a_new_ticket_known_before_the_next_list() {
    let scene = Scene::new().await;
    scene.pass().await;
    scene.clock.advance(std::time::Duration::from_secs(90));
    let ticket = made_by_hand(&scene).await;
    scene.agent_says(&ticket, "Your toner is here.").await;
    scene.pass().await;
    assert!(from_to_dora(&scene).is_empty(), "nothing told of it yet");
    scene
        .store
        .add_hint(&format!("ticket:{ticket}"), mintgate::base::clock::Clock::now(&*scene.clock))
        .await
        .expect("hinted");
    scene.pass().await;
    scene.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(from_to_dora(&scene).len(), 1);
}

#[tokio::test]
async fn a_ticket_with_one_of_our_own_addresses_is_nobodys() {
    let scene = Scene::new().await;
    let made = serde_json::json!({"name": "Us", "email": ADDRESS, "title": "Note to ourselves",
        "detail": [], "priority": "low", "type": "support"});
    scene.agent().call("POST", "/ticket/create", &made).await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.pass().await;
    scene.agent_says(&ticket, "Done.").await;
    scene.settle_down().await;
    assert!(scene.store.recent_outgoing(None, 10).await.expect("listed").is_empty());
}

#[tokio::test]
async fn the_number_ends_the_subject_where_the_operator_wants_it() {
    let mut scene = Scene::new().await;
    let letters = Letters { subject_mark: true, acknowledge: true, ..Letters::default() };
    scene.policy = Policy { letters, ..Policy::default() };
    scene.deliver(&question(1));
    scene.settle_down().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.settle_down().await;
    let subjects: Vec<_> = scene.sent().iter().filter_map(|raw| header(raw, "Subject")).collect();
    assert_eq!(subjects, ["Re: Printer 1 smokes [#1]", "Re: Printer 1 smokes [#1]"]);
}
