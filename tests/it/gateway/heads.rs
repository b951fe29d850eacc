//! What a client may not send never reaches the upstream.

use std::time::Duration;

use super::client::{Client, raw};
use super::start::{Plan, Started, everything_to};
use super::upstream::Upstream;

#[test]
fn a_head_that_could_be_read_twice_is_refused_before_the_upstream() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    for (bytes, status) in [
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 05\r\n\r\nhello", 400),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        ("DELETE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ] {
        let answer = raw(gateway.address, bytes);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes:?} got {answer:?}");
        assert!(answer.contains("Connection: close"), "{answer:?}");
        assert!(!answer.to_ascii_lowercase().contains("pingora"), "{answer:?}");
    }
    let big = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(40_000));
    assert!(raw(gateway.address, big).starts_with("HTTP/1.1 431 "));
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn odd_but_acceptable_heads_never_bring_the_librarys_name_to_light() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    let hosts = ["[zz]", "[::1]:0", ".", "..", "-", "_", "a..b", "1", "[1]", "a.", "[.]", "[:]", "0:0"];
    let visible = (b'!'..=b'~').map(char::from);
    let targets =
        visible.flat_map(|byte| [format!("/{byte}"), format!("/?{byte}"), format!("/{byte}/{byte}")]);
    let requests =
        hosts.iter().map(|host| ("/".to_owned(), *host)).chain(targets.map(|target| (target, "a"))).map(
            |(target, host)| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        );
    for request in requests {
        let answer = raw(gateway.address, &request);
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(matches!(status, "200" | "400"), "{request:?} got {answer:?}");
        assert!(!answer.to_ascii_lowercase().contains("pingora"), "{request:?} got {answer:?}");
    }
}

#[test]
fn a_refusal_ends_the_connection_and_what_follows_is_not_a_request() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    let answer = raw(gateway.address, "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer:?}");
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn pipelined_requests_are_answered_in_order_and_a_bad_one_only_after_the_good() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    client.send(
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\
         POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
         POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
         GET /4 HTTP/1.1\nHost: a\n\n",
    );
    for line in ["GET /1 HTTP/1.1", "POST /2 HTTP/1.1", "POST /3 HTTP/1.1"] {
        let response = client.response(false);
        assert_eq!(response.status, 200);
        assert!(response.text().starts_with(line), "{response:?}");
    }
    assert_eq!(client.response(false).status, 400);
    assert!(client.rest().is_empty());
    assert_eq!(upstream.requests(), 3);
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    for number in 0..50 {
        let response = client.ask(&format!("GET /{number}"), &[]);
        assert_eq!(response.header("connection"), Some("keep-alive"));
        assert!(response.text().starts_with(&format!("GET /{number} ")));
    }
}

#[test]
fn a_client_that_closes_in_any_of_its_connection_lines_is_closed() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    for lines in [["Connection: keep-alive", "Connection: close"], ["Connection: x-a, close", "X-A: b"]] {
        let mut client = Client::to(gateway.address);
        assert_eq!(client.ask("GET /", &lines).header("connection"), Some("close"), "{lines:?}");
        assert!(client.rest().is_empty());
    }
}

#[test]
fn a_dripped_head_has_one_deadline_as_a_whole() {
    let upstream = Upstream::echo();
    let plan = Plan { head_deadline: Duration::from_millis(300), ..Plan::default() };
    let gateway = Started::with(plan, everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n");
    // Never complete, whatever the pace; only the deadline can end it.
    assert_eq!(client.response(false).status, 408);
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn a_silent_connection_is_closed_without_a_word() {
    let upstream = Upstream::echo();
    let plan = Plan {
        head_deadline: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        ..Plan::default()
    };
    let gateway = Started::with(plan, everything_to(upstream.address));
    assert!(Client::to(gateway.address).rest().is_empty());
    let mut used = Client::to(gateway.address);
    assert_eq!(used.ask("GET /", &[]).status, 200);
    assert!(used.rest().is_empty());
}

#[test]
fn a_body_that_breaks_its_framing_is_refused_and_nothing_after_it_is_a_request() {
    let upstream = Upstream::new(|request| {
        // Reads until the gateway gives the body up.
        std::io::copy(request.reader, &mut std::io::sink()).unwrap_or_default();
    });
    let gateway = Started::new(everything_to(upstream.address));
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let broken = "5\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_one_refusal(&raw(gateway.address, format!("{head}{broken}")));
    assert_eq!(upstream.requests(), 0);
    let mut client = Client::to(gateway.address);
    client.send(format!("{head}3\r\nabc\r\n"));
    while upstream.requests() == 0 {
        std::thread::yield_now();
    }
    client.send(broken);
    assert_one_refusal(&String::from_utf8_lossy(&client.rest()));
    assert_eq!(upstream.requests(), 1);
}

fn assert_one_refusal(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer:?}");
}
