//! Guessing passwords: what the desk gets to see of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::shield::scene::{Browser, ORIGIN, SHIELD, Scene, token};
use super::start::Started;
use super::upstream::{Request, Upstream};

const BRAKE: &str = "plugin: {loginBrake: {attempts: 4, period: 5m, lockout: 15m}}";
const MINUTE: Duration = Duration::from_secs(60);

/// A desk where everybody's password is `right`; of the user `slow` it cannot tell.
fn desk() -> Upstream {
    Upstream::new(|request: &mut Request<'_>| {
        let mut body = Vec::new();
        request.each_piece(|piece| body.extend_from_slice(piece));
        let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
        if sent["email"] == "slow" {
            request.write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        } else if sent["password"] == "right" {
            request.reply("", json!({"token": token("u1"), "user": {}}).to_string().as_bytes());
        } else {
            let body = json!({"message": "Invalid email or password"}).to_string();
            let length = body.len();
            request.write(format!("HTTP/1.1 401 Unauthorized\r\nContent-Length: {length}\r\n\r\n{body}"));
        }
    })
}

fn statuses(gateway: &Started, tries: &[(&str, &str)]) -> Vec<u16> {
    let send = |(email, password): &(&str, &str)| {
        let body = json!({"email": email, "password": password});
        Browser::new(gateway).send("POST /api/v1/auth/login", &[ORIGIN], &body).status
    };
    tries.iter().map(send).collect()
}

#[test]
fn an_address_that_guesses_is_refused_until_the_lockout_is_over() {
    let desk = desk();
    let scene = Scene::before(desk.address);
    for shield in [SHIELD, "plugin: {sessionShield: {enabled: false}}"] {
        let gateway = scene.gateway_of(&[BRAKE, shield]);
        let before = desk.requests();
        let tries = ["a", "b", "c", "d", "e", "f"].map(|email| (email, "wrong"));
        assert_eq!(statuses(&gateway, &tries), [401, 401, 401, 401, 429, 429], "{shield}");
        assert_eq!(desk.requests() - before, 4, "{shield}");

        let refused = Browser::new(&gateway).sign_in(("g", "right"));
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("900")));
        let told: Value = serde_json::from_slice(&refused.body).expect("JSON");
        let sentence = "Too many attempts. Please try again in 15 minutes.";
        assert_eq!(told, json!({"success": false, "message": sentence}));

        scene.clock.advance(15 * MINUTE);
        assert_eq!(statuses(&gateway, &[("g", "right")]), [200], "{shield}");
    }
}

#[test]
fn right_passwords_and_a_desk_that_cannot_tell_are_no_guesses() {
    let desk = desk();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway_of(&[BRAKE, SHIELD]);
    assert_eq!(statuses(&gateway, &[("a", "right"); 10]), [200; 10]);
    assert_eq!(statuses(&gateway, &[("slow", "x"); 10]), [503; 10]);
    assert_eq!(statuses(&gateway, &[("a", "wrong"); 5]), [401, 401, 401, 401, 429]);
}

#[test]
fn many_guesses_at_once_are_no_more_than_one_by_one() {
    let desk = desk();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway_of(&[BRAKE, SHIELD]);
    std::thread::scope(|threads| {
        for number in 0..40 {
            let gateway = &gateway;
            threads.spawn(move || {
                let status = Browser::new(gateway).sign_in((&format!("user {number}"), "wrong")).status;
                assert!([401, 429].contains(&status), "{status}");
            });
        }
    });
    assert_eq!(desk.requests(), 4);
}

#[test]
fn a_sign_in_that_two_could_read_differently_never_reaches_the_desk() {
    let desk = desk();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway_of(&[BRAKE, SHIELD]);
    for body in [
        r#"{"email":"a","email":"b","password":"right"}"#,
        r#"{"email":["a"],"password":"right"}"#,
        r#"{"password":"right"}"#,
        r#"["a"]"#,
        "email=a&password=right",
        "",
    ] {
        let head = format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: desk.example\r\n{ORIGIN}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut client = super::client::Client::to(gateway.address);
        client.send(head);
        assert_eq!(client.response(false).status, 400, "{body}");
    }
    assert_eq!(desk.requests(), 0);
}

#[test]
fn what_another_sites_page_sends_is_not_counted() {
    let desk = desk();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway_of(&[BRAKE, SHIELD]);
    let evil = "Origin: https://evil.example";
    for _ in 0..10 {
        let body = json!({"email": "a", "password": "wrong"});
        assert_eq!(Browser::new(&gateway).send("POST /api/v1/auth/login", &[evil], &body).status, 403);
    }
    assert_eq!(statuses(&gateway, &[("a", "right")]), [200]);
}
