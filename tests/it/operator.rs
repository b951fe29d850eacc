//! What an operator does on the command line beside a running gateway: look, try again, leave, take in.

mod paused;
mod registrations;
mod servers;
mod subscription;
mod tokens;

use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;

use mintgate::base::clock::Timestamp;
use mintgate::base::id::MailboxId;
use mintgate::store::{
    self, InboundEnd, InboundState, MailboxRow, MailboxState, NewMail, NewOutgoing, OutboxState,
    OutgoingKind, Store, StoreAt,
};
use serde_json::Value;
use tokio::process::Command;

use crate::support::program::MINTGATE;

const NOW: Timestamp = Timestamp(1_795_219_200_000);

/// A store that a gateway has open, and a start-up file that names it.
struct Scene {
    store: Arc<dyn Store>,
    folder: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store::open(&StoreAt::Sqlite(folder.path().join("mintgate.db"))).await.expect("a store");
        let text = format!(
            "entryPoints: {{ web: {{ address: '127.0.0.1:0' }} }}\ndataDir: '{}'\n\
             desk: {{ url: 'http://127.0.0.1:3000' }}\nmail: {{ enabled: false }}\n",
            folder.path().display()
        );
        std::fs::write(folder.path().join("mintgate.yml"), text).expect("written");
        let row = MailboxRow {
            id: support(),
            kind: "microsoft-graph".to_owned(),
            address: "tickets@desk.example".to_owned(),
            state: MailboxState::Connected,
            scopes: String::new(),
            connected_at: NOW,
            accept_since: NOW,
            last_poll_at: None,
            last_mail_at: None,
            last_error: None,
            failing_since: None,
            settings: String::new(),
        };
        store.connect_mailbox(&row).await.expect("connected");
        Self { store, folder }
    }

    async fn ask(&self, words: &[&str]) -> Output {
        ask(self.folder.path(), words).await
    }

    /// Asks for JSON; it must go well.
    async fn json(&self, words: &[&str]) -> Value {
        let output = self.ask(&[words, &["--json"]].concat()).await;
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Asks for what is refused; what is told.
    async fn refused(&self, words: &[&str]) -> String {
        let output = self.ask(words).await;
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        String::from_utf8(output.stderr).expect("text")
    }

    async fn put_aside(&self) -> i64 {
        let mail = NewMail {
            mailbox: support(),
            source_key: "one".to_owned(),
            received_at: NOW,
            stored_at: NOW,
            raw: b"Subject: x\r\n\r\n".to_vec(),
        };
        let id = self.store.add_inbound(&mail).await.expect("stored").expect("new");
        let end = InboundEnd::Quarantined { reason: "cannot be read".to_owned() };
        self.store.end_inbound(id, None, &end, None, NOW).await.expect("ended");
        id
    }

    async fn given_up(&self) -> i64 {
        let mail = NewOutgoing {
            mailbox: support(),
            ticket: "t1".to_owned(),
            comment: "c1".to_owned(),
            kind: OutgoingKind::Answer,
            message_id: "c1@desk".to_owned(),
            recipient: "customer@example.org".to_owned(),
            mime: b"Subject: Re: x\r\n\r\n".to_vec(),
            created_at: NOW,
        };
        self.store.add_outgoing(&mail).await.expect("queued");
        let id = self.store.due_outgoing(&support(), NOW, 1).await.expect("listed")[0].id;
        self.store.outgoing_failed(id, "no such address").await.expect("given up");
        id
    }
}

async fn ask(folder: &Path, words: &[&str]) -> Output {
    let asked = Command::new(MINTGATE)
        .args(words)
        .arg("--config")
        .arg(folder.join("mintgate.yml"))
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    asked.await.expect("it starts")
}

fn support() -> MailboxId {
    MailboxId::parse("support").expect("an id")
}

