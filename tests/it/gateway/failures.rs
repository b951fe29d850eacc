//! What a client is told when the upstream fails: a status and one sentence, nothing of what stands behind.

use std::io::BufRead as _;
use std::net::TcpListener;
use std::time::Duration;

use mintgate::gateway::upstream::UpstreamTimeouts;

use super::client::Client;
use super::start::{Plan, Started, everything_to, router, routes, service};
use super::upstream::Upstream;

#[test]
fn an_upstream_that_is_down_is_a_bad_gateway_with_a_retry_after() {
    let down = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let gateway = Started::new(everything_to(down));
    let page = Client::to(gateway.address).ask("GET /", &[]);
    assert_eq!((page.status, page.header("retry-after")), (502, Some("5")));
    assert_eq!(page.text(), "The service cannot be reached.\n");
    assert_eq!(page.header("server"), None);
    let api = Client::to(gateway.address).ask("GET /api/v1/x", &[]);
    assert_eq!(api.header("content-type"), Some("application/json"));
    assert!(api.text().contains("\"success\":false"), "{}", api.text());
}

#[test]
fn a_silent_upstream_is_a_timeout() {
    let upstream = Upstream::new(|request| {
        // Holds the connection and says nothing until the gateway gives up.
        request.reader.read_line(&mut String::new()).unwrap_or_default();
    });
    let timeouts = UpstreamTimeouts { read: Duration::from_millis(300), ..UpstreamTimeouts::default() };
    let gateway =
        Started::with(Plan { upstream: timeouts, ..Plan::default() }, everything_to(upstream.address));
    let response = Client::to(gateway.address).ask("GET /", &[]);
    assert_eq!(response.status, 504);
    assert_eq!(response.text(), "The service did not answer in time.\n");
}

#[test]
fn an_upstream_that_speaks_garbage_is_a_bad_gateway_that_quotes_nothing() {
    let upstream = Upstream::new(|request| {
        request.write("SECRET garbage\r\n\r\n");
    });
    let gateway = Started::new(everything_to(upstream.address));
    let response = Client::to(gateway.address).ask("GET /", &[]);
    assert_eq!(response.status, 502);
    assert!(!response.text().contains("SECRET"));
}

#[test]
fn a_service_without_servers_is_unavailable() {
    let gateway = Started::new(routes(vec![router("PathPrefix(`/`)")], vec![service(&[])]));
    let response = Client::to(gateway.address).ask("GET /", &[]);
    assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
}

#[test]
fn what_no_router_takes_is_not_found() {
    let upstream = Upstream::echo();
    let routers = vec![router("Host(`desk.example`) && Path(`/x`)"), router("Host(`other.example`)")];
    let gateway = Started::new(routes(routers, vec![service(&[upstream.address])]));
    let mut client = Client::to(gateway.address);
    assert_eq!(client.ask("GET /", &[]).status, 404);
    assert_eq!(client.ask("GET /", &[]).header("connection"), Some("keep-alive"));
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn a_host_that_no_router_names_is_misdirected_unless_a_router_names_none() {
    let upstream = Upstream::echo();
    for (rules, status) in [
        (["Host(`other.example`)", "HostRegexp(`^x`) && Path(`/`)"], 421),
        (["Host(`other.example`)", "Path(`/x`)"], 404),
        (["Host(`other.example`)", "!Host(`other.example`) && Path(`/x`)"], 404),
    ] {
        let gateway = Started::new(routes(rules.map(router).into(), vec![service(&[upstream.address])]));
        assert_eq!(Client::to(gateway.address).ask("GET /", &[]).status, status, "{rules:?}");
    }
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn a_post_is_not_sent_twice_when_the_upstream_breaks_off() {
    let upstream = Upstream::new(|request| {
        request.drain();
        request.writer.shutdown(std::net::Shutdown::Both).expect("open until now");
    });
    let gateway = Started::new(everything_to(upstream.address));
    let response = Client::to(gateway.address).ask("POST /", &["Content-Length: 0"]);
    assert_eq!(response.status, 502);
    assert_eq!(upstream.requests(), 1);
}
