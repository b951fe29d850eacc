//! Store, keeper and console as an installation has them, in front of the sandbox's provider and Graph.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mintgate::base::audit::Audit;
use mintgate::base::clock::{Clock, ManualClock, SystemClock, Timestamp};
use mintgate::base::id::MailboxId;
use mintgate::base::journal::Journal;
use mintgate::base::wake::Wake;
use mintgate::config::origins::Origins;
use mintgate::console::{Console, Fixed, Parts};
use mintgate::mailbox::detect::Detector;
use mintgate::mailbox::registry::{self, Parts as MailboxParts};
use mintgate::net::dial::Dialer;
use mintgate::net::{Client, Egress, Timeouts};
use mintgate::oauth::app::{App, Apps};
use mintgate::oauth::locations::Locations;
use mintgate::oauth::provider::MicrosoftApp;
use mintgate::oauth::source::TokenSource;
use mintgate::sandbox::{self, Options, Sandbox};
use mintgate::store::seal::{Sealer, SealingKey};
use mintgate::store::{self, MailboxRow, MailboxState, Store, StoreAt};
use mintgate::token::install::InstallSecret;
use mintgate::token::keeper::Keeper;
use mintgate::token::password::{Passwords, Typed};
use mintgate::token::registrations::Registrations;
use mintgate::web::call::HttpCall;
use tokio::runtime::Handle;
use url::Url;

/// Where the browser reaches the console.
pub const PUBLIC_URL: &str = "https://desk.example.com";
pub const CALLBACK_URL: &str = "https://desk.example.com/admin/exchange/callback";

pub const START: Timestamp = Timestamp(1_795_222_800_000);
pub const MINUTE: Duration = Duration::from_secs(60);

/// An installation by a clock that the test moves.
pub struct Installation {
    pub sandbox: Sandbox,
    pub clock: Arc<ManualClock>,
    pub store: Arc<dyn Store>,
    pub key: SealingKey,
    pub sealer: Arc<Sealer>,
    pub secret: InstallSecret,
    pub http: Arc<dyn HttpCall>,
    /// The sandbox's.
    pub app: MicrosoftApp,
    pub apps: Apps,
    pub registrations: Arc<Registrations>,
    pub audit: Audit,
    pub keeper: Arc<Keeper>,
    pub worker: Wake,
    folder: tempfile::TempDir,
}

