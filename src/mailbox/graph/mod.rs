//! A mailbox at Microsoft, through Graph v1.0. Knows Graph's mail calls; how tokens are kept and how
//! HTTP is made comes from outside.

pub mod announcement;
mod client;
mod cursor;
mod error;
mod folder;
mod list;
mod probe;
mod send;
mod subscription;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use url::Url;

use self::client::Client;
use super::rate::{Budget, Rate};
use super::settings::AfterProcessing;
use super::{
    Check, Evidence, Fetched, MailSink, MailSource, MailboxError, Outgoing, Page, Probe, Subscription, Wish,
};
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::MailboxId;
use crate::oauth::source::TokenSource;
use crate::web::call::HttpCall;

/// Marks mail as read, makes drafts. Without it mail is read and sent all the same.
const READ_WRITE: &str = "Mail.ReadWrite";

/// Marks shared mail as read, makes drafts in shared mailboxes.
const READ_WRITE_SHARED: &str = "Mail.ReadWrite.Shared";

/// Which mailbox and folder, and what becomes of processed mail.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// A mailbox that the token's user may open; his own where it is `None`.
    pub shared_address: Option<String>,
    /// By name, below the root or below folders (`Support/Today`); the inbox where it is `None`.
    pub folder: Option<String>,
    pub after: AfterProcessing,
}

/// One mailbox at Microsoft.
pub struct GraphMailbox {
    client: Client,
}

impl GraphMailbox {
    /// `base` is `https://graph.microsoft.com` or a national cloud's; the token is sent to its origin
    /// alone. `requests_per_minute` holds for everything this value does.
    pub fn new(
        id: MailboxId,
        base: Url,
        tokens: Arc<dyn TokenSource>,
        http: Arc<dyn HttpCall>,
        clock: Arc<dyn Clock>,
        requests_per_minute: u32,
    ) -> Self {
        let rate = Rate::per_minute(requests_per_minute, clock.clone());
        let (place, folders) = (Place::default(), Mutex::default());
        Self { client: Client { mailbox: id, place, folders, base, tokens, http, clock, rate } }
    }

    /// The same at another place; without it, the inbox of the token's user.
    pub fn at(self, place: Place) -> Self {
        Self { client: Client { place, ..self.client } }
    }
}

#[async_trait]
impl MailSource for GraphMailbox {
    async fn list(&self, cursor: Option<&str>, since: Timestamp) -> Result<Page, MailboxError> {
        list::page(&self.client, cursor, since).await
    }
    async fn fetch(&self, key: &str, limit: usize) -> Result<Fetched, MailboxError> {
        list::fetch(&self.client, key, limit).await
    }
    async fn received_at(&self, key: &str) -> Result<Option<Timestamp>, MailboxError> {
        list::received_at(&self.client, key).await
    }
    async fn settle(&self, key: &str) -> Result<(), MailboxError> {
        list::settle(&self.client, key).await
    }
    fn announces(&self) -> bool {
        subscription::is_possible(&self.client)
    }
    async fn subscribe(&self, wish: &Wish<'_>) -> Result<Subscription, MailboxError> {
        subscription::make(&self.client, wish).await
    }
    async fn renew_subscription(&self, id: &str) -> Result<Timestamp, MailboxError> {
        subscription::renew(&self.client, id).await
    }
    async fn unsubscribe(&self, id: &str) -> Result<(), MailboxError> {
        subscription::end(&self.client, id).await
    }
}

#[async_trait]
impl MailSink for GraphMailbox {
    async fn prepare(&self, mail: Outgoing<'_>) -> Result<Option<String>, MailboxError> {
        send::prepare(&self.client, mail).await
    }
    async fn dispatch(&self, mail: Outgoing<'_>, provider_id: Option<&str>) -> Result<(), MailboxError> {
        send::dispatch(&self.client, mail, provider_id).await
    }
    async fn evidence(
        &self,
        mail: Outgoing<'_>,
        provider_id: Option<&str>,
        dispatched_at: Timestamp,
        now: Timestamp,
    ) -> Result<Evidence, MailboxError> {
        send::evidence(&self.client, mail, provider_id, dispatched_at, now).await
    }
}

#[async_trait]
impl Probe for GraphMailbox {
    async fn probe(&self) -> Vec<Check> {
        probe::probe(&self.client).await
    }
    fn budget(&self) -> Option<Budget> {
        Some(self.client.rate.budget())
    }
}
