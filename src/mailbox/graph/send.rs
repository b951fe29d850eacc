//! Outgoing mail. With Mail.ReadWrite a draft is made and sent by its id, so that whether it was sent
//! can be looked up; with Mail.Send alone it goes by sendMail, and Sent Items is searched before any
//! repeat. Sources: Microsoft Graph, "Create message", "message: send", "user: sendMail".

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::client::{Ask, Client, garbled};
use crate::base::clock::Timestamp;
use crate::mailbox::{Evidence, Handover, MailboxError, Outgoing};

/// The copy in Sent Items appears late; before this time its absence proves nothing.
const COPY_APPEARS: Duration = Duration::from_secs(10 * 60);
const SEND: &str = "Mail.Send";
const SEND_SHARED: &str = "Mail.Send.Shared";

#[derive(Deserialize)]
struct Created {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    is_draft: bool,
}

#[derive(Deserialize)]
struct Found {
    value: Vec<Created>,
}

/// Where a draft stands.
enum Draft {
    Waiting,
    Sent,
    Missing,
}

pub(super) async fn prepare(client: &Client, mail: Outgoing<'_>) -> Result<Option<String>, MailboxError> {
    if !client.is_granted(client.read_write()).await? {
        return Ok(None);
    }
    match client.json::<Created>(&with_mime(Ask::post(client.owned(&["messages"])), mail)).await {
        Ok(created) if created.id.is_empty() => Err(garbled("a draft without an id")),
        Ok(created) => Ok(Some(created.id)),
        // The grant says yes and the mailbox no: the way without a draft is left.
        Err(MailboxError::Refused { status: 403, .. }) => Ok(None),
        Err(error) => Err(about(error)),
    }
}

/// Only these are about the mail itself. Every other refusal meets the next mail too: the mailbox is being
/// moved, or its licence or a right is gone.
fn about(error: MailboxError) -> MailboxError {
    match error {
        MailboxError::Refused { status, code } if !matches!(status, 400 | 413 | 422) => {
            MailboxError::Closed { status, code }
        }
        error => error,
    }
}

/// Graph takes a mail for everybody or not at all; who could not be reached, a delivery report tells.
pub(super) async fn dispatch(
    client: &Client,
    mail: Outgoing<'_>,
    provider_id: Option<&str>,
) -> Result<Handover, MailboxError> {
    let ask = match provider_id {
        Some(id) => Ask::post(client.owned(&["messages", id, "send"])),
        None => with_mime(Ask::post(client.owned(&["sendMail"])), mail),
    };
    let refusal = match client.bytes(&ask).await {
        Ok(_) => return Ok(Handover::default()),
        Err(MailboxError::Refused { status: 403, .. }) if !client.is_granted(send_scope(client)).await? => {
            return Err(MailboxError::NotGranted { scope: send_scope(client) });
        }
        Err(refusal @ MailboxError::Refused { .. }) => refusal,
        Err(error) => return Err(error),
    };
    let Some(id) = provider_id else { return Err(about(refusal)) };
    // A draft that is sent already is refused too: an earlier command was applied late.
    match draft(client, id).await? {
        Draft::Sent => Ok(Handover::default()),
        Draft::Waiting => Err(about(refusal)),
        Draft::Missing => Err(MailboxError::Server { status: 404, code: "DraftMissing".to_owned() }),
    }
}

pub(super) async fn evidence(
    client: &Client,
    mail: Outgoing<'_>,
    provider_id: Option<&str>,
    now: Timestamp,
) -> Result<Evidence, MailboxError> {
    let Some(id) = provider_id else {
        let settled = now.since(mail.dispatched_at) >= COPY_APPEARS;
        let absent = if settled { Evidence::NotSent } else { Evidence::Unknown };
        return Ok(if is_in_sent_items(client, mail).await? { Evidence::Sent } else { absent });
    };
    match draft(client, id).await? {
        // Sending one draft twice sends one mail, so a command still on its way does no harm.
        Draft::Waiting => Ok(Evidence::NotSent),
        Draft::Sent => Ok(Evidence::Sent),
        // On its way to Sent Items, or deleted by somebody; which, only the copy can tell.
        Draft::Missing if is_in_sent_items(client, mail).await? => Ok(Evidence::Sent),
        Draft::Missing => Ok(Evidence::Unknown),
    }
}

fn send_scope(client: &Client) -> &'static str {
    if client.place.shared_address.is_some() { SEND_SHARED } else { SEND }
}

fn with_mime(ask: Ask, mail: Outgoing<'_>) -> Ask {
    ask.body("text/plain", STANDARD.encode(mail.mime))
}

async fn draft(client: &Client, id: &str) -> Result<Draft, MailboxError> {
    let mut url = client.owned(&["messages", id]);
    url.set_query(Some("$select=id,isDraft"));
    match client.json::<State>(&Ask::get(url)).await {
        Ok(State { is_draft: true }) => Ok(Draft::Waiting),
        Ok(State { is_draft: false }) => Ok(Draft::Sent),
        Err(MailboxError::Refused { status: 404, .. }) => Ok(Draft::Missing),
        Err(error) => Err(error),
    }
}

async fn is_in_sent_items(client: &Client, mail: Outgoing<'_>) -> Result<bool, MailboxError> {
    let mut url = client.owned(&["mailFolders", "sentitems", "messages"]);
    // OData doubles a quote within a string.
    let filter = format!("internetMessageId eq '{}'", mail.message_id.replace('\'', "''"));
    url.query_pairs_mut()
        .append_pair("$filter", &filter)
        .append_pair("$select", "id")
        .append_pair("$top", "1");
    let found: Found = client.json(&Ask::get(url)).await?;
    Ok(!found.value.is_empty())
}
