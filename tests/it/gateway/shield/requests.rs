//! Which requests get the desk's token, table by table.

use serde_json::{Value, json};

use super::scene::{Browser, ORIGIN, Scene, echo, token};

const LIST: &str = "GET /api/v1/tickets/all";
const CREATE: &str = "POST /api/v1/ticket/create";
const USER: (&str, &str) = ("u1", "secret");

/// Whether the echoing desk got the token of `u1`.
fn has_token(seen: &str) -> bool {
    seen.to_ascii_lowercase()
        .contains(&format!("authorization: bearer {}", token("u1")).to_ascii_lowercase()[..40])
}

#[test]
fn the_desk_gets_the_token_and_no_cookie_of_a_session() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, USER);
    let jar = format!("{}; NEXT_LOCALE=de", browser.jar());
    for lines in [vec![&*browser.bearer(), &jar], vec![&*jar], vec![&*jar, "Connection: authorization"]] {
        let seen = browser.send(LIST, &lines, &Value::Null).text();
        assert!(has_token(&seen), "{lines:?}: {seen}");
        assert!(seen.contains("NEXT_LOCALE=de"), "{seen}");
        for secret in ["session=", "__Host-mintgate", &browser.handle] {
            assert!(!seen.contains(secret), "{secret} in {seen}");
        }
    }
}

#[test]
fn half_a_session_is_none() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, USER);
    let (bearer, jar) = (browser.bearer(), browser.jar());
    let own = format!("Cookie: {}", browser.cookie);
    let forged = format!("Cookie: __Host-mintgate={}", "A".repeat(43));
    let plain = format!("Authorization: Bearer {}", token("u1"));
    let session = format!("Cookie: session={}", token("u1"));
    let asked = desk.requests();
    let table: [(&str, &[&str]); 9] = [
        ("a handle without its cookie", &[&bearer]),
        ("a cookie without its handle", &[&own]),
        ("a cookie and no word", &[&own, "Authorization: Bearer undefined"]),
        ("a forged cookie", &[&bearer, &forged]),
        ("two cookies", &[&bearer, &own, &own]),
        ("another scheme", &[&own, "Authorization: Basic dTpw"]),
        ("a plain token", &[&plain]),
        ("a plain token beside the pair", &[&plain, &jar]),
        ("a session from before the shield", &[&session]),
    ];
    for (what, lines) in table {
        for path in [LIST, "GET /de/API/v1/%74ickets/all", "GET /api/v1/x"] {
            let answer = browser.send(path, lines, &Value::Null);
            assert_eq!(answer.status, 401, "{what}: {path}");
            assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
        }
        // The page itself is everybody's, but gets nothing of it.
        let page = browser.send("GET /issues", lines, &Value::Null);
        assert_eq!(page.status, 200, "{what}");
        assert!(!page.text().to_ascii_lowercase().contains("authorization"), "{what}: {}", page.text());
        assert_eq!(browser.send("GET /admin/exchange", lines, &Value::Null).status, 401, "{what}");
    }
    assert_eq!(desk.requests() - asked, table.len(), "only the pages reached the desk");
}

#[test]
fn what_changes_anything_comes_from_our_own_page() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, USER);
    let stolen = [browser.bearer(), browser.jar()];
    let table: [(&str, &[&str]); 6] = [
        ("nothing is said", &[]),
        ("another site", &["Origin: https://evil.example"]),
        ("another port", &["Origin: http://desk.example:81"]),
        ("a sandboxed page", &["Origin: null"]),
        ("the browser knows better", &[ORIGIN, "Sec-Fetch-Site: cross-site"]),
        ("a neighbour", &["Sec-Fetch-Site: same-site"]),
    ];
    let asked = desk.requests();
    for (what, lines) in table {
        let lines: Vec<&str> = lines.iter().copied().chain(stolen.iter().map(String::as_str)).collect();
        for request in [
            CREATE,
            "PUT /api/v1/ticket/update",
            "DELETE /api/v1/notebooks/1",
            "POST /api/v1/auth/login",
            "POST /api/v1/ticket/public/create",
            "POST /api/v1/storage/ticket/1/upload/single",
            "POST /admin/exchange/connect",
        ] {
            let body = if request.starts_with("DELETE") { Value::Null } else { json!({}) };
            assert_eq!(browser.send(request, &lines, &body).status, 403, "{what}: {request}");
        }
    }
    assert_eq!(desk.requests(), asked, "the desk was asked");
    for lines in [[ORIGIN, "Sec-Fetch-Site: same-origin"], ["Sec-Fetch-Site: same-origin", "Accept: */*"]] {
        let lines: Vec<&str> = lines.into_iter().chain(stolen.iter().map(String::as_str)).collect();
        let answer = browser.send(CREATE, &lines, &json!({}));
        assert!(answer.status == 200 && has_token(&answer.text()), "{lines:?}");
    }
}

