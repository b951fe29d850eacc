//! Facts of Graph mail that the worker relies on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use mintgate::base::clock::{ManualClock, Timestamp};
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::sandbox::grants::Grants;
use mintgate::sandbox::graph::{self, Folder, Graph};
use serde_json::{Value, json};

use super::client::Client;

const TICKETS: &str = "tickets@demo.example";
const CUSTOMER: &str = "customer@example.net";
const MAIL: &[u8] = b"From: Carla <customer@example.net>\r\nTo: tickets@demo.example\r\nSubject: Help\r\n\
    Message-ID: <1@example.net>\r\n\r\nIt is broken.\r\n";
const DELTA: &str = "/v1.0/me/mailFolders/inbox/messages/delta";
const FULL: [&str; 3] = ["User.Read", "Mail.ReadWrite", "Mail.Send"];

struct Fixture {
    graph: Graph,
    clock: Arc<ManualClock>,
}

impl Fixture {
    async fn start() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp(1_795_219_200_000)));
        let anywhere: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let graph =
            graph::start_with_clock(anywhere, Grants::default(), clock.clone()).await.expect("a server");
        graph.add_mailbox(TICKETS, "Tickets");
        Self { graph, clock }
    }

    fn client(&self, scopes: &[&str]) -> Client {
        let client = Client::to(self.graph.address()).bearer(&self.graph.token(TICKETS, scopes));
        client.with("Prefer", r#"IdType="ImmutableId""#)
    }

    fn deliver(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.graph.deliver(TICKETS, MAIL).expect("a mailbox")).collect()
    }
}

/// A link of ours, as the path to call.
fn path(link: &Value) -> String {
    let link = link.as_str().expect("a link");
    link[link.find("/v1.0").expect("below /v1.0")..].to_owned()
}

/// Follows a listing to its end: every item, and the link for the next round.
async fn listed(client: &Client, start: &str) -> (Vec<Value>, String) {
    let (mut items, mut next) = (Vec::new(), start.to_owned());
    loop {
        let page = client.get(&next).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        items.extend(page["value"].as_array().expect("items").iter().cloned());
        if page.get("@odata.nextLink").is_none() {
            return (items, path(&page["@odata.deltaLink"]));
        }
        next = path(&page["@odata.nextLink"]);
    }
}

#[tokio::test]
async fn delta_pages_to_the_end_and_then_tells_only_changes() {
    let fixture = Fixture::start().await;
    fixture.graph.set_empty_pages(true);
    let client = fixture.client(&FULL);
    let paged = client.with("Prefer", "odata.maxpagesize=2");
    let ids = fixture.deliver(5);

    let (items, cursor) = listed(&paged, &format!("{DELTA}?$select=id,subject")).await;
    let mut seen: Vec<&str> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    seen.reverse();
    assert_eq!(seen, ids);
    assert_eq!((&items[0]["subject"], items[0].get("from")), (&json!("Help"), None));

    let new = fixture.deliver(1).remove(0);
    client.send("PATCH", &format!("/v1.0/me/messages/{}", ids[0]), &json!({"isRead": true})).await;
    fixture.graph.move_message(TICKETS, &ids[1], Folder::Archive);
    let (changes, again) = listed(&paged, &cursor).await;
    let change = |id: &str| changes.iter().find(|item| item["id"] == id).expect("a change").clone();
    assert_eq!(change(&new)["subject"], "Help");
    assert_eq!(
        (change(&ids[0])["isRead"].clone(), change(&ids[0]).get("subject").cloned()),
        (json!(true), None)
    );
    assert_eq!(change(&ids[1])["@removed"]["reason"], "deleted");
    assert_eq!(changes.len(), 3);
    assert_eq!(listed(&paged, &again).await.0, Vec::<Value>::new());
}

#[tokio::test]
async fn delta_takes_one_filter_and_tokens_of_its_own_folder() {
    let fixture = Fixture::start().await;
    let client = fixture.client(&FULL);
    fixture.deliver(1);
    fixture.clock.advance(Duration::from_secs(1800));
    let late = fixture.deliver(1);
    let floor = "2026-11-21T00:10:00Z";
    let (items, cursor) = listed(&client, &format!("{DELTA}?$filter=receivedDateTime+ge+{floor}")).await;
    assert_eq!(items.iter().map(|item| item["id"].clone()).collect::<Vec<_>>(), late);

    for refused in ["$filter=isRead+eq+false", "$deltatoken=latest", "$select=messageid", "$serach=x"] {
        assert_eq!(client.get(&format!("{DELTA}?{refused}")).await.status, 400, "{refused}");
    }
    let elsewhere = cursor.replace("/inbox/", "/archive/");
    assert_eq!(client.get(&elsewhere).await.status, 400);
    fixture.graph.lose_cursors();
    let lost = client.get(&cursor).await;
    assert_eq!((lost.status, lost.json()["error"]["code"].clone()), (410, json!("SyncStateNotFound")));
    assert!(lost.header("location").unwrap().ends_with(DELTA));
}

