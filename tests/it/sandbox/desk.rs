//! Facts of the desk's contract that the gateway and the worker rely on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mintgate::base::clock::{Clock, ManualClock, Timestamp};
use mintgate::sandbox::desk::{self, ADMIN, AGENT, BOT, Desk};
use mintgate::sandbox::fault::{Effect, Fault};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::Client;

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const NOON: Timestamp = Timestamp(1_795_219_200_000);

async fn started() -> Desk {
    desk::start(ANYWHERE).await.expect("a desk")
}

pub async fn sign_in(client: &Client, (email, password): (&str, &str)) -> Value {
    let reply =
        client.send("POST", "/api/v1/auth/login", &json!({"email": email, "password": password})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("set-cookie"), None);
    reply.json()
}

async fn signed_in(client: &Client, who: (&str, &str)) -> Client {
    client.bearer(sign_in(client, who).await["token"].as_str().expect("a token"))
}

async fn ticket_by_bot(desk: &Desk, bot: &Client) -> String {
    let id = desk.user_id(BOT.0).expect("the bot");
    let ticket = json!({
        "name": "Bob", "email": "bob@customer.example", "title": "Printer smokes",
        "detail": [{"type": "paragraph", "content": [{"type": "text", "text": "Hello", "styles": {}}]}],
        "priority": "low", "type": "support",
        "createdBy": {"id": id, "name": "Mail Worker", "role": "mail:3f2a9c77e1", "email": BOT.0},
    });
    let reply = bot.send("POST", "/api/v1/ticket/create", &ticket).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn everything_but_the_two_exact_urls_needs_a_token() {
    let desk = started().await;
    let client = Client::to(desk.address());
    for path in ["/api/v1/nope", "/api/v1/auth/check", "/api/v1/auth/profile", "/de/api/v1/tickets/all"] {
        let reply = client.get(path).await;
        assert_eq!((reply.status, reply.json()["success"].clone()), (401, json!(false)), "{path}");
    }
    let login = json!({"email": ADMIN.0, "password": ADMIN.1});
    assert_eq!(client.send("POST", "/api/v1/auth/login?x=1", &login).await.status, 401);
    assert_eq!(client.send("POST", "/api/v1/ticket/public/create", &json!({"title": "t"})).await.status, 200);
}

#[tokio::test]
async fn only_the_profile_tells_who_is_an_admin() {
    let desk = started().await;
    let client = Client::to(desk.address());
    let (admin, agent) = (signed_in(&client, ADMIN).await, signed_in(&client, AGENT).await);
    assert_eq!(admin.get("/api/v1/auth/profile").await.json()["user"]["isAdmin"], true);
    assert_eq!(agent.get("/api/v1/auth/profile").await.json()["user"]["isAdmin"], false);

    let id = desk.user_id(ADMIN.0).unwrap();
    agent.get(&format!("/api/v1/auth/user/{id}/logout")).await;
    assert_eq!(admin.get("/api/v1/auth/profile").await.status, 500);
    assert_eq!(admin.get("/api/v1/tickets/all").await.status, 200, "the hook looks at the signature only");
}

#[tokio::test]
async fn a_session_ends_when_agent_and_address_both_change() {
    let desk = started().await;
    let browser =
        Client::to(desk.address()).with("User-Agent", "Browser/1").with("X-Forwarded-For", "10.1.2.3");
    let session = sign_in(&browser, AGENT).await;
    let as_seen = |agent: &str, address: &str| {
        let client = Client::to(desk.address()).bearer(session["token"].as_str().unwrap());
        client.with("User-Agent", agent).with("X-Forwarded-For", address)
    };
    for (agent, address, status) in [
        ("Browser/1", "10.9.9.9", 200),
        ("gateway/0.1", "10.1.2.3, 10.9.9.9", 200),
        ("gateway/0.1", "10.9.9.9, 10.1.2.3", 200),
        ("Browser/1", "10.1.2.3", 500),
    ] {
        let reply = as_seen(agent, address).get("/api/v1/auth/profile").await;
        assert_eq!(reply.status, status, "{agent} {address}");
    }
}

#[tokio::test]
async fn a_token_ends_after_eight_hours() {
    let clock = Arc::new(ManualClock::at(NOON));
    let desk = desk::start_with_clock(ANYWHERE, clock.clone()).await.unwrap();
    let agent = signed_in(&Client::to(desk.address()), AGENT).await;
    clock.advance(Duration::from_secs(8 * 3600 - 1));
    assert_eq!(agent.get("/api/v1/auth/profile").await.status, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(agent.get("/api/v1/auth/profile").await.status, 401);

    let token = desk.token_without_session(AGENT.0, clock.now() + Duration::from_secs(60));
    assert_eq!(Client::to(desk.address()).bearer(&token).get("/api/v1/auth/profile").await.status, 500);
}

#[tokio::test]
async fn the_creator_is_stored_as_sent_and_found_again() {
    let desk = started().await;
    let bot = signed_in(&Client::to(desk.address()), BOT).await;
    let id = ticket_by_bot(&desk, &bot).await;
    let all = bot.get("/api/v1/tickets/all").await.json();
    assert_eq!(all["tickets"][0]["createdBy"]["role"], "mail:3f2a9c77e1");
    assert_eq!(all["tickets"][0]["id"], id);
    let one = bot.get(&format!("/api/v1/ticket/{id}")).await.json();
    assert_eq!(one["ticket"]["Number"], 1);
    assert!(one["ticket"]["detail"].as_str().unwrap().starts_with("[{\"content\""));
}

#[tokio::test]
async fn a_bot_learns_of_what_others_did_newest_first() {
    let desk = started().await;
    let client = Client::to(desk.address());
    let (bot, agent) = (signed_in(&client, BOT).await, signed_in(&client, AGENT).await);
    let id = ticket_by_bot(&desk, &bot).await;
    agent.send("POST", "/api/v1/ticket/comment", &json!({"id": id, "text": "Hi", "public": true})).await;
    bot.send("POST", "/api/v1/ticket/comment", &json!({"id": id, "text": "mine", "public": false})).await;
    agent.send("PUT", "/api/v1/ticket/status/update", &json!({"id": id, "status": true})).await;

    let profile = bot.get("/api/v1/auth/profile").await.json();
    let texts: Vec<_> =
        profile["user"]["notifcations"].as_array().unwrap().iter().map(|n| n["text"].clone()).collect();
    assert_eq!(texts, ["#1 status changed to Closed by Anna Agent", "New comment on #1 by Anna Agent"]);
    let comments = bot.get(&format!("/api/v1/ticket/{id}")).await.json()["ticket"]["comments"].clone();
    assert_eq!((&comments[0]["public"], &comments[1]["public"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn errors_have_fastifys_shape_and_unknown_ids_are_500() {
    let desk = started().await;
    let client = Client::to(desk.address());
    let agent = signed_in(&client, AGENT).await;
    let unknown = agent.get("/api/v1/ticket/00000000-0000-0000-0000-000000000000").await;
    assert_eq!(
        (unknown.status, unknown.json()["message"].clone()),
        (500, json!("Cannot read properties of null (reading 'id')"))
    );
    assert_eq!(agent.get("/api/v1/nope").await.json()["message"], "Route GET:/api/v1/nope not found");
    let big = json!({"title": "x".repeat(1024 * 1024)});
    let refused = client.send("POST", "/api/v1/ticket/public/create", &big).await;
    assert_eq!((refused.status, refused.json()["code"].clone()), (413, json!("FST_ERR_CTP_BODY_TOO_LARGE")));
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    let upload =
        client.call("POST", "/api/v1/storage/ticket/1/upload/single", "multipart/form-data", b"x").await;
    assert_eq!(upload.unwrap().status, 415);
    let empty = agent.call("POST", "/api/v1/ticket/comment", "application/json", b"").await.unwrap();
    assert_eq!(empty.json()["code"], "FST_ERR_CTP_EMPTY_JSON_BODY");
}

#[tokio::test]
async fn an_unsupported_queue_is_made_all_the_same() {
    let desk = started().await;
    let agent = signed_in(&Client::to(desk.address()), AGENT).await;
    let queue =
        json!({"name": "q", "username": "u", "hostname": "h", "tls": false, "serviceType": "microsoft"});
    assert_eq!(agent.send("POST", "/api/v1/email-queue/create", &queue).await.json()["success"], false);
    let queues = agent.get("/api/v1/email-queues/all").await.json()["queues"].clone();
    let id = json!({"id": queues[0]["id"]});
    agent.send("DELETE", "/api/v1/email-queue/delete", &id).await;
    assert_eq!(agent.get("/api/v1/email-queues/all").await.json()["queues"], json!([]));

    assert_eq!(agent.get("/api/v1/config/email").await.json(), json!({"success": true, "active": false}));
    agent.send("PUT", "/api/v1/config/email", &json!({"host": "h", "active": true, "username": "u"})).await;
    assert_eq!(agent.get("/api/v1/config/email").await.json()["active"], true);
}

#[tokio::test]
async fn roles_refuse_with_401_whoever_has_none() {
    let desk = started().await;
    let client = Client::to(desk.address());
    let (admin, bot) = (signed_in(&client, ADMIN).await, signed_in(&client, BOT).await);
    let id = ticket_by_bot(&desk, &bot).await;
    admin.send("PATCH", "/api/v1/config/toggle-roles", &json!({"isActive": true})).await;
    let refused = bot.get(&format!("/api/v1/ticket/{id}")).await;
    assert_eq!((refused.status, refused.json()["status"].clone()), (401, json!(403)));

    let role = json!({"name": "mail", "permissions": ["issue::read"], "users": [desk.user_id(BOT.0)]});
    admin.send("POST", "/api/v1/role/create", &role).await;
    let made = admin.get("/api/v1/roles/all").await.json()["roles"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(bot.get(&format!("/api/v1/ticket/{id}")).await.status, 401, "a create attaches nobody");
    admin.send("PUT", &format!("/api/v1/role/{made}/update"), &role).await;
    assert_eq!(bot.get(&format!("/api/v1/ticket/{id}")).await.status, 200);
}

#[tokio::test]
async fn a_call_can_be_applied_although_its_answer_is_lost() {
    let desk = started().await;
    let agent = signed_in(&Client::to(desk.address()), AGENT).await;
    let ticket = json!({"title": "t"});
    desk.faults.add(Fault::on("POST", "/api/v1/ticket/create", Effect::CutAfter).times(1));
    assert!(agent.try_send("POST", "/api/v1/ticket/create", &ticket).await.is_err());
    assert_eq!(desk.tickets().len(), 1);

    let refused = Effect::RefuseAfter { status: 500, retry_after: None };
    desk.faults.add(Fault::on("POST", "/api/v1/ticket/create", refused).times(1));
    assert_eq!(agent.send("POST", "/api/v1/ticket/create", &ticket).await.json()["statusCode"], 500);
    assert_eq!(desk.tickets().len(), 2);

    desk.faults.add(Fault::anywhere("*", Effect::CutBefore));
    assert!(agent.try_send("POST", "/api/v1/ticket/create", &ticket).await.is_err());
    desk.faults.clear();
    assert_eq!(desk.tickets().len(), 2);
}

#[tokio::test]
async fn a_desk_that_ended_answers_nobody() {
    let desk = started().await;
    let mut kept = TcpStream::connect(desk.address()).await.unwrap();
    let request = b"GET /auth/login HTTP/1.1\r\nHost: desk\r\n\r\n";
    kept.write_all(request).await.unwrap();
    let mut buffer = vec![0; 16 * 1024];
    assert_ne!(kept.read(&mut buffer).await.unwrap(), 0);

    let client = Client::to(desk.address());
    drop(desk);
    let mut rest = Vec::new();
    let answer = async {
        kept.write_all(request).await?;
        kept.read_to_end(&mut rest).await
    };
    assert!(answer.await.is_err() || !String::from_utf8_lossy(&rest).contains("HTTP/1.1 200"));
    assert!(client.call("GET", "/auth/login", "", b"").await.is_err());
}

#[tokio::test]
async fn faults_can_be_switched_from_another_process() {
    let desk = started().await;
    let client = Client::to(desk.address());
    let fault =
        json!({"path": "/api/v1/auth/*", "effect": {"refuse_before": {"status": 503, "retry_after": "7"}}});
    assert_eq!(client.send("POST", "/_control/faults", &fault).await.status, 204);
    let refused = client.get("/api/v1/auth/profile").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("7")));
    client.send("DELETE", "/_control/faults", &Value::Null).await;
    assert_eq!(client.get("/api/v1/auth/profile").await.status, 401);
}

#[tokio::test]
async fn pages_are_public_and_odd_paths_are_redirected() {
    let desk = started().await;
    let client = Client::to(desk.address());
    let admin = client.get("/de/admin/smtp").await;
    assert!(admin.text().contains(r#"<a href="/admin/smtp">"#));
    assert_eq!(admin.header("cache-control"), Some("s-maxage=31536000, stale-while-revalidate"));
    assert_eq!(client.get("/admin/exchange").await.status, 404);
    assert_eq!(client.get("/api/v1//tickets/open").await.header("location"), Some("/api/v1/tickets/open"));
    let german = client.with("Accept-Language", "de-DE,de;q=0.9").get("/").await;
    assert_eq!((german.status, german.header("location")), (307, Some("/de")));
}
