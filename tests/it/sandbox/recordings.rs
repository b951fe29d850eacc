//! Our desk beside recordings of a real one: same status, same members, same types.
//!
//! The recordings are not part of the project; they are read where they lie beside it.

use mintgate::sandbox::desk::{self, ADMIN, AGENT, BOT};
use serde_json::{Map, Value, json};

use super::client::{Client, Reply};
use super::desk::sign_in;
use crate::shared;

#[tokio::test]
async fn the_desk_answers_in_the_recorded_shapes() {
    let Some(folder) = shared::path("peppermint/exchanges") else { return };
    let desk = desk::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let client = Client::to(desk.address());
    let mut compared = 0;
    for name in ORDER {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).expect(name);
        let recorded: Value = serde_json::from_str(&text).expect(name);
        let (request, expected) = (&recorded["request"], &recorded["response"]);
        let caller = match request["headers"]["Authorization"].as_str() {
            None => client.clone(),
            Some("Bearer <JWT:admin>") => {
                client.bearer(sign_in(&client, ADMIN).await["token"].as_str().unwrap())
            }
            Some("Bearer <JWT:bot>") => client.bearer(sign_in(&client, BOT).await["token"].as_str().unwrap()),
            Some("Bearer <JWT:agent>") => {
                client.bearer(sign_in(&client, AGENT).await["token"].as_str().unwrap())
            }
            Some(other) => client.with("Authorization", other),
        };
        let reply = replay(&caller, request, desk.tickets().first().map(|ticket| ticket.id.as_str())).await;
        assert_eq!(reply.status, expected["status"].as_u64().unwrap() as u16, "{name}: {}", reply.text());
        if expected["body"].is_object() {
            same_shape(&expected["body"], &reply.json(), name);
        }
        compared += 1;
    }
    assert_eq!(compared, ORDER.len());
}

/// Recordings in an order in which what the later ones need is there; a ticket id means the first ticket.
const ORDER: [&str; 57] = [
    "002-404-noauth",
    "003-login-bad",
    "004-login-unknown",
    "005-login-missing",
    "006-login-badjson",
    "007-login-admin",
    "008-login-query",
    "010-profile-noauth",
    "011-profile-bad",
    "012-profile-admin",
    "013-profile-cookie-only",
    "019-404-auth",
    "021-cors-preflight",
    "024-auth-check-noauth",
    "025-auth-check",
    "026-config-auth-check",
    "030-register-external-noauth",
    "100-user-new",
    "101-user-new-duplicate",
    "102-user-register-dup",
    "103-register-external",
    "104-profile-agent",
    "106-user-new-as-agent",
    "107-role-as-agent",
    "108-users-all",
    "120-webhook-create-ticket_created",
    "122-webhook-create-badtype",
    "123-webhooks-all",
    "131-ticket-create-min",
    "402-bot-ticket-create",
    "132-ticket-create-notitle",
    "133-ticket-create-badtype",
    "134-ticket-create-badcompany",
    "135-ticket-create-companynull",
    "137-ticket-public-create",
    "138-ticket-public-create-q",
    "142-ticket-get-unknown",
    "143-ticket-get-number",
    "145-ticket-get-noauth",
    "146-tickets-open",
    "147-tickets-all",
    "148-tickets-search",
    "149-tickets-unassigned",
    "150-comment-internal",
    "153-comment-badticket",
    "155-comment-notext",
    "158-ticket-get-comments",
    "160-status-close",
    "163-ticket-update-status",
    "164-ticket-update-badstatus",
    "166-status-string",
    "180-upload-noauth",
    "190-config-email-get",
    "192-email-queue-create-ms",
    "193-email-queues",
    "250-config-email-put",
    "251-config-email-get",
];

async fn replay(client: &Client, request: &Value, ticket: Option<&str>) -> Reply {
    let ours = |text: &str| {
        // The only recorded ids that stand for something here are those of recorded tickets.
        let known = ["3c736fa4-f9bf-4c49-a606-a4477e4dadc7", "5478dcbf-a9b6-4844-bc9f-4c4687404356"];
        known.iter().fold(text.to_owned(), |text, id| text.replace(id, ticket.unwrap_or(id)))
    };
    let header = |name: &str| request["headers"][name].as_str();
    let body = match &request["body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let caller = header("Cookie").map_or_else(|| client.clone(), |cookie| client.with("Cookie", cookie));
    let media_type =
        header("Content-Type").unwrap_or(if request["body"].is_object() { "application/json" } else { "" });
    let (method, url) =
        (request["method"].as_str().expect("a method"), request["url"].as_str().expect("a url"));
    caller.call(method, &ours(url), media_type, ours(&body).as_bytes()).await.expect("an answer")
}

/// Objects have the same members, arrays elements of the same shape, leaves the same type; null goes with
/// anything, since what may be absent is not always absent.
fn same_shape(expected: &Value, actual: &Value, at: &str) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            assert_eq!(names(expected), names(actual), "members at {at}");
            for (name, value) in expected {
                same_shape(value, &actual[name], &format!("{at}.{name}"));
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            if let (Some(expected), Some(actual)) = (expected.first(), actual.first()) {
                same_shape(expected, actual, &format!("{at}[0]"));
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (expected, actual) => {
            assert_eq!(kind(expected), kind(actual), "type at {at}");
        }
    }
}

fn names(object: &Map<String, Value>) -> Vec<&str> {
    let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null => "null",
    }
}

#[test]
#[should_panic(expected = "members at x")]
fn a_missing_member_is_noticed() {
    same_shape(&json!({"a": 1, "b": 2}), &json!({"a": 1}), "x");
}
