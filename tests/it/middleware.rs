//! Traefik's middleware options, with Traefik's answers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use mintgate::base::audit::Audit;
use mintgate::base::clock::SystemClock;
use mintgate::base::secret::HashKey;
use mintgate::desk::admin::Admins;
use mintgate::middleware::login_brake::Attempts;
use mintgate::middleware::registry::{MiddlewareSpec, Parts};
use mintgate::middleware::{Decision, Middleware, Verdict};
use mintgate::web::answer::Answer;
use mintgate::web::call::{BodyStream, CallError, HttpCall};
use mintgate::web::client_address::{Trusted, is_websocket, scheme};
use mintgate::web::cookie::Hardening;
use mintgate::web::exchange::{Exchange, Scheme};
use mintgate::web::path::canonical;
use serde_json::{Value, json};

use crate::shared::{header_lines, text, traefik_cases};
use crate::support::shield::no_shield;

/// None of these middlewares asks the desk.
struct NoDesk;

#[async_trait]
impl HttpCall for NoDesk {
    async fn open(&self, request: Request<Bytes>) -> Result<Response<BodyStream>, CallError> {
        panic!("the desk was asked for {}", request.uri())
    }
}

/// JSON is YAML.
fn compile(middleware: &Value) -> Option<Arc<dyn Middleware>> {
    let url = "http://127.0.0.1:5003".parse().expect("a URL");
    let audit = Audit::new(Arc::new(SystemClock));
    let admins = Admins::new(Arc::new(NoDesk), &url, Arc::new(SystemClock), HashKey::random(), audit.clone());
    let spec: MiddlewareSpec = serde_yaml::from_str(&middleware.to_string()).ok()?;
    let shield = no_shield(Arc::new(NoDesk), &url);
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
    spec.compile(&parts).ok().map(|compiled| compiled.runs)
}

fn compiled(middleware: &Value) -> Arc<dyn Middleware> {
    compile(middleware).unwrap_or_else(|| panic!("refused: {middleware}"))
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// A request as Traefik's own tests see it: behind a proxy that is trusted.
fn request(case: &Value) -> (Exchange, Request<Bytes>) {
    let method = case["method"].as_str().unwrap_or("GET");
    let uri: Uri = case["url"].as_str().unwrap_or("/foo").parse().expect("a URI");
    let host =
        case["host"].as_str().or(uri.authority().map(http::uri::Authority::as_str)).unwrap_or("a.test");
    let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut builder = Request::builder().method(method).uri(target).header("host", host);
    for (name, value) in header_lines(&case["headers"]) {
        builder = builder.header(name, value);
    }
    let request = builder.body(Bytes::new()).expect("a request");
    let tls = case["tls"] == true;
    let peer = IpAddr::from([10, 0, 0, 1]);
    // `X-Forwarded-Proto` alone counts where the peer is trusted; `headers` is asked as if it were not.
    let scheme = if tls { Scheme::Https } else { Scheme::Http };
    let path = canonical(request.uri().path(), &[]).expect("a path");
    (Exchange { peer, client: IpAddr::from([203, 0, 113, 7]), scheme, tls, port: 80, path }, request)
}

fn answer(verdict: Verdict) -> Option<Answer> {
    match verdict {
        Verdict::Now(Decision::Answer(answer)) => Some(*answer),
        Verdict::Now(_) => None,
        Verdict::Later(_) => panic!("the middleware has to ask somebody"),
    }
}

fn status(answer: Option<&Answer>) -> u64 {
    answer.map_or(200, |answer| u64::from(answer.status().as_u16()))
}

/// Every line of a map, names in lower case.
fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let each =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()));
    let mut lines: Vec<_> = each.collect();
    lines.sort();
    lines
}

fn expected_lines(value: &Value) -> Vec<(String, String)> {
    let each = header_lines(value).into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let mut lines: Vec<_> = each.collect();
    lines.sort();
    lines
}

#[test]
fn traefiks_ip_allow_list_cases_hold() {
    for case in traefik_cases("ip_allowlist").unwrap_or_default() {
        // Its old name comes with the rest of Traefik's middlewares.
        if case["middleware"]["ipAllowList"].is_null() {
            continue;
        }
        let Some(expected) = case["expect_status"].as_u64() else {
            assert_eq!(compile(&case["middleware"]).is_some(), case["expect"] == "config_ok", "{case}");
            continue;
        };
        let peer = address(text(&case, "remote_addr")).expect("an address");
        let (exchange, mut request) = request(&Value::Null);
        let exchange = Exchange { peer, client: peer, ..exchange };
        let answer = answer(compiled(&case["middleware"]).request(&exchange, &mut request));
        assert_eq!(status(answer.as_ref()), expected, "{case}");
    }
}

#[test]
fn traefiks_ip_strategy_cases_hold() {
    for case in traefik_cases("ip_strategy").unwrap_or_default() {
        let expected = text(&case, "expect_ip");
        // A zone is no part of an address here.
        if expected.contains('%') {
            continue;
        }
        let ranges = if expected.is_empty() { json!(["0.0.0.0/0", "::/0"]) } else { json!([expected]) };
        let list =
            compiled(&json!({"ipAllowList": {"sourceRange": ranges, "ipStrategy": case["ipStrategy"]}}));
        let headers = case["x_forwarded_for"].as_str().map(|list| json!({"X-Forwarded-For": list}));
        let (mut exchange, mut request) = request(&json!({"headers": headers}));
        if headers.is_none() {
            let remote = text(&case, "remote_addr").replace("%1", "");
            exchange.client = address(&remote).expect("an address");
            exchange.peer = exchange.client;
        }
        let passes = answer(list.request(&exchange, &mut request)).is_none();
        assert_eq!(passes, !expected.is_empty(), "{case}");
    }
}

