//! PROXY headers: demanded, from whom, and to the letter.

use super::case::{Case, Expected, check, head};
use super::scene::{At, Scene};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const CLIENT: [u8; 12] = [203, 0, 113, 7, 192, 0, 2, 1, 0x12, 0x67, 1, 187];

fn after(header: &[u8], lines: &str) -> Vec<u8> {
    [header, head("GET /", "desk.example", lines).as_bytes()].concat()
}

fn version_2(version: u8, family: u8, length: u16, extra: &[u8]) -> Vec<u8> {
    [SIGNATURE, &[version, family], &length.to_be_bytes(), extra].concat()
}

#[test]
fn the_client_of_a_proxy_header_is_the_one_that_counts() {
    let scene = Scene::start();
    let mut ipv6 = [0; 36];
    ipv6[10..16].copy_from_slice(&[0xff, 0xff, 203, 0, 113, 7]);
    let headers: [Vec<u8>; 6] = [
        b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n".to_vec(),
        b"PROXY TCP6 ::ffff:203.0.113.7 ::1 4711 443\r\n".to_vec(),
        version_2(0x21, 0x11, 12, &CLIENT),
        version_2(0x21, 0x11, 16, &[CLIENT.as_slice(), &[4, 0, 1, 0]].concat()),
        version_2(0x21, 0x21, 36, &ipv6),
        b"PROXY TCP4 203.0.113.255 255.255.255.255 65535 65535\r\n".to_vec(),
    ];
    let expected = Expected::Clean { with: "x-forwarded-for: 203.0.113.", without: "6.6.6.6" };
    let lines = "X-Forwarded-For: 6.6.6.6\r\n";
    check(&scene, headers.map(|header| Case::new(At::Balanced, after(&header, lines), expected)));
}

#[test]
fn without_a_good_proxy_header_nothing_is_answered() {
    let scene = Scene::start();
    let elsewhere = [198, 51, 100, 1, 192, 0, 2, 1, 0x12, 0x67, 1, 187];
    let headers: [Vec<u8>; 25] = [
        Vec::new(),
        b"PROXY UNKNOWN\r\n".to_vec(),
        b"PROXY UNKNOWN ::1 ::1 1 2\r\n".to_vec(),
        b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\n".to_vec(),
        b"PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n".to_vec(),
        b"PROXY  TCP4 203.0.113.7 192.0.2.1 4711 443\r\n".to_vec(),
        b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443 \r\n".to_vec(),
        b"PROXY TCP4 203.0.113.7 192.0.2.1 04711 443\r\n".to_vec(),
        b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 99999\r\n".to_vec(),
        b"PROXY TCP4 203.0.113.007 192.0.2.1 4711 443\r\n".to_vec(),
        b"PROXY TCP4 ::1 ::1 4711 443\r\n".to_vec(),
        b"PROXY TCP6 fe80::1%lo ::1 4711 443\r\n".to_vec(),
        b"PROXY UDP4 203.0.113.7 192.0.2.1 4711 443\r\n".to_vec(),
        b"proxy TCP4 203.0.113.7 192.0.2.1 4711 443\r\n".to_vec(),
        [b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443".as_slice(), &[b' '; 80], b"\r\n"].concat(),
        vec![b'P'; 300],
        version_2(0x20, 0x11, 12, &CLIENT),
        version_2(0x20, 0, 0, &[]),
        version_2(0x21, 0, 0, &[]),
        version_2(0x21, 0x12, 12, &CLIENT),
        version_2(0x21, 0x31, 216, &[0; 216]),
        version_2(0x31, 0x11, 12, &CLIENT),
        version_2(0x22, 0x11, 12, &CLIENT),
        version_2(0x21, 0x11, 8, &CLIENT[..8]),
        version_2(0x21, 0x11, 60_000, &CLIENT),
    ];
    let wrong = headers.iter().map(|header| Case::new(At::Balanced, after(header, ""), Expected::Kept));
    let outside =
        [b"PROXY TCP4 198.51.100.1 192.0.2.1 4711 443\r\n".to_vec(), version_2(0x21, 0x11, 12, &elsewhere)];
    let outside = outside.iter().map(|header| Case::new(At::Balanced, after(header, ""), Expected::Refused));
    let twice = [version_2(0x21, 0x11, 12, &CLIENT), version_2(0x21, 0x11, 12, &CLIENT)].concat();
    let twice = Case::new(At::Balanced, after(&twice, ""), Expected::Refused);
    check(&scene, wrong.chain(outside).chain([twice]));
    for header in &headers {
        assert!(scene.exchange(At::Balanced, &after(header, "")).is_empty(), "{header:?}");
    }
}

#[test]
fn only_the_named_balancer_may_connect() {
    let scene = Scene::start();
    let good = b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n";
    assert!(scene.exchange(At::Strange, &after(good, "")).is_empty());
    let everywhere_else = [At::Open, At::Listed, At::Proxied];
    check(&scene, everywhere_else.map(|at| Case::new(at, after(good, ""), Expected::Status(400))));
    assert!(scene.seen().is_empty());
}

/// The half header never becomes whole; only the deadline can end it.
#[test]
fn a_proxy_header_that_does_not_come_ends_the_connection() {
    let scene = Scene::start();
    for half in
        [b"".as_slice(), b"PROXY TCP4 203.0.113.7", &SIGNATURE[..7], &version_2(0x21, 0x11, 12, &CLIENT[..4])]
    {
        assert!(scene.exchange(At::Balanced, half).is_empty(), "{half:?}");
    }
    assert!(scene.seen().is_empty());
}