#[test]
fn the_two_calls_without_a_word_pass_from_our_own_page() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, USER);
    let (own, jar) = (format!("Cookie: {}", browser.cookie), browser.jar());
    for request in ["POST /api/v1/ticket/public/create", "POST /api/v1/storage/ticket/1/upload/single"] {
        for (line, with_token) in [("Accept: */*", false), (&*own, false), (&*jar, true)] {
            let answer = browser.send(request, &[ORIGIN, line], &json!({}));
            assert_eq!(answer.status, 200, "{request}: {line}");
            assert_eq!(has_token(&answer.text()), with_token, "{request}: {line}");
        }
        assert_eq!(browser.send(request, &[ORIGIN, &browser.bearer()], &json!({})).status, 401, "{request}");
    }
}

#[test]
fn a_program_is_let_in_only_from_its_network_and_never_from_a_page() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let plain = format!("Authorization: Bearer {}", token("u1"));
    let here = scene.gateway_with("plugin: {sessionShield: {bearerFrom: [127.0.0.0/8]}}");
    let program = Browser::new(&here);
    assert!(has_token(&program.send(CREATE, &[&plain], &json!({})).text()));
    assert!(program.send("POST /api/v1/auth/login", &[], &json!({})).text().contains(&token("u1")[..20]));
    assert_eq!(program.send(CREATE, &[&plain, "Origin: https://evil.example"], &json!({})).status, 403);
    assert_eq!(program.send(LIST, &[&plain, ORIGIN], &Value::Null).status, 401);
    assert_eq!(program.send("GET /api/v1/auth/user/u2/logout", &[&plain], &Value::Null).status, 403);

    let elsewhere = scene.gateway_with("plugin: {sessionShield: {bearerFrom: [192.0.2.0/24]}}");
    let program = Browser::new(&elsewhere);
    assert_eq!(program.send(LIST, &[&plain], &Value::Null).status, 401);
    assert_eq!(program.send("POST /api/v1/auth/login", &[], &json!({})).status, 403);
}

#[test]
fn a_forgotten_passwords_code_is_tried_with_no_ones_token() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let browser = Browser::signed_in(&gateway, USER);
    let asked = desk.requests();
    for end in ["", "/code", "/password"] {
        let request = format!("POST /api/v1/auth/password-reset{end}");
        let lines = [ORIGIN, &browser.bearer(), &browser.jar()];
        assert_eq!(browser.send(&request, &lines, &json!({"code": "123456"})).status, 401, "{request}");
    }
    assert_eq!(desk.requests(), asked, "the desk was asked");
}

#[test]
fn without_the_shield_its_cookie_stays_with_the_gateway() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway_with("plugin: {sessionShield: {enabled: false}}");
    let line = format!("Cookie: __Host-mintgate=x; session={}; a=b", token("u1"));
    let seen = Browser::new(&gateway).send(LIST, &[&line], &Value::Null).text();
    assert!(!seen.contains("__Host-mintgate") && seen.contains("; a=b"), "{seen}");
}

#[test]
fn without_the_shield_two_tokens_that_differ_do_no_admin_work() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway_with("plugin: {sessionShield: {enabled: false}}");
    let (plain, other) = (format!("Authorization: Bearer {}", token("u1")), "Cookie: session=other");
    let asked = desk.requests();
    for path in ["GET /admin/exchange", "GET /api/v1/webhooks/all"] {
        assert_eq!(Browser::new(&gateway).send(path, &[&plain, other], &Value::Null).status, 401, "{path}");
    }
    assert_eq!(desk.requests(), asked, "the desk was asked");
}

#[test]
fn without_the_shield_the_plain_token_goes_through() {
    let desk = echo();
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway_with("plugin: {sessionShield: {enabled: false}}");
    let browser = Browser::new(&gateway);
    let plain = format!("Authorization: Bearer {}", token("u1"));
    let reply = browser.send("POST /api/v1/auth/login", &[], &json!({}));
    assert!(reply.text().contains(&token("u1")[..20]) && reply.header("set-cookie").is_none());
    assert!(has_token(&browser.send(CREATE, &[&plain], &json!({})).text()));
}
