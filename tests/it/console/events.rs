//! Events, the log and the diagnostics: what administrators read of what happened, and what they never read.

use std::sync::Arc;

use http::StatusCode;
use mintgate::base::audit::Outcome;
use mintgate::base::journal::{Capture, Journal};
use mintgate::base::secret::ExposeSecret;
use mintgate::console::{Console, Examination, Parts};
use mintgate::oauth::source::{Resource, TokenSource};
use mintgate::store::{EventKind, NewEvent, chronicle};
use tokio::runtime::Handle;
use tracing_subscriber::layer::SubscriberExt;

use super::{button, quarantined, row};
use crate::support::installation::{Installation, MAILBOX, MINUTE, OTHER_MAILBOX, mailbox};
use crate::support::process::eventually;
use crate::support::sign_in::Browser;

const EVENTS: &str = "/admin/exchange/events";
const LOG: &str = "/admin/exchange/log";
const DIAGNOSTICS: &str = "/admin/exchange/diagnostics";

#[tokio::test]
async fn what_an_administrator_does_is_told_with_who_and_where_from() {
    let installation = Installation::start().await;
    chronicle::follow(&installation.audit, installation.store.clone(), &Handle::current());
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    browser.press(&button(&installation, "test").await).await;

    let text = eventually("the events", async || {
        let text = browser.get(EVENTS).await.text();
        text.contains("The connection was tested.").then_some(text)
    })
    .await;

    for part in
        ["The mailbox was connected.", "By Ada Admin", "from 127.0.0.1", "2026-11-21 01:00:00 UTC", MAILBOX]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let id = row(&installation).await.expect("a row").id;
    let of_mailbox = browser.get(&format!("{EVENTS}?mailbox={id}")).await.text();
    assert!(of_mailbox.contains("The connection was tested."), "{of_mailbox}");
    assert!(of_mailbox.contains("The sign-in was finished."), "{of_mailbox}");
    let german = Browser::speaking(&console, "de").get(EVENTS).await.text();
    assert!(german.contains("Die Verbindung wurde getestet."), "{german}");
}

#[tokio::test]
async fn a_refused_sign_in_is_told_at_the_mailbox_it_was_for() {
    let installation = Installation::start().await;
    chronicle::follow(&installation.audit, installation.store.clone(), &Handle::current());
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let authorize = browser.leave_by(&button(&installation, "connect").await).await;
    let page = browser.finish(&*installation.http, &authorize, OTHER_MAILBOX).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);

    let id = row(&installation).await.expect("a row").id;
    eventually("the refusal", async || {
        let text = browser.get(&format!("{EVENTS}?mailbox={id}")).await.text();
        text.contains("The sign-in was not accepted.").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_long_list_of_events_goes_on_with_the_next_page() {
    let installation = Installation::start().await;
    let console = installation.console();
    let browser = Browser::admin(&console, 1);
    for number in 0..60 {
        let at = installation.now() + number * MINUTE;
        let event = NewEvent::new(at, EventKind::Mailbox, Outcome::Failure, format!("failure {number}."));
        installation.store.add_event(&event.about(&mailbox())).await.expect("noted");
    }

    let first = browser.get(&format!("{EVENTS}?mailbox=m365")).await.text();
    let (_, rest) = first.split_once("rel=\"next\" href=\"").expect("a link");
    let next = rest.split('"').next().expect("an address").replace("&#38;", "&");
    let second = browser.get(&next).await.text();

    let on = |page: &str| (0..60).filter(|number| page.contains(&format!("failure {number}."))).count();
    assert_eq!((on(&first), on(&second)), (50, 10));
    assert!(first.contains("failure 59.") && second.contains("failure 0."), "{second}");
    assert_eq!(browser.get(&format!("{EVENTS}?before=x")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_log_shows_what_the_worker_says_and_no_address() {
    let installation = Installation::start().await;
    let journal = Journal::default();
    let console = Console::new(Parts { journal: journal.clone(), ..installation.console_parts() });
    let browser = Browser::admin(&console, 1);
    assert!(browser.get(LOG).await.text().contains("There is no line yet."));
    let capture = Capture::new(journal, installation.clock.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(capture), || {
        let error = "550 <cora@customer.example> <script>alert(1)</script>";
        tracing::warn!(target: "mintgate::worker", mailbox = "m365", mail = 7, error, body = "Dear", "a step failed");
    });

    let text = browser.get(LOG).await.text();

    assert!(text.contains("a step failed") && text.contains("mailbox=m365 mail=7 error=550"), "{text}");
    for bad in ["cora", "Dear", "<script>alert"] {
        assert!(!text.contains(bad), "{bad}: {text}");
    }
    assert!(text.contains("aria-live=\"off\""), "a log is not read out line by line");
}

#[tokio::test]
async fn diagnostics_tell_the_states_and_neither_secrets_nor_people() {
    let installation = Installation::start().await;
    let parts = installation.console_parts();
    let facts = vec![("store".to_owned(), "SQLite".to_owned())];
    let found = || async {
        vec!["problem      bot: cora@customer.example is refused.\n→ Put it right.".to_owned()]
    };
    let examine: Examination = Arc::new(move || Box::pin(found()));
    let console = Console::new(Parts { facts, examine, ..parts });
    let browser = Browser::admin(&console, 1);
    browser.connect(&*installation.http, MAILBOX).await;
    let id = row(&installation).await.expect("a row").id;
    let token = installation.keeper.token(&id, Resource::Graph).await.expect("a token");
    quarantined(&installation, b"From: cora@customer.example\r\n\r\nDear", "cora@customer.example wrote it")
        .await;
    let hold = "the desk mails cora@customer.example itself";
    installation.store.set_fact("outbound_hold", Some(hold)).await.expect("set");

    let page = browser.get(DIAGNOSTICS).await.text();
    let file = browser.get(&format!("{DIAGNOSTICS}.txt")).await;

    let text = file.text();
    let version = format!("mintgate {}", env!("CARGO_PKG_VERSION"));
    let mailbox = format!("{id} (microsoft-graph): connected since 2026-11-21T01:00:00Z");
    for part in [
        &*version,
        "store: SQLite",
        &mailbox,
        "answers are held: the desk mails [address] itself",
        "bot: [address] is refused.\n→ Put it right.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(page.contains("id=\"diagnostics\"") && page.contains("data-copy=\"diagnostics\""), "{page}");
    assert!(page.contains(&mailbox), "the same text is on the page: {page}");
    assert!(file.header("content-disposition").starts_with("attachment"));
    let secrets = [token.secret.expose_secret(), installation.app.client_secret.expose_secret()];
    for bad in secrets.into_iter().chain(["cora@", "Dear", MAILBOX, "Ada Admin"]) {
        assert!(!text.contains(bad), "{bad}: {text}");
    }
}

#[tokio::test]
async fn nobody_but_an_administrator_reads_what_happened() {
    let installation = Installation::start().await;
    let console = installation.console();
    let stranger = Browser::stranger(&console);
    for path in [EVENTS, LOG, DIAGNOSTICS, "/admin/exchange/diagnostics.txt"] {
        assert_eq!(stranger.get(path).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
}
