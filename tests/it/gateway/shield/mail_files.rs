//! What mails brought, through the whole gateway: who may see it, and how bytes from strangers leave.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use mintgate::base::clock::Clock;
use mintgate::base::id::MailboxId;
use mintgate::sandbox::desk::{self as sandbox, AGENT, Desk};
use mintgate::store::{FileRow, InboundEnd, NewFile, NewMail, Quota, TicketRow};
use serde_json::{Value, json};

use super::scene::{Browser, SHIELD, Scene, target, token};
use crate::desk_user::DeskUser;
use crate::gateway::client::Response as Answer;
use crate::gateway::start::Started;
use crate::gateway::upstream::Upstream;

const BOB: (&str, &str) = ("bob@customer.example", "bob");
const EVE: (&str, &str) = ("eve@elsewhere.example", "eve");
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nshown";

const MAIL: &str = "From: Bob <bob@customer.example>\r\nSubject: <script>alert(1)</script>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=m\r\n\r\n\
    --m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
    --r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <p onclick=\"alert(2)\">It <b>burns</b><script>alert(3)</script><img src=\"cid:shot@x\">\
    <img src=\"https://tracker.example/pixel.png\"><a href=\"javascript:alert(4)\">x</a></p>\r\n\
    --r\r\nContent-Type: image/png\r\nContent-ID: <shot@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    iVBORw0KGgpzaG93bg==\r\n--r--\r\n--m--\r\n";

/// Bob's mail on Bob's ticket at the desk, two customers who sign in there, and a gateway.
struct Story {
    scene: Scene,
    gateway: Started,
    mail: i64,
    files: Vec<FileRow>,
    desk: Desk,
}

fn file(name: &str, bytes: &[u8]) -> NewFile {
    let (name, media_type) = (name.to_owned(), "image/png".to_owned());
    NewFile { name, media_type, size: bytes.len() as u64, bytes: Some(bytes.to_vec()) }
}

impl Story {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let desk = runtime.block_on(sandbox::start(([127, 0, 0, 1], 0).into())).expect("a free port");
        let ticket = runtime.block_on(async {
            let agent = DeskUser::sign_in(&desk.url(), AGENT).await;
            for (email, password) in [BOB, EVE] {
                let user = json!({"email": email, "password": password, "name": "Customer", "language": "en"});
                agent.call("POST", "/auth/user/register/external", &user).await;
            }
            // Written otherwise than the user's own address.
            let ticket = json!({"name": "Bob", "email": "Bob@Customer.example", "title": "Printer", "type": "support"});
            let reply = agent.call("POST", "/ticket/create", &ticket).await;
            reply["id"].as_str().expect("an id").to_owned()
        });
        let scene = Scene::on(runtime, desk.address());
        let (mail, files) = scene.runtime.block_on(stored(&scene, &ticket));
        let gateway = scene.gateway();
        Self { scene, gateway, mail, files, desk }
    }

    fn browser(&self, user: (&str, &str)) -> Browser {
        Browser::signed_in(&self.gateway, user)
    }

    fn path(&self, end: &str) -> String {
        format!("/mail-files/{}{end}", self.mail)
    }

    fn get(&self, browser: &Browser, end: &str) -> Answer {
        browser.ask(&format!("GET {}", self.path(end)))
    }
}

