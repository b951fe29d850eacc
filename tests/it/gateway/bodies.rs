//! Bodies of requests that the gateway answers itself: they end, and they do not fill the memory.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use mintgate::config::Router;
use mintgate::middleware::{Decision, Middleware, Verdict};
use mintgate::web::exchange::Exchange;
use mintgate::web::head::RequestHead;
use mintgate::web::local::LocalService;
use tokio::sync::Semaphore;

use super::client::Client;
use super::start::{Plan, Started, named, router, routes, service};
use super::tls::{connect, pki, read, stopped};
use super::upstream::Upstream;

const HOOK: &str = "/mail-hooks/graph/m1";
/// The largest body a hook may have.
const LARGE: usize = 128 * 1024;
/// So many of these fill one client's part of the room.
const FULL: usize = 64;

/// Says how much it heard; before that it tells that it has a body, and waits until it may go on.
struct Slow {
    heard: Mutex<Sender<usize>>,
    may_go_on: Arc<Semaphore>,
}

impl Slow {
    fn new() -> (Arc<Self>, Receiver<usize>, Arc<Semaphore>) {
        let (heard, was_heard) = channel();
        let may_go_on = Arc::new(Semaphore::new(0));
        (Arc::new(Self { heard: Mutex::new(heard), may_go_on: may_go_on.clone() }), was_heard, may_go_on)
    }
}

#[async_trait]
impl LocalService for Slow {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let length = request.body().len();
        self.heard.lock().expect("not poisoned").send(length).expect("the test listens");
        let turn = self.may_go_on.acquire().await.expect("never closed");
        drop(turn);
        Response::new(Bytes::from(format!("heard {length} bytes")))
    }
}

struct Heard;

#[async_trait]
impl LocalService for Heard {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        Response::new(Bytes::from(format!("heard {} bytes", request.body().len())))
    }
}

/// Has every request answered in the upstream's place, as the shield has sign-ins.
struct Instead;

impl Middleware for Instead {
    fn request(&self, _: &Exchange, _: &mut dyn RequestHead) -> Verdict {
        Verdict::Now(Decision::PassTo { service: Arc::new(Heard), authorization: None })
    }
}

fn desk() -> Router {
    let mut desk = router("PathPrefix(`/`)");
    desk.desk = true;
    desk
}

fn started(plan: Plan, upstream: &Upstream) -> Started {
    Started::with(plan, routes(vec![desk()], vec![service(&[upstream.address])]))
}

fn begin(client: &mut Client, path: &str, length: usize) {
    client.send(format!("POST {path} HTTP/1.1\r\nHost: desk.example\r\nContent-Length: {length}\r\n\r\n"));
}

#[tokio::test]
async fn a_body_over_http2_that_never_ends_has_a_deadline() {
    let upstream = Upstream::echo();
    let mut pki = pki(&upstream);
    pki.routes.routers[0].desk = true;
    let plan = Plan {
        mail_hooks: Some(Arc::new(Heard)),
        head_deadline: Duration::from_millis(500),
        ..Plan::default()
    };
    let gateway = Started::with(plan, pki.routes);
    let stream = connect(gateway.address, &pki.roots, "a.example", "h2").await;
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let driven = tokio::spawn(connection);
    let mut client = client.ready().await.expect("ready");
    let post = Request::post(format!("https://a.example{HOOK}")).body(()).expect("a request");
    let (response, mut body) = client.send_request(post, false).expect("sent");
    body.send_data(Bytes::from_static(b"half of"), false).expect("sent");
    let answer = tokio::time::timeout(Duration::from_secs(20), read(response)).await;
    let (status, text) = answer.expect("an answer in time");
    assert_eq!((status, text.as_str()), (408, "The request took too long.\n"));
    driven.abort();
    stopped(gateway).await;
}

#[test]
fn a_body_over_http1_that_never_ends_closes_its_connection() {
    let upstream = Upstream::echo();
    let plan = Plan {
        mail_hooks: Some(Arc::new(Heard)),
        head_deadline: Duration::from_millis(300),
        ..Plan::default()
    };
    let gateway = started(plan, &upstream);
    let mut client = Client::to(gateway.address);
    begin(&mut client, HOOK, 100);
    client.send("half of");
    let answer = String::from_utf8_lossy(&client.rest()).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn nobodys_files_are_uploaded_and_the_method_is_refused_at_once() {
    let upstream = Upstream::echo();
    let plan = Plan { mail_files: Some(Arc::new(Heard)), ..Plan::default() };
    let gateway = started(plan, &upstream);
    let mut client = Client::to(gateway.address);
    begin(&mut client, "/mail-files/1", 1_000_000);
    client.send(vec![b'x'; 1000]);
    let answer = client.response(false);
    assert_eq!((answer.text().as_str(), answer.header("connection")), ("heard 0 bytes", Some("close")));
}

#[test]
fn what_is_asked_of_the_desk_in_between_is_small() {
    let upstream = Upstream::echo();
    let mut everything = router("PathPrefix(`/`)");
    everything.middlewares = vec![named("instead", Instead)];
    let gateway = Started::new(routes(vec![everything], vec![service(&[upstream.address])]));
    for (length, status) in [(16 * 1024, 200), (16 * 1024 + 1, 413)] {
        let mut client = Client::to(gateway.address);
        begin(&mut client, "/api/v1/auth/login", length);
        client.send(vec![b'x'; length]);
        assert_eq!(client.response(false).status, status, "{length}");
    }
}

#[test]
fn one_client_cannot_fill_the_memory_with_bodies() {
    let upstream = Upstream::echo();
    let (slow, was_heard, may_go_on) = Slow::new();
    let gateway = started(Plan { mail_hooks: Some(slow), ..Plan::default() }, &upstream);
    let post = |length: usize| {
        let mut client = Client::to(gateway.address);
        begin(&mut client, HOOK, length);
        client.send(vec![b'x'; length]);
        client
    };
    let mut held: Vec<_> = (0..FULL).map(|_| post(LARGE)).collect();
    for _ in 0..FULL {
        was_heard.recv_timeout(Duration::from_secs(20)).expect("a whole body");
    }
    let refused = post(1).response(false);
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    may_go_on.add_permits(FULL);
    assert!(held.iter_mut().all(|client| client.response(false).status == 200));
    assert_eq!(post(1).response(false).text(), "heard 1 bytes");
}
