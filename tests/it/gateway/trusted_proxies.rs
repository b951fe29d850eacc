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

fn compiled(yaml: &str) -> NamedMiddleware {
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