async fn stored(scene: &Scene, ticket: &str) -> (i64, Vec<FileRow>) {
    let (store, now) = (&scene.store, scene.clock.now());
    let mailbox = MailboxId::parse("tickets").expect("an id");
    let raw = MAIL.as_bytes().to_vec();
    let mail = NewMail {
        mailbox: mailbox.clone(),
        source_key: "1".to_owned(),
        received_at: now,
        stored_at: now,
        raw,
    };
    let id = store.add_inbound(&mail).await.expect("stored").expect("new");
    let files = [
        file("shot.png", PNG),
        file("evil.png", b"<html><script>alert(1)</script>"),
        file("Bericht \"März\";\r\nX: y.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        NewFile { bytes: None, ..file("big.iso", b"too much") },
    ];
    let quota = Quota { per_mail: 1_000, total: 1_000 };
    let files = store.keep_files(id, &files, quota, now).await.expect("kept");
    let row = TicketRow {
        id: ticket.to_owned(),
        mailbox,
        requester: BOB.0.to_owned(),
        requester_name: "Bob".to_owned(),
        subject: "Printer".to_owned(),
        participants: Vec::new(),
        references: Vec::new(),
        thread_index: None,
        closed: false,
        by_mail: true,
        number: None,
        gone_at: None,
        opened_at: now,
        swept_at: now,
    };
    let end = InboundEnd::Done { ticket: ticket.to_owned() };
    store.end_inbound(id, None, &end, Some(&row), now).await.expect("ended");
    (id, files)
}

const ALL: [&str; 5] = ["", "/page", "/original.eml", "/1/shot.png", "/2/evil.png"];

#[test]
fn an_agent_and_the_tickets_own_customer_read_and_nobody_else() {
    let story = Story::new();
    let stranger = Browser::new(&story.gateway);
    for (browser, expected) in
        [(story.browser(AGENT), 200), (story.browser(BOB), 200), (story.browser(EVE), 403), (stranger, 401)]
    {
        for end in ALL {
            assert_eq!(story.get(&browser, end).status, expected, "{end}");
        }
    }
}

#[test]
fn half_a_session_and_a_plain_token_read_nothing() {
    let story = Story::new();
    let agent = story.browser(AGENT);
    let token = story.scene.runtime.block_on(DeskUser::sign_in(&story.desk.url(), AGENT)).token().to_owned();
    let (plain, cookie) = (format!("Authorization: Bearer {token}"), format!("Cookie: session={token}"));
    for line in [agent.bearer(), format!("Cookie: {}", agent.cookie), plain, cookie] {
        let answer = agent.send(&format!("GET {}", story.path("/1/shot.png")), &[&line], &Value::Null);
        assert_eq!(answer.status, 401, "{line}");
    }
}

#[test]
fn a_session_that_is_over_at_the_desk_reads_nothing_more() {
    let story = Story::new();
    let agent = story.browser(AGENT);
    assert_eq!(story.get(&agent, "").status, 200);
    story.desk.end_sessions();
    assert_eq!(story.get(&agent, "").status, 401);
}

#[test]
fn only_the_exact_path_is_a_file_and_none_of_them_reaches_the_desk() {
    let story = Story::new();
    let agent = story.browser(AGENT);
    let id = story.mail;
    for (path, expected) in [
        (format!("/mail-files/{id}/1/other.png"), 404),
        (format!("/mail-files/{id}/9/shot.png"), 404),
        (format!("/mail-files/0{id}/1/shot.png"), 404),
        (format!("/mail-files/{}", id + 1), 404),
        (format!("/MAIL-FILES/{id}"), 404),
        (format!("/de/mail-files/{id}"), 404),
        (format!("/mail%2dfiles/{id}"), 404),
        ("/mail-files".to_owned(), 404),
        ("/mail-files/".to_owned(), 404),
        (format!("/mail-files/{id}/1/../../x"), 400),
        (format!("/mail-files/{id}/1/%2e%2e%2fx"), 400),
        (format!("/mail-files//{id}"), 400),
        (format!("/mail-files/{id}/4/big.iso"), 410),
    ] {
        let answer = agent.ask(&format!("GET {path}"));
        assert_eq!(answer.status, expected, "{path}");
        assert!(!answer.text().contains("Peppermint"), "{path}: {}", answer.text());
    }
    assert_eq!(agent.ask(&format!("POST {}", story.path("/1/shot.png"))).status, 405);
    let eve = story.browser(EVE);
    assert_eq!(eve.ask(&format!("GET /mail-files/{}", id + 1)).status, 403, "not even what there is");
}

#[test]
fn a_file_is_shown_only_when_its_bytes_are_a_picture() {
    let story = Story::new();
    let agent = story.browser(AGENT);
    let svg = format!("/3/{}", mintgate::web::own::plain_name(&story.files[2].name));
    for (end, media_type, kind) in [
        ("/1/shot.png", "image/png", "inline"),
        ("/2/evil.png", "application/octet-stream", "attachment"),
        (&*svg, "application/octet-stream", "attachment"),
        ("/original.eml", "message/rfc822", "attachment"),
    ] {
        let answer = story.get(&agent, end);
        assert_eq!(answer.status, 200, "{end}");
        assert_eq!(answer.header("content-type"), Some(media_type), "{end}");
        assert!(answer.header("content-disposition").expect("a line").starts_with(kind), "{end}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{end}");
        assert_eq!(answer.header("cache-control"), Some("private, no-store"), "{end}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{end}: {policy}");
        assert_eq!(answer.all("x").len(), 0, "{end}: a name added a line");
    }
    assert_eq!(story.get(&agent, "/1/shot.png").body, PNG);
    assert_eq!(story.get(&agent, "/original.eml").body, MAIL.as_bytes());
}

#[test]
fn the_page_of_a_mail_runs_nothing_loads_nothing_and_shows_its_own_picture() {
    let story = Story::new();
    let agent = story.browser(AGENT);
    let answer = story.get(&agent, "/page");
    let html = answer.text();
    for bad in ["<script", "onclick", "tracker.example", "javascript:", "cid:", "src=\"http"] {
        assert!(!html.contains(bad), "{bad} in {html}");
    }
    assert!(html.contains("<b>burns</b>"), "{html}");
    assert!(html.contains("src=\"data:image/png;base64,iVBORw0KGgpzaG93bg==\""), "{html}");
    let policy = answer.header("content-security-policy").expect("a policy");
    let allowed: Vec<_> =
        policy.split("; ").filter(|part| part.contains("-src") && !part.contains("'none'")).collect();
    assert_eq!(allowed, ["img-src data:", "style-src 'unsafe-inline'"]);
    assert!(policy.split("; ").any(|part| part == "sandbox"), "{policy}");
}

#[test]
fn the_mail_itself_is_text_with_the_ways_to_everything_else() {
    let story = Story::new();
    let answer = story.get(&story.browser(AGENT), "");
    let html = answer.text();
    assert!(html.contains("&#60;script&#62;alert(1)") || html.contains("&lt;script&gt;alert(1)"), "{html}");
    assert!(!html.contains("<script"), "{html}");
    for end in ["/page", "/original.eml", "/1/shot.png"] {
        assert!(html.contains(&format!("href=\"{}\"", story.path(end))), "{end} in {html}");
    }
    assert!(html.contains("big.iso"), "{html}");
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
}

/// `sandbox` makes a stranger's page a document without an origin; it has to outlast what an operator says of the
/// desk's pages.
#[test]
fn an_operators_policy_does_not_take_the_place_of_a_mails() {
    let story = Story::new();
    let loose = "headers: {contentSecurityPolicy: \"default-src 'self' 'unsafe-inline'\", \
                 customResponseHeaders: {Content-Security-Policy: \"script-src *\"}}";
    let gateway = story.scene.gateway_of(&[SHIELD, loose]);
    let agent = Browser::signed_in(&gateway, AGENT);
    for end in ["/page", "/original.eml", "/1/shot.png"] {
        let answer = story.get(&agent, end);
        let policies = answer.all("content-security-policy");
        assert_eq!((answer.status, policies.len()), (200, 1), "{end}");
        assert!(
            policies[0].contains("sandbox") && policies[0].contains("default-src 'none'"),
            "{policies:?}"
        );
    }
    let desks = agent.ask("GET /api/v1/tickets/all");
    assert_eq!(
        desks.all("content-security-policy"),
        ["script-src *"],
        "the desk's pages have the operator's"
    );
}

#[test]
fn however_many_read_mails_the_desk_is_asked_by_a_few_at_a_time() {
    const AT_ONCE: usize = 8;
    let (asking, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let (seen, all_there) = (most.clone(), Barrier::new(AT_ONCE));
    let desk = Upstream::new(move |request| {
        request.drain();
        if !target(request).contains("/auth/profile") {
            return request.reply("", json!({"token": token("u1")}).to_string().as_bytes());
        }
        seen.fetch_max(asking.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        all_there.wait();
        asking.fetch_sub(1, Ordering::SeqCst);
        request.reply("", json!({"user": {"external_user": false}}).to_string().as_bytes());
    });
    let scene = Scene::before(desk.address);
    let gateway = scene.gateway();
    let agent = Browser::signed_in(&gateway, AGENT);
    let readers: Vec<_> = (0..3 * AT_ONCE)
        .map(|_| {
            let agent = agent.clone();
            std::thread::spawn(move || agent.status("GET /mail-files/1"))
        })
        .collect();
    assert!(
        readers.into_iter().all(|reader| reader.join().expect("answered") == 404),
        "there is no such mail"
    );
    assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
}
