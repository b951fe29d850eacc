//! `/ping`, `/metrics` and the access log.

use std::io::Write;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use mintgate::gateway::log::AccessLog;

use super::client::Client;
use super::start::{Plan, Started, everything_to};
use super::upstream::Upstream;

#[test]
fn ping_answers_on_its_exact_path_only() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    assert_eq!(client.ask("GET /ping", &[]).text(), "OK");
    assert!(client.ask("GET /ping/", &[]).text().starts_with("GET /ping/ "));
    assert_eq!(upstream.requests(), 1);
}

#[test]
fn requests_are_counted_under_traefiks_names() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    for _ in 0..3 {
        client.ask("GET /", &[]);
    }
    let page = client.ask("GET /metrics", &[]).text();
    for line in [
        "traefik_entrypoint_requests_total{code=\"200\",method=\"GET\",protocol=\"http\",entrypoint=\"web\"} 3",
        "traefik_service_requests_total{code=\"200\",method=\"GET\",protocol=\"http\",service=\"upstream\"} 3",
        "traefik_open_connections{entrypoint=\"web\",protocol=\"TCP\"} 1",
    ] {
        assert!(page.contains(line), "{line} in\n{page}");
    }
}

struct Lines(Sender<Vec<u8>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(bytes.to_vec()).expect("the test listens");
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_log_line_tells_everything_but_query_and_credentials() {
    let (lines, written) = channel();
    let access_log = AccessLog::into_writer(Box::new(Lines(lines)), true).expect("a thread");
    let upstream = Upstream::echo();
    let plan = Plan { access_log: Some(access_log), ..Plan::default() };
    let gateway = Started::with(plan, everything_to(upstream.address));
    let lines = ["Cookie: session=canary", "Authorization: Bearer canary"];
    Client::to(gateway.address).ask("GET /a/b?code=canary", &lines);
    let line = written.recv_timeout(Duration::from_secs(20)).expect("a line");
    let text = String::from_utf8(line).expect("text");
    assert!(!text.contains("canary"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["RequestPath"], "/a/b");
    assert_eq!(json["RequestHost"], "desk.example");
    assert_eq!(json["DownstreamStatus"], 200);
    assert_eq!(json["ClientHost"], "127.0.0.1");
    assert_eq!(json["ServiceName"], "upstream");
}
