//! Heads that mean one thing pass; every other is refused with its status.

use super::*;

fn whole(head: &str) -> Result<Framing, Refusal> {
    let end = Scan::default().find_end(head.as_bytes())?.expect("the table holds whole heads");
    check(&head.as_bytes()[..end])
}

fn status(head: &str) -> Option<u16> {
    whole(head).err().map(|refusal| refusal.status)
}

#[test]
fn ordinary_heads_pass_with_their_framing() {
    let plain = Framing { body: Body::Length(0), upgrade: false };
    let table = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", plain),
        ("GET /a?b=c&d HTTP/1.0\r\nhost: a.b_c:8080\r\nX: \tq\t\r\n\r\n", plain),
        ("GET / HTTP/1.1\r\nHost: [::1]:80\r\nEmpty:\r\n\r\n", plain),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", plain),
        (
            "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
            Framing { body: Body::Length(5), ..plain },
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
            Framing { body: Body::Chunked, ..plain },
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            Framing { upgrade: true, ..plain },
        ),
    ];
    for (head, framing) in table {
        assert_eq!(whole(head), Ok(framing), "{head:?}");
    }
}

#[test]
fn request_lines_that_could_be_read_twice_are_refused() {
    for line in [
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET /",
        "GET / HTTP/2.0",
        "GET / HTTP/1.2",
        "GET / http/1.1",
        "GE(T / HTTP/1.1",
        "GET\t/\tHTTP/1.1",
        "GET /a\tb HTTP/1.1",
        "GET http://a/ HTTP/1.1",
        "GET a HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET /#x HTTP/1.1",
        "GET /<x> HTTP/1.1",
        "GET /?\" HTTP/1.1",
        "GET /` HTTP/1.1",
        "GET /a\\b HTTP/1.1",
        "GET //\\evil.example HTTP/1.1",
        "GET /\u{7f} HTTP/1.1",
        "GET /\u{e9} HTTP/1.1",
    ] {
        assert_eq!(status(&format!("{line}\r\nHost: a\r\n\r\n")), Some(400), "{line:?}");
    }
    for method in ["get", "Get", "G_ET", &"A".repeat(9000)] {
        assert_eq!(status(&format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")), Some(501), "{method:.9}");
    }
    for method in ["TRACE", "CONNECT"] {
        assert_eq!(status(&format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")), Some(405));
    }
}

#[test]
fn header_lines_that_could_be_read_twice_are_refused() {
    for lines in [
        "",
        "Host: a\r\nHost: a",
        "Host:",
        "Host: a b",
        "Host: a,b",
        "Host: u@a",
        "Host: a/b",
        "Host: a:99999",
        "Host: a:",
        "Host: [::1",
        "Host: a\r\nno colon",
        "Host: a\r\n: x",
        "Host: a\r\nX : y",
        "Host: a\r\nX: y\r\n folded",
        "Host: a\r\nX: y\rz",
        "Host: a\r\nX: \0",
        "Host: a\r\nX: caf\u{e9}",
        "Host: a\r\nContent-Length: 05",
        "Host: a\r\nContent-Length: +5",
        "Host: a\r\nContent-Length: 5, 5",
        "Host: a\r\nContent-Length: 5\r\nContent-Length: 5",
        "Host: a\r\nContent-Length: ",
        "Host: a\r\nContent-Length: -1",
        "Host: a\r\nContent-Length: 0x5",
        "Host: a\r\nContent-Length: 99999999999999999999",
        "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        "Host: a\r\nTransfer-Encoding: gzip, chunked",
        "Host: a\r\nTransfer-Encoding: chunked, chunked",
        "Host: a\r\nTransfer-Encoding: xchunked",
        "Host: a\r\nTransfer-Encoding: identity",
        "Host: a\r\nTransfer-Encoding:",
        "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Host: a\r\nUpgrade: websocket\r\nContent-Length: 3",
    ] {
        assert_eq!(status(&format!("POST / HTTP/1.1\r\n{lines}\r\n\r\n")), Some(400), "{lines:?}");
    }
    assert_eq!(status("POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n"), Some(417));
}

#[test]
fn chunks_are_refused_where_a_body_has_no_meaning() {
    for request in
        ["GET / HTTP/1.1", "HEAD / HTTP/1.1", "DELETE / HTTP/1.1", "OPTIONS / HTTP/1.1", "POST / HTTP/1.0"]
    {
        let head = format!("{request}\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(status(&head), Some(400), "{request}");
    }
}

#[test]
fn bare_line_ends_and_a_leading_empty_line_are_refused() {
    for head in [
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        assert_eq!(status(head), Some(400), "{head:?}");
    }
}

#[test]
fn size_and_number_of_lines_are_capped() {
    let lines = |count| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count));
    assert_eq!(status(&lines(MOST_LINES - 1)), None);
    assert_eq!(status(&lines(MOST_LINES)), Some(431));
    let long = |length| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(length));
    assert_eq!(status(&long(MOST_BYTES - 40)), None);
    assert_eq!(status(&long(MOST_BYTES)), Some(431));
    let unfinished = "x".repeat(MOST_BYTES);
    assert_eq!(Scan::default().find_end(unfinished.as_bytes()), Err(Refusal::TOO_LARGE));
}

#[test]
fn the_options_of_all_connection_lines_are_capped() {
    let head = |first: usize| {
        let options = ["x"].repeat(first).join(",");
        format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {options}\r\nconnection: close\r\n\r\n")
    };
    assert_eq!(status(&head(31)), None);
    assert_eq!(status(&head(32)), Some(400));
}

#[test]
fn the_end_is_found_wherever_the_head_was_cut() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\nrest";
    for cut in 0..head.len() {
        let mut scan = Scan::default();
        let first = scan.find_end(&head[..cut]).expect("a good head");
        let end = first.or_else(|| scan.find_end(head).expect("a good head"));
        assert_eq!(end, Some(head.len() - 4), "cut at {cut}");
    }
}