#[tokio::test]
async fn only_immutable_ids_survive_a_move() {
    let fixture = Fixture::start().await;
    let immutable = fixture.client(&FULL);
    let usual = Client::to(fixture.graph.address()).bearer(&fixture.graph.token(TICKETS, &FULL));
    let id = fixture.deliver(1).remove(0);
    let before = usual.get("/v1.0/me/messages?$select=id").await.json()["value"][0]["id"].clone();
    assert_ne!(before, id);

    let moved = usual
        .send("POST", &format!("/v1.0/me/messages/{id}/move"), &json!({"destinationId": "archive"}))
        .await;
    assert_eq!(moved.status, 201);
    assert_ne!(moved.json()["id"], before);
    assert_eq!(usual.get(&format!("/v1.0/me/messages/{}", before.as_str().unwrap())).await.status, 404);
    assert_eq!(immutable.get(&format!("/v1.0/me/messages/{id}")).await.json()["id"], id);
}

#[tokio::test]
async fn a_mail_arrives_with_the_lines_of_a_server() {
    let fixture = Fixture::start().await;
    let client = fixture.client(&FULL);
    let id = fixture.deliver(1).remove(0);
    let raw = client.get(&format!("/v1.0/me/messages/{id}/$value")).await.text();
    assert!(raw.starts_with("Return-Path: <customer@example.net>\r\nReceived: "), "{raw}");
    assert!(raw.ends_with("\r\n\r\nIt is broken.\r\n"));
    let select = "internetMessageId,internetMessageHeaders,from,uniqueBody,hasAttachments";
    let message = client.get(&format!("/v1.0/me/messages/{id}?$select={select}")).await.json();
    assert_eq!(message["internetMessageId"], "<1@example.net>");
    assert_eq!(message["from"]["emailAddress"], json!({"name": "Carla", "address": CUSTOMER}));
    assert_eq!(message["internetMessageHeaders"][0]["name"], "Return-Path");
}

#[tokio::test]
async fn a_draft_is_sent_once_and_appears_late() {
    let fixture = Fixture::start().await;
    let client = fixture.client(&FULL);
    let mime = b"From: Else <else@x.example>\r\nTo: customer@example.net\r\nBcc: boss@x.example\r\nSubject: Re: Help\r\n\
        Message-ID: <t.1@demo.example>\r\nIn-Reply-To: <1@example.net>\r\nAuto-Submitted: auto-replied\r\n\
        X-Ours: 1\r\n\r\nHave you tried water?\r\n";
    let made = client
        .call("POST", "/v1.0/me/messages", "text/plain", STANDARD.encode(mime).as_bytes())
        .await
        .unwrap();
    assert_eq!((made.status, made.json()["isDraft"].clone()), (201, json!(true)));
    assert_eq!(made.json()["internetMessageId"], "<t.1@demo.example>");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let (message, send) = (format!("/v1.0/me/messages/{id}"), format!("/v1.0/me/messages/{id}/send"));

    assert_eq!(client.send("POST", &send, &Value::Null).await.status, 202);
    assert_eq!(client.get(&message).await.status, 404);
    assert_eq!(client.send("POST", &send, &Value::Null).await.status, 404);
    fixture.clock.advance(Duration::from_millis(500));
    let filed = client.get(&message).await.json();
    assert_eq!(
        (&filed["isDraft"], &filed["from"]["emailAddress"]["address"]),
        (&json!(false), &json!(TICKETS))
    );
    assert_eq!(client.send("POST", &send, &Value::Null).await.status, 400);
    let filter = "$filter=internetMessageId+eq+'%3Ct.1@demo.example%3E'&$select=id";
    let found = client.get(&format!("/v1.0/me/mailFolders/sentitems/messages?{filter}")).await.json();
    assert_eq!(found["value"][0]["id"], id);

    let received = fixture.graph.received_outside(CUSTOMER);
    let text = String::from_utf8(received[0].clone()).unwrap();
    assert_eq!(received.len(), 1);
    for (line, there) in
        [("In-Reply-To: <1@example.net>", true), ("X-Ours", true), ("Auto-Submitted", false), ("Bcc", false)]
    {
        assert_eq!(text.contains(line), there, "{line}");
    }
    assert_eq!(fixture.graph.received_outside("boss@x.example").len(), 1);
}

