//! The mail that the wizard's test sends is a mail like any other to the worker, and is none to make a ticket of.

use mintgate::mailbox::settings::{AfterProcessing, MailboxSettings};
use mintgate::worker::Meters;

use super::wizard::{leads_to, leave_by_the_wizard, tested};
use crate::support::installation::{Installation, MAILBOX};
use crate::support::sign_in::Browser;
use crate::support::worker::worker;

const QUESTION: &[u8] = b"From: Ada <ada@customer.example>\r\nTo: tickets@demo.example\r\n\
    Subject: The printer burns\r\nMessage-ID: <q1@customer.example>\r\n\r\nPlease help.\r\n";

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

    worker(&installation, installation.console_parts().mailboxes, &Meters::default())
        .run_once()
        .await
        .expect("a pass");

    let titles: Vec<_> = installation.sandbox.desk.tickets().into_iter().map(|ticket| ticket.title).collect();
    assert_eq!(titles, ["The printer burns"]);
    let counts = installation.store.counts().await.expect("counted");
    assert_eq!((counts.inbound_done, counts.inbound_ignored), (1, 1), "the worker has seen the test's mail");
}
