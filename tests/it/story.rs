//! The whole program as an operator starts it: the demo's story, and a process that is killed again and again.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use http::{Method, Request};
use mail_parser::MessageParser;
use mintgate::base::clock::{Clock, SystemClock};
use mintgate::sandbox::desk::{ADMIN, AGENT};
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::sandbox::{CUSTOMER, MAILBOX};
use mintgate::store::{self, OutboxState, StoreAt};
use rustix::process::Signal;
use serde_json::{Value, json};
use url::Url;

use crate::support::program::{MINTGATE, PATIENCE, Scene};
use crate::support::sign_in::{accept, between, path_of};

fn demo(folder: &Path, https_port: &str) -> std::process::Output {
    Command::new(MINTGATE)
        .args(["demo", "--once", "--http-port", "0", "--https-port", https_port, "--data"])
        .arg(folder)
        .output()
        .expect("the program runs")
}

#[test]
fn the_demo_plays_its_story_to_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let played = demo(&folder.path().join("demo"), "0");
    let told = String::from_utf8_lossy(&played.stdout);
    let errors = String::from_utf8_lossy(&played.stderr);
    assert!(played.status.success(), "{told}\n{errors}");
    assert!(told.contains("7. the customer's reply lands on the same ticket"), "{told}");
    assert!(!told.contains("audit"), "log lines stand among the steps: {told}");
}

