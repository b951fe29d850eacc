//! Drafts between store and pages: finding one, the step it is at, saving it once.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tracing::warn;

use crate::base::clock::Timestamp;
use crate::base::id::short_id;
use crate::console::guard::{Change, Proof};
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard::PATH;
use crate::console::wizard::draft::{Draft, State as At, Step, Stored};
use crate::mailbox::settings::MailboxSettings;
use crate::store::{DraftRow, MailboxRow, StoreError};

/// How long a draft waits for its administrator.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Either the draft, at a step that may be opened, or the way to where it is.
pub type Opened = Result<Stored, Response>;

/// The page of a step.
pub fn path_of(id: &str, step: Step) -> String {
    match step {
        Step::Address => PATH.to_owned(),
        step => format!("{PATH}/{id}/{}", step.name()),
    }
}

/// Leads to where the set-up stands.
pub fn resume_path(id: &str) -> String {
    format!("{PATH}/{id}")
}

/// Every draft that is not finished, the last touched first.
pub async fn open_ones(shared: &Shared) -> Result<Vec<Stored>, Page> {
    let rows = shared.parts.store.drafts().await.map_err(|failure| Shared::broken(&failure))?;
    let rows = rows.into_iter().filter(|row| !has_expired(shared, row));
    let stored = rows.filter_map(read).filter(|stored| !is_done(&stored.draft));
    Ok(stored.collect())
}

/// Expired drafts are only deleted when another one begins.
fn has_expired(shared: &Shared, row: &DraftRow) -> bool {
    row.updated_at < shared.parts.clock.now() - KEPT
}

fn is_done(draft: &Draft) -> bool {
    matches!(draft.state, At::Done { .. })
}

/// A draft of an earlier version of the program may not be readable; it is left to expire.
fn read(row: DraftRow) -> Option<Stored> {
    match serde_json::from_str(&row.body) {
        Ok(draft) => Some(Stored { id: row.id, version: row.version, started: row.created_at, draft }),
        Err(failure) => {
            warn!(draft = row.id, error = %failure, "a draft cannot be read");
            None
        }
    }
}

async fn find(shared: &Shared, id: &str) -> Result<Stored, Response> {
    let row =
        shared.parts.store.draft(id).await.map_err(|failure| Shared::broken(&failure).into_response())?;
    let gone = || {
        page::problem(StatusCode::NOT_FOUND, &page::DRAFT_GONE).leading_to(PATH.to_owned()).into_response()
    };
    row.filter(|row| !has_expired(shared, row)).and_then(read).ok_or_else(gone)
}

/// The draft, if `step` may be opened; otherwise the way to where the set-up stands.
pub async fn open(shared: &Shared, id: &str, step: Step) -> Opened {
    let stored = find(shared, id).await?;
    match stored.draft.reaches(step) && !is_done(&stored.draft) {
        true => Ok(stored),
        false => Err(page::see_other(&stands_at(&stored))),
    }
}

/// The page on which a set-up goes on; the overview once it is finished.
fn stands_at(stored: &Stored) -> String {
    match is_done(&stored.draft) {
        true => crate::console::PATH.to_owned(),
        false => path_of(&stored.id, stored.draft.step()),
    }
}

/// The draft for a form of `step` that was made for `version`: a form that was sent already leads to
/// where the set-up stands.
pub async fn open_version(shared: &Shared, id: &str, step: Step, version: i64) -> Opened {
    let stored = open(shared, id, step).await?;
    match stored.version == version {
        true => Ok(stored),
        false => Err(page::see_other(&path_of(id, stored.draft.step()))),
    }
}

/// Adds a draft; its id. A second press, or coming back to the first page, goes on with the administrator's
/// draft of this address as long as nothing was chosen in it.
pub async fn add(shared: &Shared, draft: &Draft) -> Result<String, Page> {
    let now = shared.parts.clock.now();
    let row = DraftRow { id: short_id(), version: 1, body: json(draft), created_at: now, updated_at: now };
    let begun = format!("{} {}", draft.address.to_lowercase(), draft.admin);
    let added = shared.parts.store.add_draft(&row, &begun, now - KEPT).await;
    added.map_err(|failure| Shared::broken(&failure))
}

/// Saves the draft and goes to where it stands then; of two who save the same version one wins, and both
/// see what is there.
pub async fn save(shared: &Shared, stored: &Stored) -> Response {
    match put(shared, stored, shared.parts.clock.now()).await {
        Ok(true) => page::see_other(&path_of(&stored.id, stored.draft.step())),
        Ok(false) => page::see_other(&resume_path(&stored.id)),
        Err(failure) => Shared::broken(&failure).into_response(),
    }
}

async fn put(shared: &Shared, stored: &Stored, now: Timestamp) -> Result<bool, StoreError> {
    shared.parts.store.save_draft(&stored.id, stored.version, &json(&stored.draft), now).await
}

fn json(draft: &Draft) -> String {
    serde_json::to_string(draft).expect("a draft is plain JSON")
}

/// GET `/admin/exchange/setup/{id}`: to where the set-up stands.
pub async fn resume(State(shared): State<Arc<Shared>>, Proof(_): Proof, Path(id): Path<String>) -> Response {
    match find(&shared, &id).await {
        Ok(stored) => page::see_other(&stands_at(&stored)),
        Err(response) => response,
    }
}

/// POST `/admin/exchange/setup/{id}/discard`. The mailbox, if there is one by now, stays.
pub async fn discard(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Change(_): Change,
) -> Result<Response, Page> {
    shared.parts.store.delete_draft(&id).await.map_err(|failure| Shared::broken(&failure))?;
    Ok(page::see_other(PATH))
}

/// The draft whose administrator left to sign in for the mailbox of `address`.
pub async fn waiting(shared: &Shared, address: &str) -> Result<Option<Stored>, Page> {
    let waits = |stored: &Stored| {
        stored.draft.state == At::Connect && stored.draft.address.eq_ignore_ascii_case(address)
    };
    Ok(open_ones(shared).await?.into_iter().find(waits))
}

/// The mailbox of a draft was just connected: the page to go on with. What a mailbox that was there before does
/// is shown by the last step.
pub async fn connected(shared: &Shared, mut stored: Stored, mailbox: &MailboxRow) -> Result<String, Page> {
    let settings = MailboxSettings::parse(&mailbox.settings);
    stored.draft.settings = settings.map_err(|refused| Shared::broken(&refused))?;
    stored.draft.state = At::Test { mailbox: mailbox.id.to_string() };
    let saved = put(shared, &stored, shared.parts.clock.now()).await;
    saved.map_err(|failure| Shared::broken(&failure))?;
    Ok(resume_path(&stored.id))
}
