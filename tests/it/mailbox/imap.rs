//! Reading by IMAP at a real server.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mintgate::base::clock::Timestamp;
use mintgate::mailbox::settings::{AfterProcessing, MailboxSettings, Security, SignIn};
use mintgate::mailbox::{Fetched, Mailbox, MailboxError};
use mintgate::oauth::source::TokenError;

use super::{NOW, bytes, make, outgoing, plain, with_password};
use crate::support::dovecot::{Dovecot, Kind, PASSWORD, TOKEN, TOLD_DEAD};
use crate::support::mail_server::{NoTokens, Sink, Tokens};
use crate::support::many_mails::many_mails;

const START: Timestamp = Timestamp(0);

async fn dovecot() -> Option<(Dovecot, Sink)> {
    let sink = Sink::start().await;
    Some((Dovecot::start(sink.address.port()).await?, sink))
}

fn settings(dovecot: &Dovecot, security: Security) -> MailboxSettings {
    MailboxSettings {
        incoming: Some(dovecot.incoming(security)),
        outgoing: Some(dovecot.outgoing()),
        ..MailboxSettings::default()
    }
}

fn open(dovecot: &Dovecot) -> Arc<dyn Mailbox> {
    with_password(settings(dovecot, Security::Tls), dovecot.dialer(), PASSWORD)
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("Subject: {number}\r\n\r\nText {number}\r\n")).collect()
}

async fn keys(mailbox: &dyn Mailbox, cursor: Option<&str>) -> (Vec<String>, String) {
    let (mut keys, mut cursor) = (Vec::new(), cursor.map(str::to_owned));
    loop {
        let page = mailbox.list(cursor.as_deref(), START).await.expect("a page");
        assert!(page.mails.len() <= 50, "a page stays small");
        keys.extend(page.mails.into_iter().map(|mail| mail.key));
        if !page.more {
            return (keys, page.cursor);
        }
        cursor = Some(page.cursor);
    }
}

#[tokio::test]
async fn a_password_opens_the_mailbox_over_each_kind_of_connection() {
    let Some((dovecot, _)) = dovecot().await else { return };
    dovecot.deliver(&["Subject: smoke\r\n\r\nIt smokes.\r\n"]);
    for security in [Security::Tls, Security::StartTls, Security::None] {
        let mailbox = with_password(settings(&dovecot, security), dovecot.dialer(), PASSWORD);
        let (keys, _) = keys(&*mailbox, None).await;
        let mail = mailbox.fetch(&keys[0], 1_000).await.expect("a mail");
        assert_eq!((keys.len(), bytes(mail)), (1, b"Subject: smoke\r\n\r\nIt smokes.\r\n".to_vec()));
        let checks = mailbox.probe().await;
        assert!(checks.iter().all(|check| check.outcome.is_ok()), "{security:?}: {checks:?}");
        let seen = |step: &str| {
            let check = checks.iter().find(|check| check.step == step).expect("the step");
            check.outcome.as_ref().expect("passed").key
        };
        let encryption = if security == Security::None { "seen-plain" } else { "seen-certificate" };
        assert_eq!((seen("incoming-encryption"), seen("incoming-name")), (encryption, "seen-name"));
    }
}

#[tokio::test]
async fn a_certificate_for_nobody_is_refused() {
    let Some((dovecot, _)) = dovecot().await else { return };
    for security in [Security::Tls, Security::StartTls] {
        let stranger = crate::support::mail_server::dialer();
        let mailbox = with_password(settings(&dovecot, security), stranger, PASSWORD);
        let refused = mailbox.list(None, START).await;
        assert!(matches!(refused, Err(MailboxError::Call(_))), "{security:?}: {refused:?}");
    }
}

#[tokio::test]
async fn a_token_opens_the_mailbox_and_one_that_died_is_renewed() {
    let Some((dovecot, _)) = dovecot().await else { return };
    let oauth = MailboxSettings { sign_in: SignIn::OAuth, ..settings(&dovecot, Security::Tls) };
    for (tokens, renewals) in [(vec![TOKEN], 0), (vec!["dead", TOKEN], 1)] {
        let tokens = Tokens::new(&tokens);
        let mailbox = make(oauth.clone(), dovecot.dialer(), tokens.clone(), "");
        mailbox.list(None, START).await.expect("a page");
        assert_eq!(tokens.renewed.load(Ordering::SeqCst), renewals);
    }
}