#[tokio::test]
async fn what_is_not_granted_is_denied() {
    let fixture = Fixture::start().await;
    let reader = fixture.client(&["Mail.Read", "Mail.Send"]);
    let id = fixture.deliver(1).remove(0);
    let message = format!("/v1.0/me/messages/{id}");
    assert_eq!(reader.get(&message).await.status, 200);
    for (method, path) in [
        ("PATCH", message.clone()),
        ("POST", "/v1.0/me/messages".to_owned()),
        ("POST", format!("{message}/move")),
    ] {
        let denied = reader.send(method, &path, &json!({"isRead": true})).await;
        assert_eq!(
            (denied.status, denied.json()["error"]["code"].clone()),
            (403, json!("ErrorAccessDenied"))
        );
    }
    assert_eq!(reader.get("/v1.0/me").await.status, 403);
    let mail =
        json!({"message": {"subject": "s", "toRecipients": [{"emailAddress": {"address": CUSTOMER}}]}});
    assert_eq!(reader.send("POST", "/v1.0/me/sendMail", &mail).await.status, 202);
}

#[tokio::test]
async fn a_body_outside_the_type_is_refused() {
    let fixture = Fixture::start().await;
    let client = fixture.client(&FULL);
    let to = json!([{"emailAddress": {"address": CUSTOMER}}]);
    let headers =
        |names: &[&str]| -> Value { names.iter().map(|name| json!({"name": name, "value": "v"})).collect() };
    for (message, code) in [
        (json!({"subjekt": "s"}), "RequestBodyRead"),
        (json!({"toRecipients": [{"address": CUSTOMER}]}), "RequestBodyRead"),
        (json!({"internetMessageHeaders": headers(&["Auto-Submitted"])}), "InvalidInternetMessageHeader"),
        (
            json!({"internetMessageHeaders": headers(&["x-1", "x-2", "x-3", "x-4", "x-5", "x-6"])}),
            "InvalidInternetMessageHeader",
        ),
    ] {
        let refused = client.send("POST", "/v1.0/me/messages", &message).await;
        assert_eq!(
            (refused.status, refused.json()["error"]["code"].clone()),
            (400, json!(code)),
            "{message}"
        );
    }
    let fine = json!({"subject": "s", "toRecipients": to, "internetMessageHeaders": headers(&["X-Ours"])});
    assert_eq!(client.send("POST", "/v1.0/me/messages", &fine).await.status, 201);
    let mime = client.call("POST", "/v1.0/me/sendMail", "text/plain", b"not base64!").await.unwrap();
    assert_eq!(mime.json()["error"]["message"], "Invalid base64 string for MIME content.");
}

#[tokio::test]
async fn a_reply_draft_carries_the_thread_and_takes_a_file() {
    let fixture = Fixture::start().await;
    let client = fixture.client(&FULL);
    let id = fixture.deliver(1).remove(0);
    let reply =
        client.send("POST", &format!("/v1.0/me/messages/{id}/createReply"), &json!({"comment": "Hi"})).await;
    let draft = reply.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        reply.json()["conversationId"],
        client.get(&format!("/v1.0/me/messages/{id}")).await.json()["conversationId"]
    );
    let file = json!({"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentType": "text/plain",
        "contentBytes": STANDARD.encode("hello")});
    let attach = format!("/v1.0/me/messages/{draft}/attachments");
    assert_eq!(client.send("POST", &attach, &file).await.status, 201);
    let attached = client.get(&attach).await.json();
    assert_eq!((&attached["value"][0]["name"], &attached["value"][0]["size"]), (&json!("a.txt"), &json!(5)));
    let raw = client.get(&format!("/v1.0/me/messages/{draft}/$value")).await.text();
    assert!(raw.contains("In-Reply-To: <1@example.net>") && raw.contains("Hi"), "{raw}");
}

#[tokio::test]
async fn a_token_that_is_past_its_time_is_challenged() {
    let fixture = Fixture::start().await;
    let client = fixture.client(&FULL).with("client-request-id", "c-1");
    assert_eq!(client.get("/v1.0/me").await.json()["mail"], TICKETS);
    fixture.clock.advance(Duration::from_secs(3600));
    let refused = client.get("/v1.0/me").await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].clone()),
        (401, json!("InvalidAuthenticationToken"))
    );
    assert!(refused.header("www-authenticate").unwrap().starts_with("Bearer "));
    assert_eq!(refused.header("client-request-id"), Some("c-1"));
    assert_eq!(refused.json()["error"]["innerError"]["request-id"], refused.header("request-id").unwrap());
}

