//! Folders by the names people know them by.

use std::sync::PoisonError;

use serde::Deserialize;
use serde_json::json;

use super::client::{Ask, Client};
use crate::mailbox::MailboxError;

/// Folders of one level that are looked through.
const MOST: &str = "250";

#[derive(Deserialize)]
struct Folders {
    value: Vec<Folder>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Folder {
    id: String,
    display_name: String,
}

/// What Graph calls the folder `name`; the inbox for `None`.
///
/// # Errors
/// `Refused` with 404 when there is no such folder.
pub(super) async fn id(client: &Client, name: Option<&str>) -> Result<String, MailboxError> {
    let Some(name) = name.filter(|name| !name.eq_ignore_ascii_case("inbox")) else {
        return Ok("inbox".to_owned());
    };
    if let Some(id) = client.folders.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
        return Ok(id.clone());
    }
    let mut parent: Option<String> = None;
    for part in name.split('/') {
        parent = Some(find(client, parent.as_deref(), part).await?.ok_or_else(missing)?);
    }
    let found = parent.ok_or_else(missing)?;
    remember(client, name, &found);
    Ok(found)
}

/// As [`id`]; a folder that is missing at the root is made.
pub(super) async fn id_or_made(client: &Client, name: &str) -> Result<String, MailboxError> {
    match id(client, Some(name)).await {
        Err(MailboxError::Refused { status: 404, .. }) if !name.contains('/') => {
            let body = json!({ "displayName": name }).to_string();
            let ask = Ask::post(client.owned(&["mailFolders"])).body("application/json", body);
            let made: Folder = client.json(&ask).await?;
            remember(client, name, &made.id);
            Ok(made.id)
        }
        other => other,
    }
}

fn missing() -> MailboxError {
    MailboxError::Refused { status: 404, code: "FolderNotFound".to_owned() }
}

fn remember(client: &Client, name: &str, id: &str) {
    let mut folders = client.folders.lock().unwrap_or_else(PoisonError::into_inner);
    folders.insert(name.to_owned(), id.to_owned());
}

/// Has the folder looked up again: somebody may have deleted it and made it anew.
pub(super) fn forget(client: &Client, name: &str) {
    client.folders.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
}

async fn find(client: &Client, parent: Option<&str>, name: &str) -> Result<Option<String>, MailboxError> {
    let mut url = match parent {
        Some(parent) => client.owned(&["mailFolders", parent, "childFolders"]),
        None => client.owned(&["mailFolders"]),
    };
    url.query_pairs_mut().append_pair("$top", MOST).append_pair("$select", "id,displayName");
    let folders: Folders = client.json(&Ask::get(url)).await?;
    let mut same = folders.value.into_iter().filter(|folder| same_name(&folder.display_name, name));
    Ok(same.next().map(|folder| folder.id))
}

fn same_name(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}
