//! Mailboxes that are being set up. What a draft says is the console's business.

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::query;

use super::Result;
use super::sql::{Columns, FailingTo, Sql, clean};
use crate::base::clock::Timestamp;

/// A mailbox that is being set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    pub id: String,
    /// Counts writes; of two who save the same version one succeeds.
    pub version: i64,
    /// JSON; no secrets.
    pub body: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[async_trait]
pub trait Drafts: Send + Sync {
    /// Adds a draft; those last touched before `stale` are removed first. Its id, or that of the draft that was
    /// begun with the same words and never saved since: it takes the new body. Of two at once there is one draft.
    async fn add_draft(&self, row: &DraftRow, begun: &str, stale: Timestamp) -> Result<String>;
    async fn draft(&self, id: &str) -> Result<Option<DraftRow>>;
    /// Last touched first.
    async fn drafts(&self) -> Result<Vec<DraftRow>>;
    /// Writes `body` as version `version + 1`; `false` when somebody else wrote or deleted it meanwhile.
    async fn save_draft(&self, id: &str, version: i64, body: &str, now: Timestamp) -> Result<bool>;
    async fn delete_draft(&self, id: &str) -> Result<()>;
}

const ADD: &str = "add a draft";

fn read(row: &AnyRow) -> Result<DraftRow> {
    Ok(DraftRow {
        id: row.text("id")?,
        version: row.number("version")?,
        body: row.text("body")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

#[async_trait]
impl Drafts for Sql {
    async fn add_draft(&self, row: &DraftRow, begun: &str, stale: Timestamp) -> Result<String> {
        let mut transaction = self.begin(ADD).await?;
        query("DELETE FROM draft WHERE updated_at < $1")
            .bind(stale.0)
            .execute(&mut *transaction)
            .await
            .failing_to(ADD)?;
        let added = query(
            "INSERT INTO draft (id, version, body, created_at, updated_at, begun) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (begun) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at RETURNING id",
        )
        .bind(&row.id)
        .bind(row.version)
        .bind(clean(&row.body))
        .bind(row.created_at.0)
        .bind(row.updated_at.0)
        .bind(clean(begun))
        .fetch_one(&mut *transaction)
        .await
        .failing_to(ADD)?;
        transaction.commit().await.failing_to(ADD)?;
        added.text("id")
    }

    async fn draft(&self, id: &str) -> Result<Option<DraftRow>> {
        let statement =
            query("SELECT id, version, body, created_at, updated_at FROM draft WHERE id = $1").bind(id);
        self.row("find a draft", statement).await?.as_ref().map(read).transpose()
    }

    async fn drafts(&self) -> Result<Vec<DraftRow>> {
        let statement =
            query("SELECT id, version, body, created_at, updated_at FROM draft ORDER BY updated_at DESC, id");
        self.rows("list the drafts", statement).await?.iter().map(read).collect()
    }

    async fn save_draft(&self, id: &str, version: i64, body: &str, now: Timestamp) -> Result<bool> {
        let statement = query(
            "UPDATE draft SET body = $3, version = version + 1, updated_at = $4, begun = NULL \
             WHERE id = $1 AND version = $2",
        )
        .bind(id)
        .bind(version)
        .bind(clean(body))
        .bind(now.0);
        Ok(self.execute("save a draft", statement).await?.rows_affected() == 1)
    }

    async fn delete_draft(&self, id: &str) -> Result<()> {
        let statement = query("DELETE FROM draft WHERE id = $1").bind(id);
        self.execute("delete a draft", statement).await?;
        Ok(())
    }
}
