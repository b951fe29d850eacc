//! Answers to the customer.

use std::time::Duration;

use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::OutboxState;
use mintgate::worker::HOLD_FACT;

use super::mails::{header, question, question_id, reply};
use super::scene::Scene;

/// Longer than the clocks of desk and gateway are taken to differ.
const A_WHILE: Duration = Duration::from_secs(60);

/// A scene where Bob's question is a ticket; its id.
async fn asked() -> (Scene, String) {
    asked_with(&["Mail.ReadWrite", "Mail.Send"]).await
}

async fn asked_with(scopes: &[&str]) -> (Scene, String) {
    let scene = Scene::with_scopes(scopes).await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    (scene, ticket)
}

#[tokio::test]
async fn an_agents_public_comment_is_mailed_once_into_the_thread() {
    let (scene, ticket) = asked().await;
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.pass().await;
    scene.settle_down().await;
    let sent = scene.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(header(&sent[0], "In-Reply-To"), Some(format!("<{}>", question_id(1))));
    assert_eq!(header(&sent[0], "Subject").as_deref(), Some("Re: Printer 1 smokes"));
    assert!(header(&sent[0], "To").is_some_and(|to| to.contains("bob@customer.example")));
    assert!(String::from_utf8_lossy(&sent[0]).contains("Use the extinguisher."));
}

#[tokio::test]
async fn an_internal_comment_and_the_bots_own_are_never_mailed() {
    let (scene, ticket) = asked().await;
    scene.agent_notes(&ticket, "He always does that.").await;
    scene.bot_says(&ticket, "Something public of the bot.").await;
    scene.settle_down().await;
    assert!(scene.sent().is_empty());
}

#[tokio::test]
async fn the_customers_answer_to_an_answer_lands_on_the_same_ticket() {
    let (scene, ticket) = asked().await;
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.pass().await;
    scene.clock.advance(A_WHILE);
    let answer = header(&scene.sent()[0], "Message-ID").expect("an id");
    scene.deliver(&reply(answer.trim_matches(['<', '>']), "thanks@customer.example", "Thanks."));
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    assert!(scene.desk.comments(&ticket).iter().any(|comment| comment.text.contains("Thanks.")));
}

#[tokio::test]
async fn a_desk_with_its_own_provider_mails_and_we_do_not() {
    let (scene, ticket) = asked().await;
    scene.agent().set_provider(true).await;
    scene.pass().await;
    scene.clock.advance(A_WHILE);
    scene.agent_says(&ticket, "Mailed by the desk itself.").await;
    scene.clock.advance(A_WHILE);
    scene.pass().await;
    assert!(scene.fact(HOLD_FACT).await.is_some_and(|why| why.contains("SMTP")));
    scene.agent().set_provider(false).await;
    scene.pass().await;
    scene.clock.advance(A_WHILE);
    scene.agent_says(&ticket, "Mailed by us.").await;
    scene.settle_down().await;
    let sent = scene.sent();
    assert_eq!(sent.len(), 1);
    assert!(String::from_utf8_lossy(&sent[0]).contains("Mailed by us."));
    assert_eq!(scene.fact(HOLD_FACT).await, None);
}

#[tokio::test]
async fn an_answer_from_before_the_provider_waits_and_is_sent_after_it() {
    let (scene, ticket) = asked().await;
    scene.agent_says(&ticket, "Written in time.").await;
    scene.clock.advance(A_WHILE);
    scene.graph.faults.add(Fault::anywhere("*", Effect::CutBefore));
    scene.troubled_pass().await;
    scene.graph.faults.clear();
    scene.agent().set_provider(true).await;
    scene.clock.advance(A_WHILE);
    scene.pass().await;
    assert!(scene.sent().is_empty());
    scene.agent().set_provider(false).await;
    scene.settle_down().await;
    assert_eq!(scene.sent().len(), 1);
}

#[tokio::test]
async fn an_answer_written_while_the_provider_was_being_set_is_told_to_the_agent() {
    let (scene, ticket) = asked().await;
    scene.clock.advance(A_WHILE);
    scene.agent_says(&ticket, "Who mailed this?").await;
    scene.agent().set_provider(true).await;
    scene.clock.advance(A_WHILE);
    scene.pass().await;
    scene.agent().set_provider(false).await;
    scene.settle_down().await;
    assert!(scene.sent().is_empty());
    let notes = scene.desk.comments(&ticket).into_iter().filter(|comment| !comment.public);
    assert_eq!(notes.filter(|note| note.text.contains("was not mailed")).count(), 1);
}

#[tokio::test]
async fn while_the_desk_reads_mail_itself_answers_wait() {
    let (scene, ticket) = asked().await;
    scene.agent().add_queue().await;
    scene.agent_says(&ticket, "It can wait.").await;
    scene.pass().await;
    assert!(scene.sent().is_empty());
    scene.agent().remove_queues().await;
    scene.settle_down().await;
    assert_eq!(scene.sent().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_of_the_provider_sends_no_second_mail() {
    for path in ["/v1.0/me/messages", "/v1.0/me/messages/*/send"] {
        let (scene, ticket) = asked().await;
        scene.graph.faults.add(Fault::on("POST", path, Effect::CutAfter).times(1));
        scene.agent_says(&ticket, "Use the extinguisher.").await;
        scene.any_pass().await;
        scene.settle_down().await;
        assert_eq!(scene.sent().len(), 1, "{path}");
        assert_eq!(scene.outgoing(OutboxState::Sent).await, 1, "{path}");
    }
}

#[tokio::test]
async fn without_drafts_a_lost_answer_is_looked_for_before_a_repeat() {
    let (scene, ticket) = asked_with(&["Mail.Read", "Mail.Send"]).await;
    scene.graph.faults.add(Fault::on("POST", "/v1.0/me/sendMail", Effect::CutAfter).times(1));
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.any_pass().await;
    scene.settle_down().await;
    assert_eq!(scene.sent().len(), 1);
    assert_eq!(scene.outgoing(OutboxState::Sent).await, 1);
}

#[tokio::test]
async fn an_answer_the_provider_refuses_is_told_at_the_ticket() {
    let (scene, ticket) = asked().await;
    let refusal = Effect::RefuseBefore { status: 400, retry_after: None };
    scene.graph.faults.add(Fault::on("POST", "/v1.0/me/messages", refusal));
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.any_pass().await;
    assert_eq!(scene.outgoing(OutboxState::Failed).await, 1);
    let comments = scene.desk.comments(&ticket);
    assert!(comments.iter().any(|comment| !comment.public && comment.text.contains("could not be mailed")));
}
