//! Step 4: does it work? Every step of the way in and out, then a real mail to oneself.
//!
//! The test runs beside the page, which shows how far it is and asks again by itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use crate::base::audit::{Event, Outcome};
use crate::console::advice::About;
use crate::console::checks::{Line, lines};
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::lacking::{Missing, lacking};
use crate::console::limits::Work;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard::draft::{State as At, Step, Stored};
use crate::console::wizard::drafts;
use crate::console::wizard::progress::{Progress, Shown, UnderWay};
use crate::console::wizard::rail::{Mark, rail};
use crate::console::wizard::round_trip;

#[derive(Template)]
#[template(path = "wizard/test.html")]
struct TestPage {
    frame: Frame,
    rail: Vec<Mark>,
    id: String,
    version: i64,
    address: String,
    reply_to: Option<String>,
    /// The page of servers and password, which a failed test leads to; none after a provider's sign-in.
    repair: Option<String>,
    /// `None` before the first run.
    progress: Option<Shown>,
    lines: Vec<Line>,
    /// What the sign-in did not bring.
    missing: Vec<Missing>,
}

#[derive(Deserialize)]
pub struct Pressed {
    version: i64,
    /// `run`, `go-on` or `skip`.
    #[serde(default)]
    action: String,
}

/// GET `/admin/exchange/setup/{id}/test`.
pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame, Path(id): Path<String>) -> Response {
    match drafts::open(&shared, &id, Step::Test).await {
        Ok(stored) => page(&shared, frame, stored).await.into_response(),
        Err(response) => response,
    }
}

/// POST `/admin/exchange/setup/{id}/test`.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    client: Client,
    Submitted(admin, pressed): Submitted<Pressed>,
) -> Result<Response, Page> {
    let mut stored = match drafts::open_version(&shared, &id, Step::Test, pressed.version).await {
        Ok(stored) => stored,
        Err(response) => return Ok(response),
    };
    let passed = shared.tests.shown(&id).is_some_and(|shown| shown.passed());
    if pressed.action == "run" {
        shared.admit(&client, &admin, Work::Test)?;
        shared.note(&client, &admin, Event::ConsoleAction, Outcome::Success, "connection tested");
        start(&shared, &stored).await?;
        return Ok(page::see_other(&drafts::path_of(&id, Step::Test)));
    }
    let mailbox = stored.draft.mailbox().unwrap_or_default().to_owned();
    stored.draft.state = At::Settings { mailbox, tested: passed };
    Ok(drafts::save(&shared, &stored).await)
}

/// Starts the test unless it is running.
async fn start(shared: &Arc<Shared>, stored: &Stored) -> Result<(), Page> {
    let missing = || page::problem(StatusCode::CONFLICT, &page::NOT_CONNECTED);
    let row = shared.mailbox_of(&stored.draft.address).await?.ok_or_else(missing)?;
    let mailbox = (shared.parts.mailboxes)(&row).ok_or_else(missing)?;
    let Some(progress) = shared.tests.start(&stored.id, shared.parts.clock.now()) else { return Ok(()) };
    let (shared, reply_to) = (Arc::clone(shared), stored.draft.settings.reply_to.clone());
    tokio::spawn(async move {
        let recipients = std::iter::once(row.address.clone()).chain(reply_to).collect();
        let test = UnderWay(progress);
        run(&shared, &*mailbox, row.address, recipients, &test.0).await;
        test.0.end();
    });
    Ok(())
}

async fn run(
    shared: &Shared,
    mailbox: &dyn crate::mailbox::Mailbox,
    from: String,
    recipients: Vec<String>,
    progress: &Progress,
) {
    for check in mailbox.probe().await {
        let failed = check.outcome.is_err();
        progress.add(check);
        if failed {
            return;
        }
    }
    for recipient in recipients {
        let trip = round_trip::Trip { from: &from, to: &recipient, clock: &*shared.parts.clock };
        if !trip.make(mailbox, progress).await {
            return;
        }
    }
}

async fn page(shared: &Shared, frame: Frame, stored: Stored) -> Result<Page, Page> {
    let progress = shared.tests.shown(&stored.id);
    let provider = stored.draft.settings.provider;
    let client_id = shared.client_id(provider);
    let row = shared.mailbox_of(&stored.draft.address).await?;
    let consent = shared.consent_for(&stored.draft.settings, &stored.draft.address);
    let about = About {
        client_id: client_id.as_deref(),
        consent: consent.as_deref(),
        mailbox: stored.draft.mailbox(),
        provider: Some(provider),
    };
    let page = TestPage {
        rail: rail(&stored.id, Some(&stored.draft), Step::Test),
        lines: progress.as_ref().map(|run| lines(&run.checks, about, &frame.t)).unwrap_or_default(),
        missing: row.map_or_else(Vec::new, |row| lacking(&row, &stored.draft.settings)),
        progress,
        reply_to: stored.draft.settings.reply_to.clone(),
        repair: stored.draft.reaches(Step::Connect).then(|| drafts::path_of(&stored.id, Step::Connect)),
        address: stored.draft.address,
        id: stored.id,
        version: stored.version,
        frame,
    };
    Ok(Page::console(StatusCode::OK, &page))
}
