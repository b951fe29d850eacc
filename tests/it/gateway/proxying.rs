//! What the upstream is told and what the client gets back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use mintgate::base::wake::Wake;
use mintgate::config::{Redirection, Router};
use mintgate::middleware::{Decision, Middleware, Verdict};
use mintgate::web::answer::short;
use mintgate::web::client_address::Trusted;
use mintgate::web::exchange::{Exchange, Scheme};
use mintgate::web::head::{Headers, RequestHead, ResponseHead};
use mintgate::web::local::{Admin, LocalService, admin};

use super::client::Client;
use super::start::{Plan, Started, everything_to, named, router, routes, service};
use super::trusted_proxies::compiled;
use super::upstream::Upstream;

#[test]
fn forwarding_headers_are_ours_whatever_the_client_sent() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    let response = client.ask(
        "GET /",
        &[
            "X-Forwarded-For: 203.0.113.9",
            "Forwarded: for=203.0.113.9",
            "X-Real-IP: 203.0.113.9",
            "X_Real_Ip: 1",
        ],
    );
    let seen = response.text().to_ascii_lowercase();
    assert!(!seen.contains("203.0.113.9"), "{seen}");
    assert!(!seen.contains("x_real_ip"), "{seen}");
    for line in [
        "x-forwarded-for: 127.0.0.1",
        "x-real-ip: 127.0.0.1",
        "x-forwarded-proto: http",
        "host: desk.example",
    ] {
        assert_eq!(seen.lines().filter(|seen| *seen == line).count(), 1, "{line} in {seen}");
    }
}

#[test]
fn a_trusted_proxy_says_who_the_client_is() {
    let upstream = Upstream::echo();
    let trusted = Trusted::Networks(vec!["127.0.0.0/8".parse().expect("a network")]);
    let gateway = Started::with(Plan { trusted, ..Plan::default() }, everything_to(upstream.address));
    let lines = ["X-Forwarded-For: 198.51.100.1, 203.0.113.9", "X-Forwarded-Proto: https"];
    let seen = Client::to(gateway.address).ask("GET /", &lines).text().to_ascii_lowercase();
    assert!(seen.contains("x-forwarded-for: 203.0.113.9\n"), "{seen}");
    assert!(seen.contains("x-forwarded-proto: https"), "{seen}");
}

#[test]
fn naming_our_headers_in_connection_does_not_remove_them() {
    let upstream = Upstream::echo();
    let mut everything = router("PathPrefix(`/`)");
    everything.middlewares = vec![named("tag", Tag("kept"))];
    let gateway = Started::new(routes(vec![everything], vec![service(&[upstream.address])]));
    for name in ["X-Forwarded-For", "X-Real-IP", "X-Request-Id", "X-Tag", "Host"] {
        let response = Client::to(gateway.address).ask("GET /", &[&format!("Connection: close, {name}")]);
        let seen = response.text().to_ascii_lowercase();
        let line = format!("\n{}: ", name.to_ascii_lowercase());
        assert!(response.status == 200 && seen.contains(&line), "{name}: {} {seen}", response.status);
    }
}

#[test]
fn every_set_cookie_keeps_its_own_line_and_the_servers_name_is_not_told() {
    let upstream = Upstream::new(|request| {
        request.reply(
            "Set-Cookie: a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\nServer: Secret/1.0\r\nSet-Cookie: b=2\r\n",
            b"",
        );
    });
    let gateway = Started::new(everything_to(upstream.address));
    let response = Client::to(gateway.address).ask("GET /", &[]);
    assert_eq!(response.all("set-cookie"), ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"]);
    assert_eq!(response.header("server"), None);
}

#[test]
fn what_a_service_says_to_the_gateway_does_not_reach_the_client() {
    let upstream = Upstream::new(|request| {
        let lines = "Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n\
                     Proxy-Authenticate: Basic\r\nX-Hop: 1\r\nX-Kept: 1\r\n";
        request.reply(lines, b"body");
    });
    let gateway = Started::new(everything_to(upstream.address));
    let response = Client::to(gateway.address).ask("GET /", &[]);
    for name in ["keep-alive", "upgrade", "proxy-authenticate", "x-hop"] {
        assert_eq!(response.header(name), None, "{name}");
    }
    assert_eq!((response.header("x-kept"), response.text().as_str()), (Some("1"), "body"));
}

#[test]
fn a_service_is_told_that_there_is_no_body_where_one_could_be() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    for (request, told) in [("POST /", true), ("PUT /", true), ("PATCH /", true), ("GET /", false)] {
        let seen = client.ask(request, &[]).text().to_ascii_lowercase();
        assert_eq!(seen.ends_with("\ncontent-length: 0"), told, "{request}: {seen}");
    }
}