#[tokio::test]
async fn a_token_opens_the_mailbox_by_whichever_way_the_server_has() {
    for mechanisms in ["oauthbearer", "xoauth2"] {
        let Some(dovecot) = Dovecot::start_as(Kind { mechanisms, ..Kind::default() }, 9).await else {
            return;
        };
        let oauth = MailboxSettings { sign_in: SignIn::OAuth, ..settings(&dovecot, Security::Tls) };
        let tokens = Tokens::new(&["dead", TOKEN]);
        let listed = make(oauth, dovecot.dialer(), tokens, "").list(None, START).await;
        assert!(listed.is_ok(), "{mechanisms}: {listed:?}");
    }
}

#[tokio::test]
async fn a_renewed_token_that_is_refused_too_wants_an_admin_at_the_second_poll() {
    let Some((dovecot, _)) = dovecot().await else { return };
    let oauth = MailboxSettings { sign_in: SignIn::OAuth, ..settings(&dovecot, Security::Tls) };
    let tokens = Tokens::new(&[TOLD_DEAD, TOLD_DEAD, TOLD_DEAD]);
    let mailbox = make(oauth, dovecot.dialer(), tokens.clone(), "");
    let (first, second) = (mailbox.list(None, START).await, mailbox.list(None, START).await);
    assert!(matches!(first, Err(MailboxError::Server { .. })), "{first:?}");
    assert!(matches!(second, Err(MailboxError::Token(TokenError::NeedsReconnect { .. }))), "{second:?}");
    assert_eq!(tokens.renewed.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_wrong_password_wants_an_admin_at_the_second_poll() {
    let Some((dovecot, _)) = dovecot().await else { return };
    let mailbox = with_password(settings(&dovecot, Security::Tls), dovecot.dialer(), "wrong");
    let (first, second) = (mailbox.list(None, START).await, mailbox.list(None, START).await);
    assert!(matches!(first, Err(MailboxError::Server { .. })), "{first:?}");
    assert!(matches!(second, Err(MailboxError::Token(TokenError::NeedsReconnect { .. }))), "{second:?}");
}

#[tokio::test]
async fn a_processed_mail_is_treated_as_chosen() {
    let Some((dovecot, _)) = dovecot().await else { return };
    let to = |folder: &str| AfterProcessing::Move { folder: folder.to_owned() };
    for (after, left, flags) in [
        (AfterProcessing::Leave, 1, "()"),
        (AfterProcessing::MarkRead, 1, "(\\Seen)"),
        (to("Erledigt & gelöst"), 0, ""),
        (AfterProcessing::Delete, 0, ""),
    ] {
        dovecot.deliver(&["Subject: x\r\n\r\n"]);
        let chosen = MailboxSettings { after_processing: after.clone(), ..settings(&dovecot, Security::Tls) };
        let mailbox = with_password(chosen, dovecot.dialer(), PASSWORD);
        let (keys, _) = keys(&*mailbox, None).await;
        for _ in 0..2 {
            mailbox.settle(&keys[0]).await.expect("settled, and again");
        }
        let seen = dovecot.say(&["SELECT INBOX", "UID FETCH 1:* FLAGS"]).await;
        assert!(seen.contains(&format!("* {left} EXISTS")), "{after:?}: {seen}");
        assert!(seen.contains(&format!("FLAGS {flags}")), "{after:?}: {seen}");
        dovecot.say(&["SELECT INBOX", "UID STORE 1:* +FLAGS (\\Deleted)", "EXPUNGE"]).await;
    }
    let moved = dovecot.say(&["STATUS \"Erledigt &- gel&APY-st\" (MESSAGES)"]).await;
    assert!(moved.contains("(MESSAGES 1)"), "{moved}");
}

#[tokio::test]
async fn a_folder_in_a_new_life_is_listed_again() {
    let Some((dovecot, _)) = dovecot().await else { return };
    dovecot.say(&["CREATE Work", "APPEND Work {2+}\r\nx:"]).await;
    let chosen = MailboxSettings { folder: Some("Work".to_owned()), ..settings(&dovecot, Security::Tls) };
    let mailbox = with_password(chosen, dovecot.dialer(), PASSWORD);
    let (before, cursor) = keys(&*mailbox, None).await;
    dovecot.say(&["DELETE Work", "CREATE Work", "APPEND Work {2+}\r\ny:"]).await;
    let lost = open_again(&dovecot).list(Some(&cursor), START).await;
    assert!(matches!(lost, Err(MailboxError::CursorLost)), "{lost:?}");
    let (after, _) = keys(&*open_again(&dovecot), None).await;
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after, "the mail of another life is another mail");
    let gone = open_again(&dovecot).fetch(&before[0], 100).await.expect("asked");
    assert_eq!(gone, Fetched::Gone);
}

fn open_again(dovecot: &Dovecot) -> Arc<dyn Mailbox> {
    let chosen = MailboxSettings { folder: Some("Work".to_owned()), ..settings(dovecot, Security::Tls) };
    with_password(chosen, dovecot.dialer(), PASSWORD)
}

#[tokio::test]
async fn new_mail_ends_the_wait_and_is_then_listed() {
    let Some((dovecot, _)) = dovecot().await else { return };
    let mailbox = open(&dovecot);
    let (_, cursor) = keys(&*mailbox, None).await;
    let waiting = {
        let mailbox = mailbox.clone();
        tokio::spawn(async move { mailbox.wait_for_change(Duration::from_secs(3600)).await })
    };
    dovecot.deliver(&["Subject: now\r\n\r\n"]);
    waiting.await.expect("no panic").expect("an hour was not waited");
    let (new, _) = keys(&*mailbox, Some(&cursor)).await;
    assert_eq!(new.len(), 1);
}

#[tokio::test]
async fn mail_that_came_after_the_listing_is_told_of_whatever_was_asked_meanwhile() {
    let Some((dovecot, _)) = dovecot().await else { return };
    let mailbox = open(&dovecot);
    let (_, cursor) = keys(&*mailbox, None).await;
    dovecot.deliver(&["Subject: just now\r\n\r\n"]);
    mailbox.evidence(outgoing(), None, NOW).await.expect("the Sent folder is looked into");
    mailbox.fetch("1:1", 100).await.expect("the folder is looked into");
    let told = tokio::time::timeout(Duration::from_secs(60), mailbox.wait_for_change(Duration::MAX / 4));
    told.await.expect("nothing was told").expect("the server answers");
    assert_eq!(keys(&*mailbox, Some(&cursor)).await.0.len(), 1);
}

#[tokio::test]
async fn a_thousand_mails_come_in_pages_and_none_twice() {
    let Some((dovecot, _)) = dovecot().await else { return };
    dovecot.deliver(&numbered(1_000));
    let mailbox = open(&dovecot);
    let (all, cursor) = keys(&*mailbox, None).await;
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (1_000, 1_000));
    dovecot.deliver(&numbered(1));
    let (new, _) = keys(&*mailbox, Some(&cursor)).await;
    assert!(new.len() == 1 && !all.contains(&new[0]));
}