#[tokio::test]
async fn mailboxes_are_listed_while_a_gateway_has_the_store() {
    let scene = Scene::new().await;
    let told = scene.json(&["mailbox", "list"]).await;
    assert_eq!(told[0]["id"], "support");
    assert_eq!(told[0]["connected"], true);
    let plain = String::from_utf8(scene.ask(&["mailbox", "list"]).await.stdout).expect("text");
    assert!(plain.starts_with("support  tickets@desk.example"), "{plain}");
}

#[tokio::test]
async fn a_mail_that_was_put_aside_is_shown_and_tried_again() {
    let scene = Scene::new().await;
    let id = scene.put_aside().await;
    let name = format!("in-{id}");
    assert_eq!(scene.json(&["queue", "list"]).await[0]["id"], name);
    assert_eq!(scene.json(&["queue", "show", &name]).await["reason"], "cannot be read");
    assert_eq!(scene.json(&["queue", "retry", &name]).await["state"], "new");
    assert_eq!(scene.store.inbound(id).await.expect("read").expect("there").state, InboundState::New);
    assert_eq!(scene.json(&["queue", "skip", &name]).await["state"], "left alone");
    let told = scene.refused(&["queue", "retry", &name]).await;
    assert!(told.contains("left alone"), "{told}");
}

#[tokio::test]
async fn an_answer_that_was_given_up_is_tried_again_or_left() {
    let scene = Scene::new().await;
    let id = scene.given_up().await;
    let name = format!("out-{id}");
    assert_eq!(scene.json(&["queue", "show", &name]).await["reason"], "no such address");
    assert_eq!(scene.json(&["queue", "retry", &name]).await["state"], "waiting");
    assert_eq!(scene.json(&["queue", "skip", &name]).await["state"], "given up");
    assert_eq!(scene.store.outgoing(id).await.expect("read").expect("there").state, OutboxState::Failed);
}

#[tokio::test]
async fn the_queue_tells_no_address_and_no_text() {
    let scene = Scene::new().await;
    scene.given_up().await;
    scene.put_aside().await;
    for words in [&["queue", "list"][..], &["queue", "list", "--json"], &["queue", "list", "--all"]] {
        let told = String::from_utf8(scene.ask(words).await.stdout).expect("text");
        assert!(told.contains("out-1") && told.contains("in-1"), "{told}");
        assert!(!told.contains('@'), "{told}");
    }
}

#[tokio::test]
async fn old_mail_is_ordered_by_a_row_for_every_mailbox() {
    let scene = Scene::new().await;
    let told = scene.json(&["import", "old-mail", "--since", "2026-01-31"]).await;
    assert_eq!(told[0]["mailbox"], "support");
    let hints = scene.store.hints("order:").await.expect("listed");
    assert_eq!(hints, ["order:support:import:1769817600000"]);
    let told = scene.refused(&["import", "old-mail", "--since", "2026-01-31", "--mailbox", "sales"]).await;
    assert!(told.contains("`sales`"), "{told}");
}

#[tokio::test]
async fn a_disconnected_mailbox_is_gone_for_the_gateway_too() {
    let scene = Scene::new().await;
    scene.json(&["mailbox", "disconnect", "support"]).await;
    assert!(scene.store.mailboxes().await.expect("listed").is_empty());
    let told = scene.refused(&["mailbox", "disconnect", "support"]).await;
    assert!(told.contains("mailbox list"), "{told}");
}

#[tokio::test]
async fn without_a_store_a_command_says_what_makes_one() {
    let scene = Scene::new().await;
    let other = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(scene.folder.path().join("mintgate.yml")).expect("read");
    let text = text.replace(&scene.folder.path().display().to_string(), &other.path().display().to_string());
    std::fs::write(other.path().join("mintgate.yml"), text).expect("written");
    let output = ask(other.path(), &["queue", "list"]).await;
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("`mintgate run` makes it"), "{told}");
    assert!(!other.path().join("mintgate.db").exists(), "a command makes no store");
}
