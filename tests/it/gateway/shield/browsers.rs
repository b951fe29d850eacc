//! Whose browser shows a session, and what is left for scripts to read where they may read nothing.

use mintgate::sandbox::desk::{self as sandbox, ADMIN, AGENT, Desk};
use serde_json::{Value, json};

use super::scene::{Browser, ORIGIN, Scene};
use crate::gateway::client::Response as Answer;

const LIST: &str = "GET /api/v1/tickets/all";
const CONSOLE: &str = "GET /admin/exchange";
const NOTHING_READ: &str = "plugin: {sessionShield: {scriptReads: nothing}}";
/// Sends no line at all.
const EMPTY: &str = "Cookie: ";
const DELETED: [&str; 2] = [
    "__Host-mintgate=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    "session=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
];

fn desk() -> (Desk, Scene) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let desk = runtime.block_on(sandbox::start(([127, 0, 0, 1], 0).into())).expect("a free port");
    let scene = Scene::on(runtime, desk.address());
    (desk, scene)
}

/// The whole jar, sent from `place`.
fn from(browser: &Browser, request: &str, place: &str) -> u16 {
    let place = format!("X-Forwarded-For: {place}");
    browser.send(request, &[ORIGIN, &browser.jar(), &place], &Value::Null).status
}

#[test]
fn a_stolen_jar_is_of_no_use_to_another_browser_elsewhere() {
    let (_desk, scene) = desk();
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, ADMIN);
    let thief = Browser { agent: "another browser", ..browser.clone() };

    for request in [LIST, "GET /api/v1/auth/profile", "GET /api/v1/webhooks/all", CONSOLE] {
        assert_eq!(from(&thief, request, "203.0.113.9"), 401, "{request}");
    }

    assert_eq!(browser.status(LIST), 200, "the owner goes on");
}

#[test]
fn a_browser_may_move_or_be_updated() {
    let (_desk, scene) = desk();
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, AGENT);
    let updated = Browser { agent: "a newer browser", ..browser.clone() };
    assert_eq!((from(&browser, LIST, "203.0.113.9"), updated.status(LIST)), (200, 200));
}

#[test]
fn the_console_opens_only_where_its_admin_signed_in() {
    let (_desk, scene) = desk();
    let gateway = scene.gateway();
    let mut browser = Browser::signed_in(&gateway, ADMIN);
    assert_eq!(browser.status(CONSOLE), 200);
    // Even by a thief who copies the name of the browser, too.
    assert_eq!(from(&browser, CONSOLE, "203.0.113.9"), 401);

    let again = browser.send(
        "POST /api/v1/auth/login",
        &[ORIGIN, "X-Forwarded-For: 203.0.113.9"],
        &json!({"email": ADMIN.0, "password": ADMIN.1}),
    );
    browser.take_over(&again);
    assert_eq!(from(&browser, CONSOLE, "203.0.113.9"), 200);
}

/// What the browser keeps of a sign-in where scripts read nothing: two cookies.
fn jar(answer: &Answer) -> String {
    let pairs = answer.all("set-cookie").into_iter().filter_map(|line| line.split(';').next());
    format!("Cookie: {}", pairs.collect::<Vec<_>>().join("; "))
}

fn sign_in(browser: &Browser, jar: &str) -> Answer {
    let body = json!({"email": AGENT.0, "password": AGENT.1});
    browser.send("POST /api/v1/auth/login", &[ORIGIN, jar], &body)
}

#[test]
fn where_scripts_read_nothing_both_halves_are_cookies_they_cannot_read() {
    let (desk, scene) = desk();
    let gateway = scene.gateway_with(NOTHING_READ);
    let browser = Browser::new(&gateway);

    let answer = sign_in(&browser, EMPTY);

    let cookies = answer.all("set-cookie");
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    for (line, name) in cookies.iter().zip(["__Host-mintgate=", "session="]) {
        assert!(line.starts_with(name), "{line}");
        assert!(line.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{line}");
        let value = line.split(['=', ';']).nth(1).expect("a value");
        assert!(!answer.text().contains(value), "the reply tells {name}");
    }
    let jar = jar(&answer);
    let ask = |lines: &[&str]| browser.send(LIST, lines, &Value::Null);
    // What the desk's script says when it finds no token.
    let word = "Authorization: Bearer undefined";
    assert_eq!(ask(&[&jar, word]).status, 200);
    assert_eq!(ask(&[&jar]).status, 200);
    assert_eq!(ask(&[word]).status, 401);
    let half = jar.split("; ").next().expect("a pair");
    assert_eq!(ask(&[half, word]).status, 401);
    assert_eq!(browser.send("POST /api/v1/ticket/create", &[&jar, word], &json!({})).status, 403);
    let out = format!("GET /api/v1/auth/user/{}/logout", desk.user_id(AGENT.0).expect("a user"));
    let answer = browser.send(&out, &[ORIGIN, &jar, word], &Value::Null);
    assert_eq!((answer.status, answer.all("set-cookie")), (200, DELETED.to_vec()));
    let late = ask(&[&jar, word]);
    assert_eq!((late.status, late.all("set-cookie")), (401, DELETED.to_vec()));
}

#[test]
fn scripts_that_may_read_a_handle_again_can_write_their_cookie_again() {
    let (_desk, scene) = desk();
    let strict = scene.gateway_with(NOTHING_READ);
    let kept = jar(&sign_in(&Browser::new(&strict), EMPTY));
    let gateway = scene.gateway();
    let answer = sign_in(&Browser::new(&gateway), &kept);
    assert_eq!(answer.all("set-cookie")[1..], DELETED[1..]);
}
