//! Sending by submission: what is handed over, what a failure means, and what is known afterwards.

use std::sync::Arc;
use std::time::Duration;

use mintgate::mailbox::settings::{MailboxSettings, Security, SignIn};
use mintgate::mailbox::{Evidence, Mailbox, MailboxError, Outgoing};

use super::{NOW, make, outgoing, plain, with_password};
use crate::support::dovecot::{Dovecot, Kind, PASSWORD, TOKEN, TOLD_DEAD};
use crate::support::mail_server::{Sink, Then, Tokens};

/// Reads at Dovecot, sends to the sink itself.
async fn at(sink: &Sink) -> Option<(Dovecot, Arc<dyn Mailbox>)> {
    let dovecot = Dovecot::start(sink.address.port()).await?;
    let settings = MailboxSettings {
        incoming: Some(dovecot.incoming(Security::Tls)),
        outgoing: Some(plain(sink.address.port())),
        ..MailboxSettings::default()
    };
    let mailbox = with_password(settings, dovecot.dialer(), PASSWORD);
    Some((dovecot, mailbox))
}

async fn evidence(mailbox: &dyn Mailbox, after: Duration) -> Evidence {
    mailbox.evidence(outgoing(), None, NOW + after).await.expect("an answer")
}

const LATER: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_mail_is_relayed_whole_and_filed_where_sent_mail_lies() {
    let sink = Sink::start().await;
    let Some(dovecot) = Dovecot::start(sink.address.port()).await else { return };
    let settings = |sign_in| MailboxSettings {
        incoming: Some(dovecot.incoming(Security::Tls)),
        outgoing: Some(dovecot.outgoing()),
        sign_in,
        ..MailboxSettings::default()
    };
    let tokens = Tokens::new(&[TOKEN]);
    for (count, sign_in) in [(1, SignIn::Password), (2, SignIn::OAuth)] {
        let mailbox = make(settings(sign_in), dovecot.dialer(), tokens.clone(), PASSWORD);
        mailbox.dispatch(outgoing(), None).await.expect("sent");
        mailbox.finish(outgoing()).await.expect("filed");
        let mails = sink.mails();
        assert_eq!(mails.len(), count, "{sign_in:?}");
        assert!(mails[count - 1].contains("It is fixed.\r\n..\r\nYours"), "{}", mails[count - 1]);
        assert_eq!(evidence(&*mailbox, Duration::ZERO).await, Evidence::Sent);
    }
    let filed = dovecot.say(&["STATUS Sent (MESSAGES)"]).await;
    assert!(filed.contains("(MESSAGES 2)"), "{filed}");
}

#[tokio::test]
async fn each_way_to_sign_in_lets_a_mail_out() {
    for (mechanisms, sign_in) in [
        ("plain", SignIn::Password),
        ("login", SignIn::Password),
        ("oauthbearer", SignIn::OAuth),
        ("xoauth2", SignIn::OAuth),
    ] {
        let sink = Sink::start().await;
        let kind = Kind { mechanisms, ..Kind::default() };
        let Some(dovecot) = Dovecot::start_as(kind, sink.address.port()).await else { return };
        let settings = MailboxSettings {
            incoming: Some(dovecot.incoming(Security::Tls)),
            outgoing: Some(dovecot.outgoing()),
            sign_in,
            ..MailboxSettings::default()
        };
        // The refusal of the first token has an answer of its own in each mechanism.
        let tokens = Tokens::new(&[TOLD_DEAD, TOKEN]);
        let mailbox = make(settings, dovecot.dialer(), tokens, PASSWORD);
        let sent = mailbox.dispatch(outgoing(), None).await;
        assert!(sent.is_ok() && sink.mails().len() == 1, "{mechanisms}: {sent:?}");
    }
}

#[tokio::test]
async fn a_refused_recipient_is_a_mail_that_was_certainly_not_sent() {
    let sink = Sink::start().await;
    let Some((_dovecot, mailbox)) = at(&sink).await else { return };
    for (answer, for_good) in [("550 5.1.1 nobody", true), ("451 4.7.1 later", false)] {
        sink.set(Then::RefuseRecipient(answer));
        let failed = mailbox.dispatch(outgoing(), None).await.expect_err("refused");
        assert_eq!(matches!(failed, MailboxError::Refused { .. }), for_good, "{failed:?}");
        assert_eq!(evidence(&*mailbox, Duration::ZERO).await, Evidence::NotSent);
    }
    assert_eq!(sink.mails().len(), 0);
}

#[tokio::test]
async fn that_an_earlier_try_sent_nothing_proves_nothing_of_a_later_one_by_another_gateway() {
    let sink = Sink::start().await;
    let Some((_dovecot, mailbox)) = at(&sink).await else { return };
    sink.set(Then::RefuseRecipient("451 4.7.1 later"));
    mailbox.dispatch(outgoing(), None).await.expect_err("refused");
    let later = Outgoing { dispatched_at: NOW + LATER, ..outgoing() };
    let evidence = mailbox.evidence(later, None, NOW + LATER + LATER / 2).await.expect("an answer");
    assert_eq!(evidence, Evidence::Unknown);
}

#[tokio::test]
async fn a_connection_lost_after_the_last_dot_proves_nothing() {
    let sink = Sink::start().await;
    let Some((dovecot, mailbox)) = at(&sink).await else { return };
    sink.set(Then::KeepAndCut);
    let lost = mailbox.dispatch(outgoing(), None).await;
    assert!(matches!(lost, Err(MailboxError::Call(_))), "{lost:?}");
    assert_eq!(sink.mails().len(), 1, "it did leave");
    assert_eq!(evidence(&*mailbox, Duration::ZERO).await, Evidence::Unknown);
    assert_eq!(evidence(&*mailbox, LATER).await, Evidence::Unprovable);
    let copy = format!("APPEND Sent {{{}+}}\r\n{}", super::MAIL.len(), String::from_utf8_lossy(super::MAIL));
    dovecot.say(&[&copy]).await;
    assert_eq!(evidence(&*mailbox, LATER).await, Evidence::Sent);
}
