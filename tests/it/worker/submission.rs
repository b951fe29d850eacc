//! Answers that leave by a submission server which does not take everything.

use std::time::Duration;

use mintgate::mailbox::settings::MailboxSettings;
use mintgate::store::OutboxState;

use super::mails::{header, mail, question};
use super::scene::Scene;
use super::servers::post::{Post, row_at};
use crate::support::mail_server::{Sink, Then};

/// A scene whose mailbox hands its answers to a sink, after `first` became a ticket; the ticket.
async fn asked(first: &[u8]) -> (Scene, Sink, String) {
    let mut scene = Scene::new().await;
    scene.password = Some("any");
    scene.deliver(first);
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    let sink = Sink::start().await;
    // Nothing is read any more: what answers there speaks no IMAP.
    let row = row_at([sink.address.port(); 2], MailboxSettings::default());
    scene.store.connect_mailbox(&row).await.expect("a mailbox");
    scene.store.set_mailbox_settings(&row.id, &row.settings).await.expect("chosen");
    (scene, sink, ticket)
}

#[tokio::test]
async fn a_refused_copy_keeps_nobody_else_from_the_answer_and_gets_none_any_more() {
    let more = "Cc: Carl <carl@customer.example>, Dora <dora@customer.example>\r\n";
    let (scene, sink, ticket) =
        asked(&mail("bob@customer.example", "q@x", "Printer", more, "It smokes.")).await;
    sink.set(Then::RefuseOne("carl@customer.example", "550 5.1.1 nobody"));
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.any_pass().await;
    assert_eq!((sink.mails().len(), scene.outgoing(OutboxState::Sent).await), (1, 1));
    let notes = scene.notes(&ticket);
    assert!(notes.len() == 1 && notes[0].contains("carl@customer.example"), "{notes:?}");
    scene.agent_says(&ticket, "Then open a window.").await;
    scene.clock.advance(Duration::from_secs(1200));
    scene.any_pass().await;
    let second = sink.mails().pop().expect("the second");
    let copies = header(second.as_bytes(), "Cc").expect("copies");
    assert!(copies.contains("dora@") && !copies.contains("carl@"), "{copies}");
}

#[tokio::test]
async fn a_copy_that_is_not_taken_now_misses_one_answer_only() {
    let more = "Cc: Carl <carl@customer.example>\r\n";
    let (scene, sink, ticket) =
        asked(&mail("bob@customer.example", "q@x", "Printer", more, "It smokes.")).await;
    sink.set(Then::RefuseOne("carl@customer.example", "450 4.2.0 later"));
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.any_pass().await;
    assert_eq!((sink.mails().len(), scene.notes(&ticket).len()), (1, 1));
    sink.set(Then::Keep);
    scene.agent_says(&ticket, "Then open a window.").await;
    scene.clock.advance(Duration::from_secs(1200));
    scene.any_pass().await;
    let second = sink.mails().pop().expect("the second");
    assert!(header(second.as_bytes(), "Cc").is_some_and(|copies| copies.contains("carl@")));
}

#[tokio::test]
async fn a_refused_requester_fails_the_answer() {
    let (scene, sink, ticket) = asked(&question(1)).await;
    sink.set(Then::RefuseOne("bob@customer.example", "550 5.1.1 nobody"));
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.any_pass().await;
    assert_eq!((sink.mails().len(), scene.outgoing(OutboxState::Failed).await), (0, 1));
    assert!(scene.notes(&ticket).iter().any(|note| note.contains("could not be mailed")));
}

#[tokio::test]
async fn a_server_that_turns_everybody_away_for_a_while_costs_no_answer() {
    for refusal in [
        Then::Greet("554 5.3.2 not now"),
        Then::Answer("EHLO", "550 blocked"),
        Then::Answer("AUTH", "550 5.7.1 not today"),
        Then::Answer("MAIL", "550 5.2.2 over quota"),
    ] {
        let Some(post) = Post::new().await else { return };
        for number in 1..=3 {
            post.arrives(&question(number));
        }
        post.pass().await;
        let sink = Sink::start().await;
        let row = row_at([post.imap.port, sink.address.port()], MailboxSettings::default());
        post.store.connect_mailbox(&row).await.expect("a mailbox");
        post.store.set_mailbox_settings(&row.id, &row.settings).await.expect("chosen");
        sink.set(refusal);
        for ticket in post.desk.tickets() {
            post.agent_says(&ticket.id, "Use the extinguisher.").await;
        }
        for _ in 0..2 {
            post.troubled_pass().await;
            post.clock.advance(Duration::from_secs(1200));
        }
        assert_eq!(post.outgoing(OutboxState::Failed).await, 0, "{refusal:?}");
        sink.set(Then::Keep);
        post.settle_down().await;
        let left = (post.outgoing(OutboxState::Sent).await, post.outgoing(OutboxState::Failed).await);
        assert_eq!((sink.mails().len(), left), (3, (3, 0)), "{refusal:?}");
    }
}
