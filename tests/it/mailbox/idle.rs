//! Waiting for new mail at a real server: told by it where it can, in one session that is signed in once.

use std::sync::Arc;
use std::time::Duration;

use mintgate::base::clock::Timestamp;
use mintgate::mailbox::registry::{IDLE_RENEWAL, Parts};
use mintgate::mailbox::settings::{MailboxSettings, SignIn};
use mintgate::mailbox::{Mailbox, MailboxError};
use tokio::task::JoinHandle;

use super::{made_of, parts, plain};
use crate::support::cutter::Cutter;
use crate::support::dovecot::{Dovecot, Kind, PASSWORD};
use crate::support::mail_server::NoTokens;
use crate::support::process::eventually;

const START: Timestamp = Timestamp(0);
const HOUR: Duration = Duration::from_secs(3600);
const MAIL: &str = "Subject: now\r\n\r\n";

/// A mailbox at Dovecot behind a wire that tells what was said.
struct Scene {
    dovecot: Dovecot,
    wire: Cutter,
    mailbox: Arc<dyn Mailbox>,
    cursor: String,
}

impl Scene {
    /// Its folder has been listed. `None` (with the reason printed) where Dovecot is not installed.
    async fn new(kind: Kind, idle_renewal: Duration) -> Option<Self> {
        let dovecot = Dovecot::start_as(kind, 9).await?;
        let wire = Cutter::before(dovecot.ports()[0]).await;
        let settings = MailboxSettings {
            incoming: Some(plain(wire.port)),
            outgoing: Some(plain(9)),
            sign_in: SignIn::Password,
            ..MailboxSettings::default()
        };
        let parts = parts(dovecot.dialer(), Arc::new(NoTokens), PASSWORD);
        let mailbox = made_of(settings, &Parts { idle_renewal, ..parts });
        let cursor = mailbox.list(None, START).await.expect("a page").cursor;
        Some(Self { dovecot, wire, mailbox, cursor })
    }

    fn wait(&self) -> JoinHandle<Result<(), MailboxError>> {
        let mailbox = self.mailbox.clone();
        tokio::spawn(async move { mailbox.wait_for_change(HOUR).await })
    }

    /// Until the server has been asked so often to tell of new mail.
    async fn asked(&self, times: usize) {
        eventually("IDLE", async || (self.wire.count("IDLE") >= times).then_some(())).await;
    }

    async fn has_new_mail(&self) -> bool {
        let page = self.mailbox.list(Some(&self.cursor), START).await.expect("a page");
        !page.mails.is_empty()
    }

    fn sign_ins(&self) -> usize {
        self.wire.count("AUTHENTICATE")
    }
}

#[tokio::test]
async fn the_wait_is_begun_anew_in_time_in_the_same_session() {
    let Some(scene) = Scene::new(Kind::default(), Duration::from_millis(20)).await else { return };
    let waiting = scene.wait();
    scene.asked(4).await;
    assert!(scene.wire.count("DONE") >= 3);
    scene.dovecot.deliver(&[MAIL]);
    waiting.await.expect("no panic").expect("an hour was not waited");
    assert!(scene.has_new_mail().await);
    assert_eq!(scene.sign_ins(), 1);
}

#[tokio::test]
async fn a_wait_that_is_broken_off_leaves_a_session_that_is_signed_in() {
    let Some(scene) = Scene::new(Kind::default(), IDLE_RENEWAL).await else { return };
    for round in 1..=3 {
        let waiting = scene.wait();
        scene.asked(round).await;
        waiting.abort();
        assert!(waiting.await.expect_err("broken off").is_cancelled());
        assert!(!scene.has_new_mail().await);
    }
    let waiting = scene.wait();
    scene.asked(4).await;
    scene.dovecot.deliver(&[MAIL]);
    waiting.await.expect("no panic").expect("an hour was not waited");
    assert!(scene.has_new_mail().await);
    assert_eq!(scene.sign_ins(), 1);
}

#[tokio::test]
async fn a_connection_that_the_server_ends_ends_the_wait_and_loses_no_mail() {
    let Some(scene) = Scene::new(Kind::default(), IDLE_RENEWAL).await else { return };
    let waiting = scene.wait();
    scene.asked(1).await;
    scene.wire.hang_up();
    let ended = waiting.await.expect("no panic");
    assert!(matches!(ended, Err(MailboxError::Call(_))), "{ended:?}");
    scene.dovecot.deliver(&[MAIL]);
    assert!(scene.has_new_mail().await);
    assert_eq!(scene.sign_ins(), 2);
}

#[tokio::test]
async fn a_session_that_ended_while_nobody_needed_it_costs_no_look() {
    let Some(scene) = Scene::new(Kind::default(), IDLE_RENEWAL).await else { return };
    scene.dovecot.deliver(&[MAIL]);
    scene.wire.hang_up();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    assert!(scene.has_new_mail().await);
    assert_eq!(scene.sign_ins(), 2);
}

#[tokio::test]
async fn where_the_server_tells_nothing_the_whole_time_is_waited_in_the_same_session() {
    let kind = Kind { capability: Some("IMAP4rev1 UIDPLUS"), ..Kind::default() };
    let Some(scene) = Scene::new(kind, IDLE_RENEWAL).await else { return };
    scene.mailbox.wait_for_change(Duration::from_millis(1)).await.expect("waited");
    scene.dovecot.deliver(&[MAIL]);
    assert!(scene.has_new_mail().await);
    assert_eq!((scene.wire.count("IDLE"), scene.sign_ins()), (0, 1));
}
