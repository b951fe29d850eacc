//! Graph's change notifications: asked for, renewed, ended. What Graph then calls is not known here.
//! Sources: Microsoft Graph, "Create subscription", "subscription resource type" (lifetimes).

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::client::{Ask, Client, garbled};
use super::folder;
use crate::base::clock::Timestamp;
use crate::base::secret::ExposeSecret;
use crate::mailbox::{MailboxError, Subscription, Wish};

/// Graph allows 10,080 minutes for mail; older clouds 4,230. A little less, since clocks differ.
const LIFE: Duration = Duration::from_secs(4_200 * 60);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    id: String,
    expiration_date_time: String,
}

/// Not for a shared mailbox: with a user's permissions Graph takes such a subscription and never calls
/// ("Change notifications for Outlook resources": shared folders need application permissions).
pub(super) fn is_possible(client: &Client) -> bool {
    client.place.shared_address.is_none()
}

pub(super) async fn make(client: &Client, wish: &Wish<'_>) -> Result<Subscription, MailboxError> {
    let folder = folder::id(client, client.place.folder.as_deref()).await?;
    let body = json!({
        "changeType": "created",
        "notificationUrl": wish.url,
        "lifecycleNotificationUrl": wish.url,
        "resource": format!("me/mailFolders('{folder}')/messages"),
        "expirationDateTime": end_of_life(client),
        "clientState": wish.secret.expose_secret(),
    });
    let ask = Ask::post(client.url(&["subscriptions"])).body("application/json", body.to_string());
    let made: Made = client.json(&ask).await?;
    Ok(Subscription { expires_at: moment(&made.expiration_date_time)?, id: made.id })
}

/// Renewing also authorises anew, by the token of now.
pub(super) async fn renew(client: &Client, id: &str) -> Result<Timestamp, MailboxError> {
    let body = json!({ "expirationDateTime": end_of_life(client) });
    let ask = Ask::patch(client.url(&["subscriptions", id])).body("application/json", body.to_string());
    let renewed: Made = client.json(&ask).await?;
    moment(&renewed.expiration_date_time)
}

pub(super) async fn end(client: &Client, id: &str) -> Result<(), MailboxError> {
    match client.bytes(&Ask::delete(client.url(&["subscriptions", id]))).await {
        Ok(_) | Err(MailboxError::Refused { status: 404, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn end_of_life(client: &Client) -> String {
    (client.clock.now() + LIFE).rfc3339()
}

fn moment(text: &str) -> Result<Timestamp, MailboxError> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| garbled("a subscription without its end"))
}
