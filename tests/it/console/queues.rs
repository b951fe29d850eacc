//! The queues as a person looks through them: every mail in its list, and buttons that change nothing when the
//! page was out of date.

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{Request, StatusCode};
use mintgate::base::id::MailboxId;
use mintgate::store::{
    InboundEnd, InboundState, MailboxRow, NewMail, NewOutgoing, OutboxState, OutgoingKind, PutOff,
};

use super::quarantined;
use crate::support::installation::{Installation, MINUTE, PUBLIC_URL, START, mailbox};
use crate::support::sign_in::{Browser, Page, form};

const QUEUES: &str = "/admin/exchange/queues";

pub async fn waiting(installation: &Installation, key: &str) -> i64 {
    let mail = NewMail {
        mailbox: mailbox(),
        source_key: key.to_owned(),
        received_at: START,
        stored_at: START,
        raw: b"From: Cora <cora@customer.example>\r\nSubject: Help\r\n\r\nPlease.\r\n".to_vec(),
    };
    installation.store.add_inbound(&mail).await.expect("stored").expect("new")
}

async fn done(installation: &Installation, key: &str, ticket: &str) -> i64 {
    let id = waiting(installation, key).await;
    let end = InboundEnd::Done { ticket: ticket.to_owned() };
    installation.store.end_inbound(id, None, &end, None, START + MINUTE).await.expect("ended");
    id
}

async fn outgoing(installation: &Installation, comment: &str) -> i64 {
    let mail = NewOutgoing {
        mailbox: mailbox(),
        ticket: "t-1".to_owned(),
        comment: comment.to_owned(),
        kind: OutgoingKind::Answer,
        message_id: format!("{comment}@desk"),
        recipient: "cora@customer.example".to_owned(),
        mime: b"Subject: Re: Help\r\n\r\n".to_vec(),
        created_at: START,
    };
    assert!(installation.store.add_outgoing(&mail).await.expect("queued"));
    installation.store.recent_outgoing(None, 1).await.expect("listed")[0].id
}

/// Submits a form of ours with these fields.
pub async fn submit(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Page {
    let token = browser.form_token().await;
    let fields: Vec<_> = fields.iter().copied().chain([("token", token.as_str())]).collect();
    let request = Request::post(path)
        .header(HOST, "desk.example.com")
        .header(ORIGIN, PUBLIC_URL)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    browser.ask(request, form(&fields)).await
}

#[tokio::test]
async fn every_mail_is_in_the_list_of_its_standing() {
    let installation = Installation::start().await;
    let (console, store) = (installation.console(), &installation.store);
    let browser = Browser::admin(&console, 1);
    let postponed = waiting(&installation, "a").await;
    store
        .postpone_inbound(postponed, START + 5 * MINUTE, "the desk is down", PutOff::Trouble)
        .await
        .expect("postponed");
    let aside = quarantined(&installation, b"raw", "cannot be <b>read</b>").await;
    let ended = done(&installation, "b", "t-7").await;
    let queued = outgoing(&installation, "c1").await;
    let failed = outgoing(&installation, "c2").await;
    store.outgoing_failed(failed, "550 no such user").await.expect("noted");
    let sent = outgoing(&installation, "c3").await;
    store.outgoing_sent(sent, START + MINUTE).await.expect("noted");

    for (query, name, says) in [
        ("", format!("in-{postponed}"), "the desk is down"),
        ("?way=in&state=waiting", format!("in-{postponed}"), "1 failed try"),
        ("?way=in&state=waiting", format!("in-{postponed}"), "in 5 minutes"),
        ("?way=in&state=failed", format!("in-{aside}"), "cannot be &#60;b&#62;read"),
        ("?way=in&state=done", format!("in-{ended}"), "href=\"/issue/t-7\""),
        ("?way=out&state=waiting", format!("out-{queued}"), "not tried yet"),
        ("?way=out&state=failed", format!("out-{failed}"), "550 no such user"),
        ("?way=out&state=done", format!("out-{sent}"), "href=\"/issue/t-1\""),
    ] {
        let text = browser.get(&format!("{QUEUES}{query}")).await.text();
        assert!(text.contains(&format!(">Mail {name}</a>")) && text.contains(says), "{query}: {text}");
        assert_eq!(text.matches("<li><p>").count(), 1, "{query}: {text}");
    }
}

#[tokio::test]
async fn a_long_list_goes_on_with_the_next_page() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let mut ids = Vec::new();
    for number in 0..30 {
        ids.push(waiting(&installation, &format!("{number}")).await);
    }

    let first = browser.get(QUEUES).await.text();
    let next = format!("{QUEUES}?way=in&#38;state=waiting&#38;before={}", ids[5]);
    assert!(first.contains(&format!("href=\"{next}\"")), "{first}");
    let second = browser.get(&next.replace("&#38;", "&")).await.text();

    let on = |page: &str| ids.iter().filter(|id| page.contains(&format!(">Mail in-{id}</a>"))).count();
    assert_eq!((on(&first), on(&second)), (25, 5));
    assert!(!second.contains("before=") && second.contains("Newest"), "{second}");
}

