//! A mailbox at Google from the consent page to the mail: a certified OAuth server in Google's shape, a real
//! IMAP and submission server that asks it about every token, and our console, keeper and worker.

use std::sync::Arc;
use std::time::Duration;

use mintgate::base::clock::Timestamp;
use mintgate::base::id::MailboxId;
use mintgate::base::secret::ExposeSecret;
use mintgate::mailbox::registry;
use mintgate::mailbox::settings::{MailboxSettings, Provider as Vendors, Security};
use mintgate::mailbox::{Mailbox, Outgoing};
use mintgate::oauth::app::Vendor;
use mintgate::oauth::discovery::discover;
use mintgate::oauth::revoke::revoke;
use mintgate::oauth::source::Resource;
use mintgate::store::{MailboxRow, MailboxState};
use mintgate::token::vault::Vault;
use mintgate::worker::{Meters, Worker};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::console::wizard::leave_by_the_wizard;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::installation::{Installation, MINUTE};
use crate::support::mail_server::{Password, Sink};
use crate::support::oidc_provider::OidcProvider;
use crate::support::provider::Provider;
use crate::support::sign_in::{Browser, path_of};
use crate::support::worker::worker;

const HOUR: Duration = Duration::from_secs(3600);
const QUESTION: &[u8] = b"From: Bob <bob@customer.example>\r\nTo: help@desk.example\r\n\
    Subject: The printer burns\r\nMessage-ID: <1@customer.example>\r\n\r\nIt burns.\r\n";
const ANSWER: &[u8] = b"From: help@desk.example\r\nTo: bob@customer.example\r\n\
    Subject: Re: The printer burns\r\nMessage-ID: <t.1@desk.example>\r\n\r\nUse the extinguisher.\r\n";

/// Everything real, and the mailbox connected through the wizard.
struct Scene {
    provider: OidcProvider,
    dovecot: Dovecot,
    sink: Sink,
    installation: Installation,
}

