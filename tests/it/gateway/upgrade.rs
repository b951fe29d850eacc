//! Leaving HTTP, where a route allows it.

use std::io::{Read as _, Write as _};

use mintgate::config::Routes;

use super::client::Client;
use super::start::{Started, router, routes, service};
use super::upstream::Upstream;

const UPGRADE: [&str; 4] = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// Agrees, then sends back whatever comes, in upper case.
fn shouting() -> Upstream {
    Upstream::new(|request| {
        request
            .write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        let mut piece = [0; 1024];
        while let Ok(count @ 1..) = request.reader.read(&mut piece) {
            request.writer.write_all(&piece[..count].to_ascii_uppercase()).expect("the gateway reads");
        }
    })
}

fn to(upstream: &Upstream, upgrade: bool) -> Routes {
    let mut everything = router("PathPrefix(`/`)");
    everything.upgrade = upgrade;
    routes(vec![everything], vec![service(&[upstream.address])])
}

#[test]
fn an_upgrade_is_refused_unless_the_route_allows_it() {
    let upstream = shouting();
    let gateway = Started::new(to(&upstream, false));
    assert_eq!(Client::to(gateway.address).ask("GET /", &UPGRADE).status, 403);
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn a_websocket_that_connection_does_not_name_is_refused_too() {
    let upstream = shouting();
    let gateway = Started::new(to(&upstream, false));
    for lines in [&UPGRADE[1..], &["Connection: close", "Upgrade: WebSocket"]] {
        assert_eq!(Client::to(gateway.address).ask("GET /", lines).status, 403, "{lines:?}");
    }
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn an_allowed_upgrade_is_a_tunnel() {
    let upstream = shouting();
    let gateway = Started::new(to(&upstream, true));
    let mut client = Client::to(gateway.address);
    assert_eq!(client.ask("GET /", &UPGRADE).status, 101);
    for word in ["not a head\n", "\r\n\r\n", "GET / HTTP/9\r\n"] {
        client.send(word);
        assert_eq!(client.exactly(word.len()), word.to_ascii_uppercase().into_bytes());
    }
}

#[test]
fn an_upgrade_the_upstream_declines_stays_http() {
    let upstream = Upstream::echo();
    let gateway = Started::new(to(&upstream, true));
    let mut client = Client::to(gateway.address);
    assert_eq!(client.ask("GET /", &UPGRADE).status, 200);
    client.send("not a head\n");
    let rest = String::from_utf8(client.rest()).expect("text");
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 400 "), "{rest}");
    assert_eq!(upstream.requests(), 1);
}
