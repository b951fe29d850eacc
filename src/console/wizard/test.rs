//! Step 4: does it work? Every step of the way in and out, then a real mail to oneself.
//!
//! The test runs beside the page, which shows how far it is and asks again by itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use crate::base::audit::Outcome;
use crate::console::advice::About;
use crate::console::checks::{Line, lines};
use crate::console::form::Field;
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::lacking::{Missing, lacking};
use crate::console::limits::Work;
use crate::console::page::{self, Page};
use crate::console::settings_form::is_address;
use crate::console::shared::Shared;
use crate::console::wizard::draft::{Draft, State as At, Step, Stored};
use crate::console::wizard::drafts;
use crate::console::wizard::progress::{Progress, Shown, UnderWay};
use crate::console::wizard::rail::{Mark, rail};
use crate::console::wizard::round_trip;
use crate::web::local::Admin;

#[derive(Template)]
#[template(path = "wizard/test.html")]
struct TestPage {
    frame: Frame,
    rail: Vec<Mark>,
    id: String,
    version: i64,
    address: String,
    /// The Reply-To address that the configuration decides.
    reply_to: Option<String>,
    /// Where another one can be named.
    field: Option<Field>,
    /// The page of servers and password, which a failed test leads to; none after a provider's sign-in.
    repair: Option<String>,
    /// `None` before the first run.
    progress: Option<Shown>,
    lines: Vec<Line>,
    /// What the sign-in did not bring.
    missing: Vec<Missing>,
}

impl TestPage {
    fn is_wrong(&self) -> bool {
        self.field.as_ref().is_some_and(|field| field.error.is_some())
    }

    /// No test is running.
    fn may_start(&self) -> bool {
        self.progress.as_ref().is_none_or(|run| run.ended)
    }

    /// For the summary of what is wrong.
    fn fields(&self) -> &[Field] {
        self.field.as_slice()
    }
}

#[derive(Deserialize)]
pub struct Pressed {
    version: i64,
    /// `run`, `go-on` or `skip`.
    #[serde(default)]
    action: String,
    #[serde(default)]
    reply_to: Option<String>,
}

/// GET `/admin/exchange/setup/{id}/test`.
pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame, Path(id): Path<String>) -> Response {
    match drafts::open(&shared, &id, Step::Test).await {
        Ok(stored) => page(&shared, frame, stored, None).await.into_response(),
        Err(response) => response,
    }
}

/// POST `/admin/exchange/setup/{id}/test`.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
    client: Client,
    Submitted(admin, pressed): Submitted<Pressed>,
) -> Result<Response, Page> {
    let mut stored = match drafts::open_version(&shared, &id, Step::Test, pressed.version).await {
        Ok(stored) => stored,
        Err(response) => return Ok(response),
    };
    let entered = pressed.reply_to.map(|text| text.trim().to_owned());
    if let Some(wrong) = entered.as_ref().filter(|text| !text.is_empty() && !is_address(text)) {
        return Ok(page(&shared, frame, stored, Some(wrong.clone())).await?.into_response());
    }
    let before = stored.draft.settings.reply_to.clone();
    if let Some(reply_to) = entered {
        stored.draft.settings.reply_to = Some(reply_to).filter(|text| !text.is_empty());
    }
    let reply_to = stored.draft.settings.reply_to.as_ref();
    // Whoever names an address beside a passed test wants to know of that one, too.
    let is_untested = reply_to.is_some() && reply_to != before.as_ref();
    if pressed.action == "run" || (pressed.action == "go-on" && is_untested) {
        shared.admit(&client, &admin, Work::Test)?;
        let saved = drafts::save(&shared, &stored).await;
        if saved.status().is_server_error() {
            return Ok(saved);
        }
        start(&shared, client, admin, &stored).await?;
        return Ok(page::see_other(&drafts::path_of(&id, Step::Test)));
    }
    let passed = shared.tests.shown(&id).is_some_and(|shown| shown.passed());
    let mailbox = stored.draft.mailbox().unwrap_or_default().to_owned();
    stored.draft.state = At::Settings { mailbox, tested: passed };
    Ok(drafts::save(&shared, &stored).await)
}

