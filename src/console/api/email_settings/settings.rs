//! Reading and changing a mailbox's settings, and connecting one with a password.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use tracing::info;

use crate::base::audit::{Event, Outcome};
use crate::base::secret::SecretString;
use crate::console::api::email_settings::changes::{Changes, Unfit};
use crate::console::api::email_settings::parts::{Which, absent};
use crate::console::api::email_settings::shape::EmailSettings;
use crate::console::api::parts::{Answer, Asking, Ordered, Problems, Refused};
use crate::console::guard::Client;
use crate::console::limits::Work;
use crate::console::shared::Shared;
use crate::console::wizard::connect_with_password;
use crate::mailbox::detect::{AddressError, Detection, MailAddress};
use crate::mailbox::settings::{MailboxSettings, SignIn};
use crate::oauth::source::Purpose;
use crate::store::MailboxRow;
use crate::web::local::Admin;

/// The settings of a mailbox.
#[utoipa::path(get, path = "/api/tickets/email-settings/", tag = "email-settings", params(Which),
    responses((status = 200, body = EmailSettings), Problems))]
pub async fn read(
    State(shared): State<Arc<Shared>>,
    Asking(_): Asking,
    which: Which,
) -> Result<Answer<EmailSettings>, Refused> {
    let row = which.to_read(&shared).await?;
    Ok(Answer(StatusCode::OK, EmailSettings::of(&shared, &row).await?))
}

/// Changes what is sent. A `support_email_address` that is not connected yet is connected with a password;
/// servers that are not named are those that detection finds.
#[utoipa::path(patch, path = "/api/tickets/email-settings/", tag = "email-settings", params(Which),
    request_body = Changes,
    responses((status = 200, body = EmailSettings), (status = 201, body = EmailSettings), Problems))]
pub async fn change(
    State(shared): State<Arc<Shared>>,
    client: Client,
    which: Which,
    Ordered(admin, changes): Ordered<Changes>,
) -> Result<Answer<EmailSettings>, Refused> {
    let (status, row) = match target(&shared, &which, &changes).await? {
        Target::Connected(row) => {
            update(&shared, &client, &admin, &row, &changes).await?;
            (StatusCode::OK, row)
        }
        Target::New(address) => {
            (StatusCode::CREATED, connect(&shared, &client, &admin, &address, &changes).await?)
        }
    };
    let store = &shared.parts.store;
    let row = store.mailbox(&row.id).await.map_err(|failure| Refused::broken(&failure))?;
    let row = row.ok_or_else(absent)?;
    Ok(Answer(status, EmailSettings::of(&shared, &row).await?))
}

enum Target {
    Connected(MailboxRow),
    /// An address that no mailbox has.
    New(String),
}

async fn target(shared: &Shared, which: &Which, changes: &Changes) -> Result<Target, Refused> {
    let Some(address) = changes.support_email_address.as_deref().map(str::trim) else {
        return which.to_change(shared).await.map(Target::Connected);
    };
    // As it is stored: one mailbox may be written in several ways.
    let address = MailAddress::parse(address).map_err(unreadable)?.ascii();
    let known = shared.mailbox_of(&address).await?;
    if !which.names_one() {
        return Ok(known.map_or_else(|| Target::New(address), Target::Connected));
    }
    let named = which.to_change(shared).await?;
    match named.address.eq_ignore_ascii_case(&address) {
        true => Ok(Target::Connected(named)),
        false => {
            let sentence = "The address of a mailbox stays; another address is another mailbox.";
            Err(Refused::new(StatusCode::CONFLICT, sentence))
        }
    }
}

async fn update(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    row: &MailboxRow,
    changes: &Changes,
) -> Result<(), Refused> {
    // Read and written by one at a time: what another administrator changes meanwhile stays.
    let _one_by_one = shared.connecting.lock().await;
    let store = &shared.parts.store;
    let row = store.mailbox(&row.id).await.map_err(|failure| Refused::broken(&failure))?;
    let row = row.ok_or_else(absent)?;
    let before = MailboxSettings::parse(&row.settings).map_err(|refused| Refused::broken(&refused))?;
    let after = changes.apply(&before, &row.address, &shared.fixed(&row.address)).map_err(refused)?;
    // Before the servers: what is new goes to the old server at worst, never what is old to a new one.
    keep(shared, &row, Purpose::Incoming, changes.imap().new_password()).await?;
    keep(shared, &row, Purpose::Outgoing, changes.smtp().new_password()).await?;
    let written = store.set_mailbox_settings(&row.id, &after.to_json()).await;
    if !written.map_err(|failure| Refused::broken(&failure))? {
        return Err(absent());
    }
    info!(mailbox = %row.id, "mailbox settings changed");
    shared.note(client, admin, Event::ConsoleAction, Outcome::Success, "mailbox settings changed");
    shared.parts.worker.ring();
    Ok(())
}

async fn keep(
    shared: &Shared,
    row: &MailboxRow,
    purpose: Purpose,
    password: Option<&SecretString>,
) -> Result<(), Refused> {
    let Some(password) = password else { return Ok(()) };
    let kept = shared.passwords.keep(&row.id, purpose, password).await;
    kept.map_err(|failure| Refused::broken(&failure))
}

async fn connect(
    shared: &Shared,
    client: &Client,
    admin: &Admin,
    address: &str,
    changes: &Changes,
) -> Result<MailboxRow, Refused> {
    shared.admit(client, admin, Work::Detection)?;
    let found = shared.parts.detect.detect(address).await;
    let found = found.map_err(unreadable)?;
    if let Some(reason) = found.password_refused {
        return Err(Refused::new(StatusCode::CONFLICT, reason));
    }
    let settings =
        changes.begin(&offered(&found), &found.address, &shared.fixed(&found.address)).map_err(refused)?;
    let password = changes.imap().new_password().cloned().unwrap_or_default();
    let id = connect_with_password(shared, client, admin, &found.address, &settings, &password).await?;
    let row = shared.parts.store.mailbox(&id).await.map_err(|failure| Refused::broken(&failure))?;
    let row = row.ok_or_else(absent)?;
    keep(shared, &row, Purpose::Outgoing, changes.smtp().new_password()).await?;
    Ok(row)
}

fn unreadable(refused: AddressError) -> Refused {
    Refused::new(StatusCode::UNPROCESSABLE_ENTITY, format!("`support_email_address`: {refused}."))
}

fn offered(found: &Detection) -> MailboxSettings {
    MailboxSettings {
        provider: found.vendor(),
        sign_in: SignIn::Password,
        incoming: found.incoming.clone(),
        outgoing: found.outgoing.clone(),
        ..MailboxSettings::default()
    }
}

pub fn refused(unfit: Unfit) -> Refused {
    match unfit {
        Unfit::Value(sentence) => Refused::new(StatusCode::UNPROCESSABLE_ENTITY, sentence),
        Unfit::Conflict(sentence) => Refused::new(StatusCode::CONFLICT, sentence),
    }
}
