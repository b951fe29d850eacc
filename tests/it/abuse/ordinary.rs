//! What browsers, programs and health checks send.

use super::case::{Case, Expected, check, head};
use super::scene::{At, Scene};

#[test]
fn ordinary_requests_pass() {
    let scene = Scene::start();
    let desk = [
        ("GET /", ""),
        ("HEAD /", ""),
        ("GET /auth/login", "Accept: text/html\r\nAccept-Language: de-DE,de;q=0.9\r\n"),
        ("GET /issues?filter=open&page=2", "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"),
        ("GET /issue/3c736fa4-f9bf-4d4b-8e5f-0a1b2c3d4e5f", "Referer: http://desk.example/issues\r\n"),
        ("GET /_next/static/chunks/pages/_app-0a1b2c.js", "If-None-Match: \"x\"\r\n"),
        ("GET /_next/static/chunks/%5Bid%5D.js", ""),
        ("GET /_next/image?url=%2Flogo.png&w=64&q=75", ""),
        ("GET /_next/data/b/en/issues.json", "x-nextjs-data: 1\r\n"),
        ("GET /de/issues", "Cookie: NEXT_LOCALE=de; a=b\r\n"),
        ("GET /favicon.ico", "Range: bytes=0-10\r\n"),
        ("GET /logo.svg?v=1.2", "Cache-Control: no-cache\r\nPragma: no-cache\r\n"),
        ("GET /manifest.json", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n"),
    ];
    let app = [
        ("GET /", "", ""),
        ("GET /a%20b/caf%C3%A9?q=%C3%A9+x", "", ""),
        ("GET /a;b=c/@x/$y/(z)!*'", "", ""),
        ("GET /[a]/{b}|c^d", "", ""),
        ("OPTIONS /x", "Origin: http://desk.example\r\nAccess-Control-Request-Method: GET\r\n", ""),
        ("DELETE /x", "", ""),
        ("DELETE /x", "Content-Length: 2\r\n", "{}"),
        ("POST /x", "Content-Length: 5\r\n", "hello"),
        ("POST /x", "Content-Length: 0\r\n", ""),
        ("POST /x", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("PUT /x", "Content-Length: 5\r\nContent-Type: application/json\r\n", "hello"),
        ("PATCH /x", "Content-Length: 5\r\nExpect: 100-Continue\r\n", "hello"),
        ("PROPFIND /x", "Depth: 1\r\n", ""),
        ("GET /x", "Authorization: Bearer a.b.c\r\nX-Empty:\r\nX-Tab:\ta\tb\t\r\n", ""),
    ];
    let desk = desk.map(|(request, lines)| Case::asking(At::Open, request, lines, Expected::Passes));
    let app = app.map(|(request, lines, body)| {
        Case::new(At::Open, head(request, "app.example", lines) + body, Expected::Passes)
    });
    let old = Case::new(At::Open, "GET / HTTP/1.0\r\nHost: app.example\r\n\r\n", Expected::Passes);
    check(&scene, desk.into_iter().chain(app).chain([old]));
}

#[test]
fn a_socket_is_opened_only_where_the_router_allows_it() {
    let scene = Scene::start();
    let socket =
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let asking = |host: &str, path: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n{socket}\r\n")
    };
    let before = scene.seen().len();
    for (host, path) in [
        ("app.example", "/"),
        ("desk.example", "/"),
        ("desk.example", "/socket"),
        ("app.example", "/other/socket"),
    ] {
        let mut stream = scene.connect(At::Open);
        std::io::Write::write_all(&mut stream, asking(host, path).as_bytes()).expect("sent");
        let mut answer = [0; 12];
        std::io::Read::read_exact(&mut stream, &mut answer).expect("answered");
        assert_eq!(&answer, b"HTTP/1.1 403", "{host}{path}");
    }
    assert_eq!(scene.seen().len(), before);
    let mut stream = scene.connect(At::Open);
    std::io::Write::write_all(&mut stream, asking("app.example", "/socket").as_bytes()).expect("sent");
    let mut answer = [0; 12];
    std::io::Read::read_exact(&mut stream, &mut answer).expect("answered");
    assert_eq!(&answer, b"HTTP/1.1 200", "the service saw it and chose not to");
    assert_eq!(scene.seen().len(), before + 1);
}
