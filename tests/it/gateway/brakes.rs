//! Requests that are counted, on real connections: whatever ends one, its place is free again.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use mintgate::config::NamedMiddleware;

use super::client::Client;
use super::start::{Started, router, routes, service};
use super::upstream::Upstream;
use crate::support::shield::middleware;

const PATIENCE: Duration = Duration::from_secs(20);

fn counted(yaml: &str) -> NamedMiddleware {
    NamedMiddleware { name: "under test".into(), runs: middleware(yaml) }
}

/// A gateway that lets one request at a time through to `desk`.
fn one_at_a_time(desk: &Upstream) -> Started {
    let mut router = router("PathPrefix(`/`)");
    router.upgrade = true;
    router.middlewares = vec![counted("inFlightReq: {amount: 1}")];
    Started::new(routes(vec![router], vec![service(&[desk.address])]))
}

/// An upstream whose answers wait for a word of the test; it says when a request has arrived.
fn held_up() -> (Upstream, Receiver<()>, Sender<()>) {
    let (arrived, arrivals) = channel();
    let (go, gone) = channel::<()>();
    let gone = Arc::new(Mutex::new(gone));
    let desk = Upstream::new(move |request| {
        request.drain();
        if request.lines[0].contains("/held") {
            arrived.send(()).expect("the test listens");
            gone.lock().expect("no panic").recv().expect("the test says go");
        }
        request.reply("", b"done");
    });
    (desk, arrivals, go)
}

fn becomes_free(gateway: &Started) {
    becomes_free_for(&mut Client::to(gateway.address));
}

/// The place is given back a moment after the client has read its answer.
fn becomes_free_for(client: &mut Client) {
    let begun = Instant::now();
    while client.ask("GET /", &[]).status == 429 {
        assert!(begun.elapsed() < PATIENCE, "the place is never given back");
    }
}

#[test]
fn a_second_request_is_refused_while_the_first_runs_and_welcome_after_it() {
    let (desk, arrivals, go) = held_up();
    let gateway = one_at_a_time(&desk);
    let mut first = Client::to(gateway.address);
    first.send("GET /held HTTP/1.1\r\nHost: desk.example\r\n\r\n");
    arrivals.recv_timeout(PATIENCE).expect("the first arrives");

    let refused = Client::to(gateway.address).ask("GET /", &[]);
    assert_eq!((refused.status, refused.text().as_str()), (429, "Too Many Requests\n"));

    go.send(()).expect("the upstream waits");
    assert_eq!(first.response(false).status, 200);
    becomes_free_for(&mut first);
}

#[test]
fn a_client_that_is_gone_gives_its_place_back() {
    let (desk, arrivals, go) = held_up();
    let gateway = one_at_a_time(&desk);
    let mut first = Client::to(gateway.address);
    first.send("GET /held HTTP/1.1\r\nHost: desk.example\r\n\r\n");
    arrivals.recv_timeout(PATIENCE).expect("the first arrives");
    drop(first);
    becomes_free(&gateway);
    go.send(()).expect("the upstream waits");
}

#[test]
fn an_upstream_that_fails_gives_the_place_back() {
    let desk = Upstream::new(|request| match request.lines[0].contains("/broken") {
        true => drop(request.write("no HTTP at all\r\n\r\n")),
        false => request.reply("", b"done"),
    });
    let gateway = one_at_a_time(&desk);
    assert_eq!(Client::to(gateway.address).ask("GET /broken", &[]).status, 502);
    becomes_free(&gateway);
}

#[test]
fn a_tunnel_holds_its_place_until_it_is_closed() {
    let desk = Upstream::new(|request| match request.header("upgrade") {
        Some(_) => {
            request.write(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            );
        }
        None => request.reply("", b"done"),
    });
    let gateway = one_at_a_time(&desk);
    let mut tunnel = Client::to(gateway.address);
    let answer = tunnel.ask("GET /socket", &["Upgrade: websocket", "Connection: Upgrade"]);
    assert_eq!(answer.status, 101);
    assert_eq!(Client::to(gateway.address).ask("GET /", &[]).status, 429);
    drop(tunnel);
    becomes_free(&gateway);
}

#[test]
fn a_rate_holds_over_connections_and_a_refusal_never_reaches_the_upstream() {
    let desk = Upstream::echo();
    let mut router = router("PathPrefix(`/`)");
    router.middlewares = vec![counted("rateLimit: {average: 1, period: 1h, burst: 3}")];
    let gateway = Started::new(routes(vec![router], vec![service(&[desk.address])]));
    let answers: Vec<_> = (0..5).map(|_| Client::to(gateway.address).ask("GET /", &[])).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(desk.requests(), 3);
    let wait: u64 = answers[4].header("retry-after").and_then(|text| text.parse().ok()).expect("seconds");
    assert!((3590..=3600).contains(&wait), "{wait}");
    assert!(answers[4].header("x-retry-in").expect("a span").starts_with("59m5"));
}
