//! The whole way: mail, ticket, answer, reply, by IMAP and SMTP.

use std::sync::Arc;
use std::time::Duration;

use mintgate::mailbox::settings::MailboxSettings;
use mintgate::store::{InboundState, OutboxState};
use mintgate::worker::{Parts, Settings, Worker};
use tokio::sync::watch;

use super::post::Post;
use crate::support::dovecot::Kind;
use crate::worker::mails::{bounce, mail, question};

pub const NO_IDLE: &str = "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE MOVE UIDPLUS SPECIAL-USE";

#[tokio::test]
async fn a_question_is_answered_and_the_customers_reply_lands_on_the_same_ticket() {
    let Some(post) = Post::new().await else { return };
    post.conversation(1, async |scene| scene.pass().await).await;
    assert_eq!(post.outcome(1), [1, 1, 1]);
    assert!(post.threading(1).iter().all(Option::is_some), "{:?}", post.left_with("Extinguish"));
    assert_eq!(post.count(InboundState::Done).await, 2);
    assert_eq!(post.outgoing(OutboxState::Sent).await, 1);
}

#[tokio::test]
async fn a_sent_answer_lies_once_in_the_sent_folder() {
    let Some(post) = Post::new().await else { return };
    post.conversation(1, async |scene| scene.pass().await).await;
    let sent = post.dovecot.say(&["STATUS Sent (MESSAGES UNSEEN)"]).await;
    assert!(sent.contains("MESSAGES 1") && sent.contains("UNSEEN 0"), "{sent}");
}

#[tokio::test]
async fn a_file_in_a_mail_is_kept_byte_for_byte() {
    let Some(post) = Post::new().await else { return };
    let file = "--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nJVBERgD/AA0K\r\n--x--\r\n";
    let raw = format!(
        "From: bob@customer.example\r\nMessage-ID: <file@customer.example>\r\nSubject: File\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nSee it.\r\n{file}"
    );
    post.arrives(raw.as_bytes());
    post.pass().await;
    let id = post.store.recent_inbound(None, 1).await.expect("listed")[0].id;
    let files = post.store.files_of(id).await.expect("listed");
    let bytes = post.store.file_bytes(files[0].digest.as_deref().expect("kept")).await.expect("read");
    assert_eq!(bytes.as_deref(), Some(&b"%PDF\0\xff\0\r\n"[..]));
    assert_eq!(post.store.inbound_raw(id).await.expect("read").as_deref(), Some(raw.as_bytes()));
}

#[tokio::test]
async fn a_bounce_of_an_answer_is_noted_on_its_ticket() {
    let Some(post) = Post::new().await else { return };
    post.conversation(1, async |scene| scene.pass().await).await;
    let answer = post.left_with("Extinguish").remove(0);
    post.arrives(&bounce("bounce@customer.example", &answer));
    post.pass().await;
    let notes = post.notes(&post.ticket("Printer 1 smokes").expect("the ticket"));
    assert_eq!(post.desk.tickets().len(), 1);
    assert!(notes.iter().any(|note| note.contains("mailbox is full")), "{notes:?}");
}

#[tokio::test]
async fn new_mail_is_told_by_the_server_long_before_the_next_look() {
    let Some(post) = Post::new().await else { return };
    let (_stop, stopped) = watch::channel(false);
    let worker = patient(&post, Duration::from_secs(24 * 3600));
    let running = tokio::spawn(worker.run(stopped));
    post.until(|| post.imap.heard("IDLE")).await;
    for number in 1..=2 {
        post.arrives(&question(number));
        post.until(|| post.desk.tickets().len() == number as usize).await;
    }
    running.abort();
}

#[tokio::test]
async fn whoever_rings_costs_no_new_sign_in() {
    let Some(post) = Post::new().await else { return };
    let (_stop, stopped) = watch::channel(false);
    let running = tokio::spawn(patient(&post, Duration::from_secs(24 * 3600)).run(stopped));
    for number in 1..=3 {
        post.until(|| post.imap.count("IDLE") >= number as usize).await;
        post.arrives(&question(number));
        post.wake.ring();
        post.until(|| post.desk.tickets().len() == number as usize).await;
    }
    running.abort();
    assert_eq!(post.imap.count("AUTHENTICATE"), 1);
}

#[tokio::test]
async fn a_server_that_tells_nothing_is_looked_at_again_and_again() {
    let kind = Kind { capability: Some(NO_IDLE), ..Kind::default() };
    let Some(post) = Post::with(kind, MailboxSettings::default()).await else { return };
    let (_stop, stopped) = watch::channel(false);
    let running = tokio::spawn(patient(&post, Duration::from_millis(1)).run(stopped));
    for number in 1..=2 {
        post.arrives(&question(number));
        post.until(|| post.desk.tickets().len() == number as usize).await;
    }
    running.abort();
    assert!(!post.imap.heard("IDLE"));
}

/// A worker that looks by itself only after `interval`.
pub fn patient(post: &Post, interval: Duration) -> Arc<Worker> {
    let parts = post.parts("the only one", |_| {});
    let settings = Settings { poll_interval: interval, ..parts.settings };
    Worker::new(Parts { settings, ..parts })
}

#[tokio::test]
async fn mails_of_a_folder_in_a_new_life_are_known_again() {
    let Some(post) = Post::new().await else { return };
    for number in 1..=3 {
        post.arrives(&question(number));
    }
    post.pass().await;
    post.dovecot.begin_new_life();
    post.arrives(&mail("bob@customer.example", "new@customer.example", "New", "", "A new one."));
    post.settle_down().await;
    assert_eq!(post.desk.tickets().len(), 4);
    assert_eq!(post.count(InboundState::Done).await, 4);
    assert_eq!(post.count(InboundState::Ignored).await, 3, "the folder was not listed again");
}
