//! A Graph mailbox against the sandbox's Graph: whole ways of a mail in and out, and the faults on them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use mintgate::base::clock::{Clock, ManualClock, Timestamp};
use mintgate::base::id::MailboxId;
use mintgate::base::secret::SecretString;
use mintgate::mail::compose::{Answer, compose};
use mintgate::mail::{Mailbox, read};
use mintgate::mailbox::graph::GraphMailbox;
use mintgate::mailbox::{Evidence, Fetched, MailSink, MailSource, MailboxError, Outgoing, Probe, Told};
use mintgate::net::{Client, Egress, Timeouts};
use mintgate::oauth::source::{AccessToken, Resource, TokenError, TokenSource};
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::sandbox::grants::Grants;
use mintgate::sandbox::graph::{self, Folder, Graph};
use tokio::runtime::Handle;

const DESK: &str = "tickets@demo.example";
const CUSTOMER: &str = "customer@example.net";
const BEGAN: Timestamp = Timestamp(1_795_219_200_000);
const FULL: &[&str] = &["User.Read", "Mail.ReadWrite", "Mail.Send"];
const READ_AND_SEND: &[&str] = &["User.Read", "Mail.Read", "Mail.Send"];
const MESSAGE_ID: &str = "<t.1.2.3@demo.example>";

/// Keeps one token until it is refused.
struct Tokens {
    grants: Grants,
    scopes: &'static [&'static str],
    secret: Mutex<String>,
}

impl Tokens {
    fn fresh(&self) -> String {
        self.grants.issue(DESK, self.scopes, BEGAN + Duration::from_secs(86_400))
    }

    fn now(&self) -> AccessToken {
        AccessToken {
            secret: SecretString::from(self.secret.lock().expect("no test panicked").clone()),
            expires_at: BEGAN + Duration::from_secs(86_400),
            scopes: self.scopes.iter().map(|scope| scope.to_lowercase()).collect(),
        }
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self, _: &MailboxId, _: Resource) -> Result<AccessToken, TokenError> {
        Ok(self.now())
    }
    async fn renew(&self, _: &MailboxId, _: Resource, _: &AccessToken) -> Result<AccessToken, TokenError> {
        *self.secret.lock().expect("no test panicked") = self.fresh();
        Ok(self.now())
    }
}

struct World {
    graph: Graph,
    clock: Arc<ManualClock>,
    mailbox: GraphMailbox,
}

impl World {
    async fn start(scopes: &'static [&'static str]) -> Self {
        let clock = Arc::new(ManualClock::at(BEGAN));
        let anywhere = ([127, 0, 0, 1], 0).into();
        let graph =
            graph::start_with_clock(anywhere, Grants::default(), clock.clone()).await.expect("a port");
        graph.add_mailbox(DESK, "Tickets");
        let tokens = Tokens { grants: graph.grants.clone(), scopes, secret: Mutex::default() };
        *tokens.secret.lock().expect("no test panicked") = tokens.fresh();
        let egress = Egress::only([graph.url()]).expect("an origin");
        let http = Client::new(Handle::current(), egress, Timeouts::default()).expect("a client");
        let id = MailboxId::parse("support").expect("an id");
        let base = graph.url().parse().expect("a URL");
        let mailbox = GraphMailbox::new(id, base, Arc::new(tokens), Arc::new(http), clock.clone(), 1_000);
        Self { graph, clock, mailbox }
    }

    fn customer_writes(&self, subject: &str) {
        self.graph.customer_writes(CUSTOMER, DESK, subject, "It smokes.", None);
    }

    /// Every key up to the end of the listing, and where to go on.
    async fn list(&self, cursor: Option<String>) -> (Vec<String>, String) {
        let (mut keys, mut cursor) = (Vec::new(), cursor);
        loop {
            let page = self.mailbox.list(cursor.as_deref(), BEGAN).await.expect("a page");
            keys.extend(page.mails.into_iter().map(|mail| mail.key));
            if !page.more {
                return (keys, page.cursor);
            }
            cursor = Some(page.cursor);
        }
    }

    async fn evidence(&self, mime: &[u8], provider_id: Option<&str>) -> Evidence {
        let mail = Outgoing { message_id: MESSAGE_ID, mime };
        self.mailbox.evidence(mail, provider_id, BEGAN, self.clock.now()).await.expect("an answer")
    }
}

