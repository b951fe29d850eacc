//! The pages below `/mail-files` for people who do not see, hear or point as others do: an agent's view of a mail,
//! the mail's own page, and what somebody reads who may not see it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, HeaderValue, USER_AGENT};
use http::{Request, Response};
use mintgate::base::id::MailboxId;
use mintgate::desk::reader::Readers;
use mintgate::files::{MailFiles, Parts};
use mintgate::sandbox::desk::AGENT;
use mintgate::store::{InboundEnd, NewFile, NewMail, Quota};
use mintgate::web::local::{LocalService, Origin};
use serde_json::json;
use tokio::net::TcpListener;

use crate::desk_user::{DeskUser, http_to};
use crate::support::axe::Axe;
use crate::support::chromium::Chromium;
use crate::support::installation::{Installation, START};
use crate::support::screen::Scheme;

const MAIL: &str = "From: Bob <bob@customer.example>\r\nTo: help@desk.example\r\nSubject: The printer burns\r\n\
    Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <html lang=\"en\"><body><h1>It burns</h1><p>Please <b>help</b>.</p></body></html>\r\n";

/// The service on a port of its own; whoever opens it is signed in as the token says.
struct Front {
    files: MailFiles,
    token: Mutex<Option<String>>,
}

async fn answer(State(front): State<Arc<Front>>, request: Request<Body>) -> Response<Body> {
    let (mut head, _) = request.into_parts();
    head.extensions.insert(Origin { client: IpAddr::V4(Ipv4Addr::LOCALHOST) });
    // The desk ties a session to the browser that began it.
    head.headers.insert(USER_AGENT, HeaderValue::from_static("a browser"));
    let token = front.token.lock().expect("no test panicked").clone();
    if let Some(token) = token {
        let line = HeaderValue::from_str(&format!("Bearer {token}")).expect("a value");
        head.headers.insert(AUTHORIZATION, line);
    }
    let mut answer = front.files.answer(Request::from_parts(head, Bytes::new())).await;
    // In a sandbox the checker's own timers would not run; nothing else of the policy is taken away.
    if let Some(policy) = answer.headers().get(CONTENT_SECURITY_POLICY) {
        let open = policy.to_str().expect("text").replace("; sandbox", "");
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, open.parse().expect("a value"));
    }
    answer.map(Body::from)
}

/// A mail with a file on a ticket of the desk's; its number.
async fn stored(installation: &Installation, agent: &DeskUser) -> i64 {
    let ticket =
        json!({"name": "Bob", "email": "bob@customer.example", "title": "Printer", "type": "support"});
    let ticket =
        agent.call("POST", "/ticket/create", &ticket).await["id"].as_str().expect("an id").to_owned();
    let mail = NewMail {
        mailbox: MailboxId::parse("m1").expect("an id"),
        source_key: "1".to_owned(),
        received_at: START,
        stored_at: START,
        raw: MAIL.as_bytes().to_vec(),
    };
    let store = &installation.store;
    let id = store.add_inbound(&mail).await.expect("stored").expect("new");
    let file = NewFile {
        name: "invoice.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        size: 4,
        bytes: Some(b"%PDF".to_vec()),
    };
    let quota = Quota { per_mail: 1_000, total: 1_000 };
    store.keep_files(id, &[file], quota, START).await.expect("kept");
    store.end_inbound(id, None, &InboundEnd::Done { ticket }, None, START).await.expect("ended");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_mails_and_of_those_who_may_not_see_them_pass_axe() {
    let Some(axe) = Axe::load() else { return };
    let Some(browser) = Chromium::start().await else { return };
    let installation = Installation::start().await;
    let desk = installation.sandbox.desk.url();
    let agent = DeskUser::sign_in(&desk, AGENT).await;
    let id = stored(&installation, &agent).await;
    let files = MailFiles::new(Parts {
        store: installation.store.clone(),
        readers: Readers::new(http_to(&desk), desk.parse().expect("a URL")),
        audit: installation.audit.clone(),
        max_size: 100_000,
    });
    let front = Arc::new(Front { files, token: Mutex::new(Some(agent.token().to_owned())) });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let origin = format!("http://desk.localhost:{}", listener.local_addr().expect("an address").port());
    let routes = Router::new().fallback(answer).with_state(Arc::clone(&front));
    tokio::spawn(axum::serve(listener, routes).into_future());

    let mut violations = Vec::new();
    for (path, token, shown) in [
        (format!("/mail-files/{id}"), true, "invoice.pdf"),
        (format!("/mail-files/{id}/page"), true, "It burns"),
        ("/mail-files/999".to_owned(), true, "Back to the helpdesk"),
        (format!("/mail-files/{id}"), false, "Please sign in"),
    ] {
        *front.token.lock().expect("no test panicked") = token.then(|| agent.token().to_owned());
        browser.open(&format!("{origin}{path}")).await;
        browser.shows(shown).await;
        for scheme in Scheme::BOTH {
            browser.prefer(scheme).await;
            let found = axe.violations(&browser).await;
            violations.extend(found.into_iter().map(|one| format!("{path} ({scheme:?}): {one}")));
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}
