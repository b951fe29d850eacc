//! Loops that nothing else stops, and mail between our own mailboxes.

use std::time::Duration;

use mintgate::mail::policy::{Letters, Policy};
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::InboundState;

use super::mails::{mail, question, question_id, reply};
use super::scene::{ADDRESS, SECOND_ADDRESS, Scene};

#[tokio::test]
async fn a_machine_that_goes_on_is_told_of_so_often_and_no_more() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    let threading = format!("In-Reply-To: <{}>\r\nAuto-Submitted: auto-replied\r\n", question_id(1));
    for number in 1..=24 {
        scene.deliver(&mail("bob@customer.example", &format!("a{number}@x"), "Away", &threading, "Away."));
    }
    scene.pass().await;
    let notes = scene.notes(&ticket);
    let warnings = notes.iter().filter(|note| note.contains("perhaps a loop")).count();
    // The question counts, too.
    assert_eq!((notes.len() - warnings, warnings), (19, 1));
    assert_eq!(scene.count(InboundState::Ignored).await, 5);
}

#[tokio::test]
async fn what_persons_write_in_a_flood_waits_and_arrives() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    for number in 1..=62 {
        scene.deliver(&reply(&question_id(1), &format!("r{number}@x"), "And another thing."));
    }
    scene.pass().await;
    assert_eq!(scene.customers_comments(&ticket), 59);
    scene.clock.advance(Duration::from_secs(3_601));
    scene.pass().await;
    assert_eq!(scene.customers_comments(&ticket), 62);
}

#[tokio::test]
async fn too_many_answers_on_one_ticket_wait() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    for number in 1..=31 {
        scene.agent_says(&ticket, &format!("Answer {number}.")).await;
    }
    scene.pass().await;
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!(scene.sent().len(), 30);
    scene.clock.advance(Duration::from_secs(3_601));
    scene.pass().await;
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!(scene.sent().len(), 31);
}

#[tokio::test]
async fn a_flood_on_a_ticket_that_takes_no_note_holds_up_no_other_answer() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.deliver(&mail("carl@customer.example", "c@customer.example", "Offer", "", "How much?"));
    scene.pass().await;
    let of = |subject: &str| {
        let ticket = scene.desk.tickets().into_iter().find(|ticket| ticket.title == subject);
        ticket.expect("a ticket").id
    };
    for number in 1..=31 {
        scene.agent_says(&of("Printer 1 smokes"), &format!("Answer {number}.")).await;
    }
    scene.agent_says(&of("Offer"), "A lot.").await;
    let refusal = Effect::RefuseBefore { status: 500, retry_after: None };
    scene.desk.faults.add(Fault::on("POST", "/api/v1/ticket/comment", refusal));
    scene.pass().await;
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!((scene.sent().len(), scene.sent_to("carl@customer.example").len()), (30, 1));
}

#[tokio::test]
async fn our_own_mailboxes_never_answer_each_other() {
    let mut scene = Scene::new().await;
    scene.policy =
        Policy { letters: Letters { acknowledge: true, ..Letters::default() }, ..Policy::default() };
    scene.connect_second().await;
    for (to, from) in [(SECOND_ADDRESS, ADDRESS), (ADDRESS, SECOND_ADDRESS)] {
        let raw = mail(from, &format!("from-{from}"), "Re: Printer", "", "From one of us.");
        scene.graph.deliver(to, &raw).expect("a mailbox");
    }
    scene.settle_down().await;
    assert!(scene.desk.tickets().is_empty());
    assert_eq!(scene.count(InboundState::Ignored).await, 2);
    assert!(scene.store.recent_outgoing(None, 10).await.expect("listed").is_empty());
}
