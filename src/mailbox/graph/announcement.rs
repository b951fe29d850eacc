//! What Graph says when it calls: change notifications and lifecycle notifications. Pure.
//! Sources: Microsoft Graph, "Receive change notifications through webhooks", "Reduce missing subscriptions
//! and change notifications".

use serde::Deserialize;

use crate::base::secret::SecretString;
use crate::mailbox::{Announcement, Event};

/// Graph bundles a few; a call with more is not Graph's.
const MOST: usize = 1_000;

/// The body is not what Graph sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the call is no notification of Graph's")]
pub struct NotANotification;

#[derive(Deserialize)]
struct Body {
    value: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    subscription_id: String,
    client_state: Option<String>,
    lifecycle_event: Option<String>,
}

/// The announcements of a call's body. One without a secret is left out: it can never be believed.
pub fn read(body: &[u8]) -> Result<Vec<Announcement>, NotANotification> {
    let body: Body = serde_json::from_slice(body).map_err(|_| NotANotification)?;
    if body.value.len() > MOST {
        return Err(NotANotification);
    }
    Ok(body.value.into_iter().filter_map(announcement).collect())
}

fn announcement(item: Item) -> Option<Announcement> {
    let event = match item.lifecycle_event.as_deref() {
        Some("reauthorizationRequired") => Event::Renew,
        Some("subscriptionRemoved") => Event::Gone,
        // `missed`, and whatever comes to be: looking once too often does no harm.
        None | Some(_) => Event::Mail,
    };
    let secret = SecretString::from(item.client_state?);
    Some(Announcement { subscription: item.subscription_id, secret, event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::ExposeSecret;

    #[test]
    fn each_kind_of_notification_is_understood() {
        let body = br#"{"value":[
            {"subscriptionId":"s1","clientState":"x","changeType":"created","resource":"Users/u/Messages/m",
             "resourceData":{"id":"m"},"tenantId":"t","subscriptionExpirationDateTime":"2026-11-22T00:00:00Z"},
            {"subscriptionId":"s1","clientState":"x","lifecycleEvent":"missed"},
            {"subscriptionId":"s1","clientState":"x","lifecycleEvent":"reauthorizationRequired"},
            {"subscriptionId":"s1","clientState":"x","lifecycleEvent":"subscriptionRemoved"}]}"#;
        let events: Vec<_> = read(body).expect("notifications").into_iter().map(|one| one.event).collect();
        assert_eq!(events, [Event::Mail, Event::Mail, Event::Renew, Event::Gone]);
    }

    #[test]
    fn one_without_a_secret_is_left_out() {
        let body = br#"{"value":[{"subscriptionId":"s1"},{"subscriptionId":"s2","clientState":"x"}]}"#;
        let read = read(body).expect("notifications");
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].subscription.as_str(), read[0].secret.expose_secret()), ("s2", "x"));
    }

    #[test]
    fn anything_else_is_refused() {
        let many = format!(r#"{{"value":[{}]}}"#, vec![r#"{"subscriptionId":"s"}"#; MOST + 1].join(","));
        for body in ["", "{}", "[]", r#"{"value":1}"#, r#"{"value":[{}]}"#, "<xml/>", &many] {
            assert_eq!(read(body.as_bytes()).err(), Some(NotANotification), "{}", body.len());
        }
    }
}
