//! A desk, a store, gateways with a shield in front of them, and browsers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use mintgate::base::audit::Audit;
use mintgate::base::clock::{Clock, ManualClock, SystemClock};
use mintgate::config::NamedMiddleware;
use mintgate::desk::admin::Admins;
use mintgate::desk::reader::Readers;
use mintgate::files::{self, MailFiles};
use mintgate::middleware::login_brake::Attempts;
use mintgate::middleware::registry::{MiddlewareSpec, Parts};
use mintgate::middleware::session_shield::{DeskSide, Means, Sessions};
use mintgate::net::{Client as HttpClient, Egress, Timeouts};
use mintgate::store::seal::{Sealer, SealingKey};
use mintgate::store::{self, Store, StoreAt};
use mintgate::token::install::InstallSecret;
use mintgate::web::client_address::Trusted;
use mintgate::web::cookie::Hardening;
use mintgate::web::local::{LocalService, admin};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::gateway::client::{Client, Response as Answer};
use crate::gateway::start::{Plan, Started, router, routes, service};
use crate::gateway::upstream::{self, Upstream};
use crate::support::postgres;

const PATIENCE: Duration = Duration::from_secs(20);

pub const ORIGIN: &str = "Origin: http://desk.example";
pub const SHIELD: &str = "plugin: {sessionShield: {}}";
const GUARD: &str = "plugin: {adminOnly: {}}";

pub struct Scene {
    pub runtime: Runtime,
    pub clock: Arc<ManualClock>,
    pub store: Arc<dyn Store>,
    key: SealingKey,
    desk: SocketAddr,
    place: StoreAt,
    folder: tempfile::TempDir,
}

impl Scene {
    pub fn before(desk: SocketAddr) -> Self {
        Self::on(Runtime::new().expect("a runtime"), desk)
    }

    /// On the runtime that the desk lives on.
    pub fn on(runtime: Runtime, desk: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = StoreAt::Sqlite(folder.path().join("store.db"));
        Self::with_store(runtime, desk, place, folder)
    }

    /// On a PostgreSQL; `None` (with the reason printed) where there is none.
    pub fn on_postgres(runtime: Runtime, desk: SocketAddr) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        Some(Self::with_store(runtime, desk, postgres::database()?, folder))
    }

    fn with_store(runtime: Runtime, desk: SocketAddr, place: StoreAt, folder: tempfile::TempDir) -> Self {
        let store = runtime.block_on(open(&place));
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        Self { runtime, clock, store, key: SealingKey::random(), desk, place, folder }
    }

    pub fn gateway(&self) -> Started {
        self.gateway_with(SHIELD)
    }

    /// A gateway of its own, on the scene's store.
    pub fn gateway_with(&self, shield: &str) -> Started {
        self.start(&[shield, GUARD], self.store.clone())
    }

    /// A gateway whose one router to the desk has these middlewares.
    pub fn gateway_of(&self, middlewares: &[&str]) -> Started {
        self.start(middlewares, self.store.clone())
    }

    /// A gateway as on another machine: with connections of its own to the scene's store.
    pub fn gateway_elsewhere(&self) -> Started {
        self.start(&[SHIELD, GUARD], self.runtime.block_on(open(&self.place)))
    }

    fn start(&self, middlewares: &[&str], store: Arc<dyn Store>) -> Started {
        let url = format!("http://{}", self.desk).parse().expect("a URL");
        let egress = Egress::only([format!("http://{}", self.desk)]).expect("rules");
        let client = HttpClient::new(self.runtime.handle().clone(), egress, Timeouts::default());
        let http = Arc::new(client.expect("a client"));
        let sealer = Arc::new(Sealer::new(self.key.clone()));
        let audit = Audit::new(self.clock.clone());
        let secret = self.runtime.block_on(InstallSecret::of(&store, &sealer)).expect("a secret");
        let key = secret.derive("desk sessions");
        let admins = Admins::new(http.clone(), &url, self.clock.clone(), key, audit.clone());
        let sessions = Sessions::new(sealer, secret.derive("session handles"), self.clock.clone());
        sessions.open(store, self.runtime.handle().clone());
        let mail_files = MailFiles::new(files::Parts {
            store: self.store.clone(),
            readers: Readers::new(http.clone(), url.clone()),
            audit: audit.clone(),
            max_size: 1 << 20,
        });
        let desk = Arc::new(DeskSide::new(http, &url, &url));
        let means = Means { sessions: Arc::new(sessions), desk, audit: audit.clone() };
        let (cookies, admins) = (Hardening::default(), Arc::new(admins));
        let parts = Parts {
            clock: self.clock.clone(),
            attempts: Arc::new(Attempts::new(self.clock.clone())),
            admins: admins.clone(),
            cookies,
            dropped_cookies: Default::default(),
            graph_tokens: Default::default(),
            shield: Arc::new(means),
            audit,
        };
        let mut desk = router("PathPrefix(`/`)");
        desk.desk = true;
        desk.middlewares = middlewares.iter().map(|yaml| compiled(yaml, &parts)).collect();
        let plan = Plan {
            // A test's X-Forwarded-For says where its browser is.
            trusted: Trusted::Networks(vec!["127.0.0.0/8".parse().expect("a network")]),
            console: Some(Arc::new(Console)),
            mail_files: Some(Arc::new(mail_files)),
            on_rights_change: Some(Arc::new(move || admins.invalidate_all())),
            ..Plan::default()
        };
        Started::with(plan, routes(vec![desk], vec![service(&[self.desk])]))
    }

    /// Closes the store and opens it again, as a restart does.
    pub fn restart(self) -> Self {
        let Self { runtime, clock, store, key, desk, place, folder } = self;
        // The last connections of a stopped gateway let go of it a moment later.
        let begun = Instant::now();
        while Arc::strong_count(&store) > 1 {
            assert!(begun.elapsed() < PATIENCE, "somebody still holds the store");
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(store);
        let store = runtime.block_on(open(&place));
        Self { runtime, clock, store, key, desk, place, folder }
    }

    /// What a thief of the store's files finds.
    pub fn stored_bytes(&self) -> Vec<u8> {
        let files = ["store.db", "store.db-wal"].map(|name| self.folder.path().join(name));
        files.iter().filter_map(|file| std::fs::read(file).ok()).flatten().collect()
    }
}

