//! What a finished sign-in leaves: the mailbox's row, its settings and its tokens, and a draft that goes on.
//!
//! One row for each address: signing in again renews it. Whether the account may is decided before.

use http::StatusCode;
use tracing::info;
use url::Url;

use crate::base::audit::Outcome;
use crate::base::id::{MailboxId, short_id};
use crate::console::Microsoft;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard;
use crate::mailbox::settings::MailboxSettings;
use crate::oauth::grant::Grant;
use crate::store::{EventKind, MailboxRow, MailboxState, NewEvent};
use crate::token::keeper::Connection;

/// The kind of a mailbox that Microsoft Graph opens.
pub const KIND: &str = "microsoft-graph";

/// Whose mailbox the sign-in opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The account's own.
    Own,
    /// One that is shared with the account.
    Shared,
}

/// An account that was let through.
pub struct SignedIn {
    /// Of the mailbox.
    pub address: String,
    pub whose: Whose,
    pub grant: Grant,
    pub token_url: Url,
}

/// A mailbox that was just connected.
pub struct Kept {
    pub mailbox: MailboxRow,
    /// Where to go on when it is being set up.
    pub next: Option<String>,
}

/// Keeps the mailbox.
pub async fn keep(shared: &Shared, microsoft: &Microsoft, signed_in: SignedIn) -> Result<Kept, Page> {
    let lasting = || page::problem(StatusCode::BAD_REQUEST, &page::NOT_LASTING);
    let refresh = signed_in.grant.refresh.clone().ok_or_else(lasting)?;
    // Two sign-ins of one address at once must not become two mailboxes.
    let _one_by_one = shared.connecting.lock().await;
    let present = shared.mailbox_of(&signed_in.address).await?;
    let draft = wizard::waiting(shared, &signed_in.address).await?;
    let row = row(shared, &signed_in, present.as_ref(), draft.as_ref().map(|stored| &stored.draft.settings))?;
    if let Some(present) = present {
        renew(shared, microsoft, &present, &row).await?;
    }
    let SignedIn { grant, token_url, .. } = signed_in;
    let connected = microsoft.keeper.connect(&row, Connection { token_url, refresh, grant }).await;
    connected.map_err(|failure| Shared::broken(&failure))?;
    info!(mailbox = %row.id, "mailbox connected");
    let event =
        NewEvent::new(shared.parts.clock.now(), EventKind::SignIn, Outcome::Success, "mailbox connected");
    let told = shared.parts.store.add_event(&event.about(&row.id)).await;
    told.map_err(|failure| Shared::broken(&failure))?;
    shared.parts.worker.ring();
    let next = match draft {
        Some(stored) => Some(wizard::connected(shared, stored, &row.id).await?),
        None => None,
    };
    Ok(Kept { mailbox: row, next })
}

/// The row with the settings of the draft, or of the mailbox that is there; whose it is the sign-in tells.
fn row(
    shared: &Shared,
    signed_in: &SignedIn,
    present: Option<&MailboxRow>,
    drafted: Option<&MailboxSettings>,
) -> Result<MailboxRow, Page> {
    let now = shared.parts.clock.now();
    let stored = present.filter(|row| row.kind == KIND).map(|row| MailboxSettings::parse(&row.settings));
    let settings = match (drafted, stored) {
        (Some(drafted), _) => drafted.clone(),
        (None, Some(stored)) => stored.map_err(|refused| Shared::broken(&refused))?,
        (None, None) => MailboxSettings::default(),
    };
    let settings = MailboxSettings { shared: signed_in.whose == Whose::Shared, ..settings };
    Ok(MailboxRow {
        id: present.map_or_else(new_id, |row| row.id.clone()),
        kind: KIND.to_owned(),
        address: signed_in.address.clone(),
        state: MailboxState::Connected,
        scopes: signed_in.grant.access.scopes.join(" "),
        connected_at: now,
        // Graph tells when a mail came in whole seconds; one of this very second is still a new one.
        accept_since: present.map_or_else(|| now.whole_second(), |row| row.accept_since),
        last_poll_at: None,
        last_mail_at: None,
        last_error: None,
        failing_since: None,
        settings: settings.to_json(),
    })
}

fn new_id() -> MailboxId {
    MailboxId::parse(&short_id()).expect("short ids are plain")
}

/// Before the tokens: the worker must never read with a new sign-in what the old settings name.
async fn renew(
    shared: &Shared,
    microsoft: &Microsoft,
    present: &MailboxRow,
    row: &MailboxRow,
) -> Result<(), Page> {
    // A cursor and a password of another kind of server mean nothing to this one.
    let forgotten = match present.kind == row.kind {
        true => Ok(()),
        false => microsoft.keeper.disconnect(&row.id).await,
    };
    forgotten.map_err(|failure| Shared::broken(&failure))?;
    let written = shared.parts.store.set_mailbox_settings(&row.id, &row.settings).await;
    written.map(drop).map_err(|failure| Shared::broken(&failure))
}
