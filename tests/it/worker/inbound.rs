//! Mail to the desk.

use std::time::Duration;

use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::InboundState;

use mintgate::base::clock::Clock;

use super::mails::{mail, question, question_id, reply, unreadable};
use super::scene::Scene;

#[tokio::test]
async fn a_mail_becomes_a_ticket_with_its_marker() {
    let scene = Scene::new().await;
    let mail = scene.deliver(&question(1));
    scene.pass().await;
    let tickets = scene.desk.tickets();
    assert_eq!(tickets.len(), 1);
    assert_eq!(tickets[0].title, "Printer 1 smokes");
    assert_eq!(tickets[0].email.as_deref(), Some("bob@customer.example"));
    assert!(tickets[0].detail.as_ref().is_some_and(|detail| detail.contains("Printer 1 is on fire.")));
    let created_by = tickets[0].created_by.clone().expect("made by the bot");
    assert!(created_by["role"].as_str().is_some_and(|role| role.starts_with("mail:")), "{created_by}");
    assert!(scene.is_read(&mail));
}

#[tokio::test]
async fn listing_the_same_mail_again_makes_no_second_ticket() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    scene.graph.lose_cursors();
    scene.pass().await;
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
}

#[tokio::test]
async fn a_second_copy_of_a_mail_is_left_alone() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    scene.deliver(&question(1));
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    assert_eq!(scene.count(InboundState::Ignored).await, 1);
}

#[tokio::test]
async fn a_customers_reply_is_a_comment_on_the_same_ticket_and_reopens_it() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent().close(&ticket).await;
    scene.deliver(&reply(&question_id(1), "reply-1@customer.example", "It still smokes."));
    scene.pass().await;
    let comments = scene.desk.comments(&ticket);
    assert_eq!(scene.desk.tickets().len(), 1);
    assert_eq!(comments.len(), 1);
    assert!(comments[0].text.contains("It still smokes."));
    assert!(!comments[0].public, "a public one would be mailed back by a desk with its own provider");
    assert!(!scene.desk.tickets()[0].is_complete);
}

#[tokio::test]
async fn a_reply_that_is_fetched_with_its_parent_lands_on_the_parents_ticket() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.clock.advance(Duration::from_secs(1));
    scene.deliver(&reply(&question_id(1), "reply-1@customer.example", "It still smokes."));
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    assert_eq!(scene.desk.comments(&scene.desk.tickets()[0].id).len(), 1);
}

#[tokio::test]
async fn a_reply_waits_while_its_parent_is_on_its_way_to_the_desk() {
    let scene = Scene::new().await;
    scene.desk.faults.add(
        Fault::on("POST", "/api/v1/ticket/create", Effect::RefuseBefore { status: 500, retry_after: None })
            .times(1),
    );
    scene.deliver(&question(1));
    scene.clock.advance(Duration::from_secs(1));
    scene.deliver(&reply(&question_id(1), "reply-1@customer.example", "It still smokes."));
    scene.troubled_pass().await;
    assert!(scene.desk.tickets().is_empty());
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    assert_eq!(scene.desk.comments(&scene.desk.tickets()[0].id).len(), 1);
}

#[tokio::test]
async fn automatic_mail_and_our_own_are_left_alone() {
    let scene = Scene::new().await;
    let away = "Auto-Submitted: auto-replied\r\n";
    scene.deliver(&mail("bob@customer.example", "away@customer.example", "Out of office", away, "Away."));
    scene.deliver(&mail("tickets@desk.example", "own@desk.example", "Re: x", "", "From ourselves."));
    scene.pass().await;
    assert!(scene.desk.tickets().is_empty());
    assert_eq!(scene.count(InboundState::Ignored).await, 2);
}

#[tokio::test]
async fn a_desk_that_fails_after_applying_gets_no_second_ticket() {
    for effect in [Effect::RefuseAfter { status: 500, retry_after: None }, Effect::CutAfter] {
        let scene = Scene::new().await;
        scene.desk.faults.add(Fault::on("POST", "/api/v1/ticket/create", effect).times(1));
        scene.deliver(&question(1));
        scene.any_pass().await;
        scene.settle_down().await;
        assert_eq!(scene.desk.tickets().len(), 1);
        assert_eq!(scene.count(InboundState::Done).await, 1);
    }
}

#[tokio::test]
async fn a_desk_that_fails_after_applying_gets_no_second_comment() {
    for effect in [Effect::RefuseAfter { status: 500, retry_after: None }, Effect::CutAfter] {
        let scene = Scene::new().await;
        scene.deliver(&question(1));
        scene.pass().await;
        scene.desk.faults.add(Fault::on("POST", "/api/v1/ticket/comment", effect).times(1));
        scene.deliver(&reply(&question_id(1), "reply-1@customer.example", "It still smokes."));
        scene.any_pass().await;
        scene.settle_down().await;
        assert_eq!(scene.desk.comments(&scene.desk.tickets()[0].id).len(), 1);
        assert_eq!(scene.count(InboundState::Done).await, 2);
    }
}

