//! What a trusted proxy says reaches the middlewares, and nobody else's word does.

use std::sync::Arc;

use mintgate::base::audit::Audit;
use mintgate::base::clock::SystemClock;
use mintgate::base::secret::HashKey;
use mintgate::config::NamedMiddleware;
use mintgate::desk::admin::Admins;
use mintgate::middleware::login_brake::Attempts;
use mintgate::middleware::registry::{MiddlewareSpec, Parts};
use mintgate::net::{Client as HttpClient, Egress, Timeouts};
use mintgate::web::client_address::Trusted;
use mintgate::web::cookie::Hardening;
use tokio::runtime::Runtime;

use super::client::Client;
use super::start::{Plan, Started, router, routes, service};
use super::upstream::Upstream;
use crate::support::shield::no_shield;

/// The second address from the right, which the outermost of two proxies has written.
const BY_DEPTH: &str = "ipAllowList: {sourceRange: [203.0.113.0/24], ipStrategy: {depth: 2}}";
const BY_EXCLUSION: &str =
    "ipAllowList: {sourceRange: [203.0.113.0/24], ipStrategy: {excludedIPs: [10.0.0.0/8]}}";
const THROUGH_PROXIES: [&str; 1] = ["X-Forwarded-For: 203.0.113.9, 10.0.0.2"];

pub(super) fn compiled(yaml: &str) -> NamedMiddleware {
    let runtime = Runtime::new().expect("a runtime");
    let desk = "http://127.0.0.1:5003".parse().expect("a URL");
    let nobody = Egress::only(["http://127.0.0.1:5003"]).expect("rules");
    let http = HttpClient::new(runtime.handle().clone(), nobody, Timeouts::default()).expect("a client");
    let http = Arc::new(http);
    let audit = Audit::new(Arc::new(SystemClock));
    let admins = Admins::new(http.clone(), &desk, Arc::new(SystemClock), HashKey::random(), audit.clone());
    let spec: MiddlewareSpec = serde_yaml::from_str(yaml).expect("a middleware");
    let shield = no_shield(http, &desk);
    let parts = Parts {
        clock: Arc::new(SystemClock),
        attempts: Arc::new(Attempts::new(Arc::new(SystemClock))),
        admins: Arc::new(admins),
        cookies: Hardening::default(),
        dropped_cookies: Default::default(),
        graph_tokens: Default::default(),
        shield,
        audit,
    };
    let compiled = spec.compile(&parts).expect("it can work");
    NamedMiddleware { name: "under test".into(), runs: compiled.runs }
}

fn loopback() -> Trusted {
    Trusted::Networks(vec!["127.0.0.0/8".parse().expect("a network")])
}

fn gateway(upstream: &Upstream, trusted: Trusted, yaml: &str) -> Started {
    let mut everything = router("PathPrefix(`/`)");
    everything.middlewares = vec![compiled(yaml)];
    let plan = Plan { trusted, ..Plan::default() };
    Started::with(plan, routes(vec![everything], vec![service(&[upstream.address])]))
}

#[test]
fn the_address_behind_a_trusted_proxy_is_found_by_depth_and_by_exclusion() {
    let upstream = Upstream::echo();
    for yaml in [BY_DEPTH, BY_EXCLUSION] {
        let gateway = gateway(&upstream, loopback(), yaml);
        let mut client = Client::to(gateway.address);
        assert_eq!(client.ask("GET /", &THROUGH_PROXIES).status, 200, "{yaml}");
        let elsewhere = client.ask("GET /", &["X-Forwarded-For: 198.51.100.9, 10.0.0.2"]);
        assert_eq!(elsewhere.status, 403, "{yaml}");
    }
}

