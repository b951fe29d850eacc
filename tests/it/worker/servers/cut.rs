//! Connections that end in every command, and a process that ends at every named point: nothing is lost,
//! nothing is there twice; a mail leaves twice only where nobody can know whether it has left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mintgate::mailbox::settings::{AfterProcessing, MailboxSettings};
use mintgate::store::{InboundState, OutboxState};
use mintgate::worker::Point;

use super::post::Post;
use crate::support::cutter::Cut;
use crate::support::dovecot::Kind;

/// Without MOVE and with UIDPLUS, so that every command of both ways is said.
const WITHOUT_MOVE: Kind = Kind { mechanisms: "plain", capability: Some("IMAP4rev1 UIDPLUS SPECIAL-USE") };

const BY_IMAP: [&str; 11] = [
    "CAPABILITY",
    "AUTHENTICATE",
    "SELECT",
    "UID SEARCH",
    "UID FETCH",
    "UID COPY",
    "CREATE",
    "UID STORE",
    "UID EXPUNGE",
    "LIST",
    "APPEND",
];

const BY_SMTP: [&str; 6] = ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"];

/// Moves to a folder that is not there yet.
fn moving(number: u32) -> MailboxSettings {
    let folder = format!("Done {number}");
    MailboxSettings { after_processing: AfterProcessing::Move { folder }, ..MailboxSettings::default() }
}

#[tokio::test]
async fn a_connection_that_ends_in_any_imap_command_loses_and_doubles_nothing() {
    let Some(post) = Post::with(WITHOUT_MOVE, moving(0)).await else { return };
    let cuts = BY_IMAP.into_iter().flat_map(|command| [Cut::Before(command), Cut::After(command)]);
    for (number, cut) in (1..).zip(cuts) {
        post.choose(moving(number)).await;
        post.imap.cut(cut);
        post.conversation(number, async |scene| scene.any_pass().await).await;
        assert_eq!(post.imap.left(), [], "never said");
        assert_eq!(post.outcome(number), [1, 1, 1], "{cut:?}");
    }
    let left = post.dovecot.say(&["STATUS INBOX (MESSAGES)"]).await;
    assert!(left.contains("(MESSAGES 0)"), "{left}");
}

#[tokio::test]
async fn a_move_whose_answer_is_lost_is_done_once() {
    let chosen = moving(1);
    let Some(post) = Post::with(Kind::default(), chosen).await else { return };
    for (number, cut) in (1..).zip([Cut::Before("UID MOVE"), Cut::After("UID MOVE")]) {
        post.imap.cut(cut);
        post.conversation(number, async |scene| scene.any_pass().await).await;
        assert_eq!((post.imap.left(), post.outcome(number)), (vec![], [1, 1, 1]), "{cut:?}");
    }
    let moved = post.dovecot.say(&["STATUS INBOX (MESSAGES)", "STATUS \"Done 1\" (MESSAGES)"]).await;
    assert!(moved.contains("INBOX (MESSAGES 0)") && moved.contains("(MESSAGES 4)"), "{moved}");
}

#[tokio::test]
async fn a_connection_that_ends_around_a_mail_by_smtp_sends_it_once() {
    let Some(post) = Post::new().await else { return };
    let around = BY_SMTP.into_iter().flat_map(|command| [Cut::Before(command), Cut::After(command)]);
    for (number, cut) in (1..).zip(around.chain([Cut::Before(".")])) {
        post.submission.cut(cut);
        post.conversation(number, async |scene| scene.any_pass().await).await;
        assert_eq!(post.submission.left(), [], "never said");
        assert_eq!(post.outcome(number), [1, 1, 1], "{cut:?}");
    }
}

#[tokio::test]
async fn a_mail_whose_acceptance_was_not_heard_goes_again_under_its_id_and_is_counted() {
    let Some(post) = Post::new().await else { return };
    post.submission.cut(Cut::After("."));
    post.conversation(1, async |scene| scene.any_pass().await).await;
    assert_eq!(post.outcome(1), [1, 1, 2]);
    let ids = post.answer_ids(1);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(post.store.counts().await.expect("counted").outgoing_doubled, 1);
    assert_eq!(post.outgoing(OutboxState::Sent).await, 1);
}

#[tokio::test]
async fn a_mail_whose_acceptance_was_not_heard_and_that_lies_in_the_sent_folder_goes_once() {
    let Some(post) = Post::new().await else { return };
    let asked = async |scene: &crate::worker::scene::Scene| {
        scene.any_pass().await;
        let Some(mail) = post.left_with("Extinguish").pop() else { return };
        let text = String::from_utf8(mail).expect("text");
        post.dovecot.say(&[&format!("APPEND Sent {{{}+}}\r\n{text}", text.len())]).await;
    };
    post.submission.cut(Cut::After("."));
    post.conversation(1, asked).await;
    assert_eq!(post.outcome(1), [1, 1, 1]);
    assert_eq!(post.store.counts().await.expect("counted").outgoing_doubled, 0);
}

#[tokio::test]
async fn a_crash_at_any_named_point_doubles_a_mail_only_where_it_was_accepted_and_not_recorded() {
    let Some(post) = Post::new().await else { return };
    for (number, point) in (1..).zip(Point::ALL) {
        let died = Arc::new(AtomicBool::new(false));
        post.conversation(number, async |scene| {
            let died = died.clone();
            let at = move |passed| {
                if passed == point && !died.swap(true, Ordering::SeqCst) {
                    std::panic::resume_unwind(Box::new("the process dies here"));
                }
            };
            scene.dying_pass(at).await;
        })
        .await;
        assert!(died.load(Ordering::SeqCst), "{point:?} was never passed");
        let mails = if point == Point::MailSent { 2 } else { 1 };
        assert_eq!(post.outcome(number), [1, 1, mails], "{point:?}");
        let ids = post.answer_ids(number);
        assert!(ids.iter().all(|id| *id == ids[0]), "{point:?}");
    }
    assert_eq!(post.submission.unclear(), 1);
    assert_eq!(post.count(InboundState::Done).await, 2 * Point::ALL.len());
    assert_eq!(post.outgoing(OutboxState::Sent).await, Point::ALL.len());
}
