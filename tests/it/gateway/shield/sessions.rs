//! How sessions begin, live and end, in front of the sandbox's desk.

use std::time::Duration;

use mintgate::sandbox::desk::{self as sandbox, ADMIN, AGENT, Desk};
use serde_json::{Value, json};

use super::scene::{Browser, ORIGIN, Scene};

const LIST: &str = "GET /api/v1/tickets/all";
const PROFILE: &str = "GET /api/v1/auth/profile";

fn desk() -> (Desk, Scene) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let desk = runtime.block_on(sandbox::start(([127, 0, 0, 1], 0).into())).expect("a free port");
    let scene = Scene::on(runtime, desk.address());
    (desk, scene)
}

fn logout(desk: &Desk, user: (&str, &str)) -> String {
    format!("GET /api/v1/auth/user/{}/logout", desk.user_id(user.0).expect("a user"))
}

#[test]
fn the_desks_token_never_reaches_the_browser_and_everything_works() {
    let (_desk, scene) = desk();
    let gateway = scene.gateway();
    let mut browser = Browser::new(&gateway);

    let answer = browser.sign_in(AGENT);

    let reply: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert!(!answer.text().contains("eyJ"), "a token in {}", answer.text());
    assert_eq!(reply["user"]["email"], AGENT.0);
    let cookies = answer.all("set-cookie");
    let [line] = &cookies[..] else { panic!("one cookie: {cookies:?}") };
    assert!(line.starts_with("__Host-mintgate="), "{line}");
    assert!(line.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{line}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let profile: Value = serde_json::from_slice(&browser.ask(PROFILE).body).expect("JSON");
    assert_eq!(profile["user"]["email"], AGENT.0);
    let ticket =
        json!({"title": "t", "name": "n", "email": "c@example.org", "priority": "low", "type": "support"});
    let made =
        browser.send("POST /api/v1/ticket/create", &[ORIGIN, &browser.bearer(), &browser.jar()], &ticket);
    assert_eq!(made.status, 200, "{}", made.text());
}

#[test]
fn a_wrong_password_begins_nothing() {
    let (_desk, scene) = desk();
    let gateway = scene.gateway();
    let answer = Browser::new(&gateway).sign_in((ADMIN.0, "wrong"));
    assert_eq!((answer.status, answer.header("set-cookie")), (401, None));
}

#[test]
fn the_console_opens_for_an_admins_pair_and_for_no_plain_token() {
    let (_desk, scene) = desk();
    let gateway = scene.gateway_with("plugin: {sessionShield: {bearerFrom: [127.0.0.0/8]}}");
    let admin = Browser::signed_in(&gateway, ADMIN);
    let page = admin.send("GET /admin/exchange", &[&admin.jar()], &Value::Null);
    assert_eq!((page.status, page.text()), (200, format!("console for {}", ADMIN.0)));

    let agent = Browser::signed_in(&gateway, AGENT);
    assert_eq!(agent.send("GET /admin/exchange", &[&agent.jar()], &Value::Null).status, 403);
    let program = Browser::new(&gateway);
    let body = json!({"email": ADMIN.0, "password": ADMIN.1});
    let reply = program.send("POST /api/v1/auth/login", &[], &body).body;
    let reply: Value = serde_json::from_slice(&reply).expect("JSON");
    let bearer = format!("Authorization: Bearer {}", reply["token"].as_str().expect("a token"));
    assert_eq!(program.send(LIST, &[&bearer], &Value::Null).status, 200);
    for path in ["/admin/exchange", "/api/v1/exchange/connections", "/api/tickets/email-settings"] {
        assert_eq!(program.send(&format!("GET {path}"), &[&bearer], &Value::Null).status, 401, "{path}");
    }
}

#[test]
fn two_users_in_one_browser_are_never_mixed() {
    let (_desk, scene) = desk();
    let gateway = scene.gateway();
    let mut browser = Browser::signed_in(&gateway, ADMIN);
    let before = browser.clone();
    browser.sign_in(AGENT);

    let profile: Value = serde_json::from_slice(&browser.ask(PROFILE).body).expect("JSON");
    assert_eq!(profile["user"]["email"], AGENT.0);
    // A tab that still holds the first handle meets the second cookie.
    let late = Browser { handle: before.handle.clone(), ..browser.clone() };
    assert_eq!(late.status(LIST), 401);
    assert_eq!(before.status(LIST), 401, "the session before was replaced");
    assert_eq!(browser.send("GET /admin/exchange", &[&browser.jar()], &Value::Null).status, 403);
}

#[test]
fn several_tabs_and_several_browsers_of_one_user_live_side_by_side() {
    let (_desk, scene) = desk();
    let gateway = scene.gateway();
    let (one, other) = (Browser::signed_in(&gateway, AGENT), Browser::signed_in(&gateway, AGENT));
    assert_ne!(one.handle, other.handle);
    for browser in [&one, &other, &one.clone()] {
        assert_eq!(browser.status(LIST), 200);
    }
    let mixed = Browser { cookie: other.cookie.clone(), ..one };
    assert_eq!(mixed.status(LIST), 401, "the cookie of one with the handle of the other");
}

#[test]
fn signing_out_ends_what_the_desk_would_still_accept() {
    let (desk, scene) = desk();
    let gateway = scene.gateway();
    let (one, other) = (Browser::signed_in(&gateway, AGENT), Browser::signed_in(&gateway, AGENT));
    assert_eq!(one.status(LIST), 200);
    assert_eq!(other.status(LIST), 200);

    let answer = one.ask(&logout(&desk, AGENT));

    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.all("set-cookie"),
        ["__Host-mintgate=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"]
    );
    assert_eq!((one.status(LIST), other.status(LIST)), (401, 401));
    assert_eq!(desk.sessions(), 0);
}

