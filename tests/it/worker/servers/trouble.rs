//! What an administrator has to hear of: a folder that is not there, a password that is wrong.

use std::time::Duration;

use mintgate::mailbox::settings::{MailboxSettings, SignIn};
use mintgate::store::MailboxState;
use mintgate::worker::{Parts, Settings, Worker};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::post::{Post, row_at};
use crate::support::dovecot::{Kind, PASSWORD};
use crate::worker::mails::question;
use crate::worker::scene::{SECOND_ADDRESS, Scene};

#[tokio::test]
async fn a_folder_that_is_not_there_is_told_and_read_once_it_is() {
    let chosen = MailboxSettings { folder: Some("Work".to_owned()), ..MailboxSettings::default() };
    let Some(post) = Post::with(Kind::default(), chosen).await else { return };
    post.troubled_pass().await;
    let row = post.mailbox_row().await;
    assert_eq!(row.state, MailboxState::Connected);
    assert!(row.last_error.as_deref().is_some_and(|told| told.contains("[mail-folder]")), "{row:?}");
    post.dovecot.say(&["CREATE Work"]).await;
    post.arrives(&question(1));
    post.dovecot.say(&["SELECT INBOX", "UID COPY 1 Work"]).await;
    post.pass().await;
    assert_eq!(post.desk.tickets().len(), 1);
}

#[tokio::test]
async fn a_wrong_password_is_an_alert_at_the_second_look_and_the_right_one_brings_what_waited() {
    let Some(mut post) = Post::new().await else { return };
    post.password = Some("a typing error");
    post.arrives(&question(1));
    let (stop, stopped) = watch::channel(false);
    let parts = post.parts("the only one", |_| {});
    let settings = Settings { poll_interval: Duration::from_millis(1), ..parts.settings };
    let running = tokio::spawn(Worker::new(Parts { settings, ..parts }).run(stopped));
    while post.mailbox_row().await.state != MailboxState::NeedsReconnect {
        tokio::task::yield_now().await;
    }
    stop.send(true).expect("the worker listens");
    running.await.expect("it ends");
    post.any_pass().await;
    let (mut registry, mut figures) = (Registry::default(), String::new());
    post.meters.register(&mut registry);
    encode(&mut figures, &registry).expect("text takes everything");
    assert!(figures.contains("mailbox=\"tickets\",state=\"needs-reconnect\"} 1"), "{figures}");
    let reason = post.mailbox_row().await.last_error.expect("a reason");
    assert!(reason.contains("user name or the password") && !reason.contains("typing"), "{reason}");

    post.password = Some(PASSWORD);
    post.connect_again().await;
    post.pass().await;
    assert_eq!(post.desk.tickets().len(), 1);
}

#[tokio::test]
async fn a_dead_token_is_an_alert_at_the_first_look_though_the_server_calls_it_a_temporary_failure() {
    let Some(post) = Post::new().await else { return };
    let row = post.mailbox_row().await;
    let settings = MailboxSettings::parse(&row.settings).expect("settings");
    let by_token = MailboxSettings { sign_in: SignIn::OAuth, ..settings };
    post.store.set_mailbox_settings(&row.id, &by_token.to_json()).await.expect("chosen");
    post.any_pass().await;
    let row = post.mailbox_row().await;
    assert_eq!(row.state, MailboxState::NeedsReconnect, "{row:?}");
}

#[tokio::test]
async fn a_server_that_is_gone_for_a_while_loses_nothing() {
    let Some(post) = Post::new().await else { return };
    post.arrives(&question(1));
    post.imap.shut(true);
    post.troubled_pass().await;
    assert!(post.mailbox_row().await.failing_since.is_some());
    post.imap.shut(false);
    post.settle_down().await;
    assert_eq!(post.desk.tickets().len(), 1);
    assert_eq!(post.mailbox_row().await.failing_since, None);
}

#[tokio::test]
async fn a_server_that_does_not_greet_keeps_no_other_mailbox_waiting() {
    let mut scene = Scene::new().await;
    scene.password = Some(PASSWORD);
    scene.connect_second().await;
    let hung = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = hung.local_addr().expect("its address").port();
    let row = row_at([port, port], MailboxSettings::default());
    scene.store.connect_mailbox(&row).await.expect("a mailbox");
    scene.store.set_mailbox_settings(&row.id, &row.settings).await.expect("chosen");
    let (stop, stopped) = watch::channel(false);
    let mut parts = scene.parts("the only one", |_| {});
    parts.settings.poll_interval = Duration::from_secs(1);
    let running = tokio::spawn(Worker::new(parts).run(stopped));
    let called = tokio::time::timeout(Duration::from_secs(20), hung.accept()).await.expect("it calls");
    let (silent, _) = called.expect("a connection");

    scene.graph.deliver(SECOND_ADDRESS, &question(1)).expect("the mailbox");
    scene.wake.ring();
    scene.until(|| scene.desk.tickets().len() == 1).await;

    drop((silent, hung));
    while scene.mailbox_row().await.last_error.is_none() {
        tokio::task::yield_now().await;
    }
    let told = scene.mailbox_row().await.last_error.expect("it is told");
    assert!(told.contains("[mail-"), "{told}");
    stop.send(true).expect("the worker listens");
    running.await.expect("it ends");
}
