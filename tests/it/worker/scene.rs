//! A desk, a mailbox at Graph, a store and a clock, as a worker meets them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mintgate::base::clock::{Clock, ManualClock, Timestamp};
use mintgate::base::id::MailboxId;
use mintgate::base::secret::{HashKey, SecretString};
use mintgate::base::wake::Wake;
use mintgate::desk::{Bot, Desk};
use mintgate::mail::policy::Policy;
use mintgate::mailbox::registry;
use mintgate::net::dial::Dialer;
use mintgate::oauth::source::{AccessToken, Resource, TokenError, TokenSource};
use mintgate::sandbox::desk::{self, AGENT, BOT};
use mintgate::sandbox::grants::Grants;
use mintgate::sandbox::graph;
use mintgate::store::seal::{Sealer, SealingKey};
use mintgate::store::{self, InboundState, MailboxRow, MailboxState, OutboxState, Store, StoreAt};
use mintgate::token::subscription::Subscriptions;
use mintgate::worker::{Meters, Parts, Point, Settings, Worker};
use tempfile::TempDir;
use url::Url;

use crate::desk_user::{DeskUser, http_to};
use crate::support::mail_server::{Password, dialer};

pub const ADDRESS: &str = "tickets@desk.example";
pub const SECOND_ADDRESS: &str = "sales@desk.example";
pub const BOTH: [&str; 2] = ["Mail.ReadWrite", "Mail.Send"];

const START: Timestamp = Timestamp(1_795_219_200_000);
const MANY: u32 = 1_000;
const MAX_SIZE: usize = 100_000;

/// Longer than a retry ever waits at the desk or for evidence at the provider.
pub const LONG: Duration = Duration::from_secs(20 * 60);

/// Everything around the worker; it outlives every worker's life.
pub struct Scene {
    pub clock: Arc<ManualClock>,
    pub desk: desk::Desk,
    pub graph: graph::Graph,
    pub store: Arc<dyn Store>,
    pub wake: Wake,
    /// Rung by what is written to the desk.
    pub written: Wake,
    /// What the operator chose; the next worker's life goes by it.
    pub policy: Policy,
    /// As `mail.from`.
    pub from_address: Option<String>,
    pub meters: Meters,
    /// How mail servers are called, and the password there.
    pub dialer: Arc<Dialer>,
    pub password: Option<&'static str>,
    pub subscriptions: Subscriptions,
    /// Where Graph is to call when mail arrives, if it is.
    pub told_at: Option<Url>,
    token: AccessToken,
    second: AccessToken,
    agent: DeskUser,
    bot: DeskUser,
    _folder: TempDir,
}

/// Gives each mailbox the token it was made with.
struct GivenTokens {
    first: AccessToken,
    second: AccessToken,
}

#[async_trait]
impl TokenSource for GivenTokens {
    async fn token(&self, mailbox: &MailboxId, _: Resource) -> Result<AccessToken, TokenError> {
        Ok(if *mailbox == id() { self.first.clone() } else { self.second.clone() })
    }

    async fn renew(
        &self,
        mailbox: &MailboxId,
        _: Resource,
        _: &AccessToken,
    ) -> Result<AccessToken, TokenError> {
        let reason = "the token was refused".to_owned();
        Err(TokenError::NeedsReconnect { mailbox: mailbox.clone(), reason })
    }
}

impl Scene {
    pub async fn new() -> Self {
        Self::with_scopes(&BOTH).await
    }

    pub async fn with_scopes(scopes: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = StoreAt::Sqlite(folder.path().join("store.db"));
        Self::made(scopes, &place, folder).await
    }

    /// A scene over another store.
    pub async fn on(place: StoreAt) -> Self {
        Self::on_with(place, &BOTH).await
    }

    pub async fn on_with(place: StoreAt, scopes: &[&str]) -> Self {
        Self::made(scopes, &place, tempfile::tempdir().expect("a folder")).await
    }

