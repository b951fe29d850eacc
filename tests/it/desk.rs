//! The desk's API as mail uses it, against the sandbox's desk, which answers as Peppermint was recorded.

use std::sync::Arc;

use mintgate::base::clock::{Clock, ManualClock, SystemClock, Timestamp};
use mintgate::base::secret::SecretString;
use mintgate::desk::{Bot, Desk, DeskError, NewTicket, OwnMail};
use mintgate::sandbox::desk::{self as sandbox, ADMIN, AGENT, BOT};
use mintgate::sandbox::fault::{Effect, Fault};
use serde_json::json;

use crate::desk_user::{DeskUser, http_to};

async fn sandbox() -> sandbox::Desk {
    sandbox::start(([127, 0, 0, 1], 0).into()).await.expect("a free port")
}

fn desk_as(user: (&str, &str), server: &sandbox::Desk, clock: Arc<dyn Clock>) -> Desk {
    let bot = Bot { email: user.0.to_owned(), password: SecretString::from(user.1) };
    let url = server.url().parse().expect("a URL");
    Desk::new(http_to(&server.url()), url, Some(bot), clock)
}

fn bot_at(server: &sandbox::Desk) -> Desk {
    desk_as(BOT, server, Arc::new(SystemClock))
}

fn ticket(marker: &str) -> NewTicket {
    NewTicket {
        name: "Bob Customer".to_owned(),
        email: "bob@customer.example".to_owned(),
        title: "Printer smokes".to_owned(),
        detail: json!([{"type": "paragraph", "content": [{"type": "text", "text": "Help", "styles": {}}]}]),
        marker: marker.to_owned(),
    }
}

#[tokio::test]
async fn a_ticket_is_found_by_its_marker_only() {
    let server = sandbox().await;
    let desk = bot_at(&server);
    let id = desk.create_ticket(&ticket("mail:1")).await.expect("a ticket");
    desk.create_ticket(&ticket("mail:2")).await.expect("a ticket");
    assert_eq!(desk.find_by_marker("mail:1").await.expect("a list"), Some(id));
    assert_eq!(desk.find_by_marker("mail:3").await.expect("a list"), None);
    assert_eq!(server.sessions(), 1, "one sign-in serves all calls");
}

#[tokio::test]
async fn comments_tell_who_made_them_and_for_whom() {
    let server = sandbox().await;
    let (bot, agent) = (bot_at(&server), desk_as(AGENT, &server, Arc::new(SystemClock)));
    let id = bot.create_ticket(&ticket("mail:1")).await.expect("a ticket");
    bot.comment(&id, "Bob wrote", false).await.expect("a comment");
    agent.comment(&id, "Dear Bob", true).await.expect("a comment");
    let view = bot.ticket(&id).await.expect("an answer").expect("the ticket");
    let bot_id = bot.bot_user().await.expect("the bot").id;
    let told: Vec<_> = view
        .comments
        .iter()
        .map(|one| (one.public, one.reply, one.user_id.as_ref() == Some(&bot_id)))
        .collect();
    assert_eq!(told, [(false, false, true), (true, false, false)]);
    assert!(!view.closed);
}

#[tokio::test]
async fn a_ticket_that_is_gone_is_told_from_a_desk_that_fails() {
    let server = sandbox().await;
    let desk = bot_at(&server);
    let id = desk.create_ticket(&ticket("mail:1")).await.expect("a ticket");
    let gone = desk.ticket("00000000-0000-0000-0000-000000000000").await;
    assert!(matches!(gone, Ok(None)), "{gone:?}");
    let failing = Effect::RefuseBefore { status: 500, retry_after: None };
    server.faults.add(Fault::on("GET", "/api/v1/ticket/*", failing));
    let failed = desk.ticket(&id).await;
    assert!(matches!(failed, Err(DeskError::Refused { status: 500, .. })), "{failed:?}");
}

#[tokio::test]
async fn a_session_that_the_desk_ended_is_replaced() {
    let server = sandbox().await;
    let desk = bot_at(&server);
    desk.notifications(None).await.expect("a list");
    server.end_sessions();
    desk.notifications(None).await.expect("a list after a new sign-in");
    let id = desk.create_ticket(&ticket("mail:1")).await.expect("a ticket");
    server.end_sessions();
    let unclear = desk.comment(&id, "Bob wrote", false).await.expect_err("the desk answers 500");
    assert!(unclear.may_have_applied());
    desk.comment(&id, "Bob wrote", false).await.expect("a comment after a new sign-in");
    assert_eq!(server.comments(&id).len(), 1);
}