fn answer() -> Vec<u8> {
    let mailbox = |address: &str| Mailbox { name: String::new(), address: address.to_owned() };
    let references = ["question@example.net".to_owned()];
    let answer = Answer {
        message_id: MESSAGE_ID,
        from: &mailbox(DESK),
        reply_to: None,
        to: &mailbox(CUSTOMER),
        subject: "Printer",
        mark: None,
        date: BEGAN,
        references: &references,
        text: "Switch it off.",
        copies: &[],
        thread_index: &mintgate::mail::thread_index::answer(None, "t1", Timestamp(0), Timestamp(0)),
        voice: mintgate::mail::compose::Voice::Person,
        quoted: None,
    };
    compose(&answer).expect("a mail")
}

#[tokio::test]
async fn a_customer_s_mail_is_listed_fetched_and_marked() {
    let world = World::start(FULL).await;
    world.graph.set_empty_pages(true);
    world.customer_writes("Printer");

    let (keys, cursor) = world.list(None).await;
    let Fetched::Raw { bytes, .. } = world.mailbox.fetch(&keys[0], 1 << 20).await.unwrap() else {
        panic!("it was not fetched whole")
    };
    world.mailbox.settle(&keys[0]).await.unwrap();
    world.customer_writes("Scanner");
    let (news, _) = world.list(Some(cursor)).await;

    assert_eq!(keys.len(), 1);
    assert_eq!(read::read(&bytes).unwrap().subject, "Printer");
    assert_eq!(world.graph.is_read(DESK, &keys[0]), Some(true));
    assert!(news.iter().any(|key| *key != keys[0]), "{news:?}");
}

#[tokio::test]
async fn a_mail_keeps_its_key_when_somebody_moves_it() {
    let world = World::start(FULL).await;
    world.customer_writes("Printer");
    let (keys, cursor) = world.list(None).await;
    world.graph.move_message(DESK, &keys[0], Folder::Archive);

    let (news, _) = world.list(Some(cursor)).await;
    let fetched = world.mailbox.fetch(&keys[0], 1 << 20).await.unwrap();

    assert!(news.is_empty(), "a removal is no mail: {news:?}");
    assert!(matches!(fetched, Fetched::Raw { .. }));
}

#[tokio::test]
async fn a_folder_of_any_size_is_listed_whole() {
    const MANY: usize = 6_000;
    let world = World::start(FULL).await;
    for number in 0..MANY {
        world.graph.deliver(DESK, format!("Subject: {number}\r\n\r\n").as_bytes());
    }
    let (keys, cursor) = world.list(None).await;
    let distinct: std::collections::HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), MANY);
    assert!(world.list(Some(cursor)).await.0.is_empty());
}

#[tokio::test]
async fn mail_from_before_is_left_out_and_its_time_can_be_asked_for() {
    let world = World::start(FULL).await;
    world.clock.set(BEGAN - Duration::from_secs(60));
    let old = world.graph.deliver(DESK, b"Subject: old\r\n\r\n").expect("the mailbox");
    world.clock.set(BEGAN);
    let (keys, cursor) = world.list(None).await;
    assert!(keys.is_empty(), "{keys:?}");

    world.graph.read_message(DESK, &old);
    let page = world.mailbox.list(Some(&cursor), BEGAN).await.expect("a page");

    assert_eq!(
        (page.mails.len(), page.mails[0].received_at),
        (1, None),
        "a change names little more than the id"
    );
    let asked = world.mailbox.received_at(&old).await.expect("an answer");
    assert_eq!(asked, Some(BEGAN - Duration::from_secs(60)));
}

#[tokio::test]
async fn lost_cursors_and_foreign_links_are_told() {
    let world = World::start(FULL).await;
    let (_, cursor) = world.list(None).await;
    world.graph.lose_cursors();
    let lost = world.mailbox.list(Some(&cursor), BEGAN).await;
    assert!(matches!(lost, Err(MailboxError::CursorLost)), "{lost:?}");

    world.graph.set_foreign_links(true);
    let foreign = world.mailbox.list(None, BEGAN).await;
    assert!(matches!(foreign, Err(MailboxError::ForeignLink { .. })), "{foreign:?}");
}

#[tokio::test]
async fn a_refused_token_costs_nothing_but_a_renewal() {
    let world = World::start(FULL).await;
    world.customer_writes("Printer");
    world.graph.grants.end(DESK);
    assert_eq!(world.list(None).await.0.len(), 1);
}