#[test]
fn traefiks_ip_range_cases_hold() {
    for case in traefik_cases("ip_ranges").unwrap_or_default() {
        let list = compile(&json!({"ipAllowList": {"sourceRange": case["ranges"]}}));
        let Some(address_text) = case["addr"].as_str() else {
            assert_eq!(list.is_some(), case["expect"] == "config_ok", "{case}");
            continue;
        };
        // What is no address cannot be a peer.
        let zoneless = address_text.split('%').next().expect("a first part");
        let Some(peer) = address(zoneless) else {
            assert_ne!(case["expect"], "in", "{case}");
            continue;
        };
        let (exchange, mut request) = request(&Value::Null);
        let exchange = Exchange { peer, client: peer, ..exchange };
        let passes = answer(list.expect("a list").request(&exchange, &mut request)).is_none();
        assert_eq!(passes, case["expect"] == "in", "{case}");
    }
}

#[test]
fn traefiks_header_cases_hold() {
    for case in traefik_cases("headers").unwrap_or_default() {
        let options = case["middleware"]["headers"].as_object().expect("options");
        // Traefik refuses a middleware without options too; its test asks one built past that check.
        if options.is_empty() {
            assert!(compile(&case["middleware"]).is_none(), "{case}");
            continue;
        }
        let middleware = compiled(&case["middleware"]);
        let (exchange, mut request) = request(&case["request"]);
        let answered = answer(middleware.request(&exchange, &mut request));
        if let Some(expected) = case["expect_status"].as_u64() {
            assert_eq!(status(answered.as_ref()), expected, "{case}");
        }
        if let Some(called) = case["expect_upstream_called"].as_bool() {
            assert_eq!(answered.is_none(), called, "{case}");
        }
        let mut sent = request.headers().clone();
        middleware.forward(&exchange, &mut sent);
        if let Some(host) = case["expect_upstream_host"].as_str() {
            assert_eq!(sent["host"], host, "{case}");
        }
        if !case["expect_upstream_request_headers"].is_null() {
            sent.remove("host");
            let expected = expected_lines(&case["expect_upstream_request_headers"]);
            assert_eq!(lines(&sent), expected, "{case}");
        }
        if !case["expect_response_headers_exact"].is_null() {
            let response = answered.unwrap_or_else(|| {
                let mut response = upstream(&case["upstream_response_headers"]);
                middleware.response(&exchange, &request, &mut response);
                response
            });
            let expected = expected_lines(&case["expect_response_headers_exact"]);
            assert_eq!(lines(response.headers()), expected, "{case}");
        }
    }
}

fn upstream(headers: &Value) -> Response<Bytes> {
    let mut builder = Response::builder();
    for (name, value) in header_lines(headers) {
        builder = builder.header(name, value);
    }
    builder.body(Bytes::new()).expect("a response")
}

#[test]
fn traefiks_security_header_cases_hold() {
    for case in traefik_cases("headers_security").unwrap_or_default() {
        // No browser pins keys any more: refused here, with that hint.
        if !case["middleware"]["headers"]["publicKey"].is_null() {
            assert!(compile(&case["middleware"]).is_none(), "{case}");
            continue;
        }
        let middleware = compiled(&case["middleware"]);
        let (exchange, mut request) = request(&case["request"]);
        let answered = answer(middleware.request(&exchange, &mut request));
        assert_eq!(status(answered.as_ref()), case["expect_status"].as_u64().unwrap_or(200), "{case}");
        let mut response = upstream(&case["upstream_response_headers"]);
        middleware.response(&exchange, &request, &mut response);
        for (name, value) in header_lines(&case["expect_response_headers_include"]) {
            assert_eq!(
                response.headers().get(&name).and_then(|line| line.to_str().ok()),
                Some(&*value),
                "{case}"
            );
        }
        for name in case["expect_response_headers_absent"].as_array().into_iter().flatten() {
            assert!(!response.headers().contains_key(name.as_str().expect("a name")), "{case}");
        }
    }
}

#[test]
fn traefiks_redirect_scheme_cases_hold() {
    for case in traefik_cases("redirect_scheme").unwrap_or_default() {
        if case["expect"] == "config_error" {
            assert!(compile(&case["middleware"]).is_none(), "{case}");
            continue;
        }
        let (mut exchange, mut request) = request(&case["request"]);
        exchange.scheme = scheme(exchange.peer, exchange.tls, request.headers(), &Trusted::Everybody);
        let answered = answer(compiled(&case["middleware"]).request(&exchange, &mut request));
        assert_eq!(status(answered.as_ref()), case["expect_status"].as_u64().expect("a status"), "{case}");
        if let (Some(answer), Some(expected)) = (answered, case["expect_location"].as_str()) {
            let location = answer.headers()["location"].to_str().expect("text");
            assert_eq!(location.trim_end_matches('/'), expected.trim_end_matches('/'), "{case}");
        }
    }
}

#[test]
fn traefiks_websocket_cases_hold() {
    for case in traefik_cases("forwarded_headers").unwrap_or_default() {
        let Some(expected) = case["expect_is_websocket"].as_bool() else { continue };
        let (_, request) = request(&case["request"]);
        assert_eq!(is_websocket(request.headers()), expected, "{case}");
    }
}
