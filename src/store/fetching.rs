//! Mails that are known by name and still to be fetched: the mail server lists them and does not hand them over.
//! Being known, the cursor may pass them; being without bytes, nobody else looks at them.

use async_trait::async_trait;
use sqlx::query;

use super::inbound::{in_turn, read, select, turn};
use super::sql::{FailingTo, Sql, clean};
use super::{InboundRow, Result};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

/// A mail that was listed and could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfetchedMail {
    pub mailbox: MailboxId,
    /// The provider's immutable id, or `uidvalidity:uid`.
    pub source_key: String,
    pub received_at: Timestamp,
    pub listed_at: Timestamp,
    pub next_try_at: Timestamp,
    /// Why it could not be fetched.
    pub reason: String,
}

#[async_trait]
pub trait Fetching: Send + Sync {
    /// Notes the mail in state New, without bytes; nothing happens when it is known.
    async fn add_unfetched(&self, mail: &UnfetchedMail) -> Result<()>;
    /// Mails of this mailbox that are to be fetched now, oldest received first, behind `after` (when received,
    /// id).
    async fn unfetched_inbound(
        &self,
        mailbox: &MailboxId,
        now: Timestamp,
        after: Option<(Timestamp, i64)>,
        limit: u32,
    ) -> Result<Vec<InboundRow>>;
    /// Stores the bytes of such a mail, as if it had just been stored; `false` when it is none any more.
    async fn fill_inbound(&self, id: i64, raw: &[u8], received_at: Timestamp, now: Timestamp)
    -> Result<bool>;
    /// Whether any mail of this mailbox was fetched at or after `since`.
    async fn fetched_since(&self, mailbox: &MailboxId, since: Timestamp) -> Result<bool>;
}

#[async_trait]
impl Fetching for Sql {
    async fn add_unfetched(&self, mail: &UnfetchedMail) -> Result<()> {
        let statement = query(
            "INSERT INTO inbound (mailbox, source_key, received_at, stored_at, state, attempts, next_try_at, \
             reason, fetched) VALUES ($1, $2, $3, $4, 'new', 1, $5, $6, 0) \
             ON CONFLICT (mailbox, source_key) DO NOTHING",
        )
        .bind(mail.mailbox.as_str())
        .bind(clean(&mail.source_key))
        .bind(mail.received_at.0)
        .bind(mail.listed_at.0)
        .bind(mail.next_try_at.0)
        .bind(clean(&mail.reason));
        self.execute("note a mail that could not be fetched", statement).await?;
        Ok(())
    }

    async fn unfetched_inbound(
        &self,
        mailbox: &MailboxId,
        now: Timestamp,
        after: Option<(Timestamp, i64)>,
        limit: u32,
    ) -> Result<Vec<InboundRow>> {
        const UNFETCHED: &str = in_turn!("fetched = 0 AND state = 'new'");
        let statement = turn(UNFETCHED, mailbox, now, after, limit);
        self.rows("list mails to fetch", statement).await?.iter().map(read).collect()
    }

    async fn fill_inbound(
        &self,
        id: i64,
        raw: &[u8],
        received_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        const WHAT: &str = "store a mail that was fetched late";
        let mut transaction = self.begin(WHAT).await?;
        let filled = query(
            "UPDATE inbound SET fetched = 1, attempts = 0, refusals = 0, reason = NULL, received_at = $2, \
             stored_at = $3, next_try_at = $3 WHERE id = $1 AND fetched = 0 AND state = 'new'",
        )
        .bind(id)
        .bind(received_at.0)
        .bind(now.0)
        .execute(&mut *transaction)
        .await
        .failing_to(WHAT)?;
        if filled.rows_affected() == 0 {
            return Ok(false);
        }
        query("INSERT INTO inbound_raw (inbound, raw) VALUES ($1, $2)")
            .bind(id)
            .bind(raw)
            .execute(&mut *transaction)
            .await
            .failing_to(WHAT)?;
        transaction.commit().await.failing_to(WHAT)?;
        Ok(true)
    }

    async fn fetched_since(&self, mailbox: &MailboxId, since: Timestamp) -> Result<bool> {
        let statement =
            query("SELECT id FROM inbound WHERE fetched = 1 AND mailbox = $1 AND stored_at >= $2 LIMIT 1")
                .bind(mailbox.as_str())
                .bind(since.0);
        Ok(self.row("look for fetched mails", statement).await?.is_some())
    }
}
