//! Two gateways as processes of their own on one PostgreSQL, in front of a provider that rotates refresh tokens:
//! one of them refreshes, and when it is killed the other goes on.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mintgate::sandbox::MAILBOX;
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::sandbox::identity::Rotation;
use mintgate::store::{self, MailboxRow, MailboxState, Store, StoreAt};

use crate::story::Story;
use crate::support::postgres;
use crate::support::process::{eventually, free_port};
use crate::support::program::{MINTGATE, PATIENCE, Program, run_with};

/// Short enough for refreshes to be seen, and due every four seconds.
const LIFE: Duration = Duration::from_secs(5);
const TOKEN: &str = "/*/oauth2/v2.0/token";

/// Two configurations of gateways that share a store and a key.
pub(super) struct Scene {
    pub(super) story: Story,
    pub(super) store: Arc<dyn Store>,
    second: PathBuf,
}

impl Scene {
    /// `None` (with the reason printed) where PostgreSQL is not installed.
    pub(super) async fn new() -> Option<Self> {
        let at = postgres::database()?;
        let story = Story::begin().await;
        let StoreAt::Postgres(url) = &at else { unreachable!("it is PostgreSQL") };
        let config = &story.scene.config;
        let folder = config.parent().expect("a folder");
        let first = std::fs::read_to_string(config).expect("the start-up file")
            + &format!(
                "store: {{ postgres: {{ url: \"{}\" }} }}\nvault: {{ keyFile: \"{}\" }}\n",
                url.0,
                folder.join("shared.key").display()
            );
        let made = Command::new(MINTGATE).args(["vault", "make-key"]).arg(folder.join("shared.key")).output();
        assert!(made.expect("it starts").status.success(), "a key is made");
        std::fs::write(config, &first).expect("written");
        let port = story.scene.public.port().expect("a port");
        let other = free_port();
        let second = folder.join("second.yml");
        let text = first.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{other}")).replace(
            &format!("dataDir: \"{}\"", folder.display()),
            &format!("dataDir: \"{}/second\"", folder.display()),
        );
        std::fs::write(&second, text).expect("written");
        let store = store::open(&at).await.expect("the store");
        Some(Self { story, store, second })
    }

    pub(super) fn start_second(&self) -> Program {
        run_with(&self.second)
    }

    pub(super) async fn row(&self) -> MailboxRow {
        self.store.mailboxes().await.expect("listed").remove(0)
    }

    fn given(&self) -> u32 {
        self.story.scene.sandbox.identity.tokens_given()
    }

    async fn a_mail_becomes_a_ticket(&self, subject: &str) {
        let sandbox = &self.story.scene.sandbox;
        sandbox.graph.customer_writes("bob@customer.example", MAILBOX, subject, "Please look.", None);
        eventually("the ticket", async || {
            sandbox.desk.tickets().iter().any(|ticket| ticket.title == subject).then_some(())
        })
        .await;
    }
}

/// A provider that ends the old refresh token at once: two refreshes at a time, or one that is lost, would end the
/// connection.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_refresh_in_turn_and_lose_no_rotated_token() {
    let Some(scene) = Scene::new().await else { return };
    scene.story.scene.sandbox.identity.change(|settings| {
        settings.access_lifetime = LIFE;
        settings.rotation = Rotation::RetireAtOnce;
    });
    let _first = scene.story.scene.start_program().await;
    scene.story.connect_mailbox().await;
    let _second = scene.start_second();
    let before = scene.given();
    eventually("refreshes", async || (scene.given() >= before + 5).then_some(())).await;
    scene.a_mail_becomes_a_ticket("After five refreshes").await;
    assert_eq!(scene.row().await.state, MailboxState::Connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_process_is_killed_while_it_refreshes_the_other_goes_on_after_its_claim() {
    let Some(scene) = Scene::new().await else { return };
    let identity = &scene.story.scene.sandbox.identity;
    identity.change(|settings| {
        settings.access_lifetime = LIFE;
        settings.rotation = Rotation::RetireOnUse;
    });
    let mut first = scene.story.scene.start_program().await;
    scene.story.connect_mailbox().await;
    // The provider has rotated, and the answer is on its way for longer than the process lives.
    let begun = scene.given();
    identity.faults.add(Fault::on("POST", TOKEN, Effect::Drip { bytes: 1, milliseconds: 1_000 }).times(1));
    eventually("a refresh", async || (scene.given() > begun).then_some(())).await;
    let _second = scene.start_second();
    first.kill();
    let before = scene.given();
    let waiting = Instant::now();
    while scene.given() == before {
        assert!(waiting.elapsed() < PATIENCE, "the second does not refresh");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    scene.a_mail_becomes_a_ticket("After the claim").await;
    assert_eq!(scene.row().await.state, MailboxState::Connected);
}
