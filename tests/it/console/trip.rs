//! The mail that the wizard's test sends is a mail like any other to the worker, and is none to make a ticket of.

use std::sync::Arc;
use std::time::Duration;

use mintgate::base::secret::HashKey;
use mintgate::base::wake::Wake;
use mintgate::desk::{Bot, Desk};
use mintgate::mail::policy::Policy;
use mintgate::mailbox::settings::{AfterProcessing, MailboxSettings};
use mintgate::sandbox::desk::BOT;
use mintgate::token::subscription::Subscriptions;
use mintgate::worker::{self, Worker};

use super::wizard::{leads_to, leave_by_the_wizard, tested};
use crate::desk_user::http_to;
use crate::support::installation::{Installation, MAILBOX};
use crate::support::sign_in::Browser;

const QUESTION: &[u8] = b"From: Ada <ada@customer.example>\r\nTo: tickets@demo.example\r\n\
    Subject: The printer burns\r\nMessage-ID: <q1@customer.example>\r\n\r\nPlease help.\r\n";

fn worker(installation: &Installation) -> Arc<Worker> {
    let Installation { sandbox, clock, store, sealer, .. } = installation;
    let url = sandbox.desk.url();
    let bot = Bot { email: BOT.0.to_owned(), password: BOT.1.into() };
    let desk = Desk::new(http_to(&url), url.parse().expect("a URL"), Some(bot), clock.clone());
    Worker::new(worker::Parts {
        store: store.clone(),
        desk: Arc::new(desk),
        mailboxes: installation.console_parts().mailboxes,
        clock: clock.clone(),
        wake: Wake::new(),
        written: Wake::new(),
        message_ids: HashKey::from_bytes([5; 32]),
        holder: "the only one".to_owned(),
        settings: worker::Settings {
            poll_interval: Duration::from_secs(300),
            told_at: None,
            from_address: None,
            from_name: None,
            reply_to: None,
            max_size: 100_000,
            message_id_domain: "desk.example".to_owned(),
            policy: Policy::default(),
        },
        subscriptions: Subscriptions::new(store.clone(), sealer.clone()),
        meters: worker::Meters::default(),
        at: Arc::new(|_| {}),
    })
}

#[tokio::test]
async fn the_tests_mail_never_becomes_a_ticket() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    let authorize = leave_by_the_wizard(&browser, MAILBOX, "microsoft").await;
    let end = browser.finish(&*installation.http, &authorize, MAILBOX).await;
    let page = leads_to(&browser.get(end.location()).await);
    // Nothing puts the mail away before the worker sees it.
    let row = installation.store.mailboxes().await.expect("read").remove(0);
    let leave = MailboxSettings {
        after_processing: AfterProcessing::Leave,
        ..MailboxSettings::parse(&row.settings).expect("settings")
    };
    let written = installation.store.set_mailbox_settings(&row.id, &leave.to_json()).await;
    assert!(written.expect("written"));
    let shown = tested(&installation, &browser, &page).await;
    assert!(shown.contains("The connection works"), "{shown}");
    installation.sandbox.graph.deliver(MAILBOX, QUESTION).expect("delivered");

    worker(&installation).run_once().await.expect("a pass");

    let titles: Vec<_> = installation.sandbox.desk.tickets().into_iter().map(|ticket| ticket.title).collect();
    assert_eq!(titles, ["The printer burns"]);
    let counts = installation.store.counts().await.expect("counted");
    assert_eq!((counts.inbound_done, counts.inbound_ignored), (1, 1), "the worker has seen the test's mail");
}
