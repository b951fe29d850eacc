//! The same over HTTP/2, frame by frame, because no library would send it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::scene::{At, Scene};
use crate::gateway::tls::any::Anything;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

type Fields<'a> = Vec<(&'a str, &'a str)>;

struct Connection(StreamOwned<ClientConnection, TcpStream>);

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Answered,
    /// The stream was reset, or the connection ended.
    Cut,
}

impl Connection {
    fn to(scene: &Scene) -> Self {
        Self::named(scene, "app.example")
    }

    fn named(scene: &Scene, name: &'static str) -> Self {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anything))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from(name).expect("a name");
        let client = ClientConnection::new(Arc::new(config), name).expect("a client");
        let mut connection = Self(StreamOwned::new(client, scene.connect(At::Secure)));
        assert!(connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        assert!(connection.frame(SETTINGS, 0, 0, &[]));
        connection
    }

    fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).and_then(|()| self.0.flush()).is_ok()
    }

    /// `false` once the gateway has closed.
    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        let length = u32::try_from(payload.len()).expect("a frame").to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.send(&[&head, payload].concat())
    }

    /// Until the first answer or the end of `stream`.
    fn end(&mut self, stream: u32) -> End {
        loop {
            let mut head = [0; 9];
            if let Err(error) = self.0.read_exact(&mut head) {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "neither an answer nor an end");
                return End::Cut;
            }
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).expect("a length")];
            if self.0.read_exact(&mut payload).is_err() {
                return End::Cut;
            }
            let of = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            match head[3] {
                GOAWAY => return End::Cut,
                RST_STREAM if of == stream => return End::Cut,
                HEADERS if of == stream => return End::Answered,
                _ => {}
            }
        }
    }
}

/// Literals without indexing and without Huffman's code (RFC 7541 section 6.2.2).
fn block(fields: &Fields<'_>) -> Vec<u8> {
    let text = |text: &str| {
        let length = text.len();
        let mut bytes = match u8::try_from(length) {
            Ok(short @ ..127) => vec![short],
            _ => integer(length),
        };
        bytes.extend_from_slice(text.as_bytes());
        bytes
    };
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// RFC 7541 section 5.1, with a prefix of seven bits.
fn integer(length: usize) -> Vec<u8> {
    let (mut bytes, mut rest) = (vec![127], length - 127);
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).expect("seven bits") | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).expect("seven bits"));
    bytes
}

fn request<'a>(
    method: &'a str,
    path: &'a str,
    authority: &'a str,
    more: &[(&'a str, &'a str)],
) -> Fields<'a> {
    let mut fields =
        vec![(":method", method), (":scheme", "https"), (":path", path), (":authority", authority)];
    fields.extend_from_slice(more);
    fields
}

fn get<'a>(path: &'a str, more: &[(&'a str, &'a str)]) -> Fields<'a> {
    request("GET", path, "app.example", more)
}

/// Whether a service saw the request, one without a body, on a connection made for its host.
fn reaches(scene: &Scene, fields: &Fields<'_>) -> bool {
    let desk = fields.contains(&(":authority", "desk.example"));
    reaches_by(scene, if desk { "desk.example" } else { "app.example" }, fields)
}

fn reaches_by(scene: &Scene, name: &'static str, fields: &Fields<'_>) -> bool {
    let before = scene.seen().len();
    let mut connection = Connection::named(scene, name);
    connection.frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(fields));
    connection.end(1);
    scene.seen().len() > before
}

#[test]
fn ordinary_requests_pass() {
    let scene = Scene::start();
    let desk = |path| request("GET", path, "desk.example", &[]);
    for fields in [
        get("/", &[]),
        get("/a%20b?c=%2F", &[("accept", "*/*"), ("te", "trailers")]),
        get("/", &[("host", "app.example"), ("cookie", "a=1"), ("cookie", "b=2")]),
        request("DELETE", "/x", "app.example", &[("content-length", "0")]),
        request("PROPFIND", "/x", "APP.example:443", &[]),
        desk("/"),
        desk("/de/issues"),
        desk("/_next/static/a.js"),
    ] {
        assert!(reaches(&scene, &fields), "{fields:?}");
    }
}

#[test]
fn a_connection_made_for_one_host_carries_no_request_for_one_that_is_guarded_otherwise() {
    let scene = Scene::start();
    assert!(!reaches_by(&scene, "desk.example", &get("/", &[])));
    assert!(!reaches_by(&scene, "app.example", &request("GET", "/", "desk.example", &[])));
    assert!(scene.seen().is_empty());
}