impl Scene {
    async fn new() -> Option<Self> {
        let provider = OidcProvider::google_for(USER).await?;
        let sink = Sink::start().await;
        let dovecot = Dovecot::start_asking(&provider.asking(), sink.address.port()).await?;
        let installation = Installation::start().await.before_another_provider(provider.app());
        let scene = Self { provider, dovecot, sink, installation };
        scene.connect(async |browser: &Browser<'_>| leave_by_the_wizard(browser, USER, "google").await).await;
        scene.use_the_real_servers().await;
        Some(scene)
    }

    /// Leaves as `leave` does, signs in and comes back.
    async fn connect(&self, leave: impl AsyncFn(&Browser<'_>) -> url::Url) {
        let console = self.installation.console();
        let browser = Browser::admin(&console, 1);
        let back = self.provider.sign_in(&*self.installation.http, &leave(&browser).await).await;
        let parked = browser.get(&path_of(&back)).await;
        let end = browser.get(&parked.onward().expect("a way on")).await;
        assert!(end.location().starts_with("/admin/exchange"), "{}", end.text());
    }

    /// As behind an operator's own mail proxy: Gmail's servers are elsewhere.
    async fn use_the_real_servers(&self) {
        let row = self.row().await;
        let settings = MailboxSettings {
            incoming: Some(self.dovecot.incoming(Security::Tls)),
            outgoing: Some(self.dovecot.outgoing()),
            ..MailboxSettings::parse(&row.settings).expect("settings")
        };
        assert_eq!((settings.provider, row.kind.as_str()), (Vendors::Google, "imap"));
        let written = self.installation.store.set_mailbox_settings(&row.id, &settings.to_json()).await;
        assert!(written.expect("written"));
    }

    async fn row(&self) -> MailboxRow {
        let rows = self.installation.store.mailboxes().await.expect("listed");
        let [row] = rows.try_into().expect("one mailbox");
        row
    }

    fn kinds(&self) -> registry::Parts {
        registry::Parts {
            tokens: self.installation.keeper.clone(),
            passwords: Arc::new(Password(None)),
            http: self.installation.http.clone(),
            dialer: self.dovecot.dialer(),
            clock: self.installation.clock.clone(),
            graph: "http://127.0.0.1:9".parse().expect("a URL"),
            requests_per_minute: 1_000,
            idle_renewal: registry::IDLE_RENEWAL,
        }
    }

    async fn mailbox(&self) -> Arc<dyn Mailbox> {
        registry::make(&self.row().await, &self.kinds()).expect("a mailbox")
    }

    fn worker(&self, meters: &Meters) -> Arc<Worker> {
        let kinds = self.kinds();
        worker(&self.installation, Arc::new(move |row| registry::make(row, &kinds)), meters)
    }

    async fn token(&self, mailbox: &MailboxId) -> String {
        use mintgate::oauth::source::TokenSource;
        let token = self.installation.keeper.token(mailbox, Resource::Mail).await.expect("a token");
        token.secret.expose_secret().to_owned()
    }

    /// What an account's owner does at the provider.
    async fn end_the_grant(&self) {
        let Installation { http, apps, store, sealer, .. } = &self.installation;
        let vault = Vault::new(store.clone(), sealer.clone());
        let stored = vault.read(&self.row().await.id).await.expect("read").expect("a record");
        let app = apps.of(Vendor::Google).expect("an app");
        let url = discover(&**http, app).await.expect("endpoints").revoke.expect("one");
        revoke(&**http, app, &url, &stored.record.refresh).await.expect("revoked");
    }
}

fn outgoing() -> Outgoing<'static> {
    Outgoing { message_id: "<t.1@desk.example>", mime: ANSWER, dispatched_at: Timestamp(0) }
}

#[tokio::test]
async fn a_mail_is_read_and_one_is_sent_by_the_token_of_a_sign_in() {
    let Some(scene) = Scene::new().await else { return };
    scene.dovecot.deliver(&[QUESTION]);
    scene.worker(&Meters::default()).run_once().await.expect("a pass");
    let tickets = scene.installation.sandbox.desk.tickets();
    assert_eq!(tickets.iter().map(|ticket| ticket.title.as_str()).collect::<Vec<_>>(), ["The printer burns"]);

    scene.mailbox().await.dispatch(outgoing(), None).await.expect("sent");
    assert!(scene.sink.mails()[0].contains("Use the extinguisher."));
    let checks = scene.mailbox().await.probe().await;
    assert!(checks.iter().all(|check| check.outcome.is_ok()), "{checks:?}");
}

#[tokio::test]
async fn the_mailbox_goes_on_with_refreshed_tokens_and_after_another_sign_in() {
    let Some(scene) = Scene::new().await else { return };
    let id = scene.row().await.id;
    let first = scene.token(&id).await;
    scene.installation.clock.advance(HOUR);
    let second = scene.token(&id).await;
    assert_ne!(first, second);
    scene.mailbox().await.dispatch(outgoing(), None).await.expect("sent with the second");

    let again = format!("/admin/exchange/mailboxes/{id}/connect");
    scene.connect(async |browser: &Browser<'_>| browser.leave_by(&again).await).await;
    assert_ne!(scene.token(&id).await, second);
    let checks = scene.mailbox().await.probe().await;
    assert!(checks.iter().all(|check| check.outcome.is_ok()), "the servers were kept: {checks:?}");
}

#[tokio::test]
async fn a_grant_that_its_owner_ended_is_an_alarm_within_two_polls() {
    let Some(scene) = Scene::new().await else { return };
    let meters = Meters::default();
    let figures = || {
        let (mut registry, mut text) = (Registry::default(), String::new());
        meters.register(&mut registry);
        scene.installation.keeper.meters().register(&mut registry);
        encode(&mut text, &registry).expect("text takes everything");
        text
    };
    scene.worker(&meters).run_once().await.expect("a pass");
    assert!(figures().contains("state=\"working\"} 1"), "{}", figures());
    scene.end_the_grant().await;
    for _ in 0..2 {
        // The first poll has the token of before; a server that takes it for its own trouble is believed.
        scene.installation.clock.advance(HOUR / 2 + MINUTE);
        scene.worker(&meters).run_once().await.expect("what fails is written down");
    }

    let row = scene.row().await;
    assert_eq!(row.state, MailboxState::NeedsReconnect, "{:?}", row.last_error);
    let text = figures();
    assert!(text.contains("state=\"needs-reconnect\"} 1"), "{text}");
    assert!(text.contains("mintgate_token_refresh_total{outcome=\"dead\"} 1"), "{text}");
    let console = scene.installation.console();
    for path in ["/admin/exchange", "/admin/exchange/setup"] {
        let page = Browser::admin(&console, 1).get(path).await.text();
        assert!(page.contains("no longer accepts the stored sign-in"), "{path}: {page}");
    }
}
