//! Runs the entry points until told to stop: pingora's server, the signals, the drain.
//!
//! Knows neither files nor commands: `run` and `demo` bring everything with them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::HttpServerOptions;
use pingora::protocols::http::v2::server::default_h2_options;
use pingora::server::configuration::ServerConf;
use pingora::server::{ListenFds, RunArgs, Server, ShutdownSignal, ShutdownSignalWatch, ShutdownWatch};
use pingora::services::Service;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

use crate::entry::accept::Entrance;
use crate::entry::bind::Bound;
use crate::entry::limits::Limits;
use crate::entry::notice::{Admits, Notice, Refused};
use crate::entry::tls::server_config;
use crate::gateway::Gateway;
use crate::gateway::proxy::Proxy;

/// Idle connections to upstreams, per thread and entry point.
const UPSTREAM_POOL: usize = 128;
/// Tries per request, all servers together; only failed connects and dead pooled connections count.
const MOST_TRIES: usize = 3;

/// Bytes of an HTTP/2 head after decompression; as for HTTP/1.
const HTTP2_HEAD: u32 = 32 * 1024;
/// Bytes all streams of an HTTP/2 connection may have under way.
const HTTP2_WINDOW: u32 = 1024 * 1024;
/// Bytes of an answer that one HTTP/2 stream holds for a client that does not take them.
const HTTP2_UNSENT: usize = 64 * 1024;

/// What is served, and how it ends.
pub struct Serving {
    pub bound: Vec<Bound>,
    pub gateway: Arc<Gateway>,
    /// Threads that serve requests; one per core is right.
    pub threads: usize,
    /// How long running requests may take once told to stop.
    pub grace: Duration,
    pub stop: watch::Receiver<Stop>,
    pub signals: Signals,
}

/// What the running server is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stop {
    #[default]
    Run,
    /// Accept nothing more, finish what runs.
    Drain,
    Now,
}

/// Whether the process's signals are ours.
#[derive(Clone)]
pub enum Signals {
    /// SIGTERM drains, SIGINT stops at once, SIGHUP calls the function, SIGUSR1 opens the access log anew.
    Handled { reload: Arc<dyn Fn() + Send + Sync> },
    /// Somebody else's; only [`Serving::stop`] counts.
    Ignored,
}

/// How serving ended. All of them are success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// No connection was left.
    Drained,
    /// The grace time was over; what still ran was cut.
    GraceOver,
    AtOnce,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the gateway has no entry point `{name}`")]
    UnknownEntryPoint { name: String },
    #[error("entry point `{name}` cannot be given one more accept loop")]
    Socket { name: String, source: io::Error },
    #[error("TLS cannot be set up")]
    Tls { source: rustls::Error },
}

/// Makes ring the process's cryptography. First thing in `main`; a second call changes nothing.
pub fn install_cryptography() {
    if CryptoProvider::get_default().is_none() && ring::default_provider().install_default().is_err() {
        tracing::debug!("another thread installed the cryptography first");
    }
}

