//! What becomes of a mail on its server, and when; also where the server can do little.

use mintgate::mailbox::settings::{AfterProcessing, MailboxSettings};
use mintgate::sandbox::fault::{Effect, Fault};

use super::post::Post;
use crate::support::cutter::Cut;
use crate::support::dovecot::Kind;
use crate::worker::mails::question;

const LITTLE: &str = "IMAP4rev1";
const WITH_UIDPLUS: &str = "IMAP4rev1 UIDPLUS";

fn to_done() -> AfterProcessing {
    AfterProcessing::Move { folder: "Done".to_owned() }
}

async fn post(kind: Kind, after: AfterProcessing) -> Option<Post> {
    Post::with(kind, MailboxSettings { after_processing: after, ..MailboxSettings::default() }).await
}

/// The inbox as its owner sees it.
async fn inbox(post: &Post) -> String {
    post.dovecot.say(&["EXAMINE INBOX", "UID FETCH 1:* FLAGS"]).await
}

#[tokio::test]
async fn a_mail_is_treated_as_chosen_once_its_ticket_is_there_and_not_before() {
    for (after, left, flags) in [
        (AfterProcessing::Leave, 1, "()"),
        (AfterProcessing::MarkRead, 1, "(\\Seen)"),
        (to_done(), 0, ""),
        (AfterProcessing::Delete, 0, ""),
    ] {
        let Some(post) = post(Kind::default(), after.clone()).await else { return };
        post.arrives(&question(1));
        post.desk.faults.add(Fault::anywhere("*", Effect::CutBefore));
        post.troubled_pass().await;
        let before = inbox(&post).await;
        assert!(before.contains("* 1 EXISTS") && before.contains("FLAGS ()"), "{after:?}: {before}");
        post.desk.faults.clear();
        post.settle_down().await;
        let seen = inbox(&post).await;
        assert_eq!(post.desk.tickets().len(), 1);
        assert!(seen.contains(&format!("* {left} EXISTS")), "{after:?}: {seen}");
        assert!(seen.contains(&format!("FLAGS {flags}")), "{after:?}: {seen}");
    }
}

#[tokio::test]
async fn a_server_without_move_has_the_mail_copied_and_removed() {
    let kind = Kind { capability: Some(WITH_UIDPLUS), ..Kind::default() };
    let Some(post) = post(kind, to_done()).await else { return };
    post.arrives(&question(1));
    post.pass().await;
    let seen = post.dovecot.say(&["STATUS INBOX (MESSAGES)", "STATUS Done (MESSAGES)"]).await;
    assert!(seen.contains("INBOX (MESSAGES 0)") && seen.contains("Done (MESSAGES 1)"), "{seen}");
    assert!(!post.imap.heard("UID MOVE"));
}

#[tokio::test]
async fn without_uidplus_nothing_is_removed_that_somebody_else_has_marked() {
    for after in [to_done(), AfterProcessing::Delete] {
        let kind = Kind { capability: Some(LITTLE), ..Kind::default() };
        let Some(post) = post(kind, after.clone()).await else { return };
        post.arrives(&question(1));
        post.pass().await;
        post.arrives(&question(2));
        post.dovecot.say(&["SELECT INBOX", "UID STORE 2 +FLAGS (\\Deleted)"]).await;
        post.pass().await;
        let seen = inbox(&post).await;
        assert!(seen.contains("* 2 EXISTS"), "{after:?}: {seen}");
        assert_eq!(seen.matches("FLAGS (\\Deleted").count(), 2, "{after:?}: {seen}");
        assert!(!post.imap.heard("EXPUNGE") && !post.imap.heard("UID EXPUNGE") && !post.imap.heard("CLOSE"));
        assert!(!post.imap.heard("UID MOVE") && !post.imap.heard("IDLE"));
    }
}

#[tokio::test]
async fn a_copy_whose_original_could_not_be_removed_is_not_made_again() {
    let kind = Kind { capability: Some(LITTLE), ..Kind::default() };
    let Some(post) = post(kind, to_done()).await else { return };
    post.arrives(&question(1));
    post.imap.cut(Cut::After("UID STORE"));
    post.troubled_pass().await;
    post.settle_down().await;
    let seen = post.dovecot.say(&["STATUS Done (MESSAGES)"]).await;
    assert!(seen.contains("Done (MESSAGES 1)"), "{seen}");
    assert!(post.imap.left().is_empty());
}

#[tokio::test]
async fn a_copy_whose_fate_is_not_known_is_looked_for_before_another_is_made() {
    let cuts = [Cut::Before("UID COPY"), Cut::After("UID COPY"), Cut::Before("UID STORE")];
    for (capability, cut) in [LITTLE, WITH_UIDPLUS].into_iter().flat_map(|list| cuts.map(|cut| (list, cut))) {
        let kind = Kind { capability: Some(capability), ..Kind::default() };
        let Some(post) = post(kind, to_done()).await else { return };
        // The same mail twice: the other one is not its copy.
        post.arrives(&question(1));
        post.arrives(&question(1));
        post.imap.cut(cut);
        post.troubled_pass().await;
        post.settle_down().await;
        let seen = post.dovecot.say(&["STATUS Done (MESSAGES)"]).await;
        assert!(seen.contains("Done (MESSAGES 2)"), "{capability}, {cut:?}: {seen}");
        assert!(post.imap.left().is_empty(), "{cut:?} was never said");
    }
}