#[tokio::test]
async fn a_call_that_the_desk_applies_late_is_waited_for() {
    let scene = Scene::new().await;
    let late = Effect::ApplyLate { milliseconds: 100 };
    scene.desk.faults.add(Fault::on("POST", "/api/v1/ticket/create", late).times(1));
    scene.deliver(&question(1));
    scene.troubled_pass().await;
    scene.pass().await;
    assert_eq!(scene.count(InboundState::Intent).await, 1, "nothing is repeated before the call is settled");
    scene.until(|| !scene.desk.tickets().is_empty()).await;
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    assert_eq!(scene.count(InboundState::Done).await, 1);
}

#[tokio::test]
async fn mail_is_kept_while_the_desk_is_down_and_the_mailbox_tells_since_when() {
    let scene = Scene::new().await;
    scene.desk.faults.add(Fault::anywhere("*", Effect::CutBefore));
    for number in 1..=3 {
        scene.deliver(&question(number));
    }
    let down_since = scene.clock.now();
    for _ in 0..5 {
        scene.troubled_pass().await;
        scene.clock.advance(Duration::from_secs(600));
    }
    let row = scene.mailbox_row().await;
    assert_eq!(row.failing_since, Some(down_since));
    assert!(row.last_error.is_some_and(|error| error.contains("desk")));
    scene.desk.faults.clear();
    scene.settle_down().await;
    assert_eq!(scene.desk.tickets().len(), 3);
    assert_eq!(scene.mailbox_row().await.failing_since, None);
}

#[tokio::test]
async fn a_mail_that_cannot_be_read_is_quarantined_and_the_next_one_goes_on() {
    let scene = Scene::new().await;
    scene.deliver(&unreadable());
    scene.deliver(&question(1));
    scene.settle_down().await;
    let titles: Vec<_> = scene.desk.tickets().into_iter().map(|ticket| ticket.title).collect();
    assert_eq!(titles, ["Printer 1 smokes", "A mail could not be read"]);
    assert_eq!(scene.count(InboundState::Quarantined).await, 1);
}

#[tokio::test]
async fn a_mail_larger_than_the_limit_still_becomes_a_ticket_that_says_so() {
    let scene = Scene::new().await;
    let long = "All of it matters. ".repeat(20_000);
    scene.deliver(&mail("bob@customer.example", "long@customer.example", "Long", "", &long));
    scene.pass().await;
    let tickets = scene.desk.tickets();
    assert_eq!(tickets.len(), 1);
    assert!(tickets[0].detail.as_ref().is_some_and(|detail| detail.contains("larger than is accepted")));
}

#[tokio::test]
async fn a_lost_cursor_lists_again_without_loss_or_doubles() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    scene.graph.lose_cursors();
    scene.deliver(&question(2));
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 2);
}

#[tokio::test]
async fn mail_from_before_the_connection_is_no_ticket() {
    let scene = Scene::new().await;
    let connected_at = scene.clock.now();
    scene.clock.set(connected_at - Duration::from_secs(3600));
    scene.deliver(&question(1));
    scene.clock.set(connected_at);
    scene.deliver(&question(2));
    scene.pass().await;
    let titles: Vec<_> = scene.desk.tickets().into_iter().map(|ticket| ticket.title).collect();
    assert_eq!(titles, ["Printer 2 smokes"]);
}

#[tokio::test]
async fn without_the_right_to_mark_mail_is_worked_all_the_same() {
    let scene = Scene::with_scopes(&["Mail.Read", "Mail.Send"]).await;
    let mail = scene.deliver(&question(1));
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    assert!(!scene.is_read(&mail));
    assert_eq!(scene.mailbox_row().await.failing_since, None);
}

#[tokio::test]
async fn a_page_becomes_the_desks_own_blocks() {
    let scene = Scene::new().await;
    let page = "<p>It <b>smokes</b>.</p><ul><li><a href=\"https://a.example/1\">photo</a></ul><script>alert(1)</script>";
    let raw = format!(
        "From: bob@customer.example\r\nMessage-ID: <page-1@customer.example>\r\nSubject: Page\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n{page}\r\n"
    );
    scene.deliver(raw.as_bytes());
    scene.pass().await;
    let detail = scene.desk.tickets()[0].detail.clone().expect("a detail");
    let blocks: serde_json::Value = serde_json::from_str(&detail).expect("JSON");
    let text = |text: &str, styles| serde_json::json!({ "type": "text", "text": text, "styles": styles });
    let (none, bold) = (serde_json::json!({}), serde_json::json!({ "bold": true }));
    let link = serde_json::json!({ "type": "link", "href": "https://a.example/1", "content": [text("photo", none.clone())] });
    let wanted = serde_json::json!([
        { "type": "paragraph", "content": [text("It ", none.clone()), text("smokes", bold), text(".", none)] },
        { "type": "bulletListItem", "content": [link] },
    ]);
    let (page, links) = blocks.as_array().expect("blocks").split_at(2);
    assert_eq!(serde_json::Value::from(page), wanted);
    assert!(links.iter().any(|block| block.to_string().contains("/mail-files/")), "{links:?}");
}
