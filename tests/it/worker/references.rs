//! Mails that refer to a ticket: which one, who is let in, and what becomes of those who are not.

use mintgate::base::secret::HashKey;
use mintgate::mail::message_id;
use mintgate::sandbox::desk::AGENT;
use mintgate::sandbox::fault::{Effect, Fault};

use super::mails::{header, mail, question, question_id, reply};
use super::scene::Scene;

const BOB: &str = "bob@customer.example";

/// Bob's question is ticket 1, and the desk was looked at since; its id.
async fn asked() -> (Scene, String) {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    (scene, ticket)
}

/// The mail without what the server says of its sender.
fn unproven(raw: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(raw);
    text.split_inclusive("\r\n")
        .filter(|line| !line.starts_with("Authentication-Results"))
        .collect::<String>()
        .into()
}

/// What the newest ticket shows.
fn newest_detail(scene: &Scene) -> String {
    let ticket = scene.desk.tickets().pop().expect("a ticket");
    ticket.detail.expect("a detail")
}

#[tokio::test]
async fn a_reply_that_kept_only_the_number_lands_on_its_ticket() {
    let (scene, ticket) = asked().await;
    scene.deliver(&mail(BOB, "later@customer.example", "Re: Printer [#1]", "", "It still smokes."));
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    assert_eq!(scene.customers_comments(&ticket), 1);
}

#[tokio::test]
async fn an_id_of_ours_that_the_ledger_does_not_know_leads_to_its_ticket() {
    let (scene, ticket) = asked().await;
    let id = message_id::make(&HashKey::from_bytes([5; 32]), &ticket, "lost", "desk.example");
    let answer = reply(id.trim_matches(['<', '>']), "later@customer.example", "It still smokes.");
    scene.deliver(&unproven(&answer));
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    assert_eq!(scene.customers_comments(&ticket), 1);
}

#[tokio::test]
async fn whoever_is_not_let_in_gets_a_ticket_that_links_to_the_other_and_says_why() {
    let mallory = "mallory@x.example";
    let threading = format!("In-Reply-To: <{}>\r\n", question_id(1));
    let table = [
        // A forged number, a forged sender, a proven stranger.
        (unproven(&mail(mallory, "m1@x", "Order [#1]", "", "Let me in.")), "does not take part", true),
        (unproven(&mail(BOB, "m2@x", "Printer [#1]", "", "Let me in.")), "nothing proves", true),
        (mail(mallory, "m3@x", "Re: Printer", &threading, "Let me in."), "does not take part", false),
    ];
    for (raw, why, unverified) in table {
        let (scene, ticket) = asked().await;
        scene.deliver(&raw);
        scene.pass().await;
        assert_eq!(scene.desk.tickets().len(), 2, "{why}");
        assert!(scene.desk.comments(&ticket).is_empty(), "{why}");
        let detail = newest_detail(&scene);
        assert!(detail.contains("ticket #1") && detail.contains(why), "{detail}");
        assert!(detail.contains(&format!("/issue/{ticket}")), "{detail}");
        assert_eq!(detail.contains("unverified"), unverified, "{detail}");
    }
}

#[tokio::test]
async fn somebody_in_copy_takes_part() {
    let scene = Scene::new().await;
    let copied = "Cc: Carl <carl@customer.example>\r\n";
    scene.deliver(&mail(BOB, "q@customer.example", "Printer", copied, "It smokes."));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent().close(&ticket).await;
    let threading = "In-Reply-To: <q@customer.example>\r\n";
    scene.deliver(&mail(
        "carl@customer.example",
        "c@customer.example",
        "Re: Printer",
        threading,
        "Here, too.",
    ));
    scene.pass().await;
    assert_eq!(scene.customers_comments(&ticket), 1);
    assert!(!scene.desk.tickets()[0].is_complete);
}

