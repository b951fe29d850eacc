//! The sign-ins at providers that mailboxes live on. Never the tokens.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;
use crate::console::api::email_settings::parts::OAuthProvider;
use crate::console::api::exchange::{Done, done};
use crate::console::api::parts::{Answer, Asking, Nothing, Ordered, Problems, Refused};
use crate::console::guard::Client;
use crate::console::manage;
use crate::console::shared::Shared;
use crate::mailbox::settings::{MailboxSettings, SignIn};
use crate::store::{MailboxRow, MailboxState};

#[derive(Debug, Serialize, ToSchema)]
pub struct Credentials {
    success: bool,
    credentials: Vec<Credential>,
}

/// One sign-in: that of one mailbox.
#[derive(Debug, Serialize, ToSchema)]
pub struct Credential {
    /// Also the mailbox's id.
    id: String,
    provider: OAuthProvider,
    email: String,
    /// `false` when one has to sign in again.
    is_valid: bool,
    /// Granted scopes, separated by spaces.
    scopes: String,
    /// RFC 3339; when the present access token ends.
    #[schema(required)]
    expires_at: Option<String>,
    /// RFC 3339.
    created_at: String,
}

/// Every sign-in.
#[utoipa::path(get, path = "/api/tickets/email-settings/oauth/credentials/", tag = "email-settings",
    responses((status = 200, body = Credentials), Problems))]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    Asking(_): Asking,
) -> Result<Answer<Credentials>, Refused> {
    let rows = shared.parts.store.mailboxes().await.map_err(|failure| Refused::broken(&failure))?;
    let mut credentials = Vec::new();
    for row in &rows {
        credentials.extend(provider(row)?.map(|provider| credential(&shared, row, provider)));
    }
    Ok(Answer(StatusCode::OK, Credentials { success: true, credentials }))
}

/// Forgets a sign-in and disconnects its mailbox. Tickets and the record of mails stay.
#[utoipa::path(delete, path = "/api/tickets/email-settings/oauth/credentials/{id}/", tag = "email-settings",
    params(("id" = String, Path)), responses((status = 200, body = Done), Problems))]
pub async fn delete(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    client: Client,
    Ordered(admin, Nothing {}): Ordered<Nothing>,
) -> Result<Answer<Done>, Refused> {
    let absent = || Refused::new(StatusCode::NOT_FOUND, "There is no such sign-in.");
    let id = MailboxId::parse(&id).ok_or_else(absent)?;
    let row = shared.parts.store.mailbox(&id).await.map_err(|failure| Refused::broken(&failure))?;
    let row = row.ok_or_else(absent)?;
    provider(&row)?.ok_or_else(absent)?;
    manage::end(&shared, &client, &admin, &row).await?;
    Ok(done("The sign-in was forgotten."))
}

/// Where the mailbox is signed in; `None` where a password does it.
fn provider(row: &MailboxRow) -> Result<Option<OAuthProvider>, Refused> {
    let settings = MailboxSettings::parse(&row.settings).map_err(|refused| Refused::broken(&refused))?;
    Ok(OAuthProvider::of(settings.provider).filter(|_| settings.sign_in == SignIn::OAuth))
}

fn credential(shared: &Shared, row: &MailboxRow, provider: OAuthProvider) -> Credential {
    Credential {
        id: row.id.to_string(),
        provider,
        email: row.address.clone(),
        is_valid: row.state == MailboxState::Connected,
        scopes: row.scopes.clone(),
        expires_at: shared.token_expiry(&row.id).map(Timestamp::rfc3339),
        created_at: row.connected_at.rfc3339(),
    }
}
