//! `mintgate mailbox` for a mailbox at real mail servers, beside a running gateway.

use std::io::Write;
use std::sync::Arc;

use mintgate::base::id::MailboxId;
use mintgate::base::secret::SecretString;
use mintgate::mailbox::settings::{MailboxSettings, Provider, Security, Server, SignIn};
use mintgate::oauth::source::Purpose;
use mintgate::store::seal::{Sealer, SealingKey};
use mintgate::store::{self, MailboxRow, StoreAt};
use mintgate::token::password::Passwords;
use serde_json::Value;

use super::ask;
use crate::support::dovecot::{Dovecot, PASSWORD, USER};
use crate::support::mail_server::{Sink, row};
use crate::support::program::{Program, Scene};

/// A running program, and Dovecot with a mailbox that is connected there.
struct Running {
    scene: Scene,
    dovecot: Dovecot,
    passwords: Passwords,
    mailbox: MailboxId,
    _program: Program,
}

impl Running {
    /// `None` (with the reason printed) where Dovecot is not installed.
    async fn start() -> Option<Self> {
        let sink = Sink::start().await;
        let dovecot = Dovecot::start(sink.address.port()).await?;
        let scene = Scene::start().await;
        let mut file = std::fs::File::options().append(true).open(&scene.config).expect("the start-up file");
        file.write_all(b"egress: { allow: ['127.0.0.1'] }\n").expect("written");
        let program = scene.start_program().await;
        let folder = scene.config.parent().expect("a folder");
        let at = StoreAt::Sqlite(folder.join("mintgate.db"));
        let store = store::open_beside(&at).await.expect("the store");
        let key = SealingKey::read(&folder.join("vault.key")).expect("the key");
        let passwords = Passwords::new(store.clone(), Arc::new(Sealer::new(key)));
        let row = mailbox(dovecot.ports());
        store.connect_mailbox(&row).await.expect("connected");
        let running = Self { scene, dovecot, passwords, mailbox: row.id, _program: program };
        running.keep(PASSWORD).await;
        Some(running)
    }

    async fn keep(&self, password: &str) {
        let password = SecretString::from(password);
        self.passwords.keep(&self.mailbox, Purpose::Incoming, &password).await.expect("kept");
    }

    /// Whether it went well, and what it told.
    async fn ask(&self, act: &str) -> (bool, Value) {
        let folder = self.scene.config.parent().expect("a folder");
        let output = ask(folder, &["mailbox", act, self.mailbox.as_str(), "--json"]).await;
        let told = serde_json::from_slice(&output.stdout);
        let told = told.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.success(), told)
    }
}

/// Looked at once a day, so that whatever happens was ordered.
fn mailbox([imap, submission]: [u16; 2]) -> MailboxRow {
    let server = |port| Server::new("127.0.0.1", port, Security::None, USER);
    row(&MailboxSettings {
        provider: Provider::Other,
        sign_in: SignIn::Password,
        incoming: Some(server(imap)),
        outgoing: Some(server(submission)),
        check_interval: Some(86_400),
        ..MailboxSettings::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_at_mail_servers_is_tested_step_by_step() {
    let Some(running) = Running::start().await else { return };
    let (well, told) = running.ask("test").await;
    assert!(well, "{told}");
    let steps = told.as_array().expect("steps").iter().map(|step| step["step"].as_str().expect("a name"));
    let expected = ["incoming", "outgoing"]
        .map(|server| ["-name", "-connection", "-encryption", ""].map(|part| format!("{server}{part}")));
    assert_eq!(steps.collect::<Vec<_>>(), expected.concat(), "{told}");
    running.keep("a typing error").await;
    let (well, told) = running.ask("test").await;
    let [.., last] = told.as_array().expect("steps").as_slice() else { panic!("{told}") };
    assert!(!well && last["step"] == "incoming" && last["ok"] == false, "{told}");
    assert!(last["text"].as_str().is_some_and(|text| text.contains("password")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_is_ordered_brings_what_waits_at_a_mail_server() {
    let Some(running) = Running::start().await else { return };
    assert!(running.ask("poll").await.0, "the gateway looks");
    running.dovecot.deliver(&["From: ada@example.org\r\nSubject: Ordered\r\n\r\nPlease look.\r\n"]);
    let (well, told) = running.ask("poll").await;
    assert!(well, "{told}");
    let titles: Vec<_> =
        running.scene.sandbox.desk.tickets().into_iter().map(|ticket| ticket.title).collect();
    assert!(titles.contains(&"Ordered".to_owned()), "{titles:?}");
}
