//! Mails nobody wrote: acknowledgements, closing notices, that a mail was too large; and how answers look.

use std::time::Duration;

use mintgate::mail::policy::{Letters, Policy, Templates};
use mintgate::mail::template::Template;
use mintgate::sandbox::fault::{Effect, Fault};

use super::mails::{header, mail, question, question_id, reply};
use super::scene::{Scene, id};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn with(letters: Letters) -> Scene {
    let mut scene = Scene::new().await;
    scene.policy = Policy { letters, ..Policy::default() };
    scene
}

async fn acknowledging() -> Scene {
    with(Letters { acknowledge: true, ..Letters::default() }).await
}

fn body(raw: &[u8]) -> String {
    // Quoted-printable soft breaks would hide words.
    String::from_utf8_lossy(raw).replace("=\r\n", "")
}

#[tokio::test]
async fn a_new_ticket_is_acknowledged_once_a_day_in_its_thread() {
    let scene = acknowledging().await;
    scene.deliver(&question(1));
    scene.settle_down().await;
    let sent = scene.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(header(&sent[0], "In-Reply-To"), Some(format!("<{}>", question_id(1))));
    assert_eq!(header(&scene.frozen().await, "Auto-Submitted").as_deref(), Some("auto-replied"));
    assert!(body(&sent[0]).contains("It is ticket #1"), "{}", body(&sent[0]));
    scene.deliver(&question(2));
    scene.settle_down().await;
    assert_eq!(scene.sent().len(), 1, "once a day");
    scene.clock.advance(DAY);
    scene.deliver(&question(3));
    scene.settle_down().await;
    assert_eq!(scene.sent().len(), 2);
}

#[tokio::test]
async fn without_the_operators_word_nothing_is_acknowledged() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.settle_down().await;
    assert!(scene.sent().is_empty());
}

#[tokio::test]
async fn machines_replies_and_old_mail_are_not_acknowledged() {
    let scene = acknowledging().await;
    scene.deliver(&mail("noreply@customer.example", "n@x", "News", "", "Machine."));
    scene.deliver(&mail("bob@customer.example", "a@x", "Away", "Auto-Submitted: auto-replied\r\n", "Away."));
    scene.settle_down().await;
    scene.deliver(&question(1));
    scene.clock.advance(2 * DAY);
    scene.settle_down().await;
    assert!(scene.sent().is_empty() && scene.sent_to("noreply@customer.example").is_empty());
    assert_eq!(scene.desk.tickets().len(), 2, "both of the persons' mails are tickets all the same");
}

#[tokio::test]
async fn an_acknowledgement_leads_back_to_its_ticket() {
    let scene = acknowledging().await;
    scene.deliver(&question(1));
    scene.settle_down().await;
    let id = header(&scene.sent()[0], "Message-ID").expect("an id");
    scene.deliver(&reply(id.trim_matches(['<', '>']), "thanks@customer.example", "Thanks."));
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    assert_eq!(scene.sent().len(), 1, "a reply is not acknowledged");
}

#[tokio::test]
async fn a_sender_who_writes_like_a_loop_is_kept_and_told_nothing() {
    let scene = acknowledging().await;
    for number in 1..=12 {
        let more = format!("Reply-To: r{number}@customer.example\r\n");
        scene.deliver(&mail("loop@customer.example", &format!("l{number}@x"), "Loop", &more, "Again."));
    }
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 12);
    let told = (1..=12).filter(|number| !scene.sent_to(&format!("r{number}@customer.example")).is_empty());
    assert!(told.count() <= 10);
    assert!(scene.fact("mail_loop").await.is_some());
}

