//! How one signs in at servers that know little, and what a no means when the proof is a token.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use mintgate::base::clock::Timestamp;
use mintgate::base::id::MailboxId;
use mintgate::mailbox::MailboxError;
use mintgate::mailbox::settings::{MailboxSettings, Security, SignIn};
use mintgate::oauth::source::{AccessToken, Resource, TokenError, TokenSource};

use super::hostile::server;
use super::{make, outgoing, plain, with_password};
use crate::support::cutter::Cutter;
use crate::support::dovecot::{Dovecot, Kind, NOT_JUDGED, PASSWORD, TOKEN, TOLD_DEAD};
use crate::support::mail_server::{Sink, Tokens, dialer};

const START: Timestamp = Timestamp(0);
/// Nothing is known of it at the provider. Dovecot 2.3 calls that a temporary failure.
const UNKNOWN: &str = "unknown";

/// Gives one token; its grant is dead, which is told when it is to be renewed.
struct DeadGrant(&'static str);

#[async_trait]
impl TokenSource for DeadGrant {
    async fn token(&self, _: &MailboxId, _: Resource) -> Result<AccessToken, TokenError> {
        Ok(AccessToken { secret: self.0.into(), expires_at: START, scopes: Vec::new() })
    }

    async fn renew(
        &self,
        mailbox: &MailboxId,
        _: Resource,
        _: &AccessToken,
    ) -> Result<AccessToken, TokenError> {
        let reason = "the provider refused".to_owned();
        Err(TokenError::NeedsReconnect { mailbox: mailbox.clone(), reason })
    }
}

fn at(dovecot: &Dovecot, sign_in: SignIn) -> MailboxSettings {
    MailboxSettings {
        incoming: Some(dovecot.incoming(Security::Tls)),
        outgoing: Some(dovecot.outgoing()),
        sign_in,
        ..MailboxSettings::default()
    }
}

#[tokio::test]
async fn a_password_opens_the_mailbox_by_whichever_way_the_server_has() {
    for mechanisms in ["plain", "login", "login plain"] {
        let kind = Kind { mechanisms, ..Kind::default() };
        let Some(dovecot) = Dovecot::start_as(kind, 9).await else { return };
        let settings = at(&dovecot, SignIn::Password);
        let listed = with_password(settings.clone(), dovecot.dialer(), PASSWORD).list(None, START).await;
        assert!(listed.is_ok(), "{mechanisms}: {listed:?}");
        let wrong = with_password(settings, dovecot.dialer(), "wrong").list(None, START).await;
        let told = matches!(&wrong, Err(MailboxError::Server { code, .. }) if code == "AuthenticationFailed");
        assert!(told, "{mechanisms}: {wrong:?}");
    }
}

#[tokio::test]
async fn a_password_is_not_said_where_the_server_takes_none() {
    const NONE: &[&str] = &["* OK hi\r\n", "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nTAG OK\r\n"];
    const BY_COMMAND: &[&str] = &["* OK hi\r\n", "* CAPABILITY IMAP4rev1\r\nTAG OK\r\n", "TAG NO no\r\n"];
    for (answers, said) in [(NONE, false), (BY_COMMAND, true)] {
        let wire = Cutter::before(server(answers, "").await).await;
        let settings = MailboxSettings {
            incoming: Some(plain(wire.port)),
            outgoing: Some(plain(9)),
            ..MailboxSettings::default()
        };
        let refused = with_password(settings, dialer(), PASSWORD).list(None, START).await;
        assert!(matches!(refused, Err(MailboxError::Server { .. })), "{refused:?}");
        assert_eq!((wire.heard("LOGIN"), wire.heard("AUTHENTICATE")), (said, false));
    }
}

#[tokio::test]
async fn a_dead_token_is_told_at_once_whatever_the_server_calls_it() {
    let Some(dovecot) = Dovecot::start(9).await else { return };
    for token in [TOLD_DEAD, UNKNOWN, NOT_JUDGED] {
        let mailbox = make(at(&dovecot, SignIn::OAuth), dovecot.dialer(), Arc::new(DeadGrant(token)), "");
        for told in
            [mailbox.list(None, START).await.map(drop), mailbox.dispatch(outgoing(), None).await.map(drop)]
        {
            let dead = matches!(told, Err(MailboxError::Token(TokenError::NeedsReconnect { .. })));
            assert!(dead, "{token}: {told:?}");
        }
    }
}

#[tokio::test]
async fn a_token_that_died_is_renewed_whatever_the_server_calls_it() {
    let sink = Sink::start().await;
    let Some(dovecot) = Dovecot::start(sink.address.port()).await else { return };
    for token in [TOLD_DEAD, UNKNOWN, NOT_JUDGED] {
        let settings = at(&dovecot, SignIn::OAuth);
        let reading = make(settings.clone(), dovecot.dialer(), Tokens::new(&[token, TOKEN]), "");
        let sending = make(settings, dovecot.dialer(), Tokens::new(&[token, TOKEN]), "");
        reading.list(None, START).await.expect("a page");
        sending.dispatch(outgoing(), None).await.expect("sent");
    }
}

#[tokio::test]
async fn a_server_in_trouble_does_not_have_tokens_renewed_at_every_look() {
    let Some(dovecot) = Dovecot::start(9).await else { return };
    let tokens = Tokens::new(&[NOT_JUDGED, NOT_JUDGED]);
    let mailbox = make(at(&dovecot, SignIn::OAuth), dovecot.dialer(), tokens.clone(), "");
    for _ in 0..3 {
        let failed = mailbox.list(None, START).await;
        assert!(matches!(failed, Err(MailboxError::Server { .. })), "{failed:?}");
    }
    assert_eq!(tokens.renewed.load(Ordering::SeqCst), 1);
}
