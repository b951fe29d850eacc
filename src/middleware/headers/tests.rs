//! What `headers` promises, over its YAML.

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Method, Request, Response, StatusCode};

use crate::middleware::scene::{
    answered, compile, compiled, exchange, get, ip, problems, status, told, upstream,
};
use crate::web::exchange::{Exchange, Scheme};

/// The answer of an upstream as it leaves, for a request by TLS.
fn leaves(yaml: &str, request: &Request<Bytes>, mut response: Response<Bytes>) -> Response<Bytes> {
    let exchange = Exchange { scheme: Scheme::Https, tls: true, ..exchange("192.0.2.1", "/") };
    compiled(yaml).response(&exchange, request, &mut response);
    response
}

fn line<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().expect("text"))
}

#[test]
fn a_custom_request_header_replaces_and_an_empty_one_removes() {
    let middleware = compiled("headers: {customRequestHeaders: {X-A: new, X-B: '', Host: other.test}}");
    let mut request = get("/", &[("x-a", "old"), ("x-a", "older"), ("x-b", "gone"), ("host", "a.test")]);
    let verdict = middleware.request(&exchange("192.0.2.1", "/"), &mut request);
    assert_eq!(status(verdict), StatusCode::OK);
    assert_eq!(request.headers().get_all("x-a").iter().collect::<Vec<_>>(), ["new"]);
    assert!(!request.headers().contains_key("x-b"));
}

#[test]
fn a_host_is_changed_for_the_service_alone() {
    let middleware = compiled("headers: {customRequestHeaders: {host: other.test}}");
    let mut request = get("/", &[("host", "a.test")]);
    assert_eq!(status(middleware.request(&exchange("192.0.2.1", "/"), &mut request)), StatusCode::OK);
    assert_eq!(request.headers()[HOST], "a.test");
    middleware.forward(&exchange("192.0.2.1", "/"), request.headers_mut());
    assert_eq!(request.headers()[HOST], "other.test");
}

#[test]
fn a_custom_request_header_survives_a_connection_line_that_names_it() {
    let middleware = compiled("headers: {customRequestHeaders: {X-A: ours}}");
    let mut headers = HeaderMap::new();
    middleware.forward(&exchange("192.0.2.1", "/"), &mut headers);
    assert_eq!(headers["x-a"], "ours");
}

#[test]
fn security_headers_replace_the_upstreams() {
    let yaml = "headers: {frameDeny: true, contentTypeNosniff: true, browserXssFilter: true, \
                referrerPolicy: same-origin, permissionsPolicy: 'camera=()', contentSecurityPolicy: \"default-src 'self'\", \
                contentSecurityPolicyReportOnly: \"img-src 'self'\", stsSeconds: 5, stsIncludeSubdomains: true, stsPreload: true}";
    let response = leaves(yaml, &get("/", &[]), upstream(&[("x-frame-options", "SAMEORIGIN")]));
    let expected = [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("x-xss-protection", "1; mode=block"),
        ("referrer-policy", "same-origin"),
        ("permissions-policy", "camera=()"),
        ("content-security-policy", "default-src 'self'"),
        ("content-security-policy-report-only", "img-src 'self'"),
        ("strict-transport-security", "max-age=5; includeSubDomains; preload"),
    ];
    for (name, value) in expected {
        assert_eq!(line(response.headers(), name), Some(value), "{name}");
    }
}

#[test]
fn a_custom_response_header_wins_and_an_empty_one_removes() {
    let yaml = "headers: {frameDeny: true, customFrameOptionsValue: SAMEORIGIN, \
                customResponseHeaders: {X-Powered-By: '', X-A: b}}";
    let response = leaves(yaml, &get("/", &[]), upstream(&[("x-powered-by", "Next.js")]));
    assert_eq!(line(response.headers(), "x-frame-options"), Some("SAMEORIGIN"));
    assert_eq!(line(response.headers(), "x-a"), Some("b"));
    assert_eq!(line(response.headers(), "x-powered-by"), None);
    let yaml = "headers: {frameDeny: true, customResponseHeaders: {X-Frame-Options: ''}}";
    let response = leaves(yaml, &get("/", &[]), upstream(&[]));
    assert_eq!(line(response.headers(), "x-frame-options"), None);
}