#[tokio::test]
async fn a_helpdesk_that_answers_each_notice_under_a_new_address_is_told_once() {
    let scene = acknowledging().await;
    let turn = async |number: u32, more: &str| {
        let more = format!("Reply-To: reply+{number}@peer.example\r\n{more}");
        scene.deliver(&mail("help@peer.example", &format!("p{number}@peer"), "Ticket", &more, "We got it."));
        scene.clock.advance(Duration::from_secs(120));
        scene.any_pass().await;
    };
    for number in 1..=20 {
        turn(number, "").await;
    }
    let told = |number| scene.sent_to(&format!("reply+{number}@peer.example")).len();
    scene.settle_down().await;
    assert_eq!((1..=20).map(told).sum::<usize>(), 1);
    assert!(scene.fact("mail_loop").await.is_some());
}

#[tokio::test]
async fn what_answers_a_mail_of_ours_from_elsewhere_is_not_acknowledged() {
    let scene = acknowledging().await;
    scene.deliver(&question(1));
    scene.settle_down().await;
    let ours = header(&scene.sent()[0], "Message-ID").expect("an id");
    let more = format!("In-Reply-To: {ours}\r\n");
    scene.deliver(&mail("help@peer.example", "p1@peer", "Re: Printer", &more, "We got it."));
    scene.settle_down().await;
    assert_eq!((scene.desk.tickets().len(), scene.sent_to("help@peer.example").len()), (2, 0));
}

