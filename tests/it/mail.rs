//! A Graph mailbox against a server that answers what each test writes down: what goes over the wire,
//! and what is made of answers no well-behaved server gives. Whole ways of a mail are in `sandbox`.

mod place;
mod sandbox;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mintgate::base::clock::{ManualClock, Timestamp};
use mintgate::base::id::MailboxId;
use mintgate::base::secret::SecretString;
use mintgate::mailbox::graph::GraphMailbox;
use mintgate::mailbox::settings::MailboxSettings;
use mintgate::mailbox::{
    Evidence, Fetched, Listed, MailSink, MailSource, MailboxError, Outgoing, Probe, Told, registry,
};
use mintgate::net::{Client, Egress, Timeouts};
use mintgate::oauth::source::{AccessToken, Resource, TokenError, TokenSource};
use mintgate::store::MailboxRow;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::support::mail_server::{self, Password};

/// 2026-11-21T00:02:03Z
const NOW: Timestamp = Timestamp(1_795_219_323_000);
const ALL: &[&str] = &["mail.readwrite", "mail.send", "user.read"];
const READ_AND_SEND: &[&str] = &["mail.read", "mail.send", "user.read"];
const MAIL: Outgoing<'static> = Outgoing {
    message_id: "<t.1.2.3@desk.example>",
    mime: b"Subject: x\r\n\r\nHello\r\n",
    dispatched_at: NOW,
};

/// A request as it arrived.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    bearer: String,
    prefer: String,
    body: Vec<u8>,
}

/// Answers the queued replies one after the other and keeps what it was asked.
#[derive(Clone, Default)]
struct Script {
    replies: Arc<Mutex<VecDeque<Response>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Script {
    async fn start() -> (Self, String) {
        let script = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("its address"));
        let app = Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (script, origin)
    }

    fn reply(&self, status: u16, headers: &[(&str, &str)], body: impl Into<Body>) {
        let mut builder = Response::builder().status(status);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        self.replies
            .lock()
            .expect("no test panicked")
            .push_back(builder.body(body.into()).expect("a response"));
    }

    fn json(&self, status: u16, body: Value) {
        self.reply(status, &[("content-type", "application/json")], body.to_string());
    }

    fn refuse(&self, status: u16, code: &str) {
        self.json(status, json!({ "error": { "code": code, "message": "no" } }));
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panicked").clone()
    }

    fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

async fn answer(State(script): State<Script>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let text =
        |name: &str| head.headers.get(name).map_or("", |value| value.to_str().expect("text")).to_owned();
    let body = to_bytes(body, 1 << 20).await.expect("a body").to_vec();
    script.seen.lock().expect("no test panicked").push(Seen {
        line: format!("{} {}", head.method, head.uri),
        bearer: text("authorization"),
        prefer: text("prefer"),
        body,
    });
    let reply = script.replies.lock().expect("no test panicked").pop_front();
    reply.unwrap_or_else(|| Response::builder().status(599).body(Body::empty()).expect("a response"))
}

/// Gives `token-1` until it is renewed, then `token-2` and so on.
struct Tokens {
    scopes: &'static [&'static str],
    renewed: AtomicU32,
}

impl Tokens {
    fn now(&self) -> AccessToken {
        AccessToken {
            secret: SecretString::from(format!("token-{}", self.renewed.load(Ordering::SeqCst) + 1)),
            expires_at: NOW + Duration::from_secs(3600),
            scopes: self.scopes.iter().map(|&scope| scope.to_owned()).collect(),
        }
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self, _: &MailboxId, _: Resource) -> Result<AccessToken, TokenError> {
        Ok(self.now())
    }
    async fn renew(&self, _: &MailboxId, _: Resource, _: &AccessToken) -> Result<AccessToken, TokenError> {
        self.renewed.fetch_add(1, Ordering::SeqCst);
        Ok(self.now())
    }
}