#[test]
fn transport_security_is_told_over_tls_only_unless_forced() {
    let over_http = |yaml: &str, headers: &[(&str, &str)]| {
        let mut response = upstream(&[]);
        compiled(yaml).response(&exchange("192.0.2.1", "/"), &get("/", headers), &mut response);
        response.headers().contains_key("strict-transport-security")
    };
    assert!(!over_http("headers: {stsSeconds: 5}", &[("x-forwarded-proto", "https")]));
    assert!(over_http("headers: {stsSeconds: 5, forceSTSHeader: true}", &[]));
    let marked = "headers: {stsSeconds: 5, sslProxyHeaders: {X-Forwarded-Proto: https}}";
    assert!(over_http(marked, &[("x-forwarded-proto", "https")]));
    assert!(!over_http(marked, &[("x-forwarded-proto", "http")]));
    for quiet in ["stsSeconds: 0", "stsPreload: true", "stsSeconds: 5, isDevelopment: true"] {
        let response = leaves(&format!("headers: {{{quiet}}}"), &get("/", &[]), upstream(&[]));
        assert_eq!(line(response.headers(), "strict-transport-security"), None, "{quiet}");
    }
}

#[test]
fn only_an_allowed_host_is_served() {
    let asked = |yaml: &str, exchange: &Exchange, headers: &[(&str, &str)]| {
        status(compiled(yaml).request(exchange, &mut get("/", headers))).as_u16()
    };
    let direct = exchange("192.0.2.1", "/");
    let yaml = "headers: {allowedHosts: [a.test], hostsProxyHeaders: [X-Forwarded-Host]}";
    assert_eq!(asked(yaml, &direct, &[("host", "A.TEST")]), 200);
    assert_eq!(asked(yaml, &direct, &[("host", "a.test:80")]), 500);
    assert_eq!(asked(yaml, &direct, &[]), 500);
    assert_eq!(asked(yaml, &direct, &[("host", "b.test"), ("x-forwarded-host", "a.test")]), 500);
    let proxied = Exchange { client: ip("203.0.113.7"), ..direct };
    assert_eq!(asked(yaml, &proxied, &[("host", "b.test"), ("x-forwarded-host", "a.test")]), 200);
    let development = "headers: {allowedHosts: [a.test], isDevelopment: true}";
    assert_eq!(asked(development, &proxied, &[("host", "b.test")]), 200);
}

#[test]
fn a_preflight_is_answered_here() {
    let cors = compiled(
        "headers: {accessControlAllowOriginList: ['https://a.test'], accessControlAllowMethods: [GET, PUT], \
         accessControlAllowHeaders: [X-A], accessControlMaxAge: 600, accessControlAllowCredentials: true}",
    );
    let mut preflight = get("/", &[("origin", "https://a.test"), ("access-control-request-method", "PUT")]);
    *preflight.method_mut() = Method::OPTIONS;
    let answer = answered(cors.request(&exchange("192.0.2.1", "/"), &mut preflight));
    let expected = [
        ("access-control-allow-origin", "https://a.test"),
        ("access-control-allow-methods", "GET,PUT"),
        ("access-control-allow-headers", "X-A"),
        ("access-control-max-age", "600"),
        ("access-control-allow-credentials", "true"),
    ];
    assert_eq!(answer.status(), StatusCode::OK);
    for (name, value) in expected {
        assert_eq!(line(answer.headers(), name), Some(value), "{name}");
    }
}

