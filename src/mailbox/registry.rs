//! Which kind of mailbox is made how. A new kind is a file and a row here.

use std::sync::Arc;

use url::Url;

use super::Mailbox;
use super::graph::GraphMailbox;
use crate::base::clock::Clock;
use crate::base::id::MailboxId;
use crate::oauth::source::TokenSource;
use crate::web::call::HttpCall;

/// What mailboxes are made of; each kind takes what it needs.
#[derive(Clone)]
pub struct Parts {
    pub tokens: Arc<dyn TokenSource>,
    pub http: Arc<dyn HttpCall>,
    pub clock: Arc<dyn Clock>,
    /// `https://graph.microsoft.com`, or a national cloud's.
    pub graph: Url,
    /// `EXCHANGE_RATE_LIMIT`, for each mailbox.
    pub requests_per_minute: u32,
}

/// Makes a mailbox of one kind.
type Make = fn(MailboxId, &Parts) -> Arc<dyn Mailbox>;

const KINDS: [(&str, Make); 1] = [("microsoft-graph", graph)];

/// A mailbox of `kind` (see [`crate::store::MailboxRow::kind`]); `None` for a kind this build has not.
pub fn make(kind: &str, id: MailboxId, parts: &Parts) -> Option<Arc<dyn Mailbox>> {
    KINDS.iter().find(|(name, _)| *name == kind).map(|(_, make)| make(id, parts))
}

fn graph(id: MailboxId, parts: &Parts) -> Arc<dyn Mailbox> {
    Arc::new(GraphMailbox::new(
        id,
        parts.graph.clone(),
        parts.tokens.clone(),
        parts.http.clone(),
        parts.clock.clone(),
        parts.requests_per_minute,
    ))
}