/// More than a server can list in one line that anybody takes.
#[tokio::test]
async fn a_folder_of_three_hundred_thousand_mails_is_read_page_by_page() {
    const COUNT: u32 = 300_000;
    let port = many_mails(COUNT, Arc::new(|_| Vec::new())).await;
    let settings = MailboxSettings {
        incoming: Some(plain(port)),
        outgoing: Some(plain(9)),
        ..MailboxSettings::default()
    };
    let mailbox = with_password(settings, crate::support::mail_server::dialer(), PASSWORD);
    for (cursor, first) in [(None, 1), (Some(format!("7:{}:INBOX", COUNT - 100)), COUNT - 99)] {
        let page = mailbox.list(cursor.as_deref(), START).await.expect("a page");
        assert_eq!((page.mails.len(), page.more), (50, true));
        assert_eq!(page.mails[0].key, format!("7:{first}"));
    }
}

#[tokio::test]
async fn of_an_oversized_mail_only_the_beginning_comes() {
    let Some((dovecot, _)) = dovecot().await else { return };
    dovecot.deliver(&[format!("Subject: big\r\n\r\n{}", "0123456789\r\n".repeat(20_000))]);
    let mailbox = open(&dovecot);
    let (keys, _) = keys(&*mailbox, None).await;
    let Fetched::TooLarge { beginning, .. } = mailbox.fetch(&keys[0], 1_000).await.expect("a mail") else {
        panic!("too large")
    };
    assert_eq!(beginning.len(), 1_000);
    assert!(beginning.starts_with(b"Subject: big"));
    assert!(matches!(mailbox.fetch(&keys[0], 300_000).await, Ok(Fetched::Raw { .. })), "the session goes on");
}

#[tokio::test]
async fn mail_from_before_the_first_moment_is_not_listed() {
    let Some((dovecot, _)) = dovecot().await else { return };
    dovecot.deliver(&numbered(3));
    let page = open(&dovecot).list(None, Timestamp(4_000_000_000_000)).await.expect("a page");
    assert!(page.mails.is_empty() && !page.more);
}

#[tokio::test]
async fn without_a_token_source_oauth_is_told_to_be_misconfigured() {
    let Some((dovecot, _)) = dovecot().await else { return };
    let oauth = MailboxSettings { sign_in: SignIn::OAuth, ..settings(&dovecot, Security::Tls) };
    let refused = make(oauth, dovecot.dialer(), Arc::new(NoTokens), "").list(None, START).await;
    assert!(matches!(refused, Err(MailboxError::Token(TokenError::Misconfigured { .. }))));
}
