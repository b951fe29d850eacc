//! Addresses: outside the list, behind a proxy, pretended.

use super::case::{Case, Expected, check, head};
use super::scene::{At, Scene};

fn listed(lines: &str, expected: Expected) -> Case {
    Case::asking(At::Listed, "GET /", lines, expected)
}

fn proxied(lines: &str, expected: Expected) -> Case {
    Case::asking(At::Proxied, "GET /", lines, expected)
}

#[test]
fn nobody_outside_the_list_talks_himself_in() {
    let scene = Scene::start();
    let names = [
        "X-Forwarded-For",
        "X-Real-Ip",
        "Forwarded",
        "X-Client-Ip",
        "CF-Connecting-Ip",
        "True-Client-Ip",
        "X-Forwarded",
        "X-Cluster-Client-Ip",
        "X-Original-Forwarded-For",
        "X_Forwarded_For",
        "Client-Ip",
        "Via",
    ];
    let values = ["192.0.2.1", "for=192.0.2.1", "192.0.2.1, 127.0.0.1", "127.0.0.1, 192.0.2.1"];
    let lines = names.into_iter().flat_map(|name| values.map(|value| format!("{name}: {value}\r\n")));
    let mut cases: Vec<_> = lines.map(|lines| listed(&lines, Expected::Status(403))).collect();
    for path in [
        "/",
        "/auth/login",
        "/admin/exchange",
        "/admin/exchange/callback",
        "/api/v1/auth/login",
        "/sw.js",
        "/ping",
        "/metrics",
    ] {
        cases.push(Case::asking(At::Listed, &format!("GET {path}"), "", Expected::Status(403)));
    }
    check(&scene, cases);
}

#[test]
fn the_first_address_that_is_no_proxy_decides() {
    let scene = Scene::start();
    let allowed = [
        "X-Forwarded-For: 203.0.113.7\r\n",
        "X-Forwarded-For: 203.0.113.7, 10.0.0.2\r\n",
        "X-Forwarded-For: 203.0.113.7,10.0.0.2,127.0.0.1\r\n",
        "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 10.0.0.2\r\n",
        "X-Forwarded-For: 6.6.6.6, 203.0.113.7\r\n",
        "X-Forwarded-For: rubbish, 203.0.113.7\r\n",
        "X-Forwarded-For: ::ffff:203.0.113.7\r\n",
        "X-Forwarded-For: [::ffff:203.0.113.7]:4711\r\n",
        "X-Forwarded-For: 203.0.113.7:4711\r\n",
    ];
    let expected = Expected::Clean { with: "x-forwarded-for: 203.0.113.7\n", without: "6.6.6.6" };
    let allowed = allowed.map(|lines| proxied(lines, expected));
    let refused = [
        "",
        "X-Real-Ip: 203.0.113.7\r\n",
        "Forwarded: for=203.0.113.7\r\n",
        "X-Forwarded-For: 198.51.100.1\r\n",
        "X-Forwarded-For: 203.0.113.7, 198.51.100.1\r\n",
        "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 198.51.100.1\r\n",
        "X-Forwarded-For: 203.0.113.7, rubbish\r\n",
        "X-Forwarded-For: 203.0.113.7, rubbish, 10.0.0.2\r\n",
        "X-Forwarded-For: 203.0.113.7,\r\n",
        "X-Forwarded-For: ,\r\n",
        "X-Forwarded-For: \r\n",
        "X-Forwarded-For: 203.0.113\r\n",
        "X-Forwarded-For: 0313.0.113.7\r\n",
        "X-Forwarded-For: 203.0.113.07\r\n",
        "X-Forwarded-For: 3405803783\r\n",
        "X-Forwarded-For: 0xcb007107\r\n",
        "X-Forwarded-For: 203.0.113.7%eth0\r\n",
        "X-Forwarded-For: fe80::1%eth0\r\n",
        "X-Forwarded-For: \"203.0.113.7\"\r\n",
        "X-Forwarded-For: for=203.0.113.7\r\n",
        "X-Forwarded-For: 203.0.113.7;\r\n",
        "X-Forwarded-For: unknown\r\n",
        "X-Forwarded-For: localhost\r\n",
        "X-Forwarded-For: 127.0.0.1\r\n",
        "X-Forwarded-For: 10.0.0.9\r\n",
        "X-Forwarded-For: ::203.0.113.7\r\n",
        "X-Forwarded-For: 2002:cb00:7107::1\r\n",
        "X-Forwarded-For: 64:ff9b::203.0.113.7\r\n",
        "X_Forwarded_For: 203.0.113.7\r\n",
        "X-Forwarded-For: 203.0.113.7 10.0.0.2\r\n",
    ];
    let refused = refused.map(|lines| proxied(lines, Expected::Status(403)));
    let many = format!("X-Forwarded-For: 203.0.113.7{}\r\n", ", 10.0.0.2".repeat(40));
    let wide = format!("X-Forwarded-For: {}203.0.113.7\r\n", " ,".repeat(3000));
    let endless = [many, wide].map(|lines| proxied(&lines, Expected::Status(403)));
    check(&scene, allowed.into_iter().chain(refused).chain(endless));
}

#[test]
fn a_connection_outside_every_list_gets_no_handshake() {
    let scene = Scene::start();
    let hello = [22, 3, 1, 0, 5, 1, 0, 0, 1, 0];
    let answer = scene.exchange(At::Closed, &hello);
    assert!(answer.is_empty(), "{answer:?}");
    let plain = scene.exchange(At::Closed, head("GET /", "desk.example", "").as_bytes());
    assert!(plain.is_empty(), "{plain:?}");
    let served = scene.exchange(At::Secure, &hello);
    assert_eq!(served.first(), Some(&21), "an alert, because the hello is none");
}