    async fn made(scopes: &[&str], place: &StoreAt, folder: TempDir) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let desk = desk::start_with_clock(([127, 0, 0, 1], 0).into(), clock.clone()).await.expect("a port");
        let graph = graph::start_with_clock(([127, 0, 0, 1], 0).into(), Grants::default(), clock.clone())
            .await
            .expect("a port");
        graph.add_mailbox(ADDRESS, "Support");
        let expires_at = START + Duration::from_secs(365 * 24 * 3600);
        let issued = |address| AccessToken {
            secret: SecretString::from(graph.grants.issue(address, scopes, expires_at)),
            expires_at,
            scopes: scopes.iter().map(|scope| scope.to_lowercase()).collect(),
        };
        let (token, second) = (issued(ADDRESS), issued(SECOND_ADDRESS));
        let store = store::open(place).await.expect("a store");
        let scene = Self {
            agent: DeskUser::sign_in(&desk.url(), AGENT).await,
            bot: DeskUser::sign_in(&desk.url(), BOT).await,
            token,
            second,
            clock,
            desk,
            graph,
            subscriptions: subscriptions(&store),
            told_at: None,
            store,
            wake: Wake::new(),
            written: Wake::new(),
            policy: Policy::default(),
            from_address: None,
            meters: Meters::default(),
            dialer: dialer(),
            password: None,
            _folder: folder,
        };
        scene.connect().await;
        scene
    }

    /// Connects the mailbox (again).
    pub async fn connect(&self) {
        let scopes: Vec<&str> = self.token.scopes.iter().map(String::as_str).collect();
        self.store.connect_mailbox(&mailbox_row(&scopes)).await.expect("a mailbox");
    }

    /// A worker's new life over what the last one left.
    pub fn worker(&self) -> Arc<Worker> {
        self.worker_at(|_| {})
    }

    pub fn worker_at(&self, at: impl Fn(Point) + Send + Sync + 'static) -> Arc<Worker> {
        self.worker_named("the only one", at)
    }

    /// A worker of the gateway `holder`.
    pub fn worker_named(&self, holder: &str, at: impl Fn(Point) + Send + Sync + 'static) -> Arc<Worker> {
        Worker::new(self.parts(holder, at))
    }

    /// What such a worker stands on.
    pub fn parts(&self, holder: &str, at: impl Fn(Point) + Send + Sync + 'static) -> Parts {
        let place = Place {
            clock: self.clock.clone(),
            desk: self.desk.url(),
            graph: self.graph.url(),
            store: self.store.clone(),
            token: self.token.clone(),
            second: self.second.clone(),
            dialer: self.dialer.clone(),
            password: self.password,
        };
        let parts = parts_of(&place, Arc::new(at));
        let (policy, from_address) = (self.policy.clone(), self.from_address.clone());
        let settings = Settings { policy, from_address, told_at: self.told_at.clone(), ..parts.settings };
        Parts {
            wake: self.wake.clone(),
            written: self.written.clone(),
            meters: self.meters.clone(),
            subscriptions: self.subscriptions.clone(),
            holder: holder.to_owned(),
            settings,
            ..parts
        }
    }

    /// The lease of the gateway `holder` runs out, as it does when nothing is heard of it.
    pub async fn end_lease_of(&self, holder: &str) {
        self.store.lease(&id(), holder, Duration::ZERO, self.clock.now()).await.expect("the store");
    }

    /// One look at everything that must go well.
    pub async fn pass(&self) {
        self.worker().run_once().await.expect("a pass");
        assert_eq!(self.mailbox_row().await.last_error, None);
    }

    /// One look at everything that must meet trouble and tell of it.
    pub async fn troubled_pass(&self) {
        let told = self.worker().run_once().await.is_err();
        assert!(told || self.mailbox_row().await.last_error.is_some(), "there was no trouble");
    }

    /// One look at everything, whatever comes of it.
    pub async fn any_pass(&self) {
        self.worker().run_once().await.ok();
    }

    /// One look at everything by a worker that `at` may end with a panic.
    pub async fn dying_pass(&self, at: impl Fn(Point) + Send + Sync + 'static) {
        let worker = self.worker_at(at);
        let ended = tokio::spawn(async move { worker.run_once().await }).await;
        assert!(ended.is_err() || ended.is_ok_and(|end| end.is_ok()), "it neither died nor went well");
    }

    /// Looks again and again, long enough apart for every retry to be due; in the end all must be well.
    pub async fn settle_down(&self) {
        for _ in 0..4 {
            self.clock.advance(LONG);
            self.any_pass().await;
        }
        self.clock.advance(LONG);
        self.pass().await;
    }

    /// Waits for something that another server does in its own time.
    pub async fn until(&self, done: impl Fn() -> bool) {
        let waiting = async {
            while !done() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it happens");
    }

    /// A mail arrives now.
    pub fn deliver(&self, raw: &[u8]) -> String {
        self.graph.deliver(ADDRESS, raw).expect("the mailbox")
    }

    pub fn is_read(&self, mail: &str) -> bool {
        self.graph.is_read(ADDRESS, mail).expect("the mail")
    }

    pub async fn agent_says(&self, ticket: &str, text: &str) {
        self.agent.comment(ticket, text, true).await;
    }

    pub async fn agent_notes(&self, ticket: &str, text: &str) {
        self.agent.comment(ticket, text, false).await;
    }

    pub async fn bot_says(&self, ticket: &str, text: &str) {
        self.bot.comment(ticket, text, true).await;
    }

    pub fn agent(&self) -> &DeskUser {
        &self.agent
    }

    /// The mails that Bob has received.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        self.sent_to("bob@customer.example")
    }

    /// The mails that somebody outside has received.
    pub fn sent_to(&self, address: &str) -> Vec<Vec<u8>> {
        self.graph.received_outside(address)
    }

    /// The newest mail of the outbox as it was frozen; on its way Exchange leaves header lines out.
    pub async fn frozen(&self) -> Vec<u8> {
        let newest = &self.store.recent_outgoing(None, 1).await.expect("the store")[0];
        self.store.outgoing_mime(newest.id).await.expect("the store").expect("its bytes")
    }

    /// A second mailbox of the same desk.
    pub async fn connect_second(&self) {
        self.graph.add_mailbox(SECOND_ADDRESS, "Sales");
        let row = MailboxRow {
            id: MailboxId::parse("sales").expect("an id"),
            address: SECOND_ADDRESS.to_owned(),
            ..mailbox_row(&BOTH)
        };
        self.store.connect_mailbox(&row).await.expect("a mailbox");
    }

    /// The texts on a ticket that are not for the customer.
    pub fn notes(&self, ticket: &str) -> Vec<String> {
        let comments = self.desk.comments(ticket).into_iter();
        comments.filter(|comment| !comment.public).map(|comment| comment.text).collect()
    }

    /// Whether a mail with this text has left the mailbox, on its way or arrived.
    pub fn has_left(&self, text: &str) -> bool {
        self.clock.advance(Duration::from_millis(100));
        self.sent().iter().any(|raw| String::from_utf8_lossy(raw).contains(text))
    }

    pub async fn fact(&self, name: &str) -> Option<String> {
        self.store.fact(name).await.expect("the store")
    }

    pub async fn mailbox_row(&self) -> MailboxRow {
        self.store.mailbox(&id()).await.expect("the store").expect("the mailbox")
    }

    /// Mails of the ledger in this state.
    pub async fn count(&self, state: InboundState) -> usize {
        self.store.recent_inbound(Some(state), MANY).await.expect("the store").len()
    }

    /// Mails of the outbox in this state.
    pub async fn outgoing(&self, state: OutboxState) -> usize {
        self.store.recent_outgoing(Some(state), MANY).await.expect("the store").len()
    }

    /// What the bot wrote on a ticket for the customer.
    pub fn customers_comments(&self, ticket: &str) -> usize {
        self.desk.comments(ticket).iter().filter(|comment| comment.text.contains("[mail ")).count()
    }

    /// The oldest ticket on which no agent has written.
    pub fn unanswered(&self) -> Option<String> {
        let answered = |id: &str| self.desk.comments(id).iter().any(|comment| comment.public);
        self.desk.tickets().into_iter().map(|ticket| ticket.id).find(|id| !answered(id))
    }
}

