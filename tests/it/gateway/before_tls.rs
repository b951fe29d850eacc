//! Connections that cannot get anywhere are closed before the handshake; slow ones end.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use ipnet::IpNet;
use mintgate::app::serve::Ended;
use mintgate::middleware::Middleware;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::client::Client;
use super::start::{Plan, Started, named, router, routes, service};
use super::tls::{connect, pki, stopped};
use super::upstream::Upstream;

/// Lets everybody pass who gets that far.
struct List([IpNet; 1]);

impl Middleware for List {
    fn admitted(&self) -> Option<&[IpNet]> {
        Some(&self.0)
    }
}

/// What is answered to a hello that is none: an alert, unless the connection is closed before.
fn alert(gateway: &Started) -> Vec<u8> {
    let mut client = Client::to(gateway.address);
    client.send([22, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
    client.rest()
}

#[test]
fn the_lists_of_the_moment_decide() {
    let upstream = Upstream::echo();
    let rules = |networks: &[&str], tls: bool| {
        let routers = networks.iter().map(|network| {
            let mut router = router("PathPrefix(`/`)");
            router.tls = tls;
            router.middlewares = vec![named("list", List([network.parse().expect("a network")]))];
            router
        });
        routes(routers.collect(), vec![service(&[upstream.address])])
    };
    // No pages of its own, which are for everybody.
    let plan = || Plan { own_pages: false, ..Plan::default() };
    let gateway = Started::with(plan(), rules(&["192.0.2.0/24"], true));
    let closed = |gateway: &Started| {
        let mut stream = std::net::TcpStream::connect(gateway.address).expect("it listens");
        // The close may overtake what is sent.
        let sent = stream.write_all(&[22, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
        let mut answer = Vec::new();
        sent.and_then(|()| stream.read_to_end(&mut answer)).is_err() || answer.is_empty()
    };
    assert!(closed(&gateway));
    gateway.gateway.replace(rules(&["192.0.2.0/24", "127.0.0.0/8"], true), None);
    assert_eq!(alert(&gateway).first(), Some(&21), "one of the lists has it");
    gateway.gateway.replace(rules(&["192.0.2.0/24"], false), None);
    assert_eq!(
        Client::to(gateway.address).ask("GET /", &[]).status,
        200,
        "in plain each router answers for itself"
    );
    gateway.gateway.replace(rules(&["192.0.2.0/24"], true), None);
    assert!(closed(&gateway));
}

#[test]
fn a_handshake_that_stands_still_ends() {
    let upstream = Upstream::echo();
    let plan = Plan { head_deadline: Duration::from_millis(300), ..Plan::default() };
    let gateway = Started::with(plan, pki(&upstream).routes);
    let mut client = Client::to(gateway.address);
    client.send([22, 3, 1]);
    assert!(client.rest().is_empty());
}

#[tokio::test]
async fn a_dripped_head_has_one_deadline_within_tls_too() {
    let upstream = Upstream::echo();
    let pki = pki(&upstream);
    let plan = Plan { head_deadline: Duration::from_millis(500), ..Plan::default() };
    let gateway = Started::with(plan, pki.routes);
    let mut stream = connect(gateway.address, &pki.roots, "a.example", "http/1.1").await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a.example\r\n").await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("closed in good order");
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(upstream.requests(), 0);
    stopped(gateway).await;
}

/// Until the gateway closes; whether it says farewell does not matter.
async fn until_closed(mut stream: TlsStream<TcpStream>) {
    let mut rest = Vec::new();
    let closed = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    drop(closed.expect("the gateway closes in time"));
}

#[tokio::test]
async fn http2_that_is_agreed_on_and_not_spoken_ends() {
    let upstream = Upstream::echo();
    let pki = pki(&upstream);
    let plan = Plan { head_deadline: Duration::from_millis(500), ..Plan::default() };
    let gateway = Started::with(plan, pki.routes);
    for said in [&b""[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r", b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"] {
        let mut stream = connect(gateway.address, &pki.roots, "a.example", "h2").await;
        stream.write_all(said).await.expect("sent");
        until_closed(stream).await;
    }
    stopped(gateway).await;
}

#[tokio::test]
async fn http2_that_has_not_begun_is_not_waited_for_when_draining() {
    let upstream = Upstream::echo();
    let pki = pki(&upstream);
    // Shorter than the preface may take, which would end the silence too.
    let plan = Plan { grace: Duration::from_secs(5), ..Plan::default() };
    let gateway = Started::with(plan, pki.routes);
    let stream = connect(gateway.address, &pki.roots, "a.example", "h2").await;
    gateway.drain();
    until_closed(stream).await;
    let ended = tokio::task::spawn_blocking(move || gateway.ended()).await.expect("ended");
    assert_eq!(ended, Ended::Drained);
}