/// Starts the test unless it is running.
async fn start(shared: &Arc<Shared>, client: Client, admin: Arc<Admin>, stored: &Stored) -> Result<(), Page> {
    let missing = || page::problem(StatusCode::CONFLICT, &page::NOT_CONNECTED);
    let row = shared.mailbox_of(&stored.draft.address).await?.ok_or_else(missing)?;
    let mailbox = (shared.parts.mailboxes)(&row).ok_or_else(missing)?;
    let Some(progress) = shared.tests.start(&stored.id, shared.parts.clock.now()) else { return Ok(()) };
    let (shared, reply_to) = (Arc::clone(shared), reply_to(shared, &stored.draft));
    tokio::spawn(async move {
        let recipients = std::iter::once(row.address.clone()).chain(reply_to).collect();
        let test = UnderWay(progress);
        let passed = run(&shared, &*mailbox, row.address, recipients, &test.0).await;
        let outcome = if passed { Outcome::Success } else { Outcome::Failure };
        shared.note_action(&client, &admin, outcome, "connection tested", Some(&row.id));
        test.0.end();
    });
    Ok(())
}

/// Where customers answer to, if that is not the mailbox itself: the configuration's word, or what was entered.
fn reply_to(shared: &Shared, draft: &Draft) -> Option<String> {
    let decided = shared.fixed(&draft.address).reply_to;
    let reply_to = decided.or_else(|| draft.settings.reply_to.clone());
    reply_to.filter(|reply_to| !reply_to.eq_ignore_ascii_case(&draft.address))
}

/// Whether every step was passed.
async fn run(
    shared: &Shared,
    mailbox: &dyn crate::mailbox::Mailbox,
    from: String,
    recipients: Vec<String>,
    progress: &Progress,
) -> bool {
    for check in mailbox.probe().await {
        let failed = check.outcome.is_err();
        progress.add(check);
        if failed {
            return false;
        }
    }
    for recipient in recipients {
        let trip = round_trip::Trip { from: &from, to: &recipient, clock: &*shared.parts.clock };
        if !trip.make(mailbox, progress).await {
            return false;
        }
    }
    true
}

/// `wrong` is what was entered as Reply-To address and is none.
async fn page(shared: &Shared, frame: Frame, stored: Stored, wrong: Option<String>) -> Result<Page, Page> {
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let decided = shared.fixed(&stored.draft.address).reply_to;
    let field = decided.is_none().then(|| {
        let error = wrong.is_some().then(|| frame.t.say("address-none").to_string());
        let entered = wrong.or_else(|| stored.draft.settings.reply_to.clone());
        Field::new("reply_to", entered.unwrap_or_default()).kind("email").failing(error)
    });
    let progress = shared.tests.shown(&stored.id);
    let provider = stored.draft.settings.provider;
    let client_id = shared.client_id(provider);
    let row = shared.mailbox_of(&stored.draft.address).await?;
    let consent = shared.consent_for(&stored.draft.settings, &stored.draft.address);
    let repair = stored.draft.reaches(Step::Connect).then(|| drafts::path_of(&stored.id, Step::Connect));
    let about = About {
        client_id: client_id.as_deref(),
        consent: consent.as_deref(),
        // Where servers and password are changed in the set-up, the mailbox's own settings lead astray.
        mailbox: stored.draft.mailbox().filter(|_| repair.is_none()),
        provider: Some(provider),
    };
    let page = TestPage {
        rail: rail(&stored.id, Some(&stored.draft), Step::Test),
        lines: progress
            .as_ref()
            .map(|run| lines(&run.checks, about, frame.now, &frame.t))
            .unwrap_or_default(),
        missing: row.map_or_else(Vec::new, |row| lacking(&row, &stored.draft.settings)),
        progress,
        reply_to: decided,
        field,
        repair,
        address: stored.draft.address,
        id: stored.id,
        version: stored.version,
        frame,
    };
    Ok(Page::console(status, &page))
}
