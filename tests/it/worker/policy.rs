//! What becomes of mail that is no plain question: automatic, twice there, refused, out of order.

use std::time::Duration;

use mintgate::base::clock::Clock;
use mintgate::mail::policy::{Policy, SameMail};
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::InboundState;

use super::mails::{bounce, mail, question, question_id, reply};
use super::scene::{ADDRESS, SECOND_ADDRESS, Scene};

/// Bob's question is a ticket that the agent has closed; its id.
async fn closed() -> (Scene, String) {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent().close(&ticket).await;
    (scene, ticket)
}

#[tokio::test]
async fn an_automatic_reply_is_noted_and_leaves_the_ticket_closed() {
    let (scene, ticket) = closed().await;
    let threading = format!("In-Reply-To: <{}>\r\nAuto-Submitted: auto-replied\r\n", question_id(1));
    scene.deliver(&mail(
        "bob@customer.example",
        "away@customer.example",
        "Away",
        &threading,
        "Back on Monday.",
    ));
    scene.pass().await;
    let notes = scene.notes(&ticket);
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("automatic reply") && notes[0].contains("Back on Monday."), "{notes:?}");
    assert!(scene.desk.tickets()[0].is_complete);
    scene.settle_down().await;
    assert!(scene.sent().is_empty(), "a machine is never answered");
}

#[tokio::test]
async fn a_returned_answer_is_noted_on_its_ticket_by_the_proof_in_its_id() {
    let (scene, ticket) = closed().await;
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.settle_down().await;
    scene.deliver(&bounce("report-1@customer.example", &scene.sent()[0]));
    scene.pass().await;
    let notes = scene.notes(&ticket);
    assert!(
        notes.iter().any(|note| note.contains("delivery report") && note.contains("mailbox is full")),
        "{notes:?}"
    );
    assert_eq!(scene.desk.tickets().len(), 1);
    assert!(scene.desk.tickets()[0].is_complete);
}

#[tokio::test]
async fn a_note_whose_answer_was_lost_is_there_once() {
    for effect in [Effect::CutAfter, Effect::RefuseAfter { status: 500, retry_after: None }] {
        let (scene, ticket) = closed().await;
        scene.desk.faults.add(Fault::on("POST", "/api/v1/ticket/comment", effect).times(1));
        let threading = format!("In-Reply-To: <{}>\r\nAuto-Submitted: auto-replied\r\n", question_id(1));
        scene.deliver(&mail("bob@customer.example", "away@customer.example", "Away", &threading, "Away."));
        scene.any_pass().await;
        scene.settle_down().await;
        assert_eq!(scene.notes(&ticket).len(), 1);
    }
}

#[tokio::test]
async fn one_mail_to_two_mailboxes_is_one_ticket_that_names_the_other() {
    let scene = Scene::new().await;
    scene.connect_second().await;
    for address in [ADDRESS, SECOND_ADDRESS] {
        scene.graph.deliver(address, &question(1)).expect("a mailbox");
    }
    scene.settle_down().await;
    let tickets = scene.desk.tickets();
    assert_eq!(tickets.len(), 1);
    let notes = scene.notes(&tickets[0].id);
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("also reached"), "{notes:?}");
}

#[tokio::test]
async fn one_mail_to_two_mailboxes_is_two_tickets_where_the_operator_wants_them() {
    let mut scene = Scene::new().await;
    scene.policy = Policy { same_mail: SameMail::Separate, ..Policy::default() };
    scene.connect_second().await;
    for address in [ADDRESS, SECOND_ADDRESS] {
        scene.graph.deliver(address, &question(1)).expect("a mailbox");
    }
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 2);
}

#[tokio::test]
async fn a_reply_to_two_mailboxes_is_one_comment_whatever_the_policy() {
    for same_mail in [SameMail::Link, SameMail::Separate] {
        let mut scene = Scene::new().await;
        scene.policy = Policy { same_mail, ..Policy::default() };
        scene.connect_second().await;
        scene.deliver(&question(1));
        scene.pass().await;
        let answer = reply(&question_id(1), "reply-1@customer.example", "It still smokes.");
        for address in [ADDRESS, SECOND_ADDRESS] {
            scene.graph.deliver(address, &answer).expect("a mailbox");
        }
        scene.settle_down().await;
        assert_eq!(scene.desk.tickets().len(), 1, "{same_mail:?}");
        assert_eq!(scene.customers_comments(&scene.desk.tickets()[0].id), 1, "{same_mail:?}");
    }
}

#[tokio::test]
async fn a_message_id_that_is_used_again_is_a_new_ticket_that_says_so() {
    let scene = Scene::new().await;
    for text in ["The first alarm.", "Another alarm."] {
        scene.deliver(&mail("machine@customer.example", "same@customer.example", "Alarm", "", text));
        scene.pass().await;
    }
    let details: Vec<_> = scene.desk.tickets().into_iter().filter_map(|ticket| ticket.detail).collect();
    assert_eq!(details.len(), 2);
    assert!(!details[0].contains("same Message-ID") && details[1].contains("same Message-ID"), "{details:?}");
}

#[tokio::test]
async fn a_mail_the_desk_refuses_for_good_is_put_aside_and_can_be_tried_again() {
    let scene = Scene::new().await;
    let refusal = Effect::RefuseBefore { status: 413, retry_after: None };
    scene.desk.faults.add(Fault::on("POST", "/api/v1/ticket/create", refusal).times(5));
    scene.deliver(&question(1));
    for _ in 0..6 {
        scene.any_pass().await;
        scene.clock.advance(Duration::from_secs(600));
    }
    let aside = scene.store.recent_inbound(Some(InboundState::Quarantined), 10).await.expect("listed");
    assert_eq!(aside.len(), 1);
    assert_eq!(scene.desk.tickets()[0].title, "A mail could not be read");
    scene.store.retry_inbound(aside[0].id, scene.clock.now()).await.expect("answered");
    scene.settle_down().await;
    let titles: Vec<_> = scene.desk.tickets().into_iter().map(|ticket| ticket.title).collect();
    assert_eq!(titles, ["A mail could not be read", "Printer 1 smokes"]);
}

#[tokio::test]
async fn a_conversation_keeps_its_order_when_an_earlier_mail_is_late() {
    let (scene, ticket) = closed().await;
    let cut = Effect::RefuseBefore { status: 500, retry_after: None };
    scene.desk.faults.add(Fault::on("POST", "/api/v1/ticket/comment", cut).times(1));
    scene.deliver(&reply(&question_id(1), "r1@customer.example", "First."));
    scene.clock.advance(Duration::from_secs(1));
    scene.deliver(&reply(&question_id(1), "r2@customer.example", "Second."));
    scene.any_pass().await;
    scene.settle_down().await;
    let notes = scene.notes(&ticket);
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("First.") && notes[1].contains("Second."), "{notes:?}");
}