#[tokio::test]
async fn the_bot_signs_in_anew_before_its_token_ends() {
    let server = sandbox().await;
    let clock = Arc::new(ManualClock::at(Timestamp(1_795_219_200_000)));
    let desk = desk_as(BOT, &server, clock.clone());
    desk.bot_user().await.expect("a sign-in");
    clock.advance(std::time::Duration::from_secs(7 * 3600));
    desk.bot_user().await.expect("a sign-in");
    assert_eq!(server.sessions(), 2);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_nothing_was_applied() {
    let server = sandbox().await;
    let desk = desk_as((BOT.0, "wrong"), &server, Arc::new(SystemClock));
    let error = desk.create_ticket(&ticket("mail:1")).await.expect_err("no sign-in");
    assert!(matches!(error, DeskError::SignIn { status: 401 }), "{error:?}");
    assert!(!error.may_have_applied());
}

#[tokio::test]
async fn a_bot_without_a_role_is_told_what_it_needs() {
    let server = sandbox().await;
    let admin = DeskUser::sign_in(&server.url(), ADMIN).await;
    admin.call("PATCH", "/config/toggle-roles", &json!({"isActive": true})).await;
    let error = bot_at(&server).create_ticket(&ticket("mail:1")).await.expect_err("a refusal");
    assert!(matches!(error, DeskError::Forbidden { .. }), "{error:?}");
    assert!(error.to_string().contains("issue::create") && !error.may_have_applied());
}

#[tokio::test]
async fn notifications_are_read_up_to_the_known_one() {
    let server = sandbox().await;
    let (bot, agent) = (bot_at(&server), desk_as(AGENT, &server, Arc::new(SystemClock)));
    let id = bot.create_ticket(&ticket("mail:1")).await.expect("a ticket");
    agent.comment(&id, "one", true).await.expect("a comment");
    let first = bot.notifications(None).await.expect("a list");
    agent.comment(&id, "two", true).await.expect("a comment");
    let known = first.first().map(|one| one.id.clone());
    let news = bot.notifications(known.as_deref()).await.expect("a list");
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].ticket_id.as_deref(), Some(id.as_str()));
}

#[tokio::test]
async fn a_broken_off_answer_is_an_unclear_one() {
    let server = sandbox().await;
    let desk = bot_at(&server);
    server.faults.add(Fault::on("POST", "/api/v1/ticket/create", Effect::CutAfter).times(1));
    let error = desk.create_ticket(&ticket("mail:1")).await.expect_err("no answer");
    assert!(error.may_have_applied(), "{error:?}");
    assert!(desk.find_by_marker("mail:1").await.expect("a list").is_some());
}

#[tokio::test]
async fn a_reopened_ticket_is_open() {
    let server = sandbox().await;
    let desk = bot_at(&server);
    let id = desk.create_ticket(&ticket("mail:1")).await.expect("a ticket");
    DeskUser::sign_in(&server.url(), AGENT).await.close(&id).await;
    assert!(desk.ticket(&id).await.expect("an answer").is_some_and(|ticket| ticket.closed));
    desk.reopen(&id).await.expect("reopened");
    assert!(!server.tickets()[0].is_complete);
}

#[tokio::test]
async fn the_desks_own_mail_is_seen_come_and_go() {
    let server = sandbox().await;
    let (desk, agent) = (bot_at(&server), DeskUser::sign_in(&server.url(), AGENT).await);
    let none = OwnMail { smtp: false, queues: 0 };
    assert_eq!(desk.has_own_mail().await.expect("the settings"), none);
    agent.set_provider(true).await;
    agent.add_queue().await;
    assert_eq!(desk.has_own_mail().await.expect("the settings"), OwnMail { smtp: true, queues: 1 });
    agent.set_provider(false).await;
    agent.remove_queues().await;
    assert_eq!(desk.has_own_mail().await.expect("the settings"), none);
}

#[tokio::test]
async fn the_desks_people_are_its_users_and_no_customers() {
    let server = sandbox().await;
    let outside = json!({"email": "eve@customer.example", "password": "pw", "name": "Eve"});
    DeskUser::sign_in(&server.url(), ADMIN)
        .await
        .call("POST", "/auth/user/register/external", &outside)
        .await;
    let people = bot_at(&server).people().await.expect("a list");
    let has = |email: &str| people.iter().any(|one| one.email == email);
    assert!(has(AGENT.0) && has(BOT.0) && !has("eve@customer.example"), "{people:?}");
}
