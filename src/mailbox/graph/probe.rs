//! "Test the connection": the token and what it grants, the user, the inbox.

use serde::Deserialize;

use super::client::{Ask, Client};
use super::folder;
use crate::base::clock::Timestamp;
use crate::mailbox::{Check, MailboxError, Told};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    mail: Option<String>,
    user_principal_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inbox {
    total_item_count: u64,
    unread_item_count: u64,
}

pub(super) async fn probe(client: &Client) -> Vec<Check> {
    let mut checks = Vec::new();
    for step in ["token", "user", "inbox"] {
        let began = client.clock.now();
        let outcome = match step {
            "token" => token(client).await,
            "user" => user(client).await,
            _ => inbox(client).await,
        };
        let failed = outcome.is_err();
        let outcome = outcome.map_err(|error| Told::from(&error));
        checks.push(Check { step, took_ms: took(began, client.clock.now()), outcome });
        if failed {
            break;
        }
    }
    checks
}

fn took(began: Timestamp, ended: Timestamp) -> u64 {
    u64::try_from(ended.since(began).as_millis()).unwrap_or(u64::MAX)
}

async fn token(client: &Client) -> Result<Told, MailboxError> {
    let token = client.token().await?;
    let (read, send) = match client.place.shared_address {
        Some(_) => ("Mail.Read.Shared", "Mail.Send.Shared"),
        None => ("Mail.Read", "Mail.Send"),
    };
    let changes = token.grants(client.read_write());
    if !token.grants(read) && !changes {
        return Err(MailboxError::NotGranted { scope: read });
    }
    if !token.grants(send) {
        return Err(MailboxError::NotGranted { scope: send });
    }
    let key = if changes { "seen-token" } else { "seen-token-reading" };
    Ok(Told::new(key).at("until", token.expires_at))
}

async fn user(client: &Client) -> Result<Told, MailboxError> {
    let mut url = client.url(&["me"]);
    url.set_query(Some("$select=mail,userPrincipalName"));
    let user: User = client.json(&Ask::get(url)).await?;
    Ok(Told::new("seen-user").with("user", user.mail.unwrap_or(user.user_principal_name)))
}

async fn inbox(client: &Client) -> Result<Told, MailboxError> {
    let folder = folder::id(client, client.place.folder.as_deref()).await?;
    let mut url = client.owned(&["mailFolders", &folder]);
    url.set_query(Some("$select=totalItemCount,unreadItemCount"));
    let inbox: Inbox = client.json(&Ask::get(url)).await?;
    Ok(Told::new("seen-inbox").with("mails", inbox.total_item_count).with("unread", inbox.unread_item_count))
}