#[tokio::test]
async fn everybody_who_writes_by_a_web_form_is_acknowledged() {
    let scene = acknowledging().await;
    for name in ["ada", "carl", "dora"] {
        let more = format!("Reply-To: {name}@customer.example\r\n");
        scene.deliver(&mail("form@shop.example", &format!("{name}@form"), "Question", &more, "Where is it?"));
    }
    scene.settle_down().await;
    for name in ["ada", "carl", "dora"] {
        assert_eq!(scene.sent_to(&format!("{name}@customer.example")).len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_too_large_mail_is_answered_once_a_day() {
    let scene = Scene::new().await;
    for number in 1..=2 {
        let long = "All of it matters. ".repeat(20_000);
        scene.deliver(&mail("bob@customer.example", &format!("long-{number}@x"), "Long", "", &long));
    }
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 2);
    let sent = scene.sent();
    assert_eq!(sent.len(), 1);
    assert!(body(&sent[0]).contains("larger than 1 MB"), "{}", body(&sent[0]));
}

#[tokio::test]
async fn the_customer_is_told_once_when_his_ticket_is_closed() {
    let scene = with(Letters { closing_notice: true, ..Letters::default() }).await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent().close(&ticket).await;
    scene.settle_down().await;
    scene.settle_down().await;
    let sent = scene.sent();
    assert_eq!(sent.len(), 1);
    assert!(body(&sent[0]).contains("is closed"), "{}", body(&sent[0]));
}

#[tokio::test]
async fn an_answer_goes_to_everybody_who_takes_part_but_never_to_ourselves() {
    let scene = Scene::new().await;
    let more = "Cc: Carl <carl@customer.example>, tickets@desk.example, bob@customer.example\r\n\
                Thread-Index: Ac7gIvnbx4Uf3Z5pQK2vcbbmLHdoaA==\r\n";
    scene.deliver(&mail("bob@customer.example", "q@customer.example", "Printer", more, "It smokes."));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.settle_down().await;
    assert_eq!(scene.sent().len(), 1);
    let copy = &scene.sent_to("carl@customer.example")[0];
    assert!(
        header(copy, "Cc")
            .is_some_and(|cc| cc.contains("carl@") && !cc.contains("tickets@") && !cc.contains("bob@"))
    );
    let frozen = scene.frozen().await;
    let mark = header(&frozen, "Thread-Index").expect("a mark");
    assert!(mark.starts_with("Ac7gIvnbx4Uf3Z5pQK2vcbbmLHdoa"), "{mark}");
    assert_eq!(header(&frozen, "Thread-Topic").as_deref(), Some("Printer"));
}

#[tokio::test]
async fn answers_carry_signature_template_and_history_where_they_are_wanted() {
    let templates = Templates {
        answer: Template::parse("[#{{ticket.number}}] {{text}}\n--\n{{signature}}").expect("a template"),
        ..Templates::default()
    };
    let signature = Some("Your support".to_owned());
    let scene = with(Letters { quote_history: true, signature, templates, ..Letters::default() }).await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.settle_down().await;
    let text = body(&scene.sent()[0]);
    assert!(text.contains("[#1] Use the extinguisher.\r\n--\r\nYour support"), "{text}");
    assert!(text.contains("Bob Customer wrote:\r\n> Printer 1 is on fire."), "{text}");
}

#[tokio::test]
async fn what_was_chosen_for_the_mailbox_wins_over_the_operators_word() {
    let scene = with(Letters { signature: Some("Everybody's".to_owned()), ..Letters::default() }).await;
    let chosen =
        r#"{"fromName":"Printers","replyTo":"printers@desk.example","signature":"Ours","acknowledge":true}"#;
    assert!(scene.store.set_mailbox_settings(&id(), chosen).await.expect("the store"));
    scene.deliver(&question(1));
    scene.settle_down().await;
    let frozen = scene.frozen().await;
    assert!(header(&frozen, "From").is_some_and(|from| from.contains("Printers")));
    assert!(header(&frozen, "Reply-To").is_some_and(|to| to.contains("printers@desk.example")));
    assert!(body(&frozen).trim_end().ends_with("Ours"), "{}", body(&frozen));
}

#[tokio::test]
async fn an_answer_that_passed_the_gateway_is_mailed_at_once_on_a_ticket_of_the_desk_too() {
    let scene = Scene::new().await;
    scene.pass().await;
    scene.clock.advance(Duration::from_secs(1));
    let made = serde_json::json!({"name": "Dora", "email": "dora@customer.example", "title": "By phone",
        "detail": [], "priority": "low", "type": "support"});
    scene.agent().call("POST", "/ticket/create", &made).await;
    let ticket = scene.desk.tickets()[0].id.clone();
    for (said, mails) in [("Your toner is here.", 1), ("And your paper.", 2)] {
        scene.agent_says(&ticket, said).await;
        scene.written.ring_about(ticket.clone());
        scene.pass().await;
        scene.clock.advance(Duration::from_secs(1));
        let sent = scene.sent_to("dora@customer.example");
        assert_eq!(sent.len(), mails);
        assert!(body(&sent[mails - 1]).contains(said), "{}", body(&sent[mails - 1]));
    }
}

#[tokio::test]
async fn a_ticket_that_is_rung_about_while_the_desk_is_down_is_looked_at_later() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.written.ring_about(ticket.clone());
    scene.desk.faults.add(Fault::anywhere("*", Effect::CutBefore));
    scene.any_pass().await;
    let hints = scene.store.hints("ticket:").await.expect("the store");
    assert_eq!(hints, [format!("ticket:{ticket}")]);
}

#[tokio::test]
async fn a_ticket_made_at_the_desk_is_answered_by_mail_from_then_on() {
    let scene = Scene::new().await;
    let made = serde_json::json!({"name": "Dora", "email": "dora@customer.example", "title": "By phone",
        "detail": [], "priority": "low", "type": "support"});
    scene.agent().call("POST", "/ticket/create", &made).await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent_says(&ticket, "Said before anybody looked.").await;
    scene.clock.advance(Duration::from_secs(60));
    scene.pass().await;
    scene.clock.advance(Duration::from_secs(60));
    scene.agent_says(&ticket, "Your toner is here.").await;
    scene.settle_down().await;
    let sent = scene.sent_to("dora@customer.example");
    assert_eq!(sent.len(), 1);
    assert!(body(&sent[0]).contains("Your toner is here."), "{}", body(&sent[0]));
    assert_eq!(header(&sent[0], "Subject").as_deref(), Some("Re: By phone"));
}
