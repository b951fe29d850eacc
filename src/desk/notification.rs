//! What the desk tells the bot: somebody did something to one of its tickets.
//!
//! The list is part of the bot's profile, newest first, and only grows; it is read as a stream and
//! left at the first one that is known.

use std::ops::ControlFlow;

use serde::Deserialize;

use super::stream::Shape;
use super::{Desk, DeskError, parsed};

const WHAT: &str = "show the bot's notifications";

const PROFILE: Shape =
    Shape { list: "notifcations", depth: 2, longest: 1024, longest_around: 64, limit: 256 << 20 };

/// At most so many are taken in one poll, the newest.
const AT_ONCE: usize = 16_384;

/// A hint that a ticket changed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    pub id: String,
    pub ticket_id: Option<String>,
}

impl Desk {
    /// Notifications newer than `known`, newest first; without `known`, the newest 16,384.
    pub async fn notifications(&self, known: Option<&str>) -> Result<Vec<Notification>, DeskError> {
        let mut found = Vec::new();
        self.read_list(WHAT, "/api/v1/auth/profile", PROFILE, &mut |item| {
            let notification: Notification = parsed(WHAT, item)?;
            if known == Some(notification.id.as_str()) {
                return Ok(ControlFlow::Break(()));
            }
            found.push(notification);
            Ok(if found.len() < AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })
        .await?;
        Ok(found)
    }
}