#[test]
fn a_head_that_an_http1_service_could_read_otherwise_never_reaches_it() {
    let scene = Scene::start();
    let mut wrong = Vec::new();
    for path in [
        "",
        "*",
        "#/x",
        "#",
        "a",
        "?a",
        "admin",
        "http://app.example/",
        "/a b",
        "/a\tb",
        "/\r\nX: y",
        "/a\\b",
        "/\u{0}",
        "/é",
        "/\"",
        "/<x>",
        "/`",
    ] {
        wrong.push(get(path, &[]));
    }
    for path in [
        "//admin/exchange",
        "/x/../admin/exchange",
        "/%2e%2e/admin",
        "/admin%2fexchange",
        "/admin/exchange",
        "/DE/Admin;x/exchange",
        "/_next/data/b/en/admin/exchange.json",
        "/a%00",
        "/a%zz",
    ] {
        wrong.push(request("GET", path, "desk.example", &[]));
    }
    let long = "A".repeat(100);
    for method in ["", "get", "G T", "GET\r\n", "TRACE", "CONNECT", "GE\u{0}T", &long] {
        wrong.push(request(method, "/", "app.example", &[]));
    }
    for authority in [
        "",
        "evil.example",
        "user@app.example",
        "app.example:x",
        "app.example:99999",
        "app.example/x",
        "app.example, x",
        "app.example#",
        "[::1",
        "app.example\u{0}",
        "%61pp.example",
    ] {
        wrong.push(request("GET", "/", authority, &[]));
    }
    for more in [
        ("host", "desk.example"),
        ("host", "app.example:81"),
        ("host", ""),
        ("Upper", "x"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("upgrade", "websocket"),
        ("keep-alive", "1"),
        ("proxy-connection", "close"),
        ("te", "gzip"),
        ("content-length", "5"),
        ("content-length", "05"),
        ("content-length", "-1"),
        ("content-length", "0, 0"),
        ("x", "a\r\nb: c"),
        ("x", "a\nb"),
        ("x", "\u{0}"),
        ("x", "caf\u{e9}"),
        ("x y", "z"),
        ("x:", "z"),
        ("", "z"),
        (":path", "/other"),
        (":unknown", "x"),
        (":method", "POST"),
        ("expect", "200-ok"),
        (":status", "200"),
    ] {
        wrong.push(get("/", &[more]));
    }
    wrong.push(get("/", &[("host", "app.example"), ("host", "app.example")]));
    wrong.push(vec![
        ("x", "y"),
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/"),
        (":authority", "app.example"),
    ]);
    wrong.push(vec![(":method", "GET"), (":scheme", "https"), (":path", "/")]);
    wrong.push(vec![
        (":method", "GET"),
        (":path", "/"),
        (":authority", "app.example"),
        (":authority", "desk.example"),
        (":scheme", "https"),
    ]);
    wrong.push(vec![(":method", "GET"), (":scheme", "https"), (":authority", "app.example")]);
    wrong.push(vec![(":scheme", "https"), (":path", "/"), (":authority", "app.example")]);
    let reached: Vec<_> = wrong.iter().filter(|fields| reaches(&scene, fields)).collect();
    assert!(reached.is_empty(), "{reached:?}");
}

#[test]
fn nothing_a_client_says_for_a_proxy_reaches_a_service() {
    let scene = Scene::start();
    let names = [
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "x-original-url",
        "x_forwarded_for",
        "x-middleware-subrequest",
        "proxy",
        "x-http-method-override",
    ];
    for name in names {
        assert!(reaches(&scene, &get("/", &[(name, "6.6.6.6")])), "{name}");
        let seen = scene.seen().last().expect("it was seen").text();
        assert!(!seen.contains("6.6.6.6"), "{seen}");
    }
}

#[test]
fn a_target_that_is_tidied_keeps_its_host() {
    let scene = Scene::start();
    for (target, line) in [("/a/../b", "get /b http/1.1"), ("/?a=1;b=2", "get /?a=1&b=2 http/1.1")] {
        assert!(reaches(&scene, &get(target, &[])), "{target}");
        let seen = scene.seen().last().expect("it was seen").text().to_ascii_lowercase();
        for told in [line, "\nhost: app.example", "\nx-forwarded-host: app.example"] {
            assert!(seen.contains(told), "{told} is not in {seen}");
        }
    }
}

#[test]
fn a_body_longer_or_shorter_than_its_length_is_no_request_for_a_service() {
    let scene = Scene::start();
    for (method, length, body) in [("POST", "2", "hello"), ("GET", "0", "GET /smuggled HTTP/1.1\r\n\r\n")] {
        let mut connection = Connection::to(&scene);
        let fields = request(method, "/", "app.example", &[("content-length", length)]);
        connection.frame(HEADERS, END_HEADERS, 1, &block(&fields));
        connection.frame(DATA, END_STREAM, 1, body.as_bytes());
        connection.end(1);
    }
    assert!(scene.seen().iter().all(|seen| !seen.text().contains("smuggled")));
    assert!(reaches(&scene, &get("/", &[])));
}

#[test]
fn a_head_that_never_ends_is_cut() {
    let scene = Scene::start();
    let mut connection = Connection::to(&scene);
    connection.frame(HEADERS, END_STREAM, 1, &block(&get("/", &[])));
    let piece = block(&vec![("x", "y"); 1000]);
    // Far more than a head may have; the gateway gives up long before.
    let sent = (0..10_000).take_while(|_| connection.frame(CONTINUATION, 0, 1, &piece)).count();
    assert!(sent < 10_000);
    assert!(scene.seen().is_empty());
    assert!(reaches(&scene, &get("/", &[])), "others are served");
}

#[test]
fn a_head_too_large_or_of_too_many_lines_is_refused() {
    let scene = Scene::start();
    let long = "y".repeat(12_000);
    let wide = [("x", long.as_str())];
    let many = vec![("x", "y"); 101];
    for (more, pieces) in [(wide.as_slice(), 3), (&many, 0)] {
        let mut connection = Connection::to(&scene);
        connection.frame(
            HEADERS,
            END_STREAM | if pieces == 0 { END_HEADERS } else { 0 },
            1,
            &block(&get("/", more)),
        );
        for piece in 1..=pieces {
            let flags = if piece == pieces { END_HEADERS } else { 0 };
            connection.frame(CONTINUATION, flags, 1, &block(&wide.to_vec()));
        }
        connection.end(1);
    }
    assert!(scene.seen().is_empty());
}

#[test]
fn streams_begun_and_reset_without_end_are_cut() {
    let scene = Scene::start();
    let mut connection = Connection::to(&scene);
    let head = block(&get("/", &[]));
    let cancelled = 8u32.to_be_bytes();
    let begun = (0..100_000u32).take_while(|number| {
        let stream = number * 2 + 1;
        connection.frame(HEADERS, END_STREAM | END_HEADERS, stream, &head)
            && connection.frame(RST_STREAM, 0, stream, &cancelled)
    });
    assert!(begun.count() < 100_000);
    assert!(reaches(&scene, &get("/", &[])), "others are served");
}

/// As CVE-2025-8671: each stream is made invalid by its own client, so that the server resets it.
#[test]
fn streams_that_the_gateway_has_to_reset_without_end_are_cut() {
    let scene = Scene::start();
    let head = block(&get("/", &[]));
    for increment in [0u32, 0x7fff_ffff] {
        let mut connection = Connection::to(&scene);
        let begun = (0..100_000u32).take_while(|number| {
            let stream = number * 2 + 1;
            connection.frame(HEADERS, END_STREAM | END_HEADERS, stream, &head)
                && connection.frame(WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
        });
        assert!(begun.count() < 100_000, "{increment}");
    }
    assert!(reaches(&scene, &get("/", &[])), "others are served");
}

#[test]
fn frames_that_say_nothing_are_cut_or_hold_nobody_up() {
    let scene = Scene::start();
    let head = block(&request("POST", "/", "app.example", &[]));
    let floods: [(u8, u8, u32, &[u8]); 5] = [
        (DATA, 0, 1, &[]),
        (SETTINGS, 0, 0, &[]),
        (PING, 0, 0, &[7; 8]),
        (WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        (PRIORITY, 0, 1, &[0, 0, 0, 0, 16]),
    ];
    for (kind, flags, stream, payload) in floods {
        let mut connection = Connection::to(&scene);
        connection.frame(HEADERS, END_HEADERS, 1, &head);
        let sent = (0..20_000).take_while(|_| connection.frame(kind, flags, stream, payload)).count();
        assert!(kind != DATA || sent < 20_000, "empty pieces of a body never end");
        assert!(reaches(&scene, &get("/", &[])), "others are served beside {kind}");
    }
}

#[test]
fn frames_that_break_the_protocol_end_the_connection() {
    let scene = Scene::start();
    let frames: [(u8, u8, u32, &[u8]); 7] = [
        (HEADERS, END_HEADERS, 0, &[]),
        (HEADERS, END_HEADERS, 2, &[0x82]),
        (DATA, END_STREAM, 1, b"x"),
        (CONTINUATION, END_HEADERS, 1, &[0x82]),
        (PING, 0, 0, &[0; 7]),
        (SETTINGS, 0, 0, &[0; 5]),
        (HEADERS, END_HEADERS, 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ];
    for (kind, flags, stream, payload) in frames {
        let mut connection = Connection::to(&scene);
        connection.frame(kind, flags, stream, payload);
        assert_eq!(connection.end(1), End::Cut, "{kind} {flags} {stream}");
    }
    assert!(scene.seen().is_empty());
}
