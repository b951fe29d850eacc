//! Two gateways as processes of their own on one PostgreSQL. One is stopped in the middle of its work, for longer than
//! it may have a mailbox, and goes on when the other has taken over.

use std::collections::BTreeMap;

use mail_parser::MessageParser;
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::sandbox::{CUSTOMER, MAILBOX};
use mintgate::store::{InboundState, OutboxState};
use rustix::process::Signal;

use super::tokens::Scene;
use crate::support::program::PATIENCE;

const RAW: &str = "/v1.0/me/messages/*/$value";

impl Scene {
    fn a_customer_writes(&self, subject: &str) {
        self.story.scene.sandbox.graph.customer_writes(CUSTOMER, MAILBOX, subject, "Please help.", None);
    }

    async fn until(&self, what: &str, done: impl AsyncFn(&Self) -> bool) {
        let waiting = async {
            while !done(self).await {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "{what}");
    }

    async fn answered(&self, count: usize) {
        self.story.wait_for_tickets(count).await;
        self.story.answer_new_tickets().await;
        self.story.wait_for_answers(count).await;
    }
}

fn counted(seen: impl Iterator<Item = String>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for one in seen {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_stopped_for_longer_than_its_lease_loses_and_doubles_nothing_when_it_goes_on() {
    let Some(scene) = Scene::new().await else { return };
    let sandbox = &scene.story.scene.sandbox;
    let first = scene.story.scene.start_program().await;
    scene.story.connect_mailbox().await;
    scene.a_customer_writes("One");
    scene.answered(1).await;
    let id = scene.row().await.id;
    let fence = scene.store.fence(&id).await.expect("read").expect("somebody has the mailbox");
    let mut second = scene.start_second();

    // Stopped with a mail half fetched: neither stored nor passed by the cursor.
    sandbox.graph.faults.add(Fault::on("GET", RAW, Effect::Slow { milliseconds: 2_000 }));
    scene.a_customer_writes("Two");
    scene.until("the fetch is begun", async |_| sandbox.graph.faults.met() > 0).await;
    first.signal(Signal::STOP);
    sandbox.graph.faults.clear();
    scene.answered(2).await;
    assert!(scene.store.fence(&id).await.expect("read") > Some(fence), "the second took the mailbox over");
    let cursor = scene.store.cursor(&id).await.expect("read");
    assert!(cursor.is_some());

    first.signal(Signal::CONT);
    scene.a_customer_writes("Three");
    scene.answered(3).await;
    // What the first still had in hand is done once it works the mailbox again.
    second.signal(Signal::TERM);
    assert!(second.ended().await.success());
    scene.a_customer_writes("Four");
    scene.answered(4).await;

    let once: BTreeMap<_, _> = ["One", "Two", "Three", "Four"].map(|subject| (subject.to_owned(), 1)).into();
    assert_eq!(counted(sandbox.desk.tickets().into_iter().map(|ticket| ticket.title)), once);
    let subjects = sandbox.graph.received_outside(CUSTOMER).into_iter().map(|raw| {
        let mail = MessageParser::default().parse(&raw).expect("a mail");
        mail.subject().expect("a subject").trim_start_matches("Re: ").to_owned()
    });
    assert_eq!(counted(subjects), once);
    scene
        .until("everything is noted", async |scene| {
            let done = scene.store.recent_inbound(Some(InboundState::Done), 10).await.expect("listed").len();
            let sent = scene.store.recent_outgoing(Some(OutboxState::Sent), 10).await.expect("listed").len();
            (done, sent) == (4, 4)
        })
        .await;
}
