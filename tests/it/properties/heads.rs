//! Raw request heads: in whatever pieces they come, and whatever is in them.

use mintgate::entry::raw_head::{Scan, check};
use proptest::prelude::*;

use super::{cases, runner};

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("Host: desk.example".to_owned()),
        1 => prop::sample::select(vec![
            "Content-Length: 5", "Content-Length: 05", "Content-Length: 5, 5", "Transfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked", "Host: other", "Host : x", " folded", "X: a\rb", "X: \u{0}", "NoColon",
            "Connection: Host", "Upgrade: websocket", "Expect: 100-continue", "X_Y: 1", ":", "",
        ]).prop_map(str::to_owned),
        1 => "[A-Za-z-]{1,8}: ?[ -~]{0,12}",
    ]
}

fn head() -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(vec![
        "GET / HTTP/1.1",
        "POST /x HTTP/1.1",
        "GET /a%2fb HTTP/1.1",
        "GET http://x/ HTTP/1.1",
        "GET /#a HTTP/1.1",
        "GET / HTTP/1.0",
        "TRACE / HTTP/1.1",
        "get / HTTP/1.1",
        "GET /  HTTP/1.1",
        "* * *",
    ]);
    let end = prop_oneof![20 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r")];
    let lines = prop::collection::vec((line(), end.clone()), 0..5);
    (start, end, lines).prop_map(|(start, end, lines)| {
        let lines: String = lines.into_iter().map(|(line, end)| line + end).collect();
        format!("{start}{end}{lines}\r\n").into_bytes()
    })
}

#[test]
fn pieces_make_no_difference() {
    let sizes = prop::collection::vec(1_usize..40, 1..20);
    let checked = runner(10_000).run(&(head(), sizes), |(head, sizes)| {
        let whole = Scan::default().find_end(&head);
        let mut scan = Scan::default();
        let mut arrived = 0;
        let mut sizes = sizes.into_iter().cycle();
        let in_pieces = loop {
            arrived = head.len().min(arrived + sizes.next().expect("endless"));
            match scan.find_end(&head[..arrived]) {
                Ok(None) if arrived < head.len() => {}
                found => break found,
            }
        };
        prop_assert_eq!(in_pieces, whole);
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn an_accepted_head_can_be_read_in_one_way_only() {
    let checked = runner(30_000).run(&head(), |head| {
        let Ok(Some(length)) = Scan::default().find_end(&head) else { return Ok(()) };
        if check(&head[..length]).is_err() {
            return Ok(());
        }
        let text = std::str::from_utf8(&head[..length]).expect("accepted bytes are text");
        prop_assert!(
            text.bytes().all(|byte| matches!(byte, b'\r' | b'\n' | b'\t' | b' '..=b'~')),
            "{:?}",
            text
        );
        prop_assert_eq!(text.matches('\r').count(), text.matches("\r\n").count(), "{:?}", text);
        let mut lines = text.split("\r\n");
        let target = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a target");
        prop_assert!(target.starts_with('/') && !target.contains(['#', '\\']), "{:?}", text);
        let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        let count = |name: &str| {
            let named =
                |line: &&&str| line.split(':').next().is_some_and(|start| start.eq_ignore_ascii_case(name));
            lines.iter().filter(named).count()
        };
        prop_assert_eq!(count("Host"), 1, "{:?}", text);
        prop_assert!(count("Content-Length") + count("Transfer-Encoding") <= 1, "{:?}", text);
        prop_assert!(lines.iter().all(|line| !line.starts_with([' ', '\t', ':'])), "{:?}", text);
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn no_bytes_stop_the_check() {
    bolero::check!().with_iterations(cases(10_000) as usize).with_type::<Vec<u8>>().for_each(
        |bytes: &Vec<u8>| {
            let found = Scan::default().find_end(bytes);
            let accepted = found.ok().flatten().map(|length| check(&bytes[..length]));
            let rest = check(bytes);
            assert!(
                accepted.is_none_or(|checked| checked == rest),
                "what follows a head changed its meaning"
            );
        },
    );
}
