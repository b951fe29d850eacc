//! Who is turned away at the door is counted and logged, without a word of what he sent.

use std::io::Write;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use mintgate::gateway::log::AccessLog;
use mintgate::web::client_address::Trusted;

use super::client::{Client, raw};
use super::start::{Plan, Started, everything_to};
use super::upstream::Upstream;

const PATIENCE: Duration = Duration::from_secs(20);

struct Lines(Sender<String>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(String::from_utf8_lossy(bytes).into_owned()).expect("the test waits");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn metrics(gateway: &Started) -> String {
    Client::to(gateway.address).ask("GET /metrics", &[]).text()
}

#[test]
fn a_refused_head_is_logged_and_counted() {
    let upstream = Upstream::echo();
    let (lines, logged) = channel();
    let access_log = AccessLog::into_writer(Box::new(Lines(lines)), false).expect("a log");
    let gateway = Started::with(
        Plan { access_log: Some(access_log), ..Plan::default() },
        everything_to(upstream.address),
    );
    let answer = raw(gateway.address, "GET /secret HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let line = logged.recv_timeout(PATIENCE).expect("a line");
    assert!(line.starts_with("127.0.0.1 - - [") && line.contains("\"- - -\" 400 0 "), "{line}");
    assert!(!line.contains("secret"), "{line}");
    let counted = "traefik_entrypoint_requests_total{code=\"400\",method=\"EXTENSION_METHOD\",protocol=\"http\",entrypoint=\"web\"} 1";
    let metrics = metrics(&gateway);
    assert!(metrics.contains(counted), "{metrics}");
}

#[test]
fn a_connection_closed_without_an_answer_is_counted_by_its_reason() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    let broken_hello = [22, 3, 1, 0, 5, 1, 0, 0, 1, 0];
    raw(gateway.address, broken_hello);
    let counted = "mintgate_connections_refused_total{entrypoint=\"web\",reason=\"handshake\"} 1";
    let begun = Instant::now();
    // The connection ends a moment before it is counted.
    while !metrics(&gateway).contains(counted) {
        assert!(begun.elapsed() < PATIENCE, "{}", metrics(&gateway));
    }
}

#[test]
fn who_may_not_send_a_proxy_header_is_closed_at_once_and_who_may_has_two_seconds() {
    let upstream = Upstream::echo();
    let elsewhere = Trusted::Networks(vec!["192.0.2.0/24".parse().expect("a network")]);
    for proxy_header in [elsewhere, Trusted::Everybody] {
        let plan = Plan { proxy_header: Some(proxy_header), ..Plan::default() };
        let gateway = Started::with(plan, everything_to(upstream.address));
        assert!(Client::to(gateway.address).rest().is_empty());
    }
    assert_eq!(upstream.requests(), 0);
}
