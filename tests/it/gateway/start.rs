//! A whole gateway in this process: own threads, own ports, ended with the value.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use mintgate::app::serve::{Ended, Serving, Signals, Stop, serve};
use mintgate::base::clock::SystemClock;
use mintgate::base::wake::Wake;
use mintgate::config::{
    EntryPoint, EntryTimeouts, NamedMiddleware, Redirection, Router, Routes, Server, Service,
};
use mintgate::entry::bind::bind;
use mintgate::gateway::log::AccessLog;
use mintgate::gateway::upstream::UpstreamTimeouts;
use mintgate::gateway::{Flush, Gateway, Parts};
use mintgate::middleware::Middleware;
use mintgate::rule::Rule;
use mintgate::web::client_address::Trusted;
use mintgate::web::exchange::Scheme;
use mintgate::web::local::LocalService;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What is unusual about a gateway under test.
pub struct Plan {
    pub trusted: Trusted,
    pub proxy_header: Option<Trusted>,
    pub redirect: Option<Redirection>,
    pub head_deadline: Duration,
    pub idle: Duration,
    pub grace: Duration,
    pub upstream: UpstreamTimeouts,
    pub console: Option<Arc<dyn LocalService>>,
    pub mail_files: Option<Arc<dyn LocalService>>,
    pub mail_hooks: Option<Arc<dyn LocalService>>,
    pub on_desk_write: Option<Wake>,
    pub on_rights_change: Option<Flush>,
    pub access_log: Option<AccessLog>,
    /// `/ping` and `/metrics` are answered.
    pub own_pages: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            trusted: Trusted::Nobody,
            proxy_header: None,
            redirect: None,
            head_deadline: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            grace: Duration::from_secs(10),
            upstream: UpstreamTimeouts::default(),
            console: None,
            mail_files: None,
            mail_hooks: None,
            on_desk_write: None,
            on_rights_change: None,
            access_log: None,
            own_pages: true,
        }
    }
}

/// A running gateway with one entry point `web`.
pub struct Started {
    pub address: SocketAddr,
    pub gateway: Arc<Gateway>,
    stop: watch::Sender<Stop>,
    thread: Option<JoinHandle<Ended>>,
    _control: Runtime,
}

impl Started {
    pub fn new(routes: Routes) -> Self {
        Self::with(Plan::default(), routes)
    }

    pub fn with(plan: Plan, routes: Routes) -> Self {
        let bound = bind(vec![entry_point(&plan)]).expect("loopback has a free port");
        let address = bound[0].address;
        let control = Runtime::new().expect("a runtime");
        let parts = Parts {
            entry_points: bound.iter().map(|bound| bound.entry_point.clone()).collect(),
            ping: plan.own_pages.then(|| "web".to_owned()),
            metrics: plan.own_pages.then(|| "web".to_owned()),
            locales: vec!["de".into(), "en".into()],
            access_log: plan.access_log,
            console: plan.console,
            mail_files: plan.mail_files,
            mail_hooks: plan.mail_hooks,
            control: control.handle().clone(),
            registry: Arc::new(Mutex::default()),
            on_desk_write: plan.on_desk_write,
            on_rights_change: plan.on_rights_change,
            default_certificate: None,
            upstream: plan.upstream,
            clock: Arc::new(SystemClock),
        };
        let gateway = Gateway::new(parts, routes);
        let (stop, told) = watch::channel(Stop::Run);
        let serving = Serving {
            bound,
            gateway: gateway.clone(),
            threads: 2,
            grace: plan.grace,
            stop: told,
            signals: Signals::Ignored,
        };
        let thread = std::thread::spawn(move || serve(serving).expect("the gateway starts"));
        Self { address, gateway, stop, thread: Some(thread), _control: control }
    }

    /// As SIGTERM does.
    pub fn drain(&self) {
        self.stop.send_replace(Stop::Drain);
    }

    /// How it ended, once it has.
    pub fn ended(mut self) -> Ended {
        let thread = self.thread.take().expect("ended once");
        thread.join().expect("the gateway does not panic")
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.stop.send_replace(Stop::Now);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the gateway panicked");
        }
    }
}

fn entry_point(plan: &Plan) -> EntryPoint {
    EntryPoint {
        name: "web".to_owned(),
        address: ([127, 0, 0, 1], 0).into(),
        tls: false,
        redirect: plan.redirect.clone(),
        trusted: plan.trusted.clone(),
        proxy_header: plan.proxy_header.clone(),
        timeouts: EntryTimeouts { read: plan.head_deadline, write: None, idle: plan.idle, grace: plan.grace },
        middlewares: Vec::new(),
        default: true,
    }
}

/// Everything to one server.
pub fn everything_to(server: SocketAddr) -> Routes {
    routes(vec![router("PathPrefix(`/`)")], vec![service(&[server])])
}

pub fn routes(routers: Vec<Router>, services: Vec<Service>) -> Routes {
    Routes { routers, services, certificates: Vec::new(), files: Vec::new(), warnings: Vec::new() }
}

/// A plain router of `web` to the first service, which is not the desk.
pub fn router(rule: &str) -> Router {
    let rule = Rule::parse(rule).expect("a rule");
    Router {
        name: rule.text().to_owned(),
        entry_points: vec!["web".to_owned()],
        tls: false,
        priority: rule.default_priority(),
        rule,
        middlewares: Vec::new(),
        service: 0,
        desk: false,
        upgrade: false,
    }
}

pub fn service(servers: &[SocketAddr]) -> Service {
    let server = |address: &SocketAddr| Server {
        scheme: Scheme::Http,
        host: address.ip().to_string(),
        port: address.port(),
    };
    Service { name: "upstream".to_owned(), servers: servers.iter().map(server).collect(), pass_host: true }
}

pub fn named(name: &str, runs: impl Middleware + 'static) -> NamedMiddleware {
    NamedMiddleware { name: name.into(), runs: Arc::new(runs) }
}