async fn open(place: &StoreAt) -> Arc<dyn Store> {
    store::open(place).await.expect("the store opens")
}

fn compiled(yaml: &str, parts: &Parts) -> NamedMiddleware {
    let spec: MiddlewareSpec = serde_yaml::from_str(yaml).expect("a spec");
    let compiled = spec.compile(parts).expect("it can work");
    NamedMiddleware { name: "under test".into(), runs: compiled.runs }
}

/// Says whose the proof is.
struct Console;

#[async_trait]
impl LocalService for Console {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let email = admin(request.extensions()).map_or("nobody", |admin| &*admin.email);
        Response::new(Bytes::from(format!("console for {email}")))
    }
}

/// A browser and its cookie jar.
#[derive(Clone)]
pub struct Browser {
    pub address: SocketAddr,
    pub agent: &'static str,
    /// What the desk's script keeps in the cookie `session`.
    pub handle: String,
    /// The shield's cookie, `name=value`.
    pub cookie: String,
}

impl Browser {
    pub fn new(gateway: &Started) -> Self {
        Self { address: gateway.address, agent: "a browser", handle: String::new(), cookie: String::new() }
    }

    pub fn signed_in(gateway: &Started, user: (&str, &str)) -> Self {
        let mut browser = Self::new(gateway);
        let answer = browser.sign_in(user);
        assert_eq!(answer.status, 200, "{}", answer.text());
        browser
    }

    /// The same jar in front of another gateway.
    pub fn at(&self, gateway: &Started) -> Self {
        Self { address: gateway.address, ..self.clone() }
    }

    pub fn sign_in(&mut self, (email, password): (&str, &str)) -> Answer {
        let body = json!({"email": email, "password": password});
        let answer = self.send("POST /api/v1/auth/login", &[ORIGIN, &self.jar()], &body);
        if answer.status == 200 {
            self.take_over(&answer);
        }
        answer
    }

    /// Does with a sign-in's reply what the desk's script and the browser do.
    pub fn take_over(&mut self, answer: &Answer) {
        let reply: Value = serde_json::from_slice(&answer.body).expect("JSON");
        self.handle = reply["token"].as_str().expect("a handle").to_owned();
        let line = answer.header("set-cookie").expect("a cookie");
        self.cookie = line.split(';').next().expect("a pair").to_owned();
    }

    /// As the desk's script asks.
    pub fn ask(&self, request: &str) -> Answer {
        self.send(request, &[ORIGIN, &self.bearer(), &self.jar()], &Value::Null)
    }

    pub fn status(&self, request: &str) -> u16 {
        self.ask(request).status
    }

    pub fn send(&self, request: &str, lines: &[&str], body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut head = format!("{request} HTTP/1.1\r\nHost: desk.example\r\nUser-Agent: {}\r\n", self.agent);
        for line in lines.iter().filter(|line| !line.ends_with(": ")) {
            head.push_str(&format!("{line}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        let mut client = Client::to(self.address);
        client.send(format!("{head}\r\n{body}"));
        client.response(request.starts_with("HEAD"))
    }

    pub fn bearer(&self) -> String {
        let word = if self.handle.is_empty() { "undefined" } else { &self.handle };
        format!("Authorization: Bearer {word}")
    }

    pub fn jar(&self) -> String {
        let session = if self.handle.is_empty() { String::new() } else { format!("session={}", self.handle) };
        let pairs = [session, self.cookie.clone()];
        let sent: Vec<String> = pairs.into_iter().filter(|pair| !pair.is_empty()).collect();
        format!("Cookie: {}", sent.join("; "))
    }
}

/// A token as the desk makes them, for `user`.
pub fn token(user: &str) -> String {
    let end = (SystemClock.now() + Duration::from_secs(8 * 3600)).seconds();
    let claims = json!({"data": {"id": user, "sessionId": "s"}, "iat": 1, "exp": end});
    format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A desk that signs everybody in as the user `u1` and otherwise tells what it was asked.
pub fn echo() -> Upstream {
    Upstream::new(|request| {
        request.drain();
        let signs_in = ["/auth/login", "/callback"].iter().any(|end| target(request).contains(end));
        let body = match signs_in {
            true => json!({"token": token("u1"), "success": true}).to_string(),
            false => request.lines.join("\n"),
        };
        request.reply("Content-Type: application/json\r\n", body.as_bytes());
    })
}

pub fn target<'r>(request: &'r upstream::Request<'_>) -> &'r str {
    request.lines[0].split(' ').nth(1).expect("a target")
}
