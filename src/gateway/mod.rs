//! The routing table and pingora's proxy around it: from a checked stream to the upstream and back.
//!
//! Decides nothing about sockets and TLS, which is `entry`'s, and nothing about what a middleware does.

mod answer;
mod body;
mod budget;
mod certificates;
mod context;
mod durations;
mod effects;
mod failure;
mod head;
mod http2;
mod local;
pub mod log;
mod log_writer;
mod metrics;
mod names;
mod own;
pub mod proxy;
mod redirect;
mod request;
mod request_id;
mod table;
mod tap;
mod turned_away;
pub mod upstream;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use self::body::Bodies;
use self::log::AccessLog;
use self::metrics::Metrics;
use self::proxy::{Entry, Proxy};
use self::request_id::RequestIds;
use self::table::{Frame, Table};
use self::turned_away::Voices;
use self::upstream::UpstreamTimeouts;
use crate::base::clock::Clock;
use crate::base::wake::Wake;
use crate::config::{EntryPoint, Routes};
use crate::web::client_address::Trusted;
use crate::web::local::LocalService;

/// Where an entry point sets no write timeout.
const WRITE: Duration = Duration::from_secs(30);

/// What is to be called when somebody's rights at the desk may have changed.
pub type Flush = Arc<dyn Fn() + Send + Sync>;

/// What a gateway is made of.
pub struct Parts {
    /// With the ports they really listen on.
    pub entry_points: Vec<EntryPoint>,
    /// Name of the entry point that answers `/ping`.
    pub ping: Option<String>,
    /// Name of the entry point that answers `/metrics`.
    pub metrics: Option<String>,
    /// Locale prefixes of the desk's web client.
    pub locales: Vec<Box<str>>,
    pub access_log: Option<AccessLog>,
    pub console: Option<Arc<dyn LocalService>>,
    /// What mails brought; it asks the desk itself who may see it.
    pub mail_files: Option<Arc<dyn LocalService>>,
    /// Where mail providers call; it asks each for a secret.
    pub mail_hooks: Option<Arc<dyn LocalService>>,
    /// Where the services in the process run.
    pub control: tokio::runtime::Handle,
    /// Shown on `/metrics`; others register their own in it.
    pub registry: Arc<Mutex<Registry>>,
    /// Rung when an agent may have written to a customer, about the ticket where that can be told.
    pub on_desk_write: Option<Wake>,
    pub on_rights_change: Option<Flush>,
    /// For names that no certificate of the rules is for.
    pub default_certificate: Option<Arc<CertifiedKey>>,
    pub upstream: UpstreamTimeouts,
    pub clock: Arc<dyn Clock>,
}

/// The gateway. All entry points share it.
pub struct Gateway {
    table: ArcSwap<Table>,
    generations: AtomicU64,
    draining: AtomicBool,
    entries: Vec<Arc<Entry>>,
    entry_names: Vec<Arc<str>>,
    locales: Vec<Box<str>>,
    access_log: Option<AccessLog>,
    console: Option<Arc<dyn LocalService>>,
    mail_files: Option<Arc<dyn LocalService>>,
    mail_hooks: Option<Arc<dyn LocalService>>,
    control: tokio::runtime::Handle,
    registry: Arc<Mutex<Registry>>,
    metrics: Metrics,
    voices: Voices,
    ids: RequestIds,
    on_desk_write: Option<Wake>,
    on_rights_change: Option<Flush>,
    bodies: Bodies,
    upstream: UpstreamTimeouts,
    clock: Arc<dyn Clock>,
}

