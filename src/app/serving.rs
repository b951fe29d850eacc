//! From a start-up file to a serving process: binds first, opens the store, starts the worker, serves.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use futures_util::future::join_all;
use prometheus_client::registry::Registry;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{info, warn};

use super::installation::{self, Installation};
use super::reload::Reload;
use super::serve::{Ended, ServeError, Serving, Signals, Stop, serve as serve_bound};
use super::supervise::keep_going;
use super::{certificate, console};
use crate::base::clock::SystemClock;
use crate::base::journal::Journal;
use crate::config::{Routes, StartUp};
use crate::entry::bind::{Bound, bind};
use crate::gateway::log::AccessLog;
use crate::gateway::upstream::UpstreamTimeouts;
use crate::gateway::{Gateway, Parts};
use crate::store::chronicle;
use crate::web::local::LocalService;
use crate::worker::{Hooks, Worker};

/// Threads for what is not the request path: console, worker, calls to other servers.
const CONTROL_THREADS: usize = 2;
/// What the step at hand of worker and token keeper may take once requests are done. A step that is cut off is
/// found again by the next process, which has to wait and to search for it.
const REST: Duration = Duration::from_secs(9);
/// What is left then has a moment more.
const CUT: Duration = Duration::from_secs(1);

/// Serves until a signal ends it.
pub(super) fn serve(start_up: StartUp, journal: Journal) -> anyhow::Result<ExitCode> {
    start(start_up, journal)?.wait()
}

/// A process that serves.
pub(super) struct Running {
    stop: watch::Sender<Stop>,
    rest: watch::Sender<bool>,
    serving: thread::JoinHandle<Result<Ended, ServeError>>,
    /// Token keeper and worker.
    background: Vec<JoinHandle<()>>,
    control: Runtime,
}

impl Running {
    /// Ends it without waiting for running requests.
    pub(super) fn stop(self) -> anyhow::Result<ExitCode> {
        self.stop.send_replace(Stop::Now);
        self.wait()
    }

    /// Returns once it has ended.
    pub(super) fn wait(self) -> anyhow::Result<ExitCode> {
        let ended = self.serving.join().map_err(|_| anyhow!("the serving thread broke down"))??;
        self.rest.send_replace(true);
        let rested = self.control.block_on(async { timeout(REST, join_all(self.background)).await });
        if rested.is_err() {
            warn!("a step of the mail worker is cut off; the next start looks for what became of it");
        }
        self.control.shutdown_timeout(CUT);
        info!(how = ?ended, "stopped");
        Ok(ExitCode::SUCCESS)
    }
}

/// Starts everything; an error means that nothing is served.
pub(super) fn start(start_up: StartUp, journal: Journal) -> anyhow::Result<Running> {
    for warning in &start_up.warnings {
        warn!("{warning}");
    }
    let control = Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()
        .context("no runtime")?;
    let (stop, stopping) = watch::channel(Stop::Run);
    obey_while_starting(&control, stop.clone())?;
    // Rules that are wrong end the start before anything is bound, made or opened.
    let before = installation::middleware_parts(&start_up, control.handle())?;
    Routes::load(&start_up, &before, installation::now())?;
    let bound = bind(start_up.entry_points.clone())?;
    let installation = control.block_on(Installation::open(&start_up, control.handle()))?;
    let routes = Routes::load(&start_up, &installation.parts, installation::now())?;
    let (rest, resting) = watch::channel(false);
    let files = routes.files.clone();
    chronicle::follow(&installation.parts.audit, installation.store.clone(), control.handle());
    let console = console::console(&start_up, &installation, journal, control.handle());
    let worker = installation.worker(&start_up);
    let gateway = gateway(&start_up, &installation, console, &bound, routes, worker.as_ref(), &control)?;
    let background = start_background(&installation, worker, &control, &resting);
    let start_up = Arc::new(start_up);
    let reload = Arc::new(Reload::new(start_up.clone(), installation.parts, gateway.clone()));
    reload.clone().watch(&files, control.handle(), resting)?;
    let serving = Serving {
        grace: start_up.entry_points.iter().map(|point| point.timeouts.grace).max().unwrap_or_default(),
        threads: thread::available_parallelism().map_or(1, usize::from),
        stop: stopping,
        signals: Signals::Handled { reload: Arc::new(move || reload.now()) },
        bound,
        gateway,
    };
    for entry_point in &start_up.entry_points {
        info!(name = entry_point.name, address = %entry_point.address, tls = entry_point.tls, "listening");
    }
    let serving = thread::Builder::new().name("serve".to_owned()).spawn(move || serve_bound(serving))?;
    Ok(Running { stop, rest, serving, background, control })
}

