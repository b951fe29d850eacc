//! Step 5: what the mailbox is to do.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::base::audit::Outcome;
use crate::base::id::MailboxId;
use crate::console::form::Field;
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::page::{self, Page};
use crate::console::settings_form::{Entered, SettingsForm};
use crate::console::shared::Shared;
use crate::console::wizard::draft::{Draft, State as At, Step, Stored};
use crate::console::wizard::drafts;
use crate::console::wizard::rail::{Mark, rail};
use crate::mailbox::settings::MailboxSettings;

/// How often the settings are written that others write at the same moment.
const TRIES: u32 = 8;

#[derive(Template)]
#[template(path = "wizard/settings.html")]
struct SettingsPage {
    frame: Frame,
    rail: Vec<Mark>,
    id: String,
    version: i64,
    address: String,
    tested: bool,
    form: SettingsForm,
}

impl SettingsPage {
    fn fields(&self) -> &[Field] {
        &self.form.fields
    }
}

/// GET `/admin/exchange/setup/{id}/settings`.
pub async fn show(State(shared): State<Arc<Shared>>, frame: Frame, Path(id): Path<String>) -> Response {
    match drafts::open(&shared, &id, Step::Settings).await {
        Ok(stored) => {
            let draft = &stored.draft;
            let form = SettingsForm::of(&shared, &draft.address, &draft.settings, &frame.t);
            page(frame, stored, form, StatusCode::OK).into_response()
        }
        Err(response) => response,
    }
}

/// POST `/admin/exchange/setup/{id}/settings`.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
    client: Client,
    Submitted(admin, entered): Submitted<Entered>,
) -> Result<Response, Page> {
    let mut stored = match drafts::open_version(&shared, &id, Step::Settings, entered.version).await {
        Ok(stored) => stored,
        Err(response) => return Ok(response),
    };
    let since = entered.old_mail_since(shared.parts.clock.now());
    let since = match entered.apply(&stored.draft.settings).and(since) {
        Ok(since) => since,
        Err(problems) => {
            let address = &stored.draft.address;
            let form = SettingsForm::entered(&shared, address, (&entered, &problems), &frame.t);
            return Ok(page(frame, stored, form, StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    let mailbox = stored.draft.mailbox().unwrap_or_default().to_owned();
    let mailbox_id = MailboxId::parse(&mailbox).ok_or_else(gone)?;
    if let Some(settings) = with_untested_reply_to(&shared, &stored.draft, &entered) {
        shared.tests.forget(&id);
        (stored.draft.settings, stored.draft.state) = (settings, At::Test { mailbox });
        return Ok(drafts::save(&shared, &stored).await);
    }
    stored.draft.settings = write(&shared, &mailbox_id, &entered).await?;
    stored.draft.state = At::Done { mailbox };
    let saved = drafts::save(&shared, &stored).await;
    if saved.status().is_server_error() {
        return Ok(saved);
    }
    shared.note_action(&client, &admin, Outcome::Success, "mailbox set up", Some(&mailbox_id));
    if let Some(since) = since {
        shared.import_old_mail(&client, &admin, &mailbox_id, since).await?;
    }
    shared.parts.worker.ring();
    Ok(page::back())
}

/// What was entered, where it has a Reply-To address that the test did not try: mail to it may arrive elsewhere,
/// which nobody would notice before a customer answers.
fn with_untested_reply_to(shared: &Shared, draft: &Draft, entered: &Entered) -> Option<MailboxSettings> {
    let decided = shared.fixed(&draft.address).reply_to.is_some();
    let settings = entered.apply(&draft.settings).ok().filter(|_| !decided)?;
    let is_other = |reply_to: &String| !reply_to.eq_ignore_ascii_case(&draft.address);
    let is_new = settings.reply_to != draft.settings.reply_to;
    (is_new && settings.reply_to.as_ref().is_some_and(is_other)).then_some(settings)
}

fn gone() -> Page {
    page::problem(StatusCode::CONFLICT, &page::NOT_CONNECTED)
}

/// Writes what was entered over the mailbox's settings as they are now: what the form does not have stays as
/// somebody else may have made it meanwhile.
async fn write(shared: &Shared, mailbox: &MailboxId, entered: &Entered) -> Result<MailboxSettings, Page> {
    let store = &shared.parts.store;
    let bad = |_| page::problem(StatusCode::BAD_REQUEST, &page::BAD_FORM);
    for _ in 0..TRIES {
        let row = store.mailbox(mailbox).await.map_err(|failure| Shared::broken(&failure))?;
        let row = row.ok_or_else(gone)?;
        let before = MailboxSettings::parse(&row.settings).map_err(|refused| Shared::broken(&refused))?;
        let after = entered.apply(&before).map_err(bad)?;
        let written = store.change_mailbox_settings(mailbox, &row.settings, &after.to_json()).await;
        if written.map_err(|failure| Shared::broken(&failure))? {
            return Ok(after);
        }
    }
    Err(page::problem(StatusCode::SERVICE_UNAVAILABLE, &page::BROKEN))
}

fn page(frame: Frame, stored: Stored, form: SettingsForm, status: StatusCode) -> Page {
    let page = SettingsPage {
        rail: rail(&stored.id, Some(&stored.draft), Step::Settings),
        tested: matches!(stored.draft.state, At::Settings { tested: true, .. }),
        address: stored.draft.address,
        id: stored.id,
        version: stored.version,
        form,
        frame,
    };
    Page::console(status, &page)
}