pub fn id() -> MailboxId {
    MailboxId::parse("tickets").expect("an id")
}

/// What a worker stands on, wherever it runs.
pub struct Place {
    pub clock: Arc<dyn Clock>,
    pub desk: String,
    pub graph: String,
    pub store: Arc<dyn Store>,
    pub token: AccessToken,
    /// Of the second mailbox.
    pub second: AccessToken,
    pub dialer: Arc<Dialer>,
    pub password: Option<&'static str>,
}

/// The mailbox as it was connected.
pub fn mailbox_row(scopes: &[&str]) -> MailboxRow {
    MailboxRow {
        id: id(),
        kind: "microsoft-graph".to_owned(),
        address: ADDRESS.to_owned(),
        state: MailboxState::Connected,
        scopes: scopes.join(" "),
        connected_at: START,
        accept_since: START,
        last_poll_at: None,
        last_mail_at: None,
        last_error: None,
        failing_since: None,
        settings: String::new(),
    }
}

pub fn worker_of(place: &Place, at: Arc<dyn Fn(Point) + Send + Sync>) -> Arc<Worker> {
    Worker::new(parts_of(place, at))
}

/// Their records open as long as this value lives.
fn subscriptions(store: &Arc<dyn Store>) -> Subscriptions {
    Subscriptions::new(store.clone(), Arc::new(Sealer::new(SealingKey::random())))
}

pub fn parts_of(place: &Place, at: Arc<dyn Fn(Point) + Send + Sync>) -> Parts {
    let bot = Bot { email: BOT.0.to_owned(), password: SecretString::from(BOT.1) };
    let desk_url = place.desk.parse().expect("a URL");
    let desk = Desk::new(http_to(&place.desk), desk_url, Some(bot), place.clock.clone());
    let kinds = registry::Parts {
        tokens: Arc::new(GivenTokens { first: place.token.clone(), second: place.second.clone() }),
        passwords: Arc::new(Password(place.password)),
        http: http_to(&place.graph),
        dialer: place.dialer.clone(),
        clock: place.clock.clone(),
        graph: place.graph.parse().expect("a URL"),
        requests_per_minute: 1_000_000,
        idle_renewal: registry::IDLE_RENEWAL,
    };
    Parts {
        store: place.store.clone(),
        desk: Arc::new(desk),
        mailboxes: Arc::new(move |row| registry::make(row, &kinds)),
        clock: place.clock.clone(),
        wake: Wake::new(),
        written: Wake::new(),
        message_ids: HashKey::from_bytes([5; 32]),
        holder: "the only one".to_owned(),
        settings: Settings {
            poll_interval: Duration::from_secs(300),
            from_address: None,
            from_name: Some("Support".to_owned()),
            reply_to: None,
            max_size: MAX_SIZE,
            told_at: None,
            message_id_domain: "desk.example".to_owned(),
            policy: Policy::default(),
        },
        subscriptions: subscriptions(&place.store),
        meters: Meters::default(),
        at,
    }
}