fn parts(origins: &[&str], scopes: &'static [&'static str]) -> registry::Parts {
    let egress = Egress::only(origins).expect("origins");
    registry::Parts {
        tokens: Arc::new(Tokens { scopes, renewed: AtomicU32::new(0) }),
        passwords: Arc::new(Password(None)),
        dialer: mail_server::dialer(),
        http: Arc::new(Client::new(Handle::current(), egress, Timeouts::default()).expect("a client")),
        clock: Arc::new(ManualClock::at(NOW)),
        graph: origins[0].parse().expect("a URL"),
        requests_per_minute: 1_000,
        idle_renewal: registry::IDLE_RENEWAL,
    }
}

fn mailbox(origins: &[&str], scopes: &'static [&'static str]) -> GraphMailbox {
    let parts = parts(origins, scopes);
    let id = MailboxId::parse("support").expect("an id");
    GraphMailbox::new(id, parts.graph, parts.tokens, parts.http, parts.clock, parts.requests_per_minute)
}

async fn graph(scopes: &'static [&'static str]) -> (Script, String, GraphMailbox) {
    let (script, origin) = Script::start().await;
    let mailbox = mailbox(&[&origin], scopes);
    (script, origin, mailbox)
}

#[tokio::test]
async fn the_first_listing_asks_for_every_id_and_leaves_out_what_is_too_old() {
    let (script, origin, mailbox) = graph(ALL).await;
    let link = format!("{origin}/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=a");
    script.json(
        200,
        json!({ "@odata.deltaLink": link, "value": [
            { "id": "OLD=", "receivedDateTime": "2026-11-21T00:02:02Z" },
            { "id": "AA=", "receivedDateTime": "2026-11-21T00:02:03Z" },
            { "id": "BB=", "isRead": true },
            { "id": "CC=", "@removed": { "reason": "deleted" } },
        ] }),
    );

    let page = mailbox.list(None, NOW).await.unwrap();

    let at = Timestamp::parse_rfc3339("2026-11-21T00:02:03Z");
    let listed = |key: &str, received_at| Listed { key: key.to_owned(), received_at };
    assert_eq!(page.mails, [listed("AA=", at), listed("BB=", None)]);
    assert_eq!((page.cursor, page.more), (link, false));
    let wanted = "GET /v1.0/me/mailFolders/inbox/messages/delta?$select=id,receivedDateTime";
    assert_eq!(script.lines(), [wanted]);
}

#[tokio::test]
async fn an_empty_page_with_a_next_link_goes_on() {
    let (script, origin, mailbox) = graph(ALL).await;
    let next = format!("{origin}/v1.0/next?$skiptoken=b");
    script.json(200, json!({ "@odata.nextLink": next, "value": [] }));
    script.json(200, json!({ "@odata.deltaLink": format!("{origin}/v1.0/end"), "value": [] }));

    let page = mailbox.list(None, NOW).await.unwrap();
    let last = mailbox.list(Some(&page.cursor), NOW).await.unwrap();

    assert_eq!((page.mails.len(), page.more, last.more), (0, true, false));
    assert_eq!(script.lines()[1], "GET /v1.0/next?$skiptoken=b");
}

