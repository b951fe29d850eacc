//! Request lines, line ends, bodies and sizes: where two parsers could part.

use super::case::{Case, Expected, check};
use super::scene::{At, Scene};

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n";

fn both(bytes: &str, expected: Expected) -> [Case; 2] {
    ["app.example", "desk.example"].map(|host| Case::new(At::Open, bytes.replace("HOST", host), expected))
}

#[test]
fn a_request_line_that_is_none_is_refused() {
    let scene = Scene::start();
    let lines = [
        "GET",
        "GET /",
        "GET / ",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET\t/\tHTTP/1.1",
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / HTTP/0.9",
        "GET / HTTP/1.10",
        "GET / HTTP/11",
        "GET / http/1.1",
        "GET / HTTP/1.1\u{0}",
        "GET / HTTP/1.1\r",
        "GET / HTTPS/1.1",
        "GET / ICAP/1.0",
        "G\u{0}T / HTTP/1.1",
        "GE(T / HTTP/1.1",
        "\"GET\" / HTTP/1.1",
        "G:T / HTTP/1.1",
        "get / HTTP/1.1",
        "Get / HTTP/1.1",
        "gET / HTTP/1.1",
        "PRI * HTTP/2.0",
        "TRACE / HTTP/1.1",
        "CONNECT desk.example:443 HTTP/1.1",
        "CONNECT / HTTP/1.1",
        "TRACK_X / HTTP/1.1",
        "\u{16}\u{3}\u{1}",
        "\u{0}\u{0}\u{0}",
        "GET / HTTP/1.1, x",
        "/ GET HTTP/1.1",
        "HTTP/1.1 200 OK",
    ];
    let cases = lines.iter().flat_map(|line| {
        both(&format!("{line}\r\nHost: HOST\r\nConnection: close\r\n\r\n"), Expected::Refused)
    });
    let long = format!("{} / HTTP/1.1\r\nHost: HOST\r\n\r\n", "A".repeat(9000));
    check(&scene, cases.chain(both(&long, Expected::Status(501))));
}

#[test]
fn a_line_end_that_is_not_crlf_is_refused() {
    let scene = Scene::start();
    let heads = [
        "GET / HTTP/1.1\nHost: HOST\n\n",
        "GET / HTTP/1.1\r\nHost: HOST\n\r\n",
        "GET / HTTP/1.1\r\nHost: HOST\r\n\n",
        "GET / HTTP/1.1\nHost: HOST\r\n\r\n",
        "GET / HTTP/1.1\rHost: HOST\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: HOST\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: HOST\r\nX: a\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: HOST\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: HOST\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\nHost: HOST\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: HOST\r\nX: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: HOST\r\nX: a\r\n\tb\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: HOST\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: HOST\r\nX: a\u{0b}b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: HOST\r\nX: a\u{85}b\r\n\r\n",
    ];
    check(&scene, heads.iter().flat_map(|bytes| both(bytes, Expected::Status(400))));
}

#[test]
fn a_body_whose_end_is_in_doubt_is_refused_and_nothing_hides_behind_it() {
    let scene = Scene::start();
    let lines = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 5",
        "Content-Length: 05",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 5 5",
        "Content-Length: 0x5",
        "Content-Length: 5.0",
        "Content-Length: 5e0",
        "Content-Length: ",
        "Content-Length:",
        "Content-Length: ,5",
        "Content-Length: five",
        "Content-Length: 18446744073709551616",
        "Content-Length: 99999999999999999999",
        "Content-Length : 5",
        "Content-Length\u{b}: 5",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding:",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding:\u{b}chunked",
        "Transfer-Encoding: \u{0}chunked",
        "Transfer-Encoding: CHUNKED",
        "Transfer-Encoding\r\n: chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer Encoding: chunked",
        "X: y\r\n\tTransfer-Encoding: chunked",
        "Upgrade: websocket\r\nContent-Length: 5",
        "Upgrade: h2c\r\nTransfer-Encoding: chunked",
    ];
    let doubtful = lines.iter().flat_map(|lines| {
        both(
            &format!("POST / HTTP/1.1\r\nHost: HOST\r\n{lines}\r\n\r\n0\r\n\r\n{SMUGGLED}"),
            Expected::Refused,
        )
    });
    let bodiless = ["GET", "HEAD", "DELETE", "OPTIONS"].into_iter().flat_map(|method| {
        both(
            &format!(
                "{method} / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"
            ),
            Expected::Refused,
        )
    });
    let old = both(
        &format!("POST / HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"),
        Expected::Refused,
    );
    check(&scene, doubtful.chain(bodiless).chain(old));
}