#[test]
fn a_story_that_cannot_be_played_says_why_and_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = busy.local_addr().expect("an address").port().to_string();
    let played = demo(&folder.path().join("demo"), &port);
    let errors = String::from_utf8_lossy(&played.stderr);
    assert_eq!(played.status.code(), Some(1), "{errors}");
    assert!(errors.contains(&format!("port {port} of entry point `websecure` is taken")), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_loses_and_doubles_no_mail() {
    let story = Story::begin().await;
    let mut program = story.scene.start_program().await;
    story.connect_mailbox().await;
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut expected = Vec::new();
    for round in 0..10 {
        for mail in 0..3 {
            let subject = format!("Question {round}.{mail}");
            story.scene.sandbox.graph.customer_writes(CUSTOMER, MAILBOX, &subject, "Please help.", None);
            expected.push(subject);
        }
        story.answer_new_tickets().await;
        tokio::time::sleep(Duration::from_millis(chance.below(400))).await;
        program.kill();
        program = story.scene.start_program().await;
    }
    story.wait_for_tickets(expected.len()).await;
    story.answer_new_tickets().await;
    story.wait_for_answers(expected.len()).await;
    assert_each_once(
        "tickets",
        &expected,
        story.scene.sandbox.desk.tickets().iter().map(|ticket| ticket.title.clone()),
    );
    let answers = story.scene.sandbox.graph.received_outside(CUSTOMER);
    let subjects = answers.iter().map(|raw| {
        let mail = MessageParser::default().parse(raw).expect("a mail");
        mail.subject().expect("a subject").trim_start_matches("Re: ").to_owned()
    });
    assert_each_once("answers", &expected, subjects);
    drop(program);
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_end_while_a_mail_leaves_it_notes_that_it_left() {
    let story = Story::begin().await;
    let mut program = story.scene.start_program().await;
    story.connect_mailbox().await;
    story.scene.sandbox.graph.customer_writes(CUSTOMER, MAILBOX, "Question", "Please help.", None);
    story.wait_for_tickets(1).await;
    let faults = &story.scene.sandbox.graph.faults;
    faults.add(Fault::on("POST", "*/send", Effect::Slow { milliseconds: 1_500 }));
    story.answer_new_tickets().await;
    story.wait_until("sends begun", 1, || faults.met() as usize).await;

    program.signal(Signal::TERM);

    assert!(program.ended().await.success());
    let database = story.scene.config.with_file_name("mintgate.db");
    let store = store::open_beside(&StoreAt::Sqlite(database)).await.expect("the store");
    let mails = store.recent_outgoing(None, 10).await.expect("the outbox");
    let states: Vec<OutboxState> = mails.iter().map(|mail| mail.state).collect();
    assert_eq!(states, [OutboxState::Sent]);
    let id = store.mailboxes().await.expect("listed").remove(0).id;
    let now = SystemClock.now();
    let lease = store.lease(&id, "another", Duration::from_secs(30), now).await;
    assert!(lease.expect("asked").is_some(), "the next one need not wait for the mailbox");
}

fn assert_each_once(what: &str, expected: &[String], seen: impl Iterator<Item = String>) {
    let mut counts: BTreeMap<String, u32> = expected.iter().map(|subject| (subject.clone(), 0)).collect();
    for subject in seen {
        *counts.entry(subject).or_default() += 1;
    }
    counts.retain(|_, count| *count != 1);
    assert!(counts.is_empty(), "{what} that are lost (0) or doubled: {counts:?}");
}

/// A small generator with a seed (xorshift64), so that a failure comes again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What a browser holds once it is signed in.
pub struct Pair {
    pub handle: String,
    /// `name=value`.
    pub cookie: String,
}

/// What an admin, an agent and a customer do around the program.
pub struct Story {
    pub scene: Scene,
    agent: String,
}

impl Story {
    pub async fn begin() -> Self {
        let mut story = Self { scene: Scene::start().await, agent: String::new() };
        story.agent = story.token(AGENT).await;
        story
    }

    /// The way an admin's browser takes.
    pub async fn connect_mailbox(&self) {
        let admin = self.sign_in(ADMIN).await;
        let overview = self.console(Method::GET, "/admin/exchange", Some(&admin), "").await;
        let token = between(&overview, "name=\"token\" value=\"", "\"").expect("a form");
        let form = format!("token={token}");
        let leaving = self.console(Method::POST, "/admin/exchange/connect", Some(&admin), &form).await;
        let authorize = Url::parse(&onward(&leaving)).expect("a URL");
        let back = accept(self.scene.http.as_ref(), &authorize, MAILBOX).await;
        let callback = path_of(&back);
        let parked = self.console(Method::GET, &callback, None, "").await;
        let complete = onward(&parked);
        self.console(Method::GET, &complete, Some(&admin), "").await;
        let overview = self.console(Method::GET, "/admin/exchange", Some(&admin), "").await;
        assert!(overview.contains("Connected"), "{overview}");
    }

    /// Signs in through the gateway, as the desk's page does.
    pub async fn sign_in(&self, (email, password): (&str, &str)) -> Pair {
        let url = self.scene.public.join("/api/v1/auth/login").expect("a URL");
        let body = json!({"email": email, "password": password}).to_string();
        let request = Request::post(url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(ORIGIN, self.scene.public.origin().ascii_serialization())
            .header("user-agent", "Test/1")
            .body(Bytes::from(body))
            .expect("a request");
        let answer = self.scene.http.call(request, 1 << 20).await.expect("an answer");
        let reply: Value = serde_json::from_slice(answer.body()).expect("JSON");
        let line = answer.headers()[SET_COOKIE].to_str().expect("text");
        Pair {
            handle: reply["token"].as_str().expect("a handle").to_owned(),
            cookie: line.split(';').next().expect("a cookie").to_owned(),
        }
    }

    pub async fn console(&self, method: Method, path: &str, admin: Option<&Pair>, form: &str) -> String {
        let url = self.scene.public.join(path).expect("a URL");
        let mut request = Request::builder().method(method).uri(url.as_str()).header("user-agent", "Test/1");
        if let Some(Pair { handle, cookie }) = admin {
            request = request.header(COOKIE, format!("session={handle}; {cookie}"));
        }
        if !form.is_empty() {
            request = request.header(ORIGIN, self.scene.public.origin().ascii_serialization());
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Bytes::from(form.to_owned())).expect("a request");
        let answer = self.scene.http.call(request, 1 << 20).await.expect("an answer");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(answer.status().as_u16() < 400, "{path}: {} {text}", answer.status());
        text
    }

    /// Every ticket without a comment gets a public one.
    pub async fn answer_new_tickets(&self) {
        for ticket in self.scene.sandbox.desk.tickets() {
            if self.scene.sandbox.desk.comments(&ticket.id).is_empty() {
                let comment = json!({"id": ticket.id, "text": "Here is how.", "public": true});
                self.desk("ticket/comment", Some(&self.agent), &comment).await;
            }
        }
    }

    async fn token(&self, (email, password): (&str, &str)) -> String {
        let reply = self.desk("auth/login", None, &json!({"email": email, "password": password})).await;
        reply["token"].as_str().expect("a token").to_owned()
    }

    async fn desk(&self, path: &str, token: Option<&str>, body: &Value) -> Value {
        let url = format!("{}/api/v1/{path}", self.scene.sandbox.desk.url());
        let mut request =
            Request::post(url).header(CONTENT_TYPE, "application/json").header("user-agent", "Test/1");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Bytes::from(body.to_string())).expect("a request");
        let answer = self.scene.http.call(request, 1 << 20).await.expect("an answer");
        serde_json::from_slice(answer.body()).expect("JSON")
    }

    pub async fn wait_for_tickets(&self, count: usize) {
        self.wait_until("tickets", count, || self.scene.sandbox.desk.tickets().len()).await;
    }

    pub async fn wait_for_answers(&self, count: usize) {
        self.wait_until("answers", count, || self.scene.sandbox.graph.received_outside(CUSTOMER).len()).await;
    }

    async fn wait_until(&self, what: &str, count: usize, seen: impl Fn() -> usize) {
        let begun = Instant::now();
        while seen() < count {
            assert!(begun.elapsed() < PATIENCE, "{} of {count} {what}", seen());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn onward(page: &str) -> String {
    let url = between(page, "content=\"0;url=", "\"").unwrap_or_else(|| panic!("no way on: {page}"));
    url.replace("&#38;", "&").replace("&amp;", "&")
}
