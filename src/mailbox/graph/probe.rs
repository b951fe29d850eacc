//! "Test the connection": the token and what it grants, the user, the inbox. Each failure says in one
//! sentence what an administrator can do.

use serde::Deserialize;

use super::client::{Ask, Client};
use super::folder;
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::mailbox::{Check, MailboxError};
use crate::oauth::source::TokenError;

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
        checks.push(Check {
            step,
            took_ms: took(began, client.clock.now()),
            outcome: outcome.map_err(advice),
        });
        if failed {
            break;
        }
    }
    checks
}

fn took(began: Timestamp, ended: Timestamp) -> u64 {
    u64::try_from(ended.since(began).as_millis()).unwrap_or(u64::MAX)
}

async fn token(client: &Client) -> Result<String, MailboxError> {
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
    let missing = if changes {
        ""
    } else {
        " Mail.ReadWrite is not granted: mail is not marked as read, and sent without a draft."
    };
    Ok(format!("valid until {}.{missing}", token.expires_at))
}

async fn user(client: &Client) -> Result<String, MailboxError> {
    let mut url = client.url(&["me"]);
    url.set_query(Some("$select=mail,userPrincipalName"));
    let user: User = client.json(&Ask::get(url)).await?;
    Ok(format!("signed in as {}", user.mail.unwrap_or(user.user_principal_name)))
}

async fn inbox(client: &Client) -> Result<String, MailboxError> {
    let folder = folder::id(client, client.place.folder.as_deref()).await?;
    let mut url = client.owned(&["mailFolders", &folder]);
    url.set_query(Some("$select=totalItemCount,unreadItemCount"));
    let inbox: Inbox = client.json(&Ask::get(url)).await?;
    Ok(format!("{} mails, {} unread", inbox.total_item_count, inbox.unread_item_count))
}

fn advice(error: MailboxError) -> String {
    let told = Report(&error).to_string();
    let todo = match &error {
        MailboxError::Token(TokenError::NeedsReconnect { .. }) => "Press Reconnect.",
        MailboxError::Token(_) => "Nothing to do: it is tried again by itself.",
        MailboxError::Call(_) => "Check that this machine may reach Microsoft Graph.",
        MailboxError::Throttled { .. } => "Wait, or lower EXCHANGE_RATE_LIMIT.",
        MailboxError::NotGranted { .. } => "Add the permission to the app registration and press Reconnect.",
        MailboxError::Refused { status: 403, .. } => "Check the app's permissions and press Reconnect.",
        MailboxError::Refused { status: 404, .. } => "Check that this user has a mailbox in Exchange Online.",
        MailboxError::Server { status: 401, .. } => "The new token was refused too: press Reconnect.",
        _ => "Try again; if it stays, look at Microsoft's service health.",
    };
    format!("{told}. {todo}")
}
