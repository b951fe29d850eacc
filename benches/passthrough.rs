//! What the gateway costs beside a bare pingora passthrough. One role per process, chosen by the first
//! argument, so that `compare.sh` can read each one's CPU time:
//!
//! - `upstream PORT`: answers every request with 1 KiB,
//! - `bare PORT UPSTREAM_PORT`: pingora and nothing else,
//! - `gateway PORT UPSTREAM_PORT`: the gateway with one router for everything.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mintgate::app::serve::{Serving, Signals, Stop, serve};
use mintgate::base::clock::SystemClock;
use mintgate::config::{EntryPoint, EntryTimeouts, Router, Routes, Server, Service};
use mintgate::entry::bind::bind;
use mintgate::gateway::upstream::UpstreamTimeouts;
use mintgate::gateway::{Gateway, Parts};
use mintgate::rule::Rule;
use mintgate::web::client_address::Trusted;
use mintgate::web::exchange::Scheme;
use pingora::proxy::{ProxyHttp, Session, http_proxy_service};
use pingora::server::configuration::ServerConf;
use pingora::upstreams::peer::HttpPeer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let role = arguments.next();
    let mut port = || arguments.next().and_then(|text| text.parse::<u16>().ok());
    match (role.as_deref(), port(), port()) {
        (Some("upstream"), Some(at), None) => upstream(local(at)),
        (Some("bare"), Some(at), Some(to)) => bare(local(at), local(to)),
        (Some("gateway"), Some(at), Some(to)) => gateway(local(at), local(to)),
        _ => println!("usage: upstream PORT | bare PORT UPSTREAM_PORT | gateway PORT UPSTREAM_PORT"),
    }
}

fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn upstream(at: SocketAddr) {
    let body = "x".repeat(1024);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer: Arc<[u8]> = answer.into_bytes().into();
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let listener = TcpListener::bind(at).await.expect("a free port");
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_all(stream, answer.clone()));
        }
    });
}

/// Heads from pingora arrive whole, so one read is one request.
async fn answer_all(mut stream: TcpStream, answer: Arc<[u8]>) {
    let mut head = [0; 8192];
    while let Ok(1..) = stream.read(&mut head).await {
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

struct Bare(SocketAddr);

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.0, false, String::new())))
    }
}

fn bare(at: SocketAddr, to: SocketAddr) {
    mintgate::app::serve::install_cryptography();
    let conf = ServerConf { threads: threads(), ..ServerConf::default() };
    let mut server = pingora::server::Server::new_with_opt_and_conf(None, conf);
    let mut service = http_proxy_service(&server.configuration, Bare(to));
    service.add_tcp(&at.to_string());
    server.add_service(service);
    server.bootstrap();
    server.run_forever();
}

fn gateway(at: SocketAddr, to: SocketAddr) {
    let control = tokio::runtime::Runtime::new().expect("a runtime");
    let bound = bind(vec![entry_point(at)]).expect("a free port");
    let parts = Parts {
        entry_points: vec![entry_point(at)],
        ping: None,
        metrics: None,
        locales: Vec::new(),
        access_log: None,
        console: None,
        mail_files: None,
        mail_hooks: None,
        control: control.handle().clone(),
        registry: Arc::new(Mutex::default()),
        on_desk_write: None,
        on_rights_change: None,
        default_certificate: None,
        upstream: UpstreamTimeouts::default(),
        clock: Arc::new(SystemClock),
    };
    let gateway = Gateway::new(parts, routes(to));
    let (_stop, stop) = watch::channel(Stop::Run);
    let reload: Arc<dyn Fn() + Send + Sync> = Arc::new(|| {});
    let signals = Signals::Handled { reload };
    let grace = Duration::from_secs(1);
    let serving = Serving { bound, gateway, threads: threads(), grace, stop, signals };
    println!("{:?}", serve(serving).expect("the gateway starts"));
}

fn entry_point(address: SocketAddr) -> EntryPoint {
    let (read, idle) = (Duration::from_secs(10), Duration::from_secs(60));
    EntryPoint {
        name: "web".to_owned(),
        address,
        tls: false,
        redirect: None,
        trusted: Trusted::Nobody,
        proxy_header: None,
        timeouts: EntryTimeouts { read, write: None, idle, grace: Duration::from_secs(1) },
        middlewares: Vec::new(),
        default: true,
    }
}

fn routes(to: SocketAddr) -> Routes {
    let rule = Rule::parse("PathPrefix(`/`)").expect("a rule");
    let everything = Router {
        name: "everything".to_owned(),
        entry_points: vec!["web".to_owned()],
        tls: false,
        rule,
        priority: 1,
        middlewares: Vec::new(),
        service: 0,
        desk: true,
        upgrade: false,
    };
    let server = Server { scheme: Scheme::Http, host: to.ip().to_string(), port: to.port() };
    let service = Service { name: "upstream".to_owned(), servers: vec![server], pass_host: true };
    Routes {
        routers: vec![everything],
        services: vec![service],
        certificates: Vec::new(),
        files: Vec::new(),
        warnings: Vec::new(),
    }
}