#[test]
fn nobody_signs_somebody_else_out() {
    let (desk, scene) = desk();
    let gateway = scene.gateway();
    let (admin, agent) = (Browser::signed_in(&gateway, ADMIN), Browser::signed_in(&gateway, AGENT));
    for method in ["GET", "HEAD"] {
        let request = logout(&desk, ADMIN).replace("GET", method);
        assert_eq!(agent.status(&request), 403, "{request}");
        assert_eq!(agent.status(&request.replace("/api/v1", "/de/API/v1")), 403, "{request}");
    }
    assert_eq!((admin.status(LIST), desk.sessions()), (200, 2));
}

#[test]
fn a_session_ends_with_the_desks_token() {
    let (_desk, scene) = desk();
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, AGENT);
    scene.clock.advance(Duration::from_secs(8 * 3600 - 60));
    assert_eq!(browser.status(LIST), 200);
    scene.clock.advance(Duration::from_secs(60));
    let answer = browser.ask(LIST);
    assert_eq!(answer.status, 401);
    assert!(answer.header("set-cookie").is_some_and(|line| line.ends_with("; Max-Age=0")));
}

#[test]
fn a_session_outlives_a_restart_and_its_store_tells_nothing() {
    let (_desk, scene) = desk();
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, AGENT);
    drop(gateway);

    let scene = scene.restart();
    let gateway = scene.gateway();

    assert_eq!(browser.at(&gateway).status(LIST), 200);
    let stored = String::from_utf8_lossy(&scene.stored_bytes()).into_owned();
    let cookie = browser.cookie.split_once('=').expect("a pair").1;
    for secret in [&*browser.handle, cookie, "eyJ"] {
        assert!(!stored.contains(secret), "the store holds {secret}");
    }
}

#[test]
fn two_gateways_on_one_postgresql_share_sessions_and_their_end() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let desk = runtime.block_on(sandbox::start(([127, 0, 0, 1], 0).into())).expect("a free port");
    let Some(scene) = Scene::on_postgres(runtime, desk.address()) else { return };
    let (here, there) = (scene.gateway(), scene.gateway_elsewhere());
    let (ended, kept) = (Browser::signed_in(&here, AGENT), Browser::signed_in(&there, ADMIN));
    assert_eq!((ended.at(&there).status(LIST), kept.at(&here).status(LIST)), (200, 200));

    ended.ask(&logout(&desk, AGENT));
    scene.clock.advance(Duration::from_secs(5));

    assert_eq!((ended.status(LIST), ended.at(&there).status(LIST)), (401, 401));
    assert_eq!((kept.at(&here).status(LIST), kept.at(&there).status(LIST)), (200, 200));
}

#[test]
fn another_gateway_knows_the_session_and_within_five_seconds_its_end() {
    let (desk, scene) = desk();
    let (here, there) = (scene.gateway(), scene.gateway());
    let browser = Browser::signed_in(&here, AGENT);
    assert_eq!(browser.at(&there).status(LIST), 200);
    browser.ask(&logout(&desk, AGENT));
    scene.clock.advance(Duration::from_secs(5));
    assert_eq!(browser.at(&there).status(LIST), 401);
}