/// Serves until stopped. Blocks, on a thread without a tokio runtime.
///
/// # Errors
/// Before anything is served.
pub fn serve(serving: Serving) -> Result<Ended, ServeError> {
    install_cryptography();
    // One service per thread, each with a runtime of its own: nothing is stolen, and a connection with
    // all its tasks stays where it was accepted. (pingora's own pool without stealing remembers its
    // handles by thread id beyond the pool's end, which breaks a second server in one process.)
    let conf = ServerConf {
        threads: 1,
        work_stealing: true,
        upstream_keepalive_pool_size: UPSTREAM_POOL,
        max_retries: MOST_TRIES,
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    let (drain, draining) = watch::channel(false);
    let (alive, last) = mpsc::channel(1);
    let (ended, outcome) = watch::channel(Ended::AtOnce);
    let common = Common::new(&serving, server.configuration.clone(), alive)?;
    for _ in 0..serving.threads.max(1) {
        let entrances = serving.bound.iter().map(|bound| common.entrance(bound)).collect::<Result<_, _>>()?;
        server.add_service(Entrances { entrances, draining: draining.clone() });
    }
    // What is left of the sockets belongs to the services now.
    drop((common, serving.bound));
    let shutdown = Shutdown {
        gateway: serving.gateway,
        drain,
        last: Mutex::new(last),
        stop: serving.stop,
        signals: serving.signals,
        grace: serving.grace,
        ended,
    };
    server.run(RunArgs { shutdown_signal: Box::new(shutdown) });
    let outcome = *outcome.borrow();
    Ok(outcome)
}

type App = pingora::proxy::HttpProxy<Proxy>;

/// What all threads' entrances share.
struct Common {
    gateway: Arc<Gateway>,
    conf: Arc<ServerConf>,
    tls: Arc<rustls::ServerConfig>,
    limits: Limits,
    alive: mpsc::Sender<()>,
}

impl Common {
    fn new(serving: &Serving, conf: Arc<ServerConf>, alive: mpsc::Sender<()>) -> Result<Self, ServeError> {
        let gateway = serving.gateway.clone();
        let tls = server_config(gateway.clone()).map_err(|source| ServeError::Tls { source })?;
        Ok(Self { gateway, conf, tls, limits: Limits::default(), alive })
    }

    fn entrance(&self, bound: &Bound) -> Result<Entrance<App>, ServeError> {
        let name = &bound.entry_point.name;
        let unknown = || ServeError::UnknownEntryPoint { name: name.clone() };
        let place = self.gateway.place(name).ok_or_else(unknown)?;
        let proxy = self.gateway.proxy(name).ok_or_else(unknown)?;
        let socket = |source| ServeError::Socket { name: name.clone(), source };
        Ok(Entrance {
            bound: bound.shared().map_err(socket)?,
            app: Arc::new(application(&self.conf, proxy, bound.entry_point.timeouts.idle)),
            tls: self.tls.clone(),
            limits: self.limits.clone(),
            open: self.gateway.open_connections(name),
            notice: notice(self.gateway.clone(), name),
            admits: admits(self.gateway.clone(), place),
            alive: self.alive.clone(),
        })
    }
}

fn notice(gateway: Arc<Gateway>, entry_point: &str) -> Notice {
    let entry_point: Arc<str> = entry_point.into();
    Arc::new(move |refused| match *refused {
        Refused::Connection { peer, why } => gateway.connection_refused(&entry_point, peer, why.word()),
        Refused::Request { peer, status, reason } => {
            gateway.request_refused(&entry_point, peer, status, reason);
        }
    })
}

fn admits(gateway: Arc<Gateway>, place: usize) -> Admits {
    Arc::new(move |peer| gateway.admits(place, peer))
}

fn application(conf: &Arc<ServerConf>, proxy: Proxy, idle: Duration) -> App {
    let mut app = pingora::proxy::http_proxy(conf, proxy);
    let mut options = HttpServerOptions::default();
    options.h2_idle_timeout = Some(idle);
    // Not that CONNECT is allowed: pingora's own refusal would tell its name, so the gateway refuses.
    options.allow_connect_method_proxying = true;
    app.server_options = Some(options);
    // Starts from pingora's own, which hold the number of streams and of reset ones.
    let mut http2 = default_h2_options();
    http2
        .max_header_list_size(HTTP2_HEAD)
        .initial_connection_window_size(HTTP2_WINDOW)
        .max_send_buffer_size(HTTP2_UNSENT);
    app.h2_options = Some(http2);
    app
}

/// All entry points on one thread.
struct Entrances {
    entrances: Vec<Entrance<App>>,
    draining: ShutdownWatch,
}

#[async_trait]
impl Service for Entrances {
    async fn start_service(&mut self, _fds: Option<ListenFds>, _shutdown: ShutdownWatch, _per_fd: usize) {
        let serve = |entrance: Entrance<App>| tokio::spawn(entrance.serve(self.draining.clone()));
        let loops: Vec<_> = std::mem::take(&mut self.entrances).into_iter().map(serve).collect();
        for accepting in loops {
            match accepting.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "an entry point cannot be served"),
                Err(error) => tracing::error!(%error, "an entry point's accept loop ended"),
            }
        }
    }

    fn name(&self) -> &str {
        "gateway"
    }
}