/// Signals by which the process would end by default. Once caught they stay caught, and serving listens to
/// them later. The rules are about to be read anyway, and the access log to be opened; what is to end ends as
/// soon as everything stands, in good order.
fn obey_while_starting(control: &Runtime, stop: watch::Sender<Stop>) -> anyhow::Result<()> {
    let _entered = control.enter();
    for kind in [SignalKind::hangup(), SignalKind::user_defined1()] {
        drop(signal(kind).context("a signal cannot be caught")?);
    }
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be caught")?;
    control.spawn(async move {
        let told = tokio::select! {
            _ = terminate.recv() => Stop::Drain,
            _ = interrupt.recv() => Stop::Now,
        };
        stop.send_replace(told);
    });
    Ok(())
}

fn start_background(
    installation: &Installation,
    worker: Option<Arc<Worker>>,
    control: &Runtime,
    resting: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let (keeper, rests) = (installation.keeper.clone(), resting.clone());
    let work = move || keeper.clone().run(rests.clone());
    let mut background = vec![control.spawn(keep_going("token keeper", work, resting.clone()))];
    match worker {
        Some(worker) => {
            let rests = resting.clone();
            let work = move || worker.clone().run(rests.clone());
            background.push(control.spawn(keep_going("mail worker", work, resting.clone())));
        }
        None => info!("mail is off"),
    }
    background
}

fn gateway(
    start_up: &StartUp,
    installation: &Installation,
    console: Option<Arc<dyn LocalService>>,
    bound: &[Bound],
    routes: Routes,
    worker: Option<&Arc<Worker>>,
    control: &Runtime,
) -> anyhow::Result<Arc<Gateway>> {
    for warning in &routes.warnings {
        warn!("{warning}");
    }
    let access_log = start_up.access_log.as_ref().map(AccessLog::open).transpose();
    let admins = installation.parts.admins.clone();
    let mut registry = Registry::default();
    installation.parts.audit.register(&mut registry);
    let help = "Set-Cookie lines of upstreams that nobody could read";
    registry.register("mintgate_cookies_dropped", help, installation.parts.dropped_cookies.clone());
    installation.meters.register(&mut registry);
    installation.keeper.meters().register(&mut registry);
    let parts = Parts {
        entry_points: bound.iter().map(|bound| bound.entry_point.clone()).collect(),
        ping: start_up.ping.clone(),
        metrics: start_up.metrics.clone(),
        locales: start_up.desk.locales.clone(),
        access_log: access_log.context("the access log cannot be opened")?,
        mail_files: Some(console::mail_files(start_up, installation)),
        mail_hooks: worker.map(|worker| Arc::new(Hooks::new(worker.clone())) as _),
        console,
        control: control.handle().clone(),
        registry: Arc::new(Mutex::new(registry)),
        on_desk_write: Some(installation.wake.clone()),
        on_rights_change: Some(Arc::new(move || admins.invalidate_all())),
        default_certificate: certificate::default(start_up, &routes)?,
        upstream: UpstreamTimeouts::default(),
        clock: Arc::new(SystemClock),
    };
    Ok(Gateway::new(parts, routes))
}