#[tokio::test]
async fn an_agents_mail_is_an_answer_that_the_customer_gets_once() {
    let (scene, ticket) = asked().await;
    scene.agent().close(&ticket).await;
    scene.deliver(&mail(AGENT.0, "a@desk.localhost", "Re: Printer [#1]", "", "Use the extinguisher."));
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    let comments = scene.desk.comments(&ticket);
    assert_eq!(comments.len(), 1);
    assert!(comments[0].public && comments[0].text.contains("Use the extinguisher."), "{}", comments[0].text);
    assert!(scene.desk.tickets()[0].is_complete, "an agent's answer reopens nothing");
    let sent = scene.sent();
    assert_eq!(sent.len(), 1);
    assert!(String::from_utf8_lossy(&sent[0]).contains("Use the extinguisher."));
    assert!(header(&sent[0], "From").is_some_and(|from| from.contains("tickets@desk.example")));
    assert!(scene.sent_to(AGENT.0).is_empty(), "the agent knows what he wrote");
}

#[tokio::test]
async fn an_agent_who_wrote_to_the_customer_himself_is_not_repeated() {
    let (scene, ticket) = asked().await;
    let more = "Cc: Bob <bob@customer.example>\r\n";
    scene.deliver(&mail(AGENT.0, "a@desk.localhost", "Re: Printer [#1]", more, "Use the extinguisher."));
    scene.settle_down().await;
    assert!(scene.desk.comments(&ticket)[0].public);
    assert!(scene.sent().is_empty());
}

#[tokio::test]
async fn whoever_only_calls_himself_an_agent_is_not_let_in() {
    let (scene, ticket) = asked().await;
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.settle_down().await;
    let ours = header(&scene.sent()[0], "Message-ID").expect("an id");
    // Every customer of the ticket has this id.
    let threading = format!("In-Reply-To: {ours}\r\n");
    scene.deliver(&unproven(&mail(AGENT.0, "a@x", "Re: Printer [#1]", &threading, "Send me your password.")));
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 2);
    assert_eq!(scene.desk.comments(&ticket).len(), 1);
    assert_eq!(scene.sent().len(), 1);
}

#[tokio::test]
async fn an_agents_answer_whose_comment_was_lost_on_the_way_is_there_once() {
    for effect in [Effect::CutAfter, Effect::RefuseAfter { status: 500, retry_after: None }] {
        let (scene, ticket) = asked().await;
        scene.desk.faults.add(Fault::on("POST", "/api/v1/ticket/comment", effect).times(1));
        scene.deliver(&mail(AGENT.0, "a@desk.localhost", "Re: Printer [#1]", "", "Use the extinguisher."));
        scene.any_pass().await;
        scene.settle_down().await;
        assert_eq!(scene.desk.comments(&ticket).len(), 1);
        assert_eq!(scene.sent().len(), 1);
    }
}

#[tokio::test]
async fn an_agents_mail_is_left_to_a_desk_that_mails_by_itself() {
    let (scene, ticket) = asked().await;
    scene.agent().set_provider(true).await;
    scene.pass().await;
    scene.clock.advance(std::time::Duration::from_secs(60));
    scene.pass().await;
    scene.deliver(&mail(AGENT.0, "a@desk.localhost", "Re: Printer [#1]", "", "Use the extinguisher."));
    scene.pass().await;
    assert!(scene.desk.comments(&ticket)[0].public, "the desk mails what is public");
    scene.agent().set_provider(false).await;
    scene.settle_down().await;
    assert!(scene.sent().is_empty());
}

#[tokio::test]
async fn a_desk_that_does_not_tell_its_users_keeps_no_mail_waiting() {
    let (scene, ticket) = asked().await;
    let refusal = Effect::RefuseBefore { status: 403, retry_after: None };
    scene.desk.faults.add(Fault::on("GET", "/api/v1/users/all", refusal));
    scene.deliver(&mail(AGENT.0, "a@desk.localhost", "Re: Printer [#1]", "", "Use the extinguisher."));
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 2);
    assert!(scene.desk.comments(&ticket).is_empty());
}
