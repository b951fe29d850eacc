//! Incoming mail: the inbox by delta query, raw MIME by `$value`, the read mark.
//! Sources: Microsoft Graph, "message: delta", "Get MIME content of a message", "Update message".

use serde::Deserialize;

use super::READ_WRITE;
use super::client::{Ask, Client, garbled};
use crate::base::clock::Timestamp;
use crate::mailbox::{Fetched, Listed, MailboxError, Page};

const PAGE_SIZE: u16 = 50;

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
        Some(link) => client.own_link(link)?,
        None => {
            let mut url = client.url(&["me", "mailFolders", "inbox", "messages", "delta"]);
            let filter = format!("$filter=receivedDateTime+ge+{}", since.rfc3339());
            url.set_query(Some(&format!("$select=id,receivedDateTime&{filter}")));
            url
        }
    };
    let delta: Delta = client.json(&Ask::get(url).page_size(PAGE_SIZE)).await?;
    let more = delta.next.is_some();
    let cursor = delta.next.or(delta.delta).ok_or_else(|| garbled("a page without a link to go on"))?;
    client.own_link(&cursor)?;
    let there = delta.value.into_iter().filter(|item| item.removed.is_none());
    Ok(Page { mails: there.map(listed).collect(), cursor, more })
}

fn listed(item: Item) -> Listed {
    let received_at = item.received_date_time.as_deref().and_then(Timestamp::parse_rfc3339);
    Listed { key: item.id, received_at }
}

pub(super) async fn fetch(client: &Client, key: &str, limit: usize) -> Result<Fetched, MailboxError> {
    let ask = Ask::get(client.url(&["me", "messages", key, "$value"]));
    // `$value` does not tell when the mail was received; the listing did.
    let received_at = None;
    match client.beginning(&ask, limit).await {
        Ok((bytes, true)) => Ok(Fetched::Raw { bytes: bytes.into(), received_at }),
        Ok((beginning, false)) => Ok(Fetched::TooLarge { beginning: beginning.into(), received_at }),
        Err(MailboxError::Refused { status: 404, .. }) => Ok(Fetched::Gone),
        Err(error) => Err(error),
    }
}

pub(super) async fn settle(client: &Client, key: &str) -> Result<(), MailboxError> {
    if !client.is_granted(READ_WRITE).await? {
        return Err(MailboxError::NotGranted { scope: READ_WRITE });
    }
    let ask = Ask::patch(client.url(&["me", "messages", key])).body("application/json", r#"{"isRead":true}"#);
    match client.bytes(&ask).await {
        Ok(_) => Ok(()),
        Err(MailboxError::Refused { status: 403, .. }) => Err(MailboxError::NotGranted { scope: READ_WRITE }),
        // Deleted by somebody: nothing is left to mark.
        Err(MailboxError::Refused { status: 404, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
