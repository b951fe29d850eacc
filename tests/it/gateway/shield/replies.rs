//! Replies that are read before the browser may see them.

use serde_json::{Value, json};

use super::scene::{Browser, ORIGIN, Scene, echo, target, token};
use crate::gateway::upstream::{Request, Upstream};

const LIST: &str = "GET /api/v1/tickets/all";
const USER: (&str, &str) = ("u1", "secret");

/// A desk whose sign-in answers with these lines and this body.
fn signing_in(lines: &'static str, body: Vec<u8>) -> Upstream {
    Upstream::new(move |request: &mut Request<'_>| {
        request.drain();
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        request.reply(lines, &body);
    })
}

#[test]
fn a_reply_that_cannot_be_read_does_not_pass() {
    let token = || json!({"token": token("u1")}).to_string().into_bytes();
    let twice = json!({"token": self::token("u1"), "again": self::token("u1")}).to_string().into_bytes();
    let table = [
        ("gzip", "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08 pretended".to_vec()),
        ("said to be gzip", "Content-Encoding: gzip\r\n", token()),
        ("no JSON", "", b"eyJ".to_vec()),
        ("a token that says nothing", "", br#"{"token":"opaque"}"#.to_vec()),
        ("more than once", "", twice),
        ("endless", "", vec![b' '; 1024 * 1024 + 1]),
    ];
    for (what, lines, body) in table {
        let desk = signing_in(lines, body);
        let scene = Scene::before(desk.address);
        let gateway = scene.gateway();
        let answer = Browser::new(&gateway).sign_in(USER);
        assert_eq!((answer.status, answer.header("set-cookie")), (502, None), "{what}");
        assert!(!answer.text().contains("eyJ") && !answer.text().contains("opaque"), "{what}");
    }
}

#[test]
fn a_single_sign_on_is_shielded_too_and_only_for_our_own_page() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    for path in ["/api/v1/auth/oidc/callback?state=a&code=b&iss=c", "/api/v1/auth/oauth/callback?code=b"] {
        let mut browser = Browser::new(&gateway);
        for lines in [&[][..], &["Sec-Fetch-Site: cross-site"]] {
            let answer = browser.send(&format!("GET {path}"), lines, &Value::Null);
            assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{path}");
        }
        let answer = browser.send(&format!("GET {path}"), &["Sec-Fetch-Site: same-origin"], &Value::Null);
        assert!(!answer.text().contains("e30."), "{path}: {}", answer.text());
        browser.take_over(&answer);
        assert_eq!(browser.status(LIST), 200, "{path}");
    }
}

#[test]
fn a_browser_that_names_no_site_signs_on_from_our_own_page_only() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let path = "GET /api/v1/auth/oidc/callback?state=a&code=b&iss=c";
    for (page, expected) in [
        ("Referer: http://desk.example/auth/oidc?code=b", 200),
        ("Referer: http://evil.example/http://desk.example/", 403),
        ("Referer: http://desk.example.evil.example/", 403),
        ("Accept: */*", 403),
    ] {
        assert_eq!(Browser::new(&gateway).send(path, &[page], &Value::Null).status, expected, "{page}");
    }
}

/// A desk where everybody is an admin.
fn all_admins() -> Upstream {
    Upstream::new(|request| {
        request.drain();
        let admin =
            json!({"id": "u1", "email": "a@desk.example", "name": "A", "language": "en", "isAdmin": true});
        let body = match target(request) {
            path if path.ends_with("/login") => json!({"token": token("u1")}),
            _ => json!({"user": admin}),
        };
        request.reply("", body.to_string().as_bytes());
    })
}

#[test]
fn a_new_password_or_a_removal_ends_every_session_of_that_user() {
    let desk = all_admins();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    for (request, body) in [
        ("POST /api/v1/auth/reset-password", json!({"password": "new"})),
        ("POST /api/v1/auth/admin/reset-password", json!({"password": "new", "user": "u1"})),
        ("PUT /api/v1/user/reset-password", json!({"password": "new", "id": "u1"})),
        ("DELETE /api/v1/auth/sessions/s1", Value::Null),
        ("DELETE /api/v1/auth/user/u1", Value::Null),
    ] {
        let (one, other) = (Browser::signed_in(&gateway, USER), Browser::signed_in(&gateway, USER));
        assert_eq!((one.status(LIST), other.status(LIST)), (200, 200), "{request}");
        assert_eq!(one.send(request, &[ORIGIN, &one.bearer(), &one.jar()], &body).status, 200, "{request}");
        assert_eq!((one.status(LIST), other.status(LIST)), (401, 401), "{request}");
    }
}

#[test]
fn somebody_elses_new_password_leaves_the_own_session_alone() {
    let desk = all_admins();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, USER);
    let lines = [ORIGIN, &browser.bearer(), &browser.jar()];
    for (request, body) in [
        ("POST /api/v1/auth/admin/reset-password", json!({"password": "new", "user": "u2", "id": "u1"})),
        ("PUT /api/v1/user/reset-password", json!({"password": "new", "id": "u2", "user": "u1"})),
    ] {
        assert_eq!(browser.send(request, &lines, &body).status, 200, "{request}");
        assert_eq!(browser.status(LIST), 200, "{request}");
    }
}

#[test]
fn a_password_that_the_desk_refuses_ends_nothing() {
    let desk = Upstream::new(|request| {
        request.drain();
        if target(request).ends_with("/reset-password") {
            request.write("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        request.reply("", json!({"token": token("u1")}).to_string().as_bytes());
    });
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, USER);
    let lines = [ORIGIN, &browser.bearer(), &browser.jar()];
    assert_eq!(browser.send("POST /api/v1/auth/reset-password", &lines, &json!({})).status, 500);
    assert_eq!(browser.status(LIST), 200);
}

#[test]
fn signing_out_works_while_the_desk_is_down() {
    let desk = Upstream::new(|request| {
        request.drain();
        if target(request).ends_with("/logout") {
            // The connection breaks off.
            request.writer.shutdown(std::net::Shutdown::Both).expect("an open socket");
            return;
        }
        request.reply("", json!({"token": token("u1")}).to_string().as_bytes());
    });
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, USER);
    let answer = browser.ask("GET /api/v1/auth/user/u1/logout");
    assert_eq!(answer.status, 502);
    assert!(answer.header("set-cookie").is_some_and(|line| line.ends_with("; Max-Age=0")));
    assert_eq!(browser.status(LIST), 401);
}

#[test]
fn the_service_worker_is_told_to_keep_away_from_our_pages() {
    let desk = Upstream::new(|request| {
        request.drain();
        request.reply("Content-Type: application/javascript\r\nETag: \"1\"\r\n", b"theirs();\n");
    });
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let answer = Browser::new(&gateway).send("GET /sw.js", &["If-None-Match: \"1\""], &Value::Null);
    let text = answer.text();
    assert_eq!((answer.status, answer.header("etag")), (200, None));
    assert!(text.ends_with("theirs();\n"), "{text}");
    let guard = text.find("stopImmediatePropagation").expect("the guard");
    assert!(
        guard < text.find("theirs()").expect("their worker") && text.contains("admin\\/exchange"),
        "{text}"
    );
    assert_eq!(answer.header("content-type"), Some("application/javascript"));
}
