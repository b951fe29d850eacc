//! Incoming mail: the inbox by delta query, raw MIME by `$value`, what becomes of a mail.
//! Sources: Microsoft Graph, "message: delta", "Get MIME content of a message", "Update message".

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::client::{Ask, Client, garbled};
use super::folder;
use crate::base::clock::Timestamp;
use crate::mailbox::settings::AfterProcessing;
use crate::mailbox::{Fetched, Listed, MailboxError, Page};

const PAGE_SIZE: u16 = 50;
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
pub(super) async fn page(
    client: &Client,
    cursor: Option<&str>,
    since: Timestamp,
) -> Result<Page, MailboxError> {
    let url = match cursor {
        Some(cursor) => client.own_link(folder::link(client, cursor)?)?,
        None => {
            let folder = folder::id(client, client.place.folder.as_deref()).await?;
            let mut url = client.owned(&["mailFolders", &folder, "messages", "delta"]);
            let filter = format!("$filter=receivedDateTime+ge+{}", since.rfc3339());
            url.set_query(Some(&format!("$select=id,receivedDateTime&{filter}")));
            url
        }
    };
    let delta: Delta = client.json(&Ask::get(url).page_size(PAGE_SIZE)).await?;
    let more = delta.next.is_some();
    let link = delta.next.or(delta.delta).ok_or_else(|| garbled("a page without a link to go on"))?;
    client.own_link(&link)?;
    let cursor = folder::cursor(client, link);
    let there = delta.value.into_iter().filter(|item| item.removed.is_none());
    Ok(Page { mails: there.map(listed).collect(), cursor, more })
}

fn listed(item: Item) -> Listed {
    let received_at = item.received_date_time.as_deref().and_then(Timestamp::parse_rfc3339);
    Listed { key: item.id, received_at }
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
    let id = match target {
        DELETED => DELETED.to_owned(),
        name => folder::id_or_made(client, name).await?,
    };
    let body = json!({ "destinationId": id }).to_string();
    client.bytes(&Ask::post(client.owned(&["messages", key, "move"])).body("application/json", body)).await
}
