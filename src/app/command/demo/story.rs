//! The story that the demo tells, played by itself: what an admin, a customer and an agent would do.
//!
//! Everything goes over HTTP through the gateway, as a browser would; only the customer's own mailbox is
//! asked directly.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, ORIGIN, USER_AGENT};
use http::{Method, Request};
use mail_parser::MessageParser;
use serde_json::{Value, json};
use url::Url;

use super::browser::Browser;
use super::{ADMIN, AGENT, World};
use crate::sandbox::{CUSTOMER, MAILBOX};

const SUBJECT: &str = "The printer on floor 3 smokes";
const QUESTION: &str = "Hello,\n\nit smells of burnt paper. What shall I do?\n\nCarla";
const ANSWER: &str = "Please switch it off at the wall. A colleague is on the way.";
const THANKS: &str = "It is off now, thank you!";
const REPLY_LIMIT: usize = 1 << 20;
/// The promise that the story holds the worker to.
const TICKET_WITHIN: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Plays every step, printing each with its time; the first that fails ends the story.
pub(super) async fn play(world: &World) -> anyhow::Result<()> {
    let mut story = Story { world, step: 0 };
    let started = Instant::now();
    let mark = Instant::now();
    let mut admin = story.sign_in(ADMIN).await.context("an admin signs in")?;
    story.done("an admin signs in", mark);

    let mark = Instant::now();
    story.connect(&mut admin).await.context("the admin connects the mailbox by OAuth")?;
    story.done("the admin connects the mailbox by OAuth (PKCE)", mark);

    let mark = Instant::now();
    let question = world.sandbox.graph.customer_writes(CUSTOMER, MAILBOX, SUBJECT, QUESTION, None);
    story.done("a customer's mail arrives", mark);

    let mark = Instant::now();
    let mut agent = story.sign_in(AGENT).await.context("an agent signs in")?;
    let ticket = story.find_ticket(&mut agent).await.context("the mail becomes a ticket")?;
    ensure!(mark.elapsed() <= TICKET_WITHIN, "the ticket took {:.1} s", mark.elapsed().as_secs_f64());
    story.done("it is a ticket", mark);

    let mark = Instant::now();
    let comment = json!({"id": ticket, "text": ANSWER, "public": true});
    story
        .api(Method::POST, "ticket/comment", &mut agent, Some(&comment))
        .await
        .context("an agent answers")?;
    story.done("an agent answers", mark);

    let mark = Instant::now();
    let answer = story.find_answer(&question).await.context("the customer gets the answer")?;
    story.done("the customer has the answer, threaded to the question", mark);

    let mark = Instant::now();
    let subject = format!("Re: {SUBJECT}");
    world.sandbox.graph.customer_writes(CUSTOMER, MAILBOX, &subject, THANKS, Some(&answer));
    story.find_reply(&mut agent, &ticket).await.context("the customer's reply lands on the same ticket")?;
    story.done("the customer's reply lands on the same ticket", mark);

    println!("The whole story: {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

struct Story<'w> {
    world: &'w World,
    step: u32,
}

/// Somebody signed in, with a browser of his own.
struct Person {
    /// What the desk's script holds for its token.
    handle: String,
    browser: Browser,
}

impl Story<'_> {
    fn done(&mut self, what: &str, since: Instant) {
        self.step += 1;
        println!("{}. {what}  ({:.2} s)", self.step, since.elapsed().as_secs_f64());
    }

    /// Signs in as the desk's own client does, in a browser of one's own.
    async fn sign_in(&self, (email, password): (&str, &str)) -> anyhow::Result<Person> {
        let mut person = Person { handle: String::new(), browser: Browser::new(self.world.http.clone()) };
        let credentials = json!({"email": email, "password": password});
        let reply = self.api(Method::POST, "auth/login", &mut person, Some(&credentials)).await?;
        person.handle = reply["token"].as_str().context("the desk gives no token")?.to_owned();
        ensure!(!person.handle.contains('.'), "the desk's own token reached the browser");
        person.browser.set_script_cookie(&self.world.public, "session", &person.handle);
        Ok(person)
    }

    async fn connect(&self, admin: &mut Person) -> anyhow::Result<()> {
        let console = admin.browser.open(&self.world.public.join("/admin/exchange")?).await?;
        console.expect("Connect")?;
        let leaving = admin.browser.submit(&console, "/connect", &[]).await?;
        let provider = admin.browser.follow_refresh(&leaving).await?;
        ensure!(provider.url.host_str() != self.world.public.host_str(), "the provider is another site");
        provider.expect(MAILBOX)?;
        let choice = [("account", MAILBOX), ("decision", "accept")];
        let parked = admin.browser.submit(&provider, "", &choice).await?;
        let connected = admin.browser.follow_refresh(&parked).await?;
        connected.expect(MAILBOX)
    }

    async fn find_ticket(&self, agent: &mut Person) -> anyhow::Result<String> {
        self.patiently("no ticket came", async || {
            let reply = self.api(Method::GET, "tickets/all", agent, None).await?;
            let tickets = reply["tickets"].as_array().context("the desk lists no tickets")?;
            let ours = tickets.iter().find(|ticket| ticket["title"] == SUBJECT);
            Ok(ours.and_then(|ticket| ticket["id"].as_str()).map(str::to_owned))
        })
        .await
    }

    /// The Message-ID of the answer; it must name the question as its parent.
    async fn find_answer(&self, question: &str) -> anyhow::Result<String> {
        self.patiently("no answer came", async || {
            let Some(raw) = self.world.sandbox.graph.received_outside(CUSTOMER).pop() else {
                return Ok(None);
            };
            let mail = MessageParser::default().parse(&raw).context("the answer is no mail")?;
            let text = mail.body_text(0).unwrap_or_default();
            ensure!(text.contains(ANSWER), "the mail does not hold the agent's words");
            ensure!(
                mail.in_reply_to().as_text() == Some(question),
                "the answer is not threaded to the question"
            );
            Ok(mail.message_id().map(str::to_owned))
        })
        .await
    }

    async fn find_reply(&self, agent: &mut Person, ticket: &str) -> anyhow::Result<()> {
        let path = format!("ticket/{ticket}");
        self.patiently("no comment came", async || {
            let reply = self.api(Method::GET, &path, agent, None).await?;
            let comments = reply["ticket"]["comments"].as_array().context("the ticket has no comments")?;
            let texts = comments.iter().filter_map(|comment| comment["text"].as_str());
            Ok(texts.into_iter().any(|text| text.contains(THANKS)).then_some(()))
        })
        .await
    }

    async fn patiently<T>(
        &self,
        nothing: &str,
        mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("{nothing} within {} s", PATIENCE.as_secs())
    }

    /// Calls the desk's API through the gateway, as a script of the desk's page does.
    async fn api(
        &self,
        method: Method,
        path: &str,
        person: &mut Person,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let url: Url = self.world.public.join(&format!("/api/v1/{path}"))?;
        let mut request = Request::builder().method(method).uri(url.as_str()).header(USER_AGENT, "Story/1");
        request = request.header(ORIGIN, self.world.public.origin().ascii_serialization());
        request = request.header(COOKIE, person.browser.cookies_for(&url, true));
        if !person.handle.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {}", person.handle));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let reply = self.world.http.call(request.body(Bytes::from(body))?, REPLY_LIMIT).await?;
        person.browser.keep_cookies(&url, &reply)?;
        ensure!(reply.status().is_success(), "/api/v1/{path} answers {}", reply.status());
        Ok(serde_json::from_slice(reply.body())?)
    }
}