#[test]
fn a_client_of_http_1_0_gets_no_chunks() {
    let upstream = Upstream::new(|request| {
        request.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n");
    });
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    client.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    let head = client.head();
    assert_eq!((head.header("transfer-encoding"), head.header("connection")), (None, Some("close")));
    assert_eq!(client.rest(), b"body");
}

#[test]
fn an_interim_answer_sets_no_cookie() {
    let upstream = Upstream::new(|request| {
        request.write("HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=1\r\nLink: </x>\r\n\r\n");
        request.reply("", b"");
    });
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let interim = client.head();
    assert_eq!((interim.status, interim.all("set-cookie").len()), (103, 0));
    assert_eq!(client.response(false).status, 200);
}

#[test]
fn a_request_id_is_carried_through() {
    let upstream = Upstream::echo();
    let gateway = Started::new(everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    let given = client.ask("GET /", &["X-Request-Id: trace-1"]);
    assert_eq!(given.header("x-request-id"), Some("trace-1"));
    assert!(given.text().to_ascii_lowercase().contains("x-request-id: trace-1"));
    let made = client.ask("GET /", &[]);
    assert_eq!(made.header("x-request-id").map(str::len), Some(16));
}

#[test]
fn servers_of_a_service_take_turns_and_one_that_is_down_is_passed_over() {
    let (one, other) = (Upstream::echo(), Upstream::echo());
    let down = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let servers = [one.address, down, other.address];
    let gateway = Started::new(routes(vec![router("PathPrefix(`/`)")], vec![service(&servers)]));
    let mut client = Client::to(gateway.address);
    for _ in 0..12 {
        assert_eq!(client.ask("POST /", &["Content-Length: 0"]).status, 200);
    }
    assert!(one.requests() >= 4 && other.requests() >= 4, "{} and {}", one.requests(), other.requests());
}

#[test]
fn a_service_that_does_not_pass_the_host_gets_its_own() {
    let upstream = Upstream::echo();
    let mut own = service(&[upstream.address]);
    own.pass_host = false;
    let gateway = Started::new(routes(vec![router("PathPrefix(`/`)")], vec![own]));
    let seen = Client::to(gateway.address).ask("GET /", &[]).text().to_ascii_lowercase();
    assert!(seen.contains(&format!("\nhost: {}", upstream.address)), "{seen}");
    assert!(seen.contains("x-forwarded-host: desk.example"), "{seen}");
}

#[test]
fn a_redirecting_entry_point_redirects_everything_but_ping() {
    let upstream = Upstream::echo();
    let redirect = Some(Redirection { scheme: Scheme::Https, port: 8443, permanent: true });
    let gateway = Started::with(Plan { redirect, ..Plan::default() }, everything_to(upstream.address));
    let mut client = Client::to(gateway.address);
    let moved = client.ask("GET /a?b", &[]);
    assert_eq!((moved.status, moved.header("location")), (301, Some("https://desk.example:8443/a?b")));
    assert_eq!(client.ask("POST /a", &["Content-Length: 0"]).status, 308);
    assert_eq!(client.ask("GET /ping", &[]).status, 200);
    assert_eq!(upstream.requests(), 0);
}

/// Says in every half that it was there.
struct Tag(&'static str);

const X_TAG: HeaderName = HeaderName::from_static("x-tag");

impl Middleware for Tag {
    fn forward(&self, _exchange: &Exchange, headers: &mut dyn Headers) {
        headers.append(X_TAG, HeaderValue::from_static(self.0));
    }
    fn response(&self, _: &Exchange, _: &dyn RequestHead, response: &mut dyn ResponseHead) {
        response.append(X_TAG, HeaderValue::from_static(self.0));
    }
}

/// Answers by itself, now or later.
struct Wall(fn() -> Verdict);

impl Middleware for Wall {
    fn request(&self, _: &Exchange, _: &mut dyn RequestHead) -> Verdict {
        (self.0)()
    }
}

fn refused() -> Decision {
    Decision::Answer(Box::new(short(http::StatusCode::FORBIDDEN, "/", "No.")))
}

#[test]
fn a_middlewares_answer_is_seen_by_those_before_it_and_nobody_after() {
    let upstream = Upstream::echo();
    for wall in [Wall(|| Verdict::Now(refused())), Wall(|| Verdict::Later(Box::pin(async { refused() })))] {
        let mut everything = router("PathPrefix(`/`)");
        everything.middlewares = vec![
            named("first", Tag("first")),
            named("second", Tag("second")),
            named("wall", wall),
            named("last", Tag("last")),
        ];
        let gateway = Started::new(routes(vec![everything], vec![service(&[upstream.address])]));
        let response = Client::to(gateway.address).ask("GET /", &[]);
        assert_eq!(response.status, 403);
        assert_eq!(response.all("x-tag"), ["second", "first"]);
    }
    assert_eq!(upstream.requests(), 0);
}

/// Answers with the body it got and whose proof came along.
struct Mirror;

#[async_trait]
impl LocalService for Mirror {
    async fn answer(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let who = admin(request.extensions()).map_or("nobody", |admin| admin.name.as_str()).to_owned();
        let body = String::from_utf8_lossy(request.body()).into_owned();
        http::Response::new(Bytes::from(format!("{who} {} {body}", request.uri().path())))
    }
}

struct Guard;

impl Middleware for Guard {
    fn request(&self, _: &Exchange, _: &mut dyn RequestHead) -> Verdict {
        let admin = Admin {
            user_id: "1".to_owned(),
            email: "admin@example.com".to_owned(),
            name: "Ada".to_owned(),
            language: "en".to_owned(),
            session: [0; 32],
        };
        Verdict::Now(Decision::PassAdmin(Arc::new(admin)))
    }
}

fn desk(guarded: bool) -> Router {
    let mut desk = router("PathPrefix(`/`)");
    desk.desk = true;
    if guarded {
        desk.middlewares = vec![named("guard", Guard)];
    }
    desk
}

#[test]
fn the_console_is_asked_only_with_an_admins_proof() {
    let upstream = Upstream::echo();
    let plan = || Plan { console: Some(Arc::new(Mirror)), ..Plan::default() };
    let open = Started::with(plan(), routes(vec![desk(false)], vec![service(&[upstream.address])]));
    let mut client = Client::to(open.address);
    for request in [
        "GET /admin/exchange",
        "GET /admin/exchange/callback/",
        "GET /de/Admin/exchange/x",
        "GET /admin/%65xchange/callback",
        "HEAD /admin/exchange/callback",
    ] {
        assert_eq!(client.ask(request, &[]).status, 403, "{request}");
    }
    assert_eq!(
        Client::to(open.address).ask("POST /admin/exchange/callback", &["Content-Length: 0"]).status,
        403
    );
    assert_eq!(
        client.ask("GET /admin/exchange/callback?code=x", &[]).text(),
        "nobody /admin/exchange/callback "
    );
    let guarded = Started::with(plan(), routes(vec![desk(true)], vec![service(&[upstream.address])]));
    let mut client = Client::to(guarded.address);
    client.send("POST /admin/exchange/test HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.response(false).text(), "Ada /admin/exchange/test hello");
    assert_eq!(client.ask("GET /admin/exchangeable", &[]).status, 200);
    assert_eq!(upstream.requests(), 1);
}

#[test]
fn a_body_too_large_for_the_console_is_refused() {
    let upstream = Upstream::echo();
    let plan = Plan { console: Some(Arc::new(Mirror)), ..Plan::default() };
    let gateway = Started::with(plan, routes(vec![desk(true)], vec![service(&[upstream.address])]));
    let mut client = Client::to(gateway.address);
    client.send("POST /admin/exchange HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n");
    client.send(vec![b'x'; 1_048_577]);
    assert_eq!(client.response(false).status, 413);
}

#[test]
fn a_path_the_desk_would_read_otherwise_is_refused_there_and_passed_elsewhere() {
    let upstream = Upstream::echo();
    let mut elsewhere = router("Host(`other.example`)");
    elsewhere.priority = 1000;
    let gateway = Started::new(routes(vec![desk(false), elsewhere], vec![service(&[upstream.address])]));
    let mut client = Client::to(gateway.address);
    for path in ["/a/../admin/exchange", "/a%2fb", "//a"] {
        assert_eq!(client.ask(&format!("GET {path}"), &[]).status, 400, "{path}");
    }
    client.send("GET /a%2fb HTTP/1.1\r\nHost: other.example\r\n\r\n");
    assert_eq!(client.response(false).status, 200);
}

#[test]
fn an_encoded_letter_does_not_lead_past_a_rule_of_any_service() {
    let upstream = Upstream::echo();
    let mut secret = router("PathPrefix(`/secret`)");
    secret.middlewares = vec![named("wall", Wall(|| Verdict::Now(refused())))];
    let everything = router("PathPrefix(`/`)");
    let gateway = Started::new(routes(vec![secret, everything], vec![service(&[upstream.address])]));
    let mut client = Client::to(gateway.address);
    for path in ["/secret", "/%73ecret/x", "/s%65cret"] {
        assert_eq!(client.ask(&format!("GET {path}"), &[]).status, 403, "{path}");
    }
    assert!(client.ask("GET /a%73", &[]).text().starts_with("GET /as "), "forwarded as matched");
}

#[test]
fn a_ring_tells_which_ticket_was_written_to() {
    let upstream = Upstream::new(|request| {
        request.drain();
        request.reply("Content-Type: application/json\r\n", br#"{"success":true,"id":"t-2"}"#);
    });
    let wake = Wake::new();
    let plan = Plan { on_desk_write: Some(wake.clone()), ..Plan::default() };
    let gateway = Started::with(plan, routes(vec![desk(false)], vec![service(&[upstream.address])]));
    let mut client = Client::to(gateway.address);
    let mut post = |target: &str, body: &str| {
        let head =
            format!("{target} HTTP/1.1\r\nHost: desk.example\r\nContent-Length: {}\r\n\r\n", body.len());
        client.send(head);
        client.send(body);
        client.response(false).status
    };
    for (target, body, about) in [
        ("POST /api/v1/ticket/comment", r#"{"text":"a","id":"t-1","public":true}"#, &["t-1"][..]),
        ("PUT /de/api/v1/Ticket/status/update", r#"{"id":"t-1","status":true}"#, &["t-1"]),
        ("POST /api/v1/ticket/create", r#"{"title":"a","id":"t-9"}"#, &["t-2"]),
        ("PUT /api/v1/ticket/update", r#"{"id":"t-1"}"#, &[]),
        ("POST /api/v1/ticket/comment", "not json", &[]),
    ] {
        assert_eq!(post(target, body), 200, "{target}");
        tokio::runtime::Runtime::new().expect("a runtime").block_on(wake.rung());
        assert_eq!(wake.take_about(), about, "{target}");
    }
}

#[test]
fn an_agents_comment_rings_and_a_change_of_rights_flushes() {
    let upstream = Upstream::echo();
    let (wake, flushed) = (Wake::new(), Arc::new(AtomicUsize::new(0)));
    let counted = flushed.clone();
    let plan = Plan {
        on_desk_write: Some(wake.clone()),
        on_rights_change: Some(Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        })),
        ..Plan::default()
    };
    let gateway = Started::with(plan, routes(vec![desk(false)], vec![service(&[upstream.address])]));
    let mut client = Client::to(gateway.address);
    client.ask("GET /api/v1/ticket/1", &[]);
    assert_eq!(flushed.load(Ordering::SeqCst), 0);
    let changes =
        ["GET /api/v1/auth/user/1/logout", "PUT /api/v1/auth/user/role", "DELETE /api/v1/auth/user/1"];
    for (before, change) in changes.into_iter().enumerate() {
        client.ask(change, &["Content-Length: 0"]);
        assert_eq!(flushed.load(Ordering::SeqCst), before + 1, "{change}");
    }
    client.ask("POST /api/v1/ticket/comment", &["Content-Length: 0"]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(wake.rung());
}

/// Says which host it was asked for.
struct Host;

#[async_trait]
impl LocalService for Host {
    async fn answer(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let host = request.headers().get(http::header::HOST).map_or(&b""[..], |host| host.as_bytes());
        http::Response::new(Bytes::copy_from_slice(host))
    }
}

#[test]
fn another_host_for_the_service_is_the_services_alone() {
    let upstream = Upstream::echo();
    let mut own = desk(true);
    own.middlewares.push(compiled("headers: {customRequestHeaders: {Host: desk.internal}}"));
    let plan = Plan { console: Some(Arc::new(Host)), ..Plan::default() };
    let gateway = Started::with(plan, routes(vec![own], vec![service(&[upstream.address])]));
    let mut client = Client::to(gateway.address);
    assert_eq!(client.ask("GET /admin/exchange", &[]).text(), "desk.example");
    let seen = client.ask("GET /", &[]).text().to_ascii_lowercase();
    assert!(seen.contains("\nhost: desk.internal\n") || seen.ends_with("\nhost: desk.internal"), "{seen}");
    assert!(seen.contains("x-forwarded-host: desk.example"), "{seen}");
}
