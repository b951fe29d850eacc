//! Headers by which a client speaks for a proxy, an administrator or another request.

use super::case::{Case, Expected, check, head};
use super::scene::{At, Scene};

const FORGED: [&str; 58] = [
    "X-Forwarded-For",
    "X-Real-Ip",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-Scheme",
    "X-Forwarded-Ssl",
    "X-Forwarded-By",
    "X-Forwarded",
    "Forwarded",
    "Forwarded-For",
    "X-Client-Ip",
    "X-Cluster-Client-Ip",
    "CF-Connecting-IP",
    "CF-Connecting-IPv6",
    "True-Client-Ip",
    "Fastly-Client-Ip",
    "X-Remote-Ip",
    "X-Remote-Addr",
    "X-Remote-User",
    "Remote-User",
    "X-Webauth-User",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Original-Url",
    "X-Original-Uri",
    "X-Original-Host",
    "X-Original-Forwarded-For",
    "X-Rewrite-Url",
    "X-Http-Method",
    "X-Http-Method-Override",
    "X-Method-Override",
    "X-Middleware-Subrequest",
    "X-Middleware-Rewrite",
    "X-Middleware-Next",
    "X-Invoke-Path",
    "X-Invoke-Query",
    "X-Invoke-Status",
    "X-Matched-Path",
    "X-Now-Route-Matches",
    "X-Host",
    "X-Url",
    "X-Http-Host-Override",
    "Proxy",
    "X_Forwarded_For",
    "X_Real-Ip",
    "Content_Length",
    "X.Forwarded.For",
    "X!Real|Ip",
];

#[test]
fn nothing_a_client_says_for_a_proxy_reaches_a_service() {
    let scene = Scene::start();
    let cases = ["app.example", "desk.example"].into_iter().flat_map(|host| {
        FORGED.iter().flat_map(move |name| {
            let expected = Expected::Clean { with: "x-forwarded-for: 127.0.0.1", without: "6.6.6.6" };
            let upper = name.to_ascii_uppercase();
            let twice = format!("{name}: 6.6.6.6\r\n{upper}: /admin/6.6.6.6\r\n");
            let once = format!("{name}: 6.6.6.6\r\n");
            [once, twice].map(|lines| Case::new(At::Open, head("GET /", host, &lines), expected))
        })
    });
    check(&scene, cases);
}

#[test]
fn no_connection_line_takes_away_what_the_gateway_writes() {
    let scene = Scene::start();
    let ours = [
        ("X-Forwarded-For", "x-forwarded-for: 127.0.0.1"),
        ("x-real-ip", "x-real-ip: 127.0.0.1"),
        ("X-Forwarded-Proto", "x-forwarded-proto: http"),
        ("X-Forwarded-Host", "x-forwarded-host: app.example"),
        ("X-Forwarded-Port", "x-forwarded-port: 80"),
        ("X-Request-Id", "x-request-id: "),
        ("Host", "host: app.example"),
    ];
    let cases = ours.into_iter().flat_map(|(name, with)| {
        [
            format!("close, {name}"),
            format!("{name}, close"),
            format!("keep-alive, {}, close", name.to_ascii_uppercase()),
        ]
        .map(|value| {
            let bytes = format!(
                "GET / HTTP/1.1\r\nHost: app.example\r\n{name}: 6.6.6.6\r\nConnection: {value}\r\n\r\n"
            );
            let bytes = if name == "Host" { bytes.replace("Host: 6.6.6.6\r\n", "") } else { bytes };
            let without = if name == "X-Request-Id" { "connection: close, x" } else { "6.6.6.6" };
            Case::new(At::Open, bytes, Expected::Harmless { with, without })
        })
    });
    check(&scene, cases);
}

#[test]
fn an_override_does_not_open_a_guarded_path() {
    let scene = Scene::start();
    let names = [
        "X-Original-Url",
        "X-Rewrite-Url",
        "X-Http-Method-Override",
        "X-Forwarded-Uri",
        "X-Forwarded-For",
        "X-Middleware-Subrequest",
        "X-Forwarded-User",
    ];
    let values = ["/", "GET", "127.0.0.1", "middleware:middleware:middleware:middleware:middleware", "admin"];
    let cases = names.into_iter().flat_map(|name| values.map(|value| (name, value)));
    let cases = cases.flat_map(|(name, value)| {
        ["GET /admin/exchange", "POST /api/v1/config/email", "DELETE /api/v1/webhooks/1"]
            .map(|request| Case::asking(At::Open, request, &format!("{name}: {value}\r\n"), Expected::Kept))
    });
    check(&scene, cases);
}