impl Installation {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = StoreAt::Sqlite(folder.path().join("store.db"));
        Self::made(&place, folder).await
    }

    /// On a store that others can open, too.
    pub async fn start_on(place: &StoreAt) -> Self {
        Self::made(place, tempfile::tempdir().expect("a folder")).await
    }

    async fn made(place: &StoreAt, folder: tempfile::TempDir) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let anywhere = || "127.0.0.1:0".parse().expect("an address");
        let options = Options {
            identity: anywhere(),
            graph: anywhere(),
            desk: anywhere(),
            redirect_uris: vec![CALLBACK_URL.to_owned()],
        };
        let sandbox = Sandbox::start_with_clock(options, clock.clone()).await.expect("a sandbox");
        let registration = sandbox.identity.app();
        let app = MicrosoftApp {
            client_id: registration.client_id,
            client_secret: registration.client_secret,
            secret_expires: None,
            tenant: registration.tenant,
            authority: url(&sandbox.identity.url()),
            graph: url(&sandbox.graph.url()),
        };
        let store = store::open(place).await.expect("a store");
        let key = SealingKey::random();
        let sealer = Arc::new(Sealer::new(key.clone()));
        let secret = InstallSecret::of(&store, &sealer).await.expect("a secret");
        let http = client_of(&[&app.authority, &app.graph]);
        let audit = Audit::new(clock.clone());
        let apps = Apps::new(Some(app.clone()), None);
        let registrations =
            Registrations::new(store.clone(), sealer.clone(), apps.clone(), locations_of(&app));
        let keeper = Keeper::new(
            store.clone(),
            sealer.clone(),
            http.clone(),
            registrations.clone(),
            clock.clone(),
            audit.clone(),
        );
        Self {
            sandbox,
            clock,
            store,
            key,
            sealer,
            secret,
            http,
            app,
            apps,
            registrations,
            audit,
            keeper,
            worker: Wake::new(),
            folder,
        }
    }

    /// The same store in front of another provider. Its clock is the real one, so the test's is set to it.
    pub fn before_another_provider(mut self, app: App) -> Self {
        self.http = client_of(&[app.authority()]);
        self.configure(Apps::default().and([app]));
        self.clock.set(SystemClock.now());
        self.keeper = self.another_keeper();
        self
    }

    /// What the configuration names from now on, for consoles and keepers that are made then.
    pub fn configure(&mut self, apps: Apps) {
        self.registrations = self.registrations_of(apps.clone());
        self.apps = apps;
    }

    /// The registrations of a configuration that names `apps`; where they are is where the providers are.
    pub fn registrations_of(&self, apps: Apps) -> Arc<Registrations> {
        let mut locations = locations_of(&self.app);
        for app in self.apps.iter().chain(apps.iter()) {
            match app {
                App::Microsoft(app) => locations.microsoft = app.authority.clone(),
                App::Google(app) => locations.google = app.authority.clone(),
            }
        }
        Registrations::new(self.store.clone(), self.sealer.clone(), apps, locations)
    }

    /// Another process on the same store; `console` and `keeper` are the first one's.
    pub fn another_keeper(&self) -> Arc<Keeper> {
        let (store, sealer, http) = (self.store.clone(), self.sealer.clone(), self.http.clone());
        let (registrations, clock) = (self.registrations.clone(), self.clock.clone());
        Keeper::new(store, sealer, http, registrations, clock, self.audit.clone())
    }

    /// The console with everything configured.
    pub fn console(&self) -> Console {
        self.console_for(None)
    }

    /// The console of an installation that sends as `from_address`.
    pub fn console_for(&self, from_address: Option<&str>) -> Console {
        Console::new(Parts { from_address: from_address.map(str::to_owned), ..self.console_parts() })
    }

    pub fn console_parts(&self) -> Parts {
        self.console_parts_calling(super::mail_server::dialer())
    }

    /// The same, calling mail servers by `dialer`.
    pub fn console_parts_calling(&self, dialer: Arc<Dialer>) -> Parts {
        let mailbox_parts = MailboxParts {
            tokens: self.keeper.clone() as Arc<dyn TokenSource>,
            passwords: Arc::new(Passwords::new(self.store.clone(), self.sealer.clone())),
            http: self.http.clone(),
            dialer,
            clock: self.clock.clone(),
            graph: self.app.graph.clone(),
            requests_per_minute: 100,
            idle_renewal: registry::IDLE_RENEWAL,
        };
        Parts {
            store: self.store.clone(),
            sealer: self.sealer.clone(),
            secret: self.secret.clone(),
            http: self.http.clone(),
            clock: self.clock.clone(),
            registrations: self.registrations.clone(),
            keeper: self.keeper.clone(),
            public_url: Some(url(PUBLIC_URL)),
            from_address: None,
            fixed: Fixed::default(),
            origins: Origins::default(),
            detect: Arc::new(Detector::offline()),
            bot_configured: true,
            trials: {
                let parts = mailbox_parts.clone();
                Arc::new(move |row, password| registry::trial(row, Arc::new(Typed(password)), &parts))
            },
            mailboxes: Arc::new(move |row| registry::make(row, &mailbox_parts)),
            worker: self.worker.clone(),
            audit: self.audit.clone(),
            journal: Journal::default(),
            facts: Vec::new(),
            examine: Arc::new(|| Box::pin(async { vec!["ok           store: It can be read.".to_owned()] })),
        }
    }

    /// A mailbox of `address` with the id [`mailbox`], as an earlier version left it; signing in renews it.
    pub async fn knows(&self, kind: &str, address: &str) {
        let row = MailboxRow {
            id: mailbox(),
            kind: kind.to_owned(),
            address: address.to_owned(),
            state: MailboxState::Connected,
            scopes: String::new(),
            connected_at: START,
            accept_since: START,
            last_poll_at: None,
            last_mail_at: None,
            last_error: None,
            failing_since: None,
            settings: String::new(),
        };
        self.store.connect_mailbox(&row).await.expect("written");
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Where the sandbox is, and the real Google.
fn locations_of(app: &MicrosoftApp) -> Locations {
    let (microsoft, graph) = (app.authority.clone(), app.graph.clone());
    Locations { microsoft, graph, ..Locations::default() }
}

/// The id of a mailbox that a test makes itself.
pub fn mailbox() -> MailboxId {
    MailboxId::parse("m365").expect("an id")
}

pub fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

/// A client that may call exactly the origins of `urls`.
pub fn client_of(urls: &[&Url]) -> Arc<dyn HttpCall> {
    let origins = urls.iter().map(|url| url.origin().ascii_serialization());
    let egress = Egress::only(origins).expect("rules");
    Arc::new(Client::new(Handle::current(), egress, Timeouts::default()).expect("a client"))
}

pub use sandbox::{MAILBOX, OTHER_MAILBOX};
