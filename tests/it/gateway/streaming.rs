//! Bodies pass through piece by piece, both ways.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, atomic};

use super::client::Client;
use super::start::{Started, everything_to};
use super::upstream::Upstream;

const MIB: usize = 1024 * 1024;
const PIECES: usize = 64;

/// The `number`th MiB of a body no two of whose MiBs are alike.
fn piece(number: usize) -> &'static [u8] {
    static PATTERN: OnceLock<Vec<u8>> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| (0..MIB + PIECES).map(|place| (place % 251) as u8).collect());
    &pattern[number..number + MIB]
}

/// Tells after every MiB how many arrived and were right; answers with the number of bytes.
fn checking(arrived: Sender<usize>) -> Upstream {
    let arrived = Mutex::new(arrived);
    Upstream::new(move |request| {
        let arrived = arrived.lock().expect("one request at a time").clone();
        let (mut held, mut right, mut count) = (Vec::with_capacity(2 * MIB), 0, 0);
        request.each_piece(|bytes| {
            held.extend_from_slice(bytes);
            count += bytes.len();
            if held.len() >= MIB {
                assert!(&held[..MIB] == piece(right), "MiB {right} differs");
                held.drain(..MIB);
                right += 1;
                arrived.send(right).expect("the test listens");
            }
        });
        assert!(held == piece(right)[..held.len()], "the end differs");
        request.reply("", count.to_string().as_bytes());
    })
}

#[test]
fn a_large_upload_streams_and_arrives_whole() {
    let (arrived, told) = channel();
    let upstream = checking(arrived);
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", PIECES * MIB));
    let mut seen = 0;
    for number in 0..PIECES {
        client.send(piece(number));
        // What is held between the two is bounded: most of what was sent is there already.
        while seen + 16 < number {
            seen = told.recv().expect("the upstream gets the body while it is being sent");
        }
    }
    assert_eq!(client.response(false).text(), (PIECES * MIB).to_string());
}

#[test]
fn a_chunked_upload_arrives_whole() {
    let (arrived, _told) = channel();
    let upstream = checking(arrived);
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let whole = [piece(0), &piece(1)[..300_000]].concat();
    for part in whole.chunks(7_001) {
        client.send(format!("{:x}\r\n", part.len()));
        client.send(part);
        client.send("\r\n");
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.response(false).text(), whole.len().to_string());
}

#[test]
fn a_large_answer_arrives_while_it_is_being_written() {
    let written = Arc::new(atomic::AtomicUsize::new(0));
    let counted = written.clone();
    let upstream = Upstream::new(move |request| {
        request.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", PIECES * MIB));
        for number in 0..PIECES {
            if !request.write(piece(number)) {
                return;
            }
            counted.fetch_add(1, atomic::Ordering::SeqCst);
        }
    });
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.head().status, 200);
    for number in 0..PIECES {
        // The upstream cannot be far ahead of what this client has read.
        assert!(written.load(atomic::Ordering::SeqCst) <= number + 32);
        assert!(client.exactly(MIB) == piece(number), "MiB {number} differs");
    }
}

#[test]
fn a_client_that_waits_for_leave_gets_it_from_the_upstream() {
    let upstream = Upstream::new(|request| {
        request.write("HTTP/1.1 100 Continue\r\n\r\n");
        request.drain();
        request.reply("", b"done");
    });
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head().status, 100);
    client.send("hello");
    assert_eq!(client.response(false).text(), "done");
}