#[tokio::test]
async fn a_list_can_be_of_one_mailbox_alone() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    installation.knows("imap", "support@desk.example").await;
    let sales = MailboxId::parse("sales").expect("an id");
    let row = installation.store.mailboxes().await.expect("listed").remove(0);
    let row = MailboxRow { id: sales.clone(), address: "sales@desk.example".to_owned(), ..row };
    installation.store.connect_mailbox(&row).await.expect("written");
    let mine = waiting(&installation, "a").await;
    let other = NewMail {
        mailbox: sales,
        source_key: "b".to_owned(),
        received_at: START,
        stored_at: START,
        raw: Vec::new(),
    };
    let others = installation.store.add_inbound(&other).await.expect("stored").expect("new");

    let every = browser.get(QUEUES).await.text();
    let sales = browser.get(&format!("{QUEUES}?mailbox=sales")).await.text();

    let has = |page: &str, id: i64| page.contains(&format!(">Mail in-{id}</a>"));
    assert!(has(&every, mine) && has(&every, others) && every.contains("mailbox=sales"), "{every}");
    assert!(!has(&sales, mine) && has(&sales, others) && sales.contains("sales@desk.example"), "{sales}");
}

#[tokio::test]
async fn a_mails_page_tells_what_is_known_of_it() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let id = waiting(&installation, "AAMk=7").await;
    installation
        .store
        .postpone_inbound(id, START + MINUTE, "the desk is down", PutOff::Trouble)
        .await
        .expect("postponed");
    let inbound = browser.get(&format!("{QUEUES}/in/{id}")).await.text();
    for part in ["AAMk=7", "the desk is down", "Cora &#60;cora@customer.example&#62;", "Written by a person"]
    {
        assert!(inbound.contains(part), "{part}: {inbound}");
    }
    let id = outgoing(&installation, "c1").await;
    let outgoing = browser.get(&format!("{QUEUES}/out/{id}")).await.text();
    for part in ["An agent&#39;s answer", "cora@customer.example", "c1@desk", "href=\"/issue/t-1\""] {
        assert!(outgoing.contains(part), "{part}: {outgoing}");
    }
}

#[tokio::test]
async fn a_mail_is_tried_again_or_left_alone_for_a_reason() {
    let installation = Installation::start().await;
    let (console, store) = (installation.console(), &installation.store);
    let browser = Browser::admin(&console, 1);
    let id = waiting(&installation, "a").await;
    store
        .postpone_inbound(id, START + 60 * MINUTE, "the desk is down", PutOff::Trouble)
        .await
        .expect("postponed");
    let path = format!("{QUEUES}/in/{id}");

    let retried = submit(&browser, &format!("{path}/retry"), &[("seen", "new")]).await;
    assert_eq!(
        (retried.status(), retried.location()),
        (StatusCode::SEE_OTHER, &*format!("{path}?told=retried"))
    );
    assert_eq!(
        store.due_inbound(&mailbox(), START, None, 9).await.expect("listed").len(),
        1,
        "it is due now"
    );
    installation.worker.rung().await;
    let fields = [("seen", "new"), ("reason", "a supplier's newsletter")];
    let skipped = submit(&browser, &format!("{path}/skip"), &fields).await;

    let page = browser.get(skipped.location()).await.text();
    assert!(page.contains("It is left alone from now on."), "{page}");
    assert!(page.contains("left alone by an operator: a supplier&#39;s newsletter"), "{page}");
    assert!(!page.contains("<button"), "nothing is left to decide: {page}");
    assert_eq!(store.inbound(id).await.expect("read").expect("there").state, InboundState::Ignored);
}