#[tokio::test]
async fn the_token_is_never_sent_to_another_host() {
    let (elsewhere, other) = Script::start().await;
    let (script, origin) = Script::start().await;
    let mailbox = mailbox(&[&origin, &other], ALL);
    let link = format!("{other}/v1.0/me/messages/delta?$skiptoken=x");
    script.json(200, json!({ "@odata.nextLink": link, "value": [{ "id": "AA=" }] }));

    let told = mailbox.list(None, NOW).await;
    let followed = mailbox.list(Some(&link), NOW).await;

    assert!(matches!(told, Err(MailboxError::ForeignLink { .. })), "{told:?}");
    assert!(matches!(followed, Err(MailboxError::ForeignLink { .. })), "{followed:?}");
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_lost_cursor_is_told_by_410_and_by_code() {
    let (script, origin, mailbox) = graph(ALL).await;
    script.reply(410, &[("location", "https://elsewhere.example/")], "");
    script.refuse(400, "syncStateNotFound");
    for _ in 0..2 {
        let lost = mailbox.list(Some(&format!("{origin}/v1.0/delta")), NOW).await;
        assert!(matches!(lost, Err(MailboxError::CursorLost)), "{lost:?}");
    }
}

#[tokio::test]
async fn a_page_that_leads_nowhere_is_garbled() {
    let (script, _, mailbox) = graph(ALL).await;
    script.json(200, json!({ "value": [] }));
    script.reply(200, &[], "<html>");
    for _ in 0..2 {
        let page = mailbox.list(None, NOW).await;
        assert!(matches!(page, Err(MailboxError::Garbled { .. })), "{page:?}");
    }
}

#[tokio::test]
async fn throttling_is_told_with_its_end() {
    let (script, _, mailbox) = graph(ALL).await;
    script.reply(429, &[("retry-after", "Sat, 21 Nov 2026 00:03:03 GMT")], "");
    script.reply(503, &[("retry-after", "60")], "");
    for _ in 0..2 {
        let refused = mailbox.fetch("AA=", 100).await;
        let Err(MailboxError::Throttled { retry_at }) = refused else { panic!("{refused:?}") };
        assert_eq!(retry_at, NOW + Duration::from_secs(60));
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let (script, _, mailbox) = graph(ALL).await;
    script.refuse(401, "InvalidAuthenticationToken");
    script.reply(200, &[], "Subject: x\r\n\r\n");
    script.refuse(401, "InvalidAuthenticationToken");
    script.refuse(401, "InvalidAuthenticationToken");

    let first = mailbox.fetch("AA=", 100).await;
    let second = mailbox.fetch("AA=", 100).await;

    assert!(matches!(first, Ok(Fetched::Raw { .. })), "{first:?}");
    assert!(matches!(second, Err(MailboxError::Server { status: 401, .. })), "{second:?}");
    let bearers: Vec<String> = script.seen().into_iter().map(|seen| seen.bearer).collect();
    assert_eq!(bearers, ["Bearer token-1", "Bearer token-2", "Bearer token-2", "Bearer token-3"]);
}

#[tokio::test]
async fn a_mail_is_fetched_whole_or_as_a_beginning_or_is_gone() {
    let (script, _, mailbox) = graph(ALL).await;
    script.reply(200, &[], "x".repeat(100));
    script.reply(200, &[], "x".repeat(101));
    script.refuse(404, "ErrorItemNotFound");

    let whole = mailbox.fetch("A/B=", 100).await.unwrap();
    let beginning = mailbox.fetch("AA=", 100).await.unwrap();
    let gone = mailbox.fetch("AA=", 100).await.unwrap();

    assert_eq!(whole, Fetched::Raw { bytes: vec![b'x'; 100], received_at: None });
    assert_eq!(beginning, Fetched::TooLarge { beginning: vec![b'x'; 100], received_at: None });
    assert_eq!(gone, Fetched::Gone);
    assert_eq!(script.lines()[0], "GET /v1.0/me/messages/A%2FB=/$value");
}

#[tokio::test]
async fn a_mail_that_breaks_off_is_not_taken_for_whole() {
    let (script, _, mailbox) = graph(ALL).await;
    let pieces = [Ok("Subject: x\r\n\r\nHel"), Err(std::io::Error::other("cut"))];
    script.reply(200, &[], Body::from_stream(futures_util::stream::iter(pieces)));

    let fetched = mailbox.fetch("AA=", 100).await;

    assert!(matches!(fetched, Err(MailboxError::Call(_))), "{fetched:?}");
}

#[tokio::test]
async fn marking_as_read_needs_its_permission() {
    let (script, _, without) = graph(READ_AND_SEND).await;
    assert!(matches!(without.settle("AA=").await, Err(MailboxError::NotGranted { scope: "Mail.ReadWrite" })));
    assert!(script.seen().is_empty());

    let (script, _, with) = graph(ALL).await;
    script.json(200, json!({ "id": "AA=" }));
    script.refuse(403, "ErrorAccessDenied");
    script.refuse(404, "ErrorItemNotFound");
    assert!(with.settle("AA=").await.is_ok());
    assert!(matches!(with.settle("AA=").await, Err(MailboxError::NotGranted { .. })));
    assert!(with.settle("AA=").await.is_ok());
    let first = &script.seen()[0];
    assert_eq!(
        (first.line.as_str(), first.body.as_slice()),
        ("PATCH /v1.0/me/messages/AA=", br#"{"isRead":true}"#.as_slice())
    );
}

#[tokio::test]
async fn a_mail_goes_by_draft_and_send() {
    let (script, _, mailbox) = graph(ALL).await;
    script.json(201, json!({ "id": "D1=", "isDraft": true }));
    script.reply(202, &[], "");

    let id = mailbox.prepare(MAIL).await.unwrap();
    mailbox.dispatch(MAIL, id.as_deref()).await.unwrap();

    assert_eq!(script.lines(), ["POST /v1.0/me/messages", "POST /v1.0/me/messages/D1=/send"]);
    assert_eq!(STANDARD.decode(&script.seen()[0].body).unwrap(), MAIL.mime);
}

#[tokio::test]
async fn without_the_permission_for_drafts_a_mail_goes_by_send_mail() {
    let (script, _, mailbox) = graph(READ_AND_SEND).await;
    script.reply(202, &[], "");

    let id = mailbox.prepare(MAIL).await.unwrap();
    mailbox.dispatch(MAIL, id.as_deref()).await.unwrap();

    assert_eq!(id, None);
    assert_eq!(script.lines(), ["POST /v1.0/me/sendMail"]);
    assert_eq!(STANDARD.decode(&script.seen()[0].body).unwrap(), MAIL.mime);
}

#[tokio::test]
async fn a_draft_that_is_refused_because_it_was_sent_counts_as_sent() {
    let (script, _, mailbox) = graph(ALL).await;
    script.refuse(400, "ErrorInvalidRequest");
    script.json(200, json!({ "id": "D1=", "isDraft": false }));
    assert!(mailbox.dispatch(MAIL, Some("D1=")).await.is_ok());

    script.refuse(400, "ErrorInvalidRecipients");
    script.json(200, json!({ "id": "D1=", "isDraft": true }));
    let refused = mailbox.dispatch(MAIL, Some("D1=")).await;
    assert!(matches!(refused, Err(MailboxError::Refused { status: 400, .. })), "{refused:?}");

    script.refuse(404, "ErrorItemNotFound");
    script.refuse(404, "ErrorItemNotFound");
    let missing = mailbox.dispatch(MAIL, Some("D1=")).await;
    assert!(matches!(missing, Err(MailboxError::Server { status: 404, .. })), "{missing:?}");
}

#[tokio::test]
async fn a_draft_s_state_is_the_evidence() {
    let (script, _, mailbox) = graph(ALL).await;
    let cases = [
        (200, json!({ "id": "D1=", "isDraft": true }), None, Evidence::NotSent),
        (200, json!({ "id": "D1=", "isDraft": false }), None, Evidence::Sent),
        (
            404,
            json!({ "error": { "code": "ErrorItemNotFound" } }),
            Some(json!([{ "id": "S1=" }])),
            Evidence::Sent,
        ),
        (404, json!({ "error": { "code": "ErrorItemNotFound" } }), Some(json!([])), Evidence::Unknown),
    ];
    for (status, state, sent_items, wanted) in cases {
        script.json(status, state);
        if let Some(found) = sent_items {
            script.json(200, json!({ "value": found }));
        }
        let much_later = NOW + Duration::from_secs(86_400);
        assert_eq!(mailbox.evidence(MAIL, Some("D1="), much_later).await.unwrap(), wanted);
    }
    assert_eq!(script.lines()[0], "GET /v1.0/me/messages/D1=?$select=id,isDraft");
}

#[tokio::test]
async fn without_a_draft_absence_proves_nothing_before_some_minutes() {
    let (script, _, mailbox) = graph(READ_AND_SEND).await;
    let cases = [
        (json!([{ "id": "S1=" }]), 1, Evidence::Sent),
        (json!([]), 599, Evidence::Unknown),
        (json!([]), 600, Evidence::NotSent),
    ];
    for (found, seconds, wanted) in cases {
        script.json(200, json!({ "value": found }));
        let now = NOW + Duration::from_secs(seconds);
        assert_eq!(mailbox.evidence(MAIL, None, now).await.unwrap(), wanted);
    }
    let wanted = "GET /v1.0/me/mailFolders/sentitems/messages?%24filter=internetMessageId+eq+\
                  %27%3Ct.1.2.3%40desk.example%3E%27&%24select=id&%24top=1";
    assert_eq!(script.lines()[0], wanted);
}

#[tokio::test]
async fn every_request_asks_for_ids_that_stay() {
    let (script, origin, mailbox) = graph(ALL).await;
    script.json(200, json!({ "@odata.deltaLink": format!("{origin}/v1.0/end"), "value": [] }));
    script.reply(200, &[], "x");
    script.json(200, json!({}));
    script.json(201, json!({ "id": "D1=" }));
    script.reply(202, &[], "");
    script.json(200, json!({ "isDraft": false }));
    script.json(200, json!({ "userPrincipalName": "support@desk.example" }));
    script.json(200, json!({ "totalItemCount": 3, "unreadItemCount": 1 }));

    mailbox.list(None, NOW).await.unwrap();
    mailbox.fetch("AA=", 10).await.unwrap();
    mailbox.settle("AA=").await.unwrap();
    mailbox.prepare(MAIL).await.unwrap();
    mailbox.dispatch(MAIL, Some("D1=")).await.unwrap();
    mailbox.evidence(MAIL, Some("D1="), NOW).await.unwrap();
    mailbox.probe().await;

    let seen = script.seen();
    assert_eq!(seen.len(), 8);
    assert!(seen.iter().all(|one| one.prefer.starts_with(r#"IdType="ImmutableId""#)), "{seen:?}");
    assert_eq!(seen[0].prefer, r#"IdType="ImmutableId", odata.maxpagesize=500"#);
}

#[tokio::test]
async fn the_test_of_the_connection_tells_each_step_up_to_the_first_that_fails() {
    let (script, _, mailbox) = graph(READ_AND_SEND).await;
    script.json(200, json!({ "mail": null, "userPrincipalName": "support@desk.example" }));
    script.refuse(404, "MailboxNotEnabledForRESTAPI");

    let checks = mailbox.probe().await;

    assert_eq!(checks[0].outcome.as_ref().unwrap().key, "seen-token-reading");
    assert_eq!(checks[1].outcome, Ok(Told::new("seen-user").with("user", "support@desk.example")));
    let inbox = checks[2].outcome.as_ref().unwrap_err();
    assert_eq!(inbox.key, "mail-no-mailbox");
    assert!(inbox.detail.contains("MailboxNotEnabledForRESTAPI"), "{inbox:?}");

    let (script, _, mailbox) = graph(&["mail.read"]).await;
    let checks = mailbox.probe().await;
    assert_eq!((checks.len(), script.seen().len()), (1, 0));
    let refused = checks[0].outcome.as_ref().unwrap_err();
    assert!(refused.key == "mail-not-granted" && refused.detail.contains("`Mail.Send`"), "{refused:?}");
}

#[tokio::test]
async fn a_kind_of_mailbox_is_made_by_its_name() {
    let (_, origin) = Script::start().await;
    let parts = parts(&[&origin], ALL);
    let row = |kind: &str, settings: &str| MailboxRow {
        settings: settings.to_owned(),
        kind: kind.to_owned(),
        ..mail_server::row(&MailboxSettings::default())
    };
    for (kind, settings) in [
        ("microsoft-graph", ""),
        ("imap", r#"{"provider":"google"}"#),
        ("imap", r#"{"provider":"microsoft"}"#),
    ] {
        assert!(registry::make(&row(kind, settings), &parts).is_some(), "{kind} {settings}");
    }
    for (kind, settings) in
        [("pigeon", ""), ("imap", r#"{"provider":"other"}"#), ("microsoft-graph", r#"{"checkInterval":1}"#)]
    {
        assert!(registry::make(&row(kind, settings), &parts).is_none(), "{kind} {settings}");
    }
}
