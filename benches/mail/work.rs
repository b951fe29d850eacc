//! The worker over a new store, and what it took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use mintgate::base::clock::{SystemClock, Timestamp};
use mintgate::base::id::MailboxId;
use mintgate::base::secret::{HashKey, SecretString};
use mintgate::base::wake::Wake;
use mintgate::desk::{Bot, Desk};
use mintgate::mail::policy::Policy;
use mintgate::mailbox::registry;
use mintgate::mailbox::settings::{MailboxSettings, Provider, Security, Server, SignIn};
use mintgate::net::dial::Dialer;
use mintgate::net::{Client, Egress, Timeouts};
use mintgate::oauth::source::{AccessToken, PasswordSource, Purpose, Resource, TokenError, TokenSource};
use mintgate::sandbox::desk::BOT;
use mintgate::store::seal::{Sealer, SealingKey};
use mintgate::store::{self, MailboxRow, MailboxState, Store, StoreAt};
use mintgate::token::subscription::Subscriptions;
use mintgate::web::call::HttpCall;
use mintgate::worker::{Meters, Parts, Point, Settings, Worker};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Handle;

use crate::peers::{ADDRESS, Peer, SCOPES};

/// Works `mails` mails off and prints what it took, at every power of ten and in the end.
pub async fn sync(kind: &str, mails: u32, bytes: usize) {
    let desk = Peer::start(&["desk"]);
    let server = Peer::start(&[kind, &mails.to_string(), &bytes.to_string()]);
    let folder = tempfile::tempdir().expect("a folder");
    let at = StoreAt::Sqlite(folder.path().join("store.db"));
    let store = store::open(&at).await.expect("a store");
    store.connect_mailbox(&row(kind, &server)).await.expect("a mailbox");
    println!(
        "{:>8} {:>9} {:>13} {:>14} {:>10}",
        "mails", "seconds", "CPU ms/mail", "mails/CPU s", "peak MiB"
    );
    let figures = Arc::new(Figures { begun: Instant::now(), before: cpu(), done: AtomicU32::new(0) });
    let counted = figures.clone();
    let count = Arc::new(move |point| {
        if point == Point::MailEnded {
            counted.count();
        }
    });
    let worker = Worker::new(parts(store.clone(), &desk, &server, count));
    worker.run_once().await.expect("a pass");
    figures.print();
    let row = store.mailboxes().await.expect("the mailbox").remove(0);
    assert_eq!(row.last_error, None);
    assert_eq!(figures.done.load(Ordering::Relaxed), mails, "not every mail became a ticket");
}

struct Figures {
    begun: Instant,
    /// CPU time of the process before the work.
    before: Duration,
    done: AtomicU32,
}

impl Figures {
    fn count(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done >= 100 && 10_u32.pow(done.ilog10()) == done {
            self.print();
        }
    }

    fn print(&self) {
        let (done, took) = (f64::from(self.done.load(Ordering::Relaxed)), cpu() - self.before);
        let (each, rate) = (took.as_secs_f64() * 1_000.0 / done, done / took.as_secs_f64());
        let seconds = self.begun.elapsed().as_secs_f64();
        println!("{done:>8} {seconds:>9.1} {each:>13.2} {rate:>14.0} {:>10.1}", peak());
    }
}

/// Of all threads, since the process began.
fn cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("after the beginning")
}

/// The most memory that was resident at once, in MiB (proc(5), `VmHWM`).
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}

fn row(kind: &str, server: &Peer) -> MailboxRow {
    let (kind, settings) = match kind {
        "graph" => ("microsoft-graph", MailboxSettings::default()),
        _ => ("imap", imap_settings(server)),
    };
    MailboxRow {
        id: MailboxId::parse("tickets").expect("an id"),
        kind: kind.to_owned(),
        address: ADDRESS.to_owned(),
        state: MailboxState::Connected,
        scopes: SCOPES.join(" "),
        connected_at: Timestamp(0),
        accept_since: Timestamp(0),
        last_poll_at: None,
        last_mail_at: None,
        last_error: None,
        failing_since: None,
        settings: settings.to_json(),
    }
}

fn imap_settings(server: &Peer) -> MailboxSettings {
    let port = server.place["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
    let at = |port| Server::new("127.0.0.1", port, Security::None, ADDRESS);
    MailboxSettings {
        provider: Provider::Other,
        sign_in: SignIn::Password,
        incoming: Some(at(port)),
        // Nothing is sent.
        outgoing: Some(at(9)),
        ..MailboxSettings::default()
    }
}

/// The one token, and some password.
struct Proofs(SecretString);

#[async_trait]
impl TokenSource for Proofs {
    async fn token(&self, _: &MailboxId, _: Resource) -> Result<AccessToken, TokenError> {
        let scopes = SCOPES.iter().map(|scope| scope.to_lowercase()).collect();
        Ok(AccessToken { secret: self.0.clone(), expires_at: Timestamp(i64::MAX), scopes })
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

#[async_trait]
impl PasswordSource for Proofs {
    async fn password(&self, _: &MailboxId, _: Purpose) -> Result<SecretString, TokenError> {
        Ok("anything".into())
    }
}

fn client(url: &str) -> Arc<dyn HttpCall> {
    let egress = Egress::only([url]).expect("an origin");
    Arc::new(Client::new(Handle::current(), egress, Timeouts::default()).expect("a client"))
}

fn parts(store: Arc<dyn Store>, desk: &Peer, server: &Peer, at: Arc<dyn Fn(Point) + Send + Sync>) -> Parts {
    let desk_url = desk.place["url"].as_str().expect("a URL");
    let graph_url = server.place["url"].as_str().unwrap_or("http://127.0.0.1:9");
    let proofs = Arc::new(Proofs(server.place["token"].as_str().unwrap_or_default().into()));
    let bot = Bot { email: BOT.0.to_owned(), password: SecretString::from(BOT.1) };
    let clock = Arc::new(SystemClock);
    let desk = Desk::new(client(desk_url), desk_url.parse().expect("a URL"), Some(bot), clock.clone());
    let kinds = registry::Parts {
        tokens: proofs.clone(),
        passwords: proofs,
        http: client(graph_url),
        dialer: Arc::new(
            Dialer::new(Egress::default().allow(["127.0.0.1"]).expect("rules")).expect("a dialer"),
        ),
        clock: clock.clone(),
        graph: graph_url.parse().expect("a URL"),
        requests_per_minute: u32::MAX / 2,
        idle_renewal: registry::IDLE_RENEWAL,
    };
    let sealer = Arc::new(Sealer::new(SealingKey::random()));
    Parts {
        subscriptions: Subscriptions::new(store.clone(), sealer),
        store,
        desk: Arc::new(desk),
        mailboxes: Arc::new(move |row| registry::make(row, &kinds)),
        clock,
        wake: Wake::new(),
        written: Wake::new(),
        message_ids: HashKey::from_bytes([5; 32]),
        holder: "the only one".to_owned(),
        settings: Settings {
            poll_interval: Duration::from_secs(300),
            from_address: None,
            from_name: None,
            reply_to: None,
            max_size: 64 << 20,
            told_at: None,
            message_id_domain: "desk.example".to_owned(),
            policy: Policy::default(),
        },
        meters: Meters::default(),
        at,
    }
}