/// Waits for the end and drains; pingora only learns when everything is over.
struct Shutdown {
    gateway: Arc<Gateway>,
    drain: watch::Sender<bool>,
    last: Mutex<mpsc::Receiver<()>>,
    stop: watch::Receiver<Stop>,
    signals: Signals,
    grace: Duration,
    ended: watch::Sender<Ended>,
}

#[async_trait]
impl ShutdownSignalWatch for Shutdown {
    async fn recv(&self) -> ShutdownSignal {
        let mut orders = Orders::new(&self.signals, self.stop.clone(), self.gateway.clone());
        let ended = match orders.next().await {
            Stop::Drain => self.drain(&mut orders).await,
            Stop::Run | Stop::Now => Ended::AtOnce,
        };
        self.ended.send_replace(ended);
        ShutdownSignal::FastShutdown
    }
}

impl Shutdown {
    async fn drain(&self, orders: &mut Orders) -> Ended {
        tracing::info!(grace_seconds = self.grace.as_secs(), "draining");
        self.gateway.drain();
        self.drain.send_replace(true);
        let mut last = self.last.lock().await;
        tokio::select! {
            drained = timeout(self.grace, last.recv()) => match drained {
                Ok(_) => Ended::Drained,
                Err(_) => Ended::GraceOver,
            },
            () = orders.now() => Ended::AtOnce,
        }
    }
}

/// What signals and the stop channel say, as one sequence.
struct Orders {
    stop: watch::Receiver<Stop>,
    signals: Option<Caught>,
    gateway: Arc<Gateway>,
}

struct Caught {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    rotated: Signal,
    reload: Arc<dyn Fn() + Send + Sync>,
}

impl Orders {
    fn new(signals: &Signals, stop: watch::Receiver<Stop>, gateway: Arc<Gateway>) -> Self {
        let signals = match signals {
            Signals::Ignored => None,
            Signals::Handled { reload } => Some(Caught {
                terminate: caught(SignalKind::terminate()),
                interrupt: caught(SignalKind::interrupt()),
                hang_up: caught(SignalKind::hangup()),
                rotated: caught(SignalKind::user_defined1()),
                reload: reload.clone(),
            }),
        };
        Self { stop, signals, gateway }
    }

    async fn next(&mut self) -> Stop {
        let ending = |stop| stop != Stop::Run;
        let Some(caught) = &mut self.signals else { return told(&mut self.stop, ending).await };
        loop {
            tokio::select! {
                stop = told(&mut self.stop, ending) => return stop,
                _ = caught.terminate.recv() => return Stop::Drain,
                _ = caught.interrupt.recv() => return Stop::Now,
                _ = caught.rotated.recv() => self.gateway.reopen_access_log(),
                _ = caught.hang_up.recv() => {
                    let reload = caught.reload.clone();
                    tokio::task::spawn_blocking(move || reload());
                }
            }
        }
    }

    /// Ready once it has to end at once.
    async fn now(&mut self) {
        let told = told(&mut self.stop, |stop| stop == Stop::Now);
        match &mut self.signals {
            None => {
                told.await;
            }
            Some(caught) => tokio::select! {
                _ = told => {}
                _ = caught.interrupt.recv() => {}
            },
        }
    }
}

/// A sender that is gone can stop nothing any more; signals still can.
async fn told(stop: &mut watch::Receiver<Stop>, wanted: fn(Stop) -> bool) -> Stop {
    let told = stop.wait_for(|&stop| wanted(stop)).await.map(|stop| *stop);
    match told {
        Ok(stop) => stop,
        Err(_) => std::future::pending().await,
    }
}

fn caught(kind: SignalKind) -> Signal {
    signal(kind).expect("the operating system lets a process catch its signals")
}
