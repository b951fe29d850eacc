//! Hosts: missing, doubled, malformed, somebody else's.

use super::case::{Case, Expected, check, head};
use super::scene::{At, Scene};

fn with_lines(lines: &str, expected: Expected) -> Case {
    Case::new(At::Open, format!("GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n"), expected)
}

#[test]
fn a_host_that_could_be_two_or_none_is_refused() {
    let scene = Scene::start();
    let malformed = [
        "",
        "Host:\r\n",
        "Host: \r\n",
        "Host: desk.example\r\nHost: desk.example\r\n",
        "Host: desk.example\r\nHost: evil.example\r\n",
        "Host: desk.example, evil.example\r\n",
        "Host: desk.example evil.example\r\n",
        "Host: desk.example/x\r\n",
        "Host: desk.example?x\r\n",
        "Host: desk.example#x\r\n",
        "Host: user@desk.example\r\n",
        "Host: desk.example\\x\r\n",
        "Host: http://desk.example\r\n",
        "Host: desk.example:\r\n",
        "Host: desk.example:x\r\n",
        "Host: desk.example:99999\r\n",
        "Host: desk.example:80:80\r\n",
        "Host: desk.example:-1\r\n",
        "Host: %64esk.example\r\n",
        "Host: d\u{e9}sk.example\r\n",
        "Host: desk.example\u{0}\r\n",
        "Host: desk.example\u{1}\r\n",
        "Host: [::1\r\n",
        "Host: ::1\r\n",
        "Host: []\r\n",
        "Host: :80\r\n",
        "Host : desk.example\r\n",
        " Host: desk.example\r\n",
        "Host: desk.example\r\n x\r\n",
        "Host\r\n",
        "X: y\r\n Host: desk.example\r\n",
    ];
    check(&scene, malformed.map(|lines| with_lines(lines, Expected::Status(400))));
}

#[test]
fn a_host_that_nobody_serves_is_misdirected() {
    let scene = Scene::start();
    let foreign = [
        "evil.example",
        "desk.example.evil.example",
        "evil-desk.example",
        "desk",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "x.desk.example",
        "desk.example..",
        ".desk.example",
        "app.example.",
        "desk_example",
        "-",
        "_",
        "xn--dsk-example",
    ];
    let foreign = foreign.into_iter().filter(|host| *host != "app.example.");
    check(&scene, foreign.map(|host| Case::new(At::Open, head("GET /", host, ""), Expected::Status(421))));
}

#[test]
fn one_host_in_its_usual_spellings_is_served() {
    let scene = Scene::start();
    let same = ["desk.example", "DESK.example", "desk.example.", "desk.example:80", "Desk.Example.:8443"];
    let same = same.map(|host| Case::new(At::Open, head("GET /", host, ""), Expected::Passes));
    check(&scene, same);
}

#[test]
fn no_header_but_host_says_which_host_is_meant() {
    let scene = Scene::start();
    let lines = [
        "X-Forwarded-Host: desk.example\r\n",
        "X-Host: desk.example\r\n",
        "Forwarded: host=desk.example\r\n",
        "X-Original-Host: desk.example\r\n",
        "X-HTTP-Host-Override: desk.example\r\n",
        ":authority: desk.example\r\n",
    ];
    check(
        &scene,
        lines.map(|lines| Case::new(At::Open, head("GET /", "evil.example", lines), Expected::Refused)),
    );
}
