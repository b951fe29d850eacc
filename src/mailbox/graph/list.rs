//! Incoming mail: the inbox by delta query, raw MIME by `$value`, what becomes of a mail.
//! Sources: Microsoft Graph, "message: delta", "Get MIME content of a message", "Update message".

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::client::{Ask, Client, garbled};
use super::cursor::Cursor;
use super::folder;
use crate::base::clock::Timestamp;
use crate::mailbox::settings::AfterProcessing;
use crate::mailbox::{Fetched, Listed, MailboxError, Page};

const PAGE_SIZE: u16 = 50;
/// While a folder is listed for the first time, where most mails are too old to be fetched.
const FIRST_PAGE_SIZE: u16 = 500;
/// Graph's own name for the folder of deleted mail.
const DELETED: &str = "deleteditems";

#[derive(Deserialize)]
struct Delta {
    value: Vec<Item>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

/// An item may be partial: a change of the read mark brings little more than the id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    received_date_time: Option<String>,
    #[serde(rename = "@removed")]
    removed: Option<serde::de::IgnoredAny>,
}

/// The cursor is the link Graph gave; it is checked against Graph's origin when it comes and again
/// before it is followed, since it has been in a database in between.
///
/// The first listing has no `$filter`: with one, Graph shows 5,000 messages and calls that all ("message: delta",
/// query parameters). What is older than `since` is left out here.
pub(super) async fn page(
    client: &Client,
    cursor: Option<&str>,
    since: Timestamp,
) -> Result<Page, MailboxError> {
    let at = cursor.map(|text| Cursor::parse(&client.place, text)).transpose()?;
    let floor = at.as_ref().map_or(Some(since), |at| at.floor);
    let url = match &at {
        Some(at) => client.own_link(at.link)?,
        None => first(client).await?,
    };
    let size = if floor.is_some() { FIRST_PAGE_SIZE } else { PAGE_SIZE };
    let delta: Delta = match client.json(&Ask::get(url).page_size(size)).await {
        Err(error) => return Err(of_folder(client, error, at.is_some())),
        Ok(delta) => delta,
    };
    let more = delta.next.is_some();
    let link = delta.next.or(delta.delta).ok_or_else(|| garbled("a page without a link to go on"))?;
    client.own_link(&link)?;
    let cursor = Cursor { floor: floor.filter(|_| more), link: &link }.text(&client.place);
    let there = delta.value.into_iter().filter(|item| item.removed.is_none()).map(listed);
    let wanted = |mail: &Listed| floor.is_none_or(|floor| mail.received_at.is_none_or(|at| at >= floor));
    Ok(Page { mails: there.filter(wanted).collect(), cursor, more })
}

async fn first(client: &Client) -> Result<Url, MailboxError> {
    let folder = folder::id(client, client.place.folder.as_deref()).await?;
    let mut url = client.owned(&["mailFolders", &folder, "messages", "delta"]);
    url.set_query(Some("$select=id,receivedDateTime"));
    Ok(url)
}

/// A folder that is gone may have been made anew under its name; its cursor was the old one's.
fn of_folder(client: &Client, error: MailboxError, had_cursor: bool) -> MailboxError {
    let (MailboxError::Refused { status: 404, .. }, Some(name)) = (&error, &client.place.folder) else {
        return error;
    };
    folder::forget(client, name);
    if had_cursor { MailboxError::CursorLost } else { error }
}

fn listed(item: Item) -> Listed {
    let received_at = item.received_date_time.as_deref().and_then(Timestamp::parse_rfc3339);
    Listed { key: item.id, received_at }
}

/// When a message was received; `None` when it is gone.
pub(super) async fn received_at(client: &Client, key: &str) -> Result<Option<Timestamp>, MailboxError> {
    let mut url = client.owned(&["messages", key]);
    url.set_query(Some("$select=id,receivedDateTime"));
    match client.json::<Item>(&Ask::get(url)).await {
        Ok(item) => Ok(listed(item).received_at),
        Err(MailboxError::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn fetch(client: &Client, key: &str, limit: usize) -> Result<Fetched, MailboxError> {
    let ask = Ask::get(client.owned(&["messages", key, "$value"]));
    // `$value` does not tell when the mail was received; the listing did.
    let received_at = None;
    match client.beginning(&ask, limit).await {
        Ok((bytes, true)) => Ok(Fetched::Raw { bytes: bytes.into(), received_at }),
        Ok((beginning, false)) => Ok(Fetched::TooLarge { beginning: beginning.into(), received_at }),
        Err(MailboxError::Refused { status: 404, .. }) => Ok(Fetched::Gone),
        Err(error) => Err(error),
    }
}

/// What is to become of a processed mail. Ids stay when a mail is moved, so each can be repeated.
pub(super) async fn settle(client: &Client, key: &str) -> Result<(), MailboxError> {
    let target = match &client.place.after {
        AfterProcessing::Leave => return Ok(()),
        AfterProcessing::MarkRead => None,
        AfterProcessing::Move { folder } => Some(folder.as_str()),
        // Where people look for what is gone; Exchange empties it by its own rules.
        AfterProcessing::Delete => Some(DELETED),
    };
    let scope = client.read_write();
    if !client.is_granted(scope).await? {
        return Err(MailboxError::NotGranted { scope });
    }
    let asked = match target {
        None => {
            let url = client.owned(&["messages", key]);
            client.bytes(&Ask::patch(url).body("application/json", r#"{"isRead":true}"#)).await
        }
        Some(target) => move_to(client, key, target).await,
    };
    match asked {
        Ok(_) => Ok(()),
        Err(MailboxError::Refused { status: 403, .. }) => Err(MailboxError::NotGranted { scope }),
        // Deleted by somebody: nothing is left to do.
        Err(MailboxError::Refused { status: 404, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn move_to(client: &Client, key: &str, target: &str) -> Result<Bytes, MailboxError> {
    if target == DELETED {
        return put(client, key, DELETED).await;
    }
    let id = folder::id_or_made(client, target).await?;
    match put(client, key, &id).await {
        // The message, or the folder of that id? Only the folder may be there again under another one.
        Err(MailboxError::Refused { status: 404, .. }) if received_at(client, key).await?.is_some() => {
            folder::forget(client, target);
            let id = folder::id_or_made(client, target).await?;
            put(client, key, &id).await
        }
        other => other,
    }
}

async fn put(client: &Client, key: &str, folder: &str) -> Result<Bytes, MailboxError> {
    let body = json!({ "destinationId": folder }).to_string();
    client.bytes(&Ask::post(client.owned(&["messages", key, "move"])).body("application/json", body)).await
}
