//! What is left to do once a mail has ended: its flags or its place on the mail server, and a word at the desk
//! about one that was put aside. Each mail has its own next try, so that one never holds up the others.

use async_trait::async_trait;
use sqlx::query;

use super::inbound::{read, select, too_far};
use super::sql::{FailingTo, Sql};
use super::{Facts, InboundRow, Result};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

/// The fact that says what stood on the server before a mail was settled.
fn before_name(id: i64) -> String {
    format!("settling/{id}")
}

#[async_trait]
pub trait Settling: Send + Sync {
    /// Mails in state Done or Ignored for which the server is still to be asked, now.
    async fn unsettled_inbound(
        &self,
        mailbox: &MailboxId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboundRow>>;
    /// Nothing is left to do for the mail on its server, or nothing more is tried; what was kept for that goes.
    async fn settle_inbound(&self, id: i64) -> Result<()>;
    /// Keeps what stood on the server before the mail was settled for the first time, until it is settled; what
    /// is kept now.
    async fn keep_before_settling(&self, id: i64, before: &str) -> Result<String>;
    /// Counts a try that failed.
    async fn postpone_settling(&self, id: i64, next_try_at: Timestamp) -> Result<()>;
    /// Mails that were put aside and that the desk is to be told of, now.
    async fn untold_inbound(
        &self,
        mailbox: &MailboxId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboundRow>>;
    async fn postpone_telling(&self, id: i64, next_try_at: Timestamp) -> Result<()>;
    /// The desk knows of the mail that was put aside.
    async fn note_told(&self, id: i64) -> Result<()>;
}

#[async_trait]
impl Settling for Sql {
    async fn unsettled_inbound(
        &self,
        mailbox: &MailboxId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboundRow>> {
        // A quarantined mail stays as it is on the server, for a person to find.
        let statement = query(select!(
            "WHERE mailbox = $1 AND settled = 0 AND state IN ('done', 'ignored') \
             AND (settle_at <= $2 OR settle_at > $3) ORDER BY id LIMIT $4"
        ))
        .bind(mailbox.as_str())
        .bind(now.0)
        .bind(too_far(now).0)
        .bind(i64::from(limit));
        self.rows("list unsettled mails", statement).await?.iter().map(read).collect()
    }

    async fn settle_inbound(&self, id: i64) -> Result<()> {
        const WHAT: &str = "settle a mail";
        let mut transaction = self.begin(WHAT).await?;
        let settled = query("UPDATE inbound SET settled = 1 WHERE id = $1").bind(id);
        let kept = query("DELETE FROM fact WHERE name = $1").bind(before_name(id));
        for statement in [settled, kept] {
            statement.execute(&mut *transaction).await.failing_to(WHAT)?;
        }
        transaction.commit().await.failing_to(WHAT)
    }

    async fn keep_before_settling(&self, id: i64, before: &str) -> Result<String> {
        self.fact_or_insert(&before_name(id), before).await
    }

    async fn postpone_settling(&self, id: i64, next_try_at: Timestamp) -> Result<()> {
        let statement =
            query("UPDATE inbound SET settle_tries = settle_tries + 1, settle_at = $2 WHERE id = $1")
                .bind(id)
                .bind(next_try_at.0);
        self.execute("postpone the settling of a mail", statement).await?;
        Ok(())
    }

    async fn untold_inbound(
        &self,
        mailbox: &MailboxId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboundRow>> {
        let statement = query(select!(
            "WHERE untold = 1 AND mailbox = $1 AND state = 'quarantined' \
             AND (next_try_at <= $2 OR next_try_at > $3) ORDER BY id LIMIT $4"
        ))
        .bind(mailbox.as_str())
        .bind(now.0)
        .bind(too_far(now).0)
        .bind(i64::from(limit));
        self.rows("list mails to tell of", statement).await?.iter().map(read).collect()
    }

    async fn postpone_telling(&self, id: i64, next_try_at: Timestamp) -> Result<()> {
        let statement = query(
            "UPDATE inbound SET next_try_at = $2 WHERE id = $1 AND untold = 1 AND state = 'quarantined'",
        )
        .bind(id)
        .bind(next_try_at.0);
        self.execute("postpone telling of a mail", statement).await?;
        Ok(())
    }

    async fn note_told(&self, id: i64) -> Result<()> {
        let statement = query("UPDATE inbound SET untold = 0 WHERE id = $1").bind(id);
        self.execute("note that the desk was told", statement).await?;
        Ok(())
    }
}