impl Gateway {
    pub fn new(parts: Parts, routes: Routes) -> Arc<Self> {
        let metrics = Metrics::register(&mut parts.registry.lock().unwrap_or_else(PoisonError::into_inner));
        let entry_names: Vec<Arc<str>> =
            parts.entry_points.iter().map(|entry_point| entry_point.name.as_str().into()).collect();
        let entries = parts
            .entry_points
            .into_iter()
            .map(|entry_point| {
                let (ping, shows_metrics) = (parts.ping.as_deref(), parts.metrics.as_deref());
                Arc::new(Entry::new(entry_point, ping, shows_metrics, &metrics))
            })
            .collect();
        let frame = Frame {
            entry_points: &entry_names,
            metrics: &metrics,
            timeouts: &parts.upstream,
            default_certificate: parts.default_certificate,
        };
        let table = ArcSwap::from_pointee(Table::new(1, routes, &frame));
        metrics.reload_good.set(1);
        Arc::new(Self {
            table,
            generations: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            entries,
            entry_names,
            locales: parts.locales,
            access_log: parts.access_log,
            console: parts.console,
            mail_files: parts.mail_files,
            mail_hooks: parts.mail_hooks,
            control: parts.control,
            registry: parts.registry,
            metrics,
            voices: Voices::new(),
            ids: RequestIds::new(),
            on_desk_write: parts.on_desk_write,
            on_rights_change: parts.on_rights_change,
            bodies: Bodies::default(),
            upstream: parts.upstream,
            clock: parts.clock,
        })
    }

    /// Puts other rules in place at once, and with them the certificate for names that none of theirs is for.
    /// Requests under way keep the ones they started with.
    pub fn replace(&self, routes: Routes, default_certificate: Option<Arc<CertifiedKey>>) {
        let generation = self.generations.fetch_add(1, Ordering::Relaxed) + 1;
        let frame = Frame {
            entry_points: &self.entry_names,
            metrics: &self.metrics,
            timeouts: &self.upstream,
            default_certificate,
        };
        self.table.store(Arc::new(Table::new(generation, routes, &frame)));
        self.metrics.reloads.inc();
        self.metrics.reloaded_at.set(self.clock.now().0 as f64 / 1000.0);
        self.metrics.reload_good.set(1);
    }

    /// A reload was refused; the present rules stay.
    pub fn reload_refused(&self) {
        self.metrics.reloads.inc();
        self.metrics.reload_good.set(0);
    }

    /// 1 at the start, one more with every [`Gateway::replace`].
    pub fn generation(&self) -> u64 {
        self.table.load().generation
    }

    /// Which of the entry points has that name.
    pub fn place(&self, entry_point: &str) -> Option<usize> {
        self.entry_names.iter().position(|name| **name == *entry_point)
    }

    /// pingora's application for the entry point of that name.
    pub fn proxy(self: &Arc<Self>, entry_point: &str) -> Option<Proxy> {
        let place = self.place(entry_point)?;
        Some(Proxy { gateway: self.clone(), place, entry: self.entries[place].clone() })
    }

    /// From now on `/ping` fails and every answer closes its connection.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// The gauge of an entry point's open connections.
    pub fn open_connections(&self, entry_point: &str) -> Gauge {
        self.metrics.open_connections(entry_point)
    }

    /// Opens the access log's file anew, after somebody has moved it away.
    pub fn reopen_access_log(&self) {
        if self.access_log.as_ref().is_some_and(|log| !log.reopen()) {
            tracing::error!("the access log lags behind and was not opened anew");
        }
    }
}

impl Entry {
    /// Something here is for everybody, or a proxy may speak for its clients.
    fn is_open(&self) -> bool {
        self.ping || self.metrics || self.redirect.is_some() || self.trusted != Trusted::Nobody
    }

    fn new(
        entry_point: EntryPoint,
        ping: Option<&str>,
        shows_metrics: Option<&str>,
        metrics: &Metrics,
    ) -> Self {
        Self {
            ping: ping == Some(&entry_point.name),
            metrics: shows_metrics == Some(&entry_point.name),
            series: metrics.entry_point(&entry_point.name),
            port: entry_point.address.port(),
            trusted: entry_point.trusted,
            redirect: entry_point.redirect,
            read: entry_point.timeouts.read,
            write: entry_point.timeouts.write.unwrap_or(WRITE),
            idle: entry_point.timeouts.idle,
            name: entry_point.name.into(),
        }
    }
}

/// The certificate comes from the table of the moment.
impl ResolvesServerCert for Gateway {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.table.load().certificates.choose(&hello)
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("generation", &self.generation()).finish_non_exhaustive()
    }
}
