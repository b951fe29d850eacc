//! Settings of a mailbox that is connected: what was chosen, what the configuration decides, a new password.
//!
//! The form carries a mark of the settings that it showed; of two administrators who change the same ones,
//! the second is shown what the first has made of them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tracing::info;

use crate::base::audit::Outcome;
use crate::base::id::hex;
use crate::base::secret::{ExposeSecret, sha256};
use crate::console::form::{Field, wrong};
use crate::console::frame::Frame;
use crate::console::guard::{Client, Submitted};
use crate::console::page::{self, Page};
use crate::console::settings_form::{Difference, Entered, Problems, SettingsForm};
use crate::console::shared::Shared;
use crate::console::times::Moment;
use crate::mailbox::settings::{MailboxSettings, SignIn};
use crate::oauth::source::Purpose;
use crate::store::{MailboxRow, MailboxState};
use crate::web::local::Admin;

#[derive(Template)]
#[template(path = "mailbox_settings.html")]
struct SettingsPage {
    frame: Frame,
    id: String,
    address: String,
    /// Sentence on where the address comes from.
    address_origin: String,
    /// Mark of the settings that the form was made of.
    seen: String,
    /// Somebody else has changed them since: what was entered and is not what is stored.
    overtaken: Option<Vec<Difference>>,
    accept_since: Moment,
    /// `None` where the provider's sign-in opens the mailbox.
    password: Option<Field>,
    form: SettingsForm,
}

impl SettingsPage {
    fn is_wrong(&self) -> bool {
        !wrong(&self.form.fields).is_empty()
    }
}

/// How the form is shown.
enum Showing<'s> {
    Stored,
    /// What was entered and is wrong, instead of what is stored.
    Wrong(&'s Entered, &'s Problems),
    /// What is stored, and beside it what was entered for other settings.
    Overtaken(&'s Entered),
}

/// GET `/admin/exchange/mailboxes/{id}/settings`.
pub async fn show(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
) -> Result<Page, Page> {
    let row = shared.mailbox(&id).await?;
    page(&shared, frame, &row, &Showing::Stored)
}

/// POST `/admin/exchange/mailboxes/{id}/settings`.
pub async fn submit(
    State(shared): State<Arc<Shared>>,
    frame: Frame,
    Path(id): Path<String>,
    client: Client,
    Submitted(admin, entered): Submitted<Entered>,
) -> Result<Response, Page> {
    let row = shared.mailbox(&id).await?;
    if entered.seen != mark(&row.settings) {
        return Ok(page(&shared, frame, &row, &Showing::Overtaken(&entered))?.into_response());
    }
    let settings = read(&row)?;
    let changed = entered.apply(&settings).and_then(|changed| {
        let since = entered.old_mail_since(shared.parts.clock.now())?;
        Ok((changed, since))
    });
    let (changed, since) = match changed {
        Ok(changed) => changed,
        Err(problems) => {
            return Ok(page(&shared, frame, &row, &Showing::Wrong(&entered, &problems))?.into_response());
        }
    };
    let written =
        shared.parts.store.change_mailbox_settings(&row.id, &row.settings, &changed.to_json()).await;
    if !written.map_err(|failure| Shared::broken(&failure))? {
        let row = shared.mailbox(&id).await?;
        return Ok(page(&shared, frame, &row, &Showing::Overtaken(&entered))?.into_response());
    }
    shared.note_action(&client, &admin, Outcome::Success, "mailbox settings changed", Some(&row.id));
    if let Some(since) = since {
        shared.import_old_mail(&client, &admin, &row.id, since).await?;
    }
    if settings.sign_in == SignIn::Password {
        keep_password(&shared, &client, &admin, &row, &entered).await?;
    }
    info!(mailbox = %row.id, "settings changed");
    shared.parts.worker.ring();
    Ok(page::back())
}

/// A field left empty keeps the password that is stored.
async fn keep_password(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    row: &MailboxRow,
    entered: &Entered,
) -> Result<(), Page> {
    if entered.new_password.expose_secret().is_empty() {
        return Ok(());
    }
    let kept = shared.passwords.keep(&row.id, Purpose::Incoming, &entered.new_password).await;
    kept.map_err(|failure| Shared::broken(&failure))?;
    let (store, now) = (&shared.parts.store, shared.parts.clock.now());
    let noted = store.set_mailbox_state(&row.id, MailboxState::Connected, None, now).await;
    noted.map_err(|failure| Shared::broken(&failure))?;
    shared.note_action(client, admin, Outcome::Success, "mailbox password changed", Some(&row.id));
    Ok(())
}

fn read(row: &MailboxRow) -> Result<MailboxSettings, Page> {
    MailboxSettings::parse(&row.settings).map_err(|refused| Shared::broken(&refused))
}

/// Tells settings from later ones without repeating them.
fn mark(settings: &str) -> String {
    hex(&sha256(settings.as_bytes())[..8])
}

fn page(shared: &Shared, frame: Frame, row: &MailboxRow, showing: &Showing<'_>) -> Result<Page, Page> {
    let settings = read(row)?;
    let stored = || SettingsForm::of(shared, &row.address, &settings, &frame.t);
    let (status, form, overtaken) = match showing {
        Showing::Stored => (StatusCode::OK, stored(), None),
        Showing::Wrong(entered, problems) => {
            let form = SettingsForm::entered(shared, &row.address, (entered, problems), &frame.t);
            (StatusCode::UNPROCESSABLE_ENTITY, form, None)
        }
        Showing::Overtaken(entered) => {
            (StatusCode::CONFLICT, stored(), Some(entered.differences(&settings, &frame.t)))
        }
    };
    let sender = shared.parts.from_address.as_deref();
    let password = || Field::new("new_password", "").kind("password").complete("new-password");
    let page = SettingsPage {
        id: row.id.to_string(),
        address_origin: match sender {
            Some(sender) if sender.eq_ignore_ascii_case(&row.address) => shared.set_by("mail.from", &frame.t),
            _ => frame.t.say("settings-address.signed-in").to_string(),
        },
        address: row.address.clone(),
        seen: mark(&row.settings),
        overtaken,
        accept_since: frame.moment(row.accept_since),
        password: (settings.sign_in == SignIn::Password).then(password),
        form,
        frame,
    };
    Ok(Page::console(status, &page))
}
