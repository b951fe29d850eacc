//! Being told to stop.

use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use mintgate::app::serve::Ended;

use super::client::Client;
use super::start::{Plan, Started, everything_to};
use super::upstream::Upstream;

#[test]
fn a_running_answer_is_finished_and_nothing_new_is_taken() {
    let ((asked, was_asked), (go_on, may_go_on)) = (channel(), channel::<()>());
    let (asked, may_go_on) = (Mutex::new(asked), Mutex::new(may_go_on));
    let upstream = Upstream::new(move |request| {
        asked.lock().expect("one request").send(()).expect("the test waits");
        may_go_on.lock().expect("one request").recv().expect("the test goes on");
        request.reply("", b"finished");
    });
    let gateway = Started::new(everything_to(upstream.address));
    let mut idle = Client::to(gateway.address);
    assert_eq!(idle.ask("GET /ping", &[]).status, 200);
    let mut running = Client::to(gateway.address);
    running.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    was_asked.recv().expect("the upstream is asked");
    gateway.drain();
    assert!(idle.rest().is_empty(), "an idle connection is closed");
    // Every thread closes its listening socket on its own; then nobody listens any more.
    while TcpStream::connect(gateway.address).is_ok() {
        std::thread::yield_now();
    }
    go_on.send(()).expect("the upstream waits");
    let response = running.response(false);
    assert_eq!((response.text().as_str(), response.header("connection")), ("finished", Some("close")));
    assert_eq!(gateway.ended(), Ended::Drained);
}

#[test]
fn the_grace_time_ends_what_does_not_end_by_itself() {
    let (asked, was_asked) = channel();
    let asked = Mutex::new(asked);
    let upstream = Upstream::new(move |request| {
        asked.lock().expect("one request").send(()).expect("the test waits");
        std::io::BufRead::read_line(request.reader, &mut String::new()).unwrap_or_default();
    });
    let plan = Plan { grace: Duration::from_millis(200), ..Plan::default() };
    let gateway = Started::with(plan, everything_to(upstream.address));
    let mut stuck = Client::to(gateway.address);
    stuck.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    was_asked.recv().expect("the upstream is asked");
    gateway.drain();
    assert_eq!(gateway.ended(), Ended::GraceOver);
}

#[test]
fn with_nobody_there_draining_is_done_at_once() {
    let upstream = Upstream::echo();
    let plan = Plan { grace: Duration::from_secs(3600), ..Plan::default() };
    let gateway = Started::with(plan, everything_to(upstream.address));
    gateway.drain();
    assert_eq!(gateway.ended(), Ended::Drained);
}

#[test]
fn a_client_that_has_not_said_anything_yet_is_not_waited_for() {
    let upstream = Upstream::echo();
    // Shorter than a first head may take, which would end the silence too.
    let plan = Plan { grace: Duration::from_secs(5), ..Plan::default() };
    let gateway = Started::with(plan, everything_to(upstream.address));
    let mut silent = Client::to(gateway.address);
    // Connections are accepted in their order, so that the silent one is in now.
    assert_eq!(Client::to(gateway.address).ask("GET /ping", &["Connection: close"]).status, 200);
    gateway.drain();
    assert!(silent.rest().is_empty());
    assert_eq!(gateway.ended(), Ended::Drained);
}