#[test]
fn with_credentials_a_preflight_is_told_what_it_asked_for_and_no_star() {
    let told = |credentials: bool| {
        let cors = compiled(&format!(
            "headers: {{accessControlAllowMethods: ['*'], accessControlAllowHeaders: [X-A, '*'], \
             accessControlExposeHeaders: ['*'], accessControlAllowCredentials: {credentials}}}"
        ));
        let asked = [
            ("origin", "https://a.test"),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "x-q"),
        ];
        let mut preflight = get("/", &asked);
        *preflight.method_mut() = Method::OPTIONS;
        let answer = answered(cors.request(&exchange("192.0.2.1", "/"), &mut preflight));
        ["methods", "headers"]
            .map(|list| format!("access-control-allow-{list}"))
            .into_iter()
            .chain(["access-control-expose-headers".to_owned()])
            .map(|name| line(answer.headers(), &name).unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(told(true), ["PUT", "x-q", ""]);
    assert_eq!(told(false), ["*", "X-A,*", "*"]);
}

#[test]
fn only_a_listed_origin_may_read() {
    let may = |yaml: &str, origin: &str| {
        let response = leaves(yaml, &get("/", &[("origin", origin)]), upstream(&[]));
        line(response.headers(), "access-control-allow-origin").map(str::to_owned)
    };
    let listed = "headers: {accessControlAllowOriginList: ['https://a.test']}";
    assert_eq!(may(listed, "https://a.test").as_deref(), Some("https://a.test"));
    assert_eq!(may(listed, "https://b.test"), None);
    assert_eq!(may("headers: {accessControlAllowOriginList: ['*']}", "https://b.test").as_deref(), Some("*"));
    let pattern = r"headers: {accessControlAllowOriginListRegex: ['^https://\w+\.test$']}";
    assert_eq!(may(pattern, "https://b.test").as_deref(), Some("https://b.test"));
    assert_eq!(may(pattern, "https://b.test.evil"), None);
}

#[test]
fn vary_names_the_origin_once() {
    let vary = |told: &str| {
        let response = leaves("headers: {addVaryHeader: true}", &get("/", &[]), upstream(&[("vary", told)]));
        response.headers()["vary"].to_str().expect("text").to_owned()
    };
    assert_eq!(vary("Accept"), "Accept,Origin");
    assert_eq!(vary("accept, origin"), "accept, origin");
    let response = leaves("headers: {addVaryHeader: true}", &get("/", &[]), upstream(&[]));
    assert_eq!(line(response.headers(), "vary"), Some("Origin"));
}

#[test]
fn what_is_gone_is_refused_with_what_to_use_instead() {
    let errors = compile("headers:\n  sslRedirect: true\n  featurePolicy: x\n").err().expect("refused");
    assert_eq!(
        errors.iter().map(told).collect::<Vec<_>>(),
        ["2:16 `sslRedirect` is no longer supported", "3:18 `featurePolicy` is no longer supported",]
    );
    assert_eq!(errors[1].hint.as_deref(), Some("permissionsPolicy"));
}

#[test]
fn a_middleware_that_changes_nothing_is_refused() {
    assert_eq!(problems("headers: {}"), ["`headers` changes nothing"]);
    assert!(compile("headers: {stsSeconds: 0}").is_ok());
}

#[test]
fn what_cannot_stand_in_a_header_is_refused_with_its_place() {
    let yaml = "headers:\n  customResponseHeaders:\n    'a b': x\n    X-A: \"a\\nb\"\n  referrerPolicy: \"a\\nb\"\n  \
                accessControlAllowOriginListRegex: ['(']\n";
    let problems = problems(yaml);
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(problems.iter().all(|problem| problem.as_bytes()[1] == b':'), "{problems:?}");
}

#[test]
fn what_belongs_to_a_connection_is_left_out_with_a_warning() {
    let yaml = "headers:\n  customRequestHeaders:\n    Connection: Upgrade\n    Upgrade: websocket\n    \
                Transfer-Encoding: chunked\n    X-A: b\n  customResponseHeaders:\n    content-length: ''\n";
    let compiled = compile(yaml).expect("compiles");
    let places: Vec<String> = compiled.warnings.iter().map(|warning| told(warning)[..4].to_owned()).collect();
    assert_eq!(places, ["3:17", "5:24", "4:14", "8:21"]);
    let mut request = get("/", &[]);
    assert_eq!(status(compiled.runs.request(&exchange("192.0.2.1", "/"), &mut request)), StatusCode::OK);
    assert_eq!(request.headers().keys().collect::<Vec<_>>(), ["x-a"]);
}

#[test]
fn credentials_for_everybody_are_warned_of() {
    let yaml = "headers: {accessControlAllowOriginList: ['*'], accessControlAllowCredentials: true}";
    assert_eq!(compile(yaml).expect("compiles").warnings.len(), 1);
}
