//! What the worker is given. It makes none of it itself.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::crash::Point;
use super::meters::Meters;
use crate::base::clock::Clock;
use crate::base::secret::HashKey;
use crate::base::wake::Wake;
use crate::desk::Desk;
use crate::mail::policy::Policy;
use crate::mailbox::Mailbox;
use crate::store::{MailboxRow, Store};
use crate::token::subscription::Subscriptions;

/// Makes the mailbox of a row; `None` for a kind this build does not know.
pub type MailboxFactory = Arc<dyn Fn(&MailboxRow) -> Option<Arc<dyn Mailbox>> + Send + Sync>;

/// Everything the worker stands on.
#[derive(Clone)]
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub desk: Arc<Desk>,
    pub mailboxes: MailboxFactory,
    pub clock: Arc<dyn Clock>,
    /// Rung when a mailbox was connected, or an admin asks for a look now.
    pub wake: Wake,
    /// Rung when somebody wrote to the desk; with the ticket, where that is known.
    pub written: Wake,
    /// Signs our Message-IDs and marks tickets; the same over restarts.
    pub message_ids: HashKey,
    /// Who holds the leases: random per process, or constant where only one process can have the store
    /// open (then a restart after a crash does not wait for its own lease to end).
    pub holder: String,
    pub settings: Settings,
    pub subscriptions: Subscriptions,
    pub meters: Meters,
    /// Called at each [`Point`]; does nothing in production.
    pub at: Arc<dyn Fn(Point) + Send + Sync>,
}

/// What an operator chose.
#[derive(Debug, Clone)]
pub struct Settings {
    pub poll_interval: Duration,
    /// Providers are asked to call below this origin when mail arrives; `None`: mail is looked for by itself.
    pub told_at: Option<Url>,
    /// Sender of answers; the mailbox's own address where it is `None`.
    pub from_address: Option<String>,
    pub from_name: Option<String>,
    pub reply_to: Option<String>,
    /// Bytes of a raw mail; of a larger one only the beginning is kept.
    pub max_size: usize,
    /// Right side of our Message-IDs.
    pub message_id_domain: String,
    pub policy: Policy,
}
