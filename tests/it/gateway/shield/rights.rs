//! Rights that change: how long a verdict lives when the change passes through, and what a silent desk stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use mintgate::sandbox::desk::{self as sandbox, ADMIN, AGENT, Desk};
use serde_json::{Value, json};

use super::scene::{Browser, ORIGIN, Scene, target, token};
use crate::gateway::upstream::Upstream;

const CONSOLE: &str = "GET /admin/exchange";

fn desk() -> (Desk, Scene) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let desk = runtime.block_on(sandbox::start(([127, 0, 0, 1], 0).into())).expect("a free port");
    let scene = Scene::on(runtime, desk.address());
    (desk, scene)
}

#[test]
fn a_demotion_that_passes_through_is_effective_with_the_next_request() {
    let (desk, scene) = desk();
    desk.set_admin(AGENT.0, true);
    let gateway = scene.gateway();
    let (admin, second) = (Browser::signed_in(&gateway, ADMIN), Browser::signed_in(&gateway, AGENT));
    assert_eq!(second.status(CONSOLE), 200);

    let role = json!({"id": desk.user_id(AGENT.0).expect("a user"), "role": false});
    let lines = [ORIGIN, &admin.bearer(), &admin.jar()];
    assert_eq!(admin.send("PUT /api/v1/auth/user/role", &lines, &role).status, 200);

    // The clock stands still: no verdict has grown old.
    assert_eq!((second.status(CONSOLE), admin.status(CONSOLE)), (403, 200));
}

#[test]
fn a_demotion_elsewhere_is_effective_within_five_seconds() {
    let (desk, scene) = desk();
    desk.set_admin(AGENT.0, true);
    let gateway = scene.gateway();
    let second = Browser::signed_in(&gateway, AGENT);
    assert_eq!(second.status(CONSOLE), 200);
    desk.set_admin(AGENT.0, false);
    scene.clock.advance(Duration::from_secs(5));
    assert_eq!(second.status(CONSOLE), 403);
}

#[test]
fn what_an_admin_changes_is_asked_about_every_time() {
    let (desk, scene) = desk();
    desk.set_admin(AGENT.0, true);
    let gateway = scene.gateway();
    let second = Browser::signed_in(&gateway, AGENT);
    let lines = [ORIGIN, &second.bearer(), &second.jar()];
    for request in
        ["POST /admin/exchange/start", "POST /admin/exchange/disconnect", "GET /admin/exchange/complete"]
    {
        desk.set_admin(AGENT.0, true);
        // The refusal before is forgotten by now.
        scene.clock.advance(Duration::from_secs(1));
        assert_eq!(second.status(CONSOLE), 200);
        desk.set_admin(AGENT.0, false);
        assert_eq!(second.send(request, &lines, &Value::Null).status, 403, "{request}");
    }
}

/// A desk that counts profile calls; `None` from `profile` breaks the connection off.
fn counting(
    profiles: Arc<AtomicUsize>,
    profile: impl Fn() -> Option<Value> + Send + Sync + 'static,
) -> Upstream {
    Upstream::new(move |request| {
        request.drain();
        let body = match target(request) {
            path if path.ends_with("/login") => json!({"token": token("u1")}),
            path if path.ends_with("/profile") => {
                profiles.fetch_add(1, Ordering::SeqCst);
                match profile() {
                    Some(body) => body,
                    None => {
                        request.writer.shutdown(std::net::Shutdown::Both).expect("an open socket");
                        return;
                    }
                }
            }
            _ => json!({"success": true}),
        };
        request.reply("", body.to_string().as_bytes());
    })
}

fn an_admin() -> Value {
    json!({"user": {"id": "u1", "email": "a@desk.example", "name": "A", "language": "en", "isAdmin": true}})
}

#[test]
fn five_hundred_first_requests_at_once_cost_at_most_two_questions() {
    let profiles = Arc::new(AtomicUsize::new(0));
    let desk = counting(profiles.clone(), || Some(an_admin()));
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, ("u1", "secret"));
    let all: Vec<_> = (0..500)
        .map(|_| {
            let browser = browser.clone();
            thread::spawn(move || browser.status(CONSOLE))
        })
        .collect();
    let statuses: Vec<u16> = all.into_iter().map(|one| one.join().expect("an answer")).collect();
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    let asked = profiles.load(Ordering::SeqCst);
    assert!((1..=2).contains(&asked), "{asked} questions");
}

#[test]
fn a_desk_that_does_not_say_who_is_admin_stops_the_console_and_nothing_else() {
    let profiles = Arc::new(AtomicUsize::new(0));
    let desk = counting(profiles.clone(), || None);
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, ("u1", "secret"));
    for round in 1..=2 {
        let answer = browser.ask(CONSOLE);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
        assert!(profiles.load(Ordering::SeqCst) >= round, "a failure was remembered");
    }
    assert_eq!((browser.status("GET /api/v1/tickets/all"), browser.status("GET /issues")), (200, 200));
}

#[test]
fn nobody_shapes_the_question_who_is_admin() {
    let heads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = heads.clone();
    let desk = Upstream::new(move |request| {
        request.drain();
        let body = match target(request) {
            path if path.ends_with("/login") => json!({"token": token("u1")}),
            path if path.ends_with("/profile") => {
                seen.lock().expect("not poisoned").push(request.lines.clone());
                an_admin()
            }
            _ => Value::Null,
        };
        request.reply("", body.to_string().as_bytes());
    });
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, ("u1", "secret"));
    let lines = [
        &*browser.jar(),
        "X-Forwarded-Host: evil.example",
        "X-Original-URL: /api/v1/auth/check",
        "X-HTTP-Method-Override: DELETE",
        "Range: bytes=0-1",
        "If-None-Match: *",
        "Accept-Encoding: gzip",
        "Forwarded: for=10.0.0.1",
    ];
    let answer = browser.send("GET /admin/exchange?a=b", &lines, &Value::Null);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let heads = heads.lock().expect("not poisoned");
    let [head] = &heads[..] else { panic!("one question: {heads:?}") };
    assert_eq!(head[0], "GET /api/v1/auth/profile HTTP/1.1");
    let mut names: Vec<String> =
        head[1..].iter().map(|line| line.split(':').next().unwrap_or(line).to_ascii_lowercase()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["accept", "accept-encoding", "authorization", "host", "user-agent", "x-forwarded-for"]
    );
    let line = |name: &str| head.iter().find(|line| line.to_ascii_lowercase().starts_with(name)).cloned();
    assert_eq!(line("accept-encoding").as_deref(), Some("accept-encoding: identity"));
    assert_eq!(line("x-forwarded-for").as_deref(), Some("x-forwarded-for: 127.0.0.1"));
    assert_eq!(line("user-agent").as_deref(), Some("user-agent: a browser"));
}