#[tokio::test]
async fn many_calls_at_once_are_never_throttled() {
    let world = World::start(FULL).await;
    world.customer_writes("Printer");
    let (keys, _) = world.list(None).await;
    let slow = Effect::Slow { milliseconds: 20 };
    world.graph.faults.add(Fault::anywhere("/v1.0/me/messages/*", slow));

    let fetches = join_all((0..20).map(|_| world.mailbox.fetch(&keys[0], 1 << 20))).await;

    assert!(fetches.iter().all(Result::is_ok), "{fetches:?}");
}

#[tokio::test]
async fn a_draft_tells_where_it_stands_from_making_to_arrival() {
    let world = World::start(FULL).await;
    let mime = answer();
    let mail = Outgoing { message_id: MESSAGE_ID, mime: &mime };

    let id = world.mailbox.prepare(mail).await.unwrap().expect("a draft");
    let before = world.evidence(&mime, Some(&id)).await;
    world.mailbox.dispatch(mail, Some(&id)).await.unwrap();
    let under_way = world.evidence(&mime, Some(&id)).await;
    world.clock.advance(Duration::from_secs(5));
    let after = world.evidence(&mime, Some(&id)).await;

    assert_eq!((before, under_way, after), (Evidence::NotSent, Evidence::Unknown, Evidence::Sent));
    let received = world.graph.received_outside(CUSTOMER);
    assert_eq!(received.len(), 1);
    let message = read::read(&received[0]).unwrap();
    assert_eq!(message.parents, ["question@example.net"]);
    assert_eq!((message.subject.as_str(), message.text.trim()), ("Re: Printer", "Switch it off."));
}

#[tokio::test]
async fn a_lost_answer_to_the_send_command_sends_no_second_mail() {
    let world = World::start(FULL).await;
    let mime = answer();
    let mail = Outgoing { message_id: MESSAGE_ID, mime: &mime };
    let id = world.mailbox.prepare(mail).await.unwrap().expect("a draft");
    world.graph.faults.add(Fault::on("POST", "/v1.0/me/messages/*/send", Effect::CutAfter).times(1));

    let cut = world.mailbox.dispatch(mail, Some(&id)).await;
    world.clock.advance(Duration::from_secs(5));
    let evidence = world.evidence(&mime, Some(&id)).await;
    let again = world.mailbox.dispatch(mail, Some(&id)).await;

    assert!(matches!(cut, Err(MailboxError::Call(_))), "{cut:?}");
    assert_eq!(evidence, Evidence::Sent);
    assert!(again.is_ok(), "{again:?}");
    assert_eq!(world.graph.received_outside(CUSTOMER).len(), 1);
}

#[tokio::test]
async fn with_reading_and_sending_alone_a_lost_answer_is_looked_up_in_sent_items() {
    let world = World::start(READ_AND_SEND).await;
    world.customer_writes("Printer");
    let (keys, _) = world.list(None).await;
    let mime = answer();
    let mail = Outgoing { message_id: MESSAGE_ID, mime: &mime };
    world.graph.faults.add(Fault::on("POST", "/v1.0/me/sendMail", Effect::CutAfter).times(1));

    let settled = world.mailbox.settle(&keys[0]).await;
    let prepared = world.mailbox.prepare(mail).await.unwrap();
    let cut = world.mailbox.dispatch(mail, None).await;
    let early = world.evidence(&mime, None).await;
    world.clock.advance(Duration::from_secs(5));
    let late = world.evidence(&mime, None).await;

    assert!(matches!(settled, Err(MailboxError::NotGranted { .. })), "{settled:?}");
    assert_eq!(prepared, None);
    assert!(matches!(cut, Err(MailboxError::Call(_))), "{cut:?}");
    assert_eq!((early, late), (Evidence::Unknown, Evidence::Sent));
    assert_eq!(world.graph.received_outside(CUSTOMER).len(), 1);
}

#[tokio::test]
async fn a_mailbox_in_order_passes_every_step_of_the_test() {
    let world = World::start(FULL).await;
    world.customer_writes("Printer");

    let checks = world.mailbox.probe().await;

    let steps: Vec<_> = checks.iter().map(|check| (check.step, check.outcome.is_ok())).collect();
    assert_eq!(steps, [("token", true), ("user", true), ("inbox", true)]);
    assert_eq!(checks[1].outcome, Ok(Told::new("seen-user").with("user", "tickets@demo.example")));
    assert_eq!(checks[2].outcome, Ok(Told::new("seen-inbox").with("mails", 1).with("unread", 1)));
}