#[test]
fn a_chunked_body_that_is_malformed_ends_the_connection() {
    let scene = Scene::start();
    let bodies = [
        "5\nhello\n0\n\n",
        "g\r\n",
        "-1\r\n",
        "+5\r\nhello\r\n",
        "0x5\r\nhello\r\n",
        " 5\r\nhello\r\n",
        "5 \r\nhello\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n",
        "ffffffffffffffff\r\n",
        "11111111111111111\r\n",
        "\r\n",
        "0\r\n X: folded\r\n\r\n",
        "0\r\nX: y\n\r\n",
        "0\r\nno colon\r\n\r\n",
        "0\r\nGET / HTTP/1.1\r\n\r\n",
        "5;\u{0}\r\nhello\r\n",
        "0\r\n: x\u{1}\r\n\r\n",
    ];
    let cases = bodies.iter().map(|body| {
        let bytes = format!(
            "POST / HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n{body}{SMUGGLED}"
        );
        Case::new(At::Open, bytes, Expected::Refused)
    });
    // The body is followed while the service has the head already, so only the smuggled one must not be seen.
    for case in cases {
        let before = scene.seen().len();
        let answer = scene.exchange(case.at, &case.bytes);
        let seen = scene.seen()[before..].iter().map(super::scene::Seen::text).collect::<String>();
        assert!(!seen.contains("/smuggled"), "{:?}", String::from_utf8_lossy(&case.bytes));
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{:?}", String::from_utf8_lossy(&case.bytes));
    }
}

#[test]
fn trailers_do_not_become_headers() {
    let scene = Scene::start();
    let bytes = "POST / HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\nTrailer: X-Forwarded-For\r\n\
        Connection: close\r\n\r\n2\r\nhi\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\nAuthorization: Bearer 6.6.6.6\r\n\r\n";
    check(
        &scene,
        [Case::new(
            At::Open,
            bytes,
            Expected::Clean { with: "x-forwarded-for: 127.0.0.1", without: "6.6.6.6" },
        )],
    );
}

#[test]
fn a_head_too_large_or_an_expectation_is_refused() {
    let scene = Scene::start();
    let long = |length: usize| {
        format!("GET / HTTP/1.1\r\nHost: HOST\r\nX: {}\r\nConnection: close\r\n\r\n", "y".repeat(length))
    };
    let many = |count: usize| {
        format!("GET / HTTP/1.1\r\nHost: HOST\r\n{}Connection: close\r\n\r\n", "X: y\r\n".repeat(count))
    };
    let target = format!("GET /{} HTTP/1.1\r\nHost: HOST\r\n\r\n", "a".repeat(40_000));
    let refused = [long(33_000), long(100_000), many(99), many(2000), target];
    let refused = refused.iter().flat_map(|bytes| both(bytes, Expected::Status(431)));
    let expectations = ["200-ok", "100-continue, x", "", "100-continue\r\nExpect: x"].map(|value| {
        format!("POST / HTTP/1.1\r\nHost: HOST\r\nExpect: {value}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    let expectations = expectations.iter().flat_map(|bytes| both(bytes, Expected::Status(417)));
    let passing = [long(20_000), many(90)];
    let passing = passing
        .iter()
        .map(|bytes| Case::new(At::Open, bytes.replace("HOST", "app.example"), Expected::Passes));
    check(&scene, refused.chain(expectations).chain(passing));
}

#[test]
fn a_header_line_that_is_none_is_refused() {
    let scene = Scene::start();
    let lines = [
        "no colon",
        ": x",
        "X Y: z",
        "X\u{0}: y",
        "X: \u{0}",
        "X: \u{1}",
        "X: \u{7f}",
        "X: caf\u{e9}",
        "X\u{e9}: y",
        "X(: y",
        "X/: y",
        "X\": y",
        "X@: y",
        "X[: y",
        "X\\: y",
        "{X}: y",
        "X: a\u{8}b",
        "X: \u{1b}[2J",
    ];
    check(
        &scene,
        lines.iter().flat_map(|line| {
            both(
                &format!("GET / HTTP/1.1\r\nHost: HOST\r\n{line}\r\nConnection: close\r\n\r\n"),
                Expected::Status(400),
            )
        }),
    );
}