#[test]
fn who_is_no_trusted_proxy_cannot_write_himself_an_address() {
    let upstream = Upstream::echo();
    let elsewhere = Trusted::Networks(vec!["192.0.2.0/24".parse().expect("a network")]);
    for trusted in [Trusted::Nobody, elsewhere] {
        for yaml in [BY_DEPTH, BY_EXCLUSION, "ipAllowList: {sourceRange: [203.0.113.0/24]}"] {
            let gateway = gateway(&upstream, trusted.clone(), yaml);
            assert_eq!(Client::to(gateway.address).ask("GET /", &THROUGH_PROXIES).status, 403, "{yaml}");
        }
    }
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn a_trusted_proxy_tells_the_host_and_that_the_client_came_by_tls() {
    let upstream = Upstream::echo();
    let yaml = "headers: {stsSeconds: 60, sslProxyHeaders: {X-Forwarded-Ssl: 'on'}, \
                allowedHosts: [public.example], hostsProxyHeaders: [X-Forwarded-Host]}";
    let told = ["X-Forwarded-For: 203.0.113.9", "X-Forwarded-Host: public.example", "X-Forwarded-Ssl: on"];
    let believing = gateway(&upstream, loopback(), yaml);
    let answer = Client::to(believing.address).ask("GET /", &told);
    assert_eq!((answer.status, answer.header("strict-transport-security")), (200, Some("max-age=60")));
    let doubting = gateway(&upstream, Trusted::Nobody, yaml);
    let answer = Client::to(doubting.address).ask("GET /", &told);
    assert_eq!((answer.status, answer.header("strict-transport-security")), (500, None));
}

#[test]
fn the_upstream_hears_only_us_even_behind_a_trusted_proxy() {
    let upstream = Upstream::echo();
    let gateway = gateway(&upstream, loopback(), BY_DEPTH);
    let lines =
        [THROUGH_PROXIES[0], "Forwarded: for=6.6.6.6", "X-Original-Url: /6.6.6.6", "X_Real_Ip: 6.6.6.6"];
    let seen = Client::to(gateway.address).ask("GET /", &lines).text().to_ascii_lowercase();
    assert!(seen.contains("\nx-forwarded-for: 10.0.0.2\n"), "{seen}");
    assert!(!seen.contains("6.6.6.6") && !seen.contains("203.0.113.9"), "{seen}");
}

/// Two upstreams: the second gets what the rule of the first does not take.
fn chosen(trusted: Trusted, rule: &str, lines: &[&str]) -> &'static str {
    let named = |name: &'static str| {
        Upstream::new(move |request| {
            request.drain();
            request.reply("", name.as_bytes());
        })
    };
    let (first, second) = (named("first"), named("second"));
    let (mut narrow, mut wide) = (router(rule), router("PathPrefix(`/`)"));
    (narrow.priority, wide.priority, wide.service) = (2, 1, 1);
    let services = vec![service(&[first.address]), service(&[second.address])];
    let gateway = Started::with(Plan { trusted, ..Plan::default() }, routes(vec![narrow, wide], services));
    match Client::to(gateway.address).ask("GET /", lines).text().as_str() {
        "first" => "first",
        _ => "second",
    }
}

#[test]
fn rules_read_what_a_trusted_proxy_says_and_nobody_elses_word() {
    let table = [
        ("Header(`X-Real-Ip`, `10.0.0.5`)", "X-Real-Ip: 10.0.0.5"),
        ("Header(`X-Forwarded-Proto`, `https`)", "X-Forwarded-Proto: https"),
        ("HeaderRegexp(`X-Forwarded-Host`, `public`)", "X-Forwarded-Host: public.example"),
        ("Header(`X-Forwarded-Port`, `443`)", "X-Forwarded-Port: 443"),
        ("Header(`X-Forwarded-User`, `admin`)", "X-Forwarded-User: admin"),
        ("!Header(`X-Real-Ip`, `127.0.0.1`)", "X-Real-Ip: 10.0.0.5"),
    ];
    for (rule, line) in table {
        assert_eq!(chosen(Trusted::Nobody, rule, &[line]), "second", "{rule}");
        assert_eq!(chosen(loopback(), rule, &[line]), "first", "{rule}");
    }
}

#[test]
fn rules_find_how_the_request_came_where_nobody_has_said_it() {
    for rule in [
        "Header(`X-Real-Ip`, `127.0.0.1`)",
        "Header(`X-Forwarded-Proto`, `http`)",
        "Header(`X-Forwarded-Port`, `80`)",
        "Header(`X-Forwarded-Host`, `desk.example`)",
    ] {
        for trusted in [Trusted::Nobody, loopback()] {
            assert_eq!(chosen(trusted, rule, &[]), "first", "{rule}");
        }
    }
}

#[test]
fn rules_do_not_read_what_a_connection_line_names() {
    let named = |rule, lines: &[&str]| chosen(loopback(), rule, lines);
    for line in ["Connection: close, X-Role", "Connection: x-role", "Connection: keep-alive,X-ROLE "] {
        assert_eq!(named("Header(`X-Role`, `admin`)", &["X-Role: admin", line]), "second", "{line}");
        assert_eq!(named("!HeaderRegexp(`X-Role`, `.`)", &["X-Role: guest", line]), "first", "{line}");
    }
    let proto = ["X-Forwarded-Proto: https", "Connection: X-Forwarded-Proto"];
    assert_eq!(named("Header(`X-Forwarded-Proto`, `https`)", &proto), "first");
    assert_eq!(named("HeaderRegexp(`Connection`, `.`)", &["Connection: close"]), "second");
}

#[test]
fn clients_are_told_apart_by_a_forwarding_header_that_nobody_has_sent() {
    let upstream = Upstream::echo();
    let yaml =
        "rateLimit: {average: 1, period: 1h, burst: 1, sourceCriterion: {requestHeaderName: X-Real-Ip}}";
    let mut everything = router("PathPrefix(`/`)");
    everything.middlewares = vec![compiled(yaml)];
    let plan = Plan { proxy_header: Some(loopback()), ..Plan::default() };
    let gateway = Started::with(plan, routes(vec![everything], vec![service(&[upstream.address])]));
    let ask = |peer: &str, line: &str| {
        let mut client = Client::to(gateway.address);
        client.send(format!("PROXY TCP4 {peer} 127.0.0.1 4711 80\r\n"));
        client.ask("GET /", &[line]).status
    };
    assert_eq!(ask("203.0.113.7", "Accept: */*"), 200);
    assert_eq!(ask("203.0.113.8", "X-Real-Ip: 203.0.113.7"), 200);
    assert_eq!(ask("203.0.113.7", "X-Real-Ip: 203.0.113.9"), 429);
}
