//! What a finished sign-in leaves: the mailbox's row, its settings and its tokens, and a draft that goes on.
//!
//! One row for each address: signing in again renews it. Whether the account may is decided before.

use http::StatusCode;
use tracing::info;

use crate::base::audit::Outcome;
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::console::page::{self, Page};
use crate::console::shared::Shared;
use crate::console::wizard;
use crate::mailbox::settings::{MailboxSettings, Protocol, Provider, SignIn};
use crate::oauth::app::Vendor;
use crate::oauth::grant::Grant;
use crate::oauth::provider::Endpoints;
use crate::oauth::source::Resource;
use crate::store::{EventKind, MailboxRow, MailboxState, NewEvent};
use crate::token::keeper::Connection;

/// The kind of a mailbox that Microsoft Graph opens.
pub const KIND: &str = "microsoft-graph";

/// The kind of every other mailbox.
const IMAP: &str = "imap";

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
    /// The app that signed the account in.
    pub client_id: String,
    /// Of the mailbox.
    pub address: String,
    pub whose: Whose,
    pub vendor: Vendor,
    pub resource: Resource,
    pub grant: Grant,
    pub endpoints: Endpoints,
}

/// A mailbox that was just connected.
pub struct Kept {
    pub mailbox: MailboxRow,
    /// Where to go on when it is being set up.
    pub next: Option<String>,
}

/// Keeps the mailbox.
pub async fn keep(shared: &Shared, signed_in: SignedIn) -> Result<Kept, Page> {
    let lasting = || page::problem(StatusCode::BAD_REQUEST, &page::NOT_LASTING);
    let refresh = signed_in.grant.refresh.clone().ok_or_else(lasting)?;
    // Two sign-ins of one address at once must not become two mailboxes.
    let _one_by_one = shared.connecting.lock().await;
    let present = shared.mailbox_of(&signed_in.address).await?;
    let draft = wizard::waiting(shared, &signed_in.address).await?;
    let draft = draft.filter(|stored| is_of(&stored.draft.settings, signed_in.vendor));
    let now = shared.parts.clock.now();
    let id = match &present {
        Some(present) => present.id.clone(),
        None => shared.mailbox_id_for(&signed_in.address).await?,
    };
    let drafted = draft.as_ref().map(|stored| &stored.draft.settings);
    let row = row(now, id, &signed_in, present.as_ref(), drafted)?;
    if let Some(present) = present {
        renew(shared, &present, &row).await?;
    }
    let SignedIn { client_id, vendor, grant, endpoints, .. } = signed_in;
    let Endpoints { token: token_url, revoke: revoke_url, .. } = endpoints;
    let connection = Connection { vendor, client_id, token_url, revoke_url, refresh, grant };
    let connected = shared.parts.keeper.connect(&row, connection).await;
    connected.map_err(|failure| Shared::broken(&failure))?;
    info!(mailbox = %row.id, "mailbox connected");
    let event =
        NewEvent::new(shared.parts.clock.now(), EventKind::SignIn, Outcome::Success, "mailbox connected");
    let told = shared.parts.store.add_event(&event.about(&row.id)).await;
    told.map_err(|failure| Shared::broken(&failure))?;
    shared.parts.worker.ring();
    let next = match draft {
        Some(stored) => Some(wizard::connected(shared, stored, &row).await?),
        None => None,
    };
    Ok(Kept { mailbox: row, next })
}

/// The row with the settings of the draft, or of the mailbox that is there; whose it is the sign-in tells.
fn row(
    now: Timestamp,
    id: MailboxId,
    signed_in: &SignedIn,
    present: Option<&MailboxRow>,
    drafted: Option<&MailboxSettings>,
) -> Result<MailboxRow, Page> {
    let stored = present.map(|row| MailboxSettings::parse(&row.settings)).transpose();
    let stored = stored.map_err(|refused| Shared::broken(&refused))?;
    let provider = Provider::of(signed_in.vendor);
    let settings = match (drafted, stored) {
        (Some(drafted), Some(stored)) => stored.opened_like(drafted),
        (Some(drafted), None) => drafted.clone(),
        (None, Some(stored)) if is_of(&stored, signed_in.vendor) => stored,
        (None, _) => MailboxSettings { provider, ..MailboxSettings::default() },
    };
    let (kind, protocol) = match signed_in.resource {
        Resource::Graph => (KIND, Protocol::Graph),
        Resource::Mail => (IMAP, Protocol::Imap),
    };
    let shared = signed_in.whose == Whose::Shared;
    let settings = MailboxSettings { shared, protocol, ..settings };
    Ok(MailboxRow {
        id,
        kind: kind.to_owned(),
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

/// Whether a sign-in at `vendor` is what opens a mailbox with these settings.
fn is_of(settings: &MailboxSettings, vendor: Vendor) -> bool {
    settings.sign_in == SignIn::OAuth && settings.provider.vendor() == Some(vendor)
}

/// Before the tokens: the worker must never read with a new sign-in what the old settings name.
async fn renew(shared: &Shared, present: &MailboxRow, row: &MailboxRow) -> Result<(), Page> {
    forget_earlier(shared, present, row).await?;
    let written = shared.parts.store.set_mailbox_settings(&row.id, &row.settings).await;
    written.map(drop).map_err(|failure| Shared::broken(&failure))
}

/// A cursor, tokens and passwords of another server mean nothing to the one of `row`. The earlier grant is not
/// ended: at some providers that would end the new one, too.
pub async fn forget_earlier(shared: &Shared, present: &MailboxRow, row: &MailboxRow) -> Result<(), Page> {
    let forgotten = match serves(present)? == serves(row)? && present.kind == row.kind {
        true => Ok(()),
        false => shared.parts.keeper.forget(&row.id).await,
    };
    forgotten.map_err(|failure| Shared::broken(&failure))
}

/// Who opens the mailbox, and at which server.
fn serves(row: &MailboxRow) -> Result<(Provider, SignIn, Option<String>), Page> {
    let settings = MailboxSettings::parse(&row.settings).map_err(|refused| Shared::broken(&refused))?;
    let host = settings.incoming.map(|server| server.host);
    Ok((settings.provider, settings.sign_in, host))
}