#[tokio::test]
async fn an_answer_is_left_alone_and_taken_up_again() {
    let installation = Installation::start().await;
    let (console, store) = (installation.console(), &installation.store);
    let browser = Browser::admin(&console, 1);
    let id = outgoing(&installation, "c1").await;
    let state = async || store.outgoing(id).await.expect("read").expect("there").state;

    submit(&browser, &format!("{QUEUES}/out/{id}/skip"), &[("seen", "queued")]).await;
    assert_eq!(state().await, OutboxState::Failed);
    submit(&browser, &format!("{QUEUES}/out/{id}/retry"), &[("seen", "failed")]).await;
    assert_eq!(state().await, OutboxState::Queued);
}

#[tokio::test]
async fn a_button_of_an_outdated_page_changes_nothing_and_says_so() {
    let installation = Installation::start().await;
    let (console, store) = (installation.console(), &installation.store);
    let (one, other) = (Browser::admin(&console, 1), Browser::admin(&console, 2));
    let id = quarantined(&installation, b"raw", "unreadable").await;
    let path = format!("{QUEUES}/in/{id}");
    submit(&one, &format!("{path}/retry"), &[("seen", "quarantined")]).await;

    let late = submit(&other, &format!("{path}/skip"), &[("seen", "quarantined")]).await;

    assert_eq!(late.location(), format!("{path}?told=overtaken"));
    let page = other.get(late.location()).await.text();
    assert!(page.contains("Nothing was changed: somebody else"), "{page}");
    assert_eq!(store.inbound(id).await.expect("read").expect("there").state, InboundState::New);
}

#[tokio::test]
async fn what_names_no_list_and_no_mail_is_not_found() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for rest in [
        "?way=up",
        "?state=lost",
        "?before=0",
        "?before=x",
        "?mailbox=%2F",
        "?way=in&way=out",
        "/in/1",
        "/in/0",
        "/in/x",
        "/out/1",
        "/up/1",
        "/in/99999999999999999999",
    ] {
        let page = browser.get(&format!("{QUEUES}{rest}")).await;
        assert_eq!(page.status(), StatusCode::NOT_FOUND, "{rest}");
    }
    let absent = submit(&browser, &format!("{QUEUES}/in/1/retry"), &[]).await;
    assert_eq!(absent.status(), StatusCode::NOT_FOUND);
    let id = waiting(&installation, "a").await;
    let told = browser.get(&format!("{QUEUES}/in/{id}?told=%3Cb%3Eowned")).await.text();
    assert!(!told.contains("owned"), "{told}");
    let endless = "x".repeat(201);
    let page = submit(&browser, &format!("{QUEUES}/in/{id}/skip"), &[("reason", &endless)]).await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_navigation_counts_what_waits_and_what_is_stuck() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let before = browser.get("/admin/exchange").await.text();
    assert!(!before.contains("class=\"count\""), "{before}");
    waiting(&installation, "a").await;
    outgoing(&installation, "c1").await;
    quarantined(&installation, b"raw", "unreadable").await;

    let after = browser.get("/admin/exchange").await.text();
    assert!(after.contains("Queues <span class=\"count\">(2 waiting, 1 stuck)"), "{after}");
    assert!(after.contains("Quarantine <span class=\"count\">(1)"), "{after}");
    let german = Browser::speaking(&console, "de").get(QUEUES).await.text();
    assert!(german.contains("2 warten, 1 hängen") && german.contains("noch kein Versuch"), "{german}");
}

#[tokio::test]
async fn nobody_but_an_administrator_sees_a_queue() {
    let installation = Installation::start().await;
    let console = installation.console();
    let id = waiting(&installation, "a").await;
    let stranger = Browser::stranger(&console);
    for rest in ["", &format!("/in/{id}")] {
        assert_eq!(stranger.get(&format!("{QUEUES}{rest}")).await.status(), StatusCode::FORBIDDEN);
    }
    let token = Browser::admin(&console, 1).form_token().await;
    for (act, from) in [("retry", PUBLIC_URL), ("skip", PUBLIC_URL)] {
        let page = stranger.post(&format!("{QUEUES}/in/{id}/{act}"), &token, from).await;
        assert_eq!(page.status(), StatusCode::FORBIDDEN, "{act}");
    }
}