#[tokio::test]
async fn the_fifth_request_at_once_is_throttled() {
    let fixture = Fixture::start().await;
    let client = fixture.client(&FULL);
    let held = Effect::Slow { milliseconds: 600_000 };
    fixture.graph.faults.add(Fault::on("GET", "/v1.0/me/messages", held));
    let mut all: FuturesUnordered<_> = (0..5).map(|_| client.get("/v1.0/me/messages")).collect();
    let refused = all.next().await.unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("MailboxConcurrency"));
}

#[tokio::test]
async fn faults_wear_graphs_own_shape() {
    let fixture = Fixture::start().await;
    let client = fixture.client(&FULL);
    let throttled = Effect::RefuseBefore { status: 429, retry_after: Some("3".to_owned()) };
    fixture.graph.faults.add(Fault::anywhere("/v1.0/*", throttled).times(1));
    let refused = client.get("/v1.0/me").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3")));
    assert_eq!(refused.json()["error"]["code"], "ApplicationThrottled");

    let id = fixture.deliver(1).remove(0);
    let raw = format!("/v1.0/me/messages/{id}/$value");
    fixture.graph.faults.add(Fault::anywhere(&raw, Effect::Truncate).times(1));
    assert!(client.call("GET", &raw, "", b"").await.is_err());
    fixture.graph.faults.add(Fault::anywhere(&raw, Effect::Drip { bytes: 64, milliseconds: 1 }).times(1));
    let dripped = client.get(&raw).await;
    assert_eq!(dripped.header("transfer-encoding"), Some("chunked"));
    assert_eq!(dripped.body, client.get(&raw).await.body);
}

#[tokio::test]
async fn a_customer_writes_reads_and_replies_in_the_webmail() {
    let fixture = Fixture::start().await;
    let (client, browser) = (fixture.client(&FULL), Client::to(fixture.graph.address()));
    let letter =
        [("as", CUSTOMER), ("to", TICKETS), ("subject", "Help <me>"), ("text", "It smokes"), ("answers", "")];
    assert_eq!(browser.form("/webmail", &letter).await.status, 303);
    let asked =
        client.get("/v1.0/me/messages?$select=internetMessageId,subject").await.json()["value"][0].clone();
    assert_eq!(asked["subject"], "Help <me>");
    let asked = asked["internetMessageId"].as_str().unwrap().to_owned();

    let mime = format!(
        "To: {CUSTOMER}\r\nSubject: Re: Help\r\nMessage-ID: <t@demo.example>\r\nIn-Reply-To: {asked}\r\n\r\nWater!"
    );
    let sent = client
        .call("POST", "/v1.0/me/sendMail", "text/plain", STANDARD.encode(mime).as_bytes())
        .await
        .unwrap();
    assert_eq!(sent.status, 202);
    fixture.clock.advance(Duration::from_secs(1));
    let page = browser.get(&format!("/webmail?as={CUSTOMER}")).await.text();
    assert_eq!(page.matches("<section>").count(), 1, "one thread");
    assert!(page.contains("Water!") && page.contains("Help &lt;me&gt;"), "{page}");
    assert!(page.contains(r#"name="answers" value="t@demo.example""#));

    let reply =
        fixture.graph.customer_writes(CUSTOMER, TICKETS, "Re: Help", "Better", Some("t@demo.example"));
    let raw = String::from_utf8(fixture.graph.mails(TICKETS, Folder::Inbox).pop().unwrap()).unwrap();
    assert!(
        raw.contains(&format!("Message-ID: <{reply}>\r\nDate:"))
            && raw.contains("In-Reply-To: <t@demo.example>")
    );
    assert!(raw.contains(&format!("References: {asked} <t@demo.example>")), "{raw}");
}

#[tokio::test]
async fn another_process_has_the_same_controls() {
    let fixture = Fixture::start().await;
    let control = Client::to(fixture.graph.address());
    let deliver = format!("/_control/deliver?address={TICKETS}");
    let id = control.call("POST", &deliver, "message/rfc822", MAIL).await.unwrap().json()["id"].clone();
    let token = control
        .send("POST", &format!("/_control/token?address={TICKETS}&scopes=Mail.Read"), &Value::Null)
        .await;
    let client = control.bearer(token.json()["access_token"].as_str().unwrap());
    assert_eq!(client.get(&format!("/v1.0/me/messages/{}", id.as_str().unwrap())).await.status, 200);
    let seen = control.get(&format!("/_control/mailbox?address={TICKETS}")).await.json();
    assert_eq!((&seen["messages"][0]["id"], &seen["messages"][0]["folder"]), (&id, &json!("inbox")));
    assert_eq!(control.send("PATCH", "/_control/knobs", &json!({"foreignLinks": true})).await.status, 204);
    let page = client.get(DELTA).await.json();
    assert!(page["@odata.deltaLink"].as_str().unwrap().starts_with("http://elsewhere.invalid/"));
}
