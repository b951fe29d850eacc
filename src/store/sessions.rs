//! Browsers' sessions at the desk: found by the hash of their handle, ended one by one or all of a user.
//! Whose they are and which token is in them, only the shield can tell.

use async_trait::async_trait;
use sqlx::query;

use super::sql::{Columns, FailingTo, Sql};
use super::{Result, SessionRow, Sessions};
use crate::base::clock::Timestamp;

const ADD: &str = "add a session";

#[async_trait]
impl Sessions for Sql {
    async fn add_session(&self, row: &SessionRow, now: Timestamp) -> Result<()> {
        let mut transaction = self.begin(ADD).await?;
        query("DELETE FROM desk_session WHERE expires_at <= $1")
            .bind(now.0)
            .execute(&mut *transaction)
            .await
            .failing_to(ADD)?;
        query(
            "INSERT INTO desk_session (id, owner, sealed, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&row.id)
        .bind(&row.owner)
        .bind(&row.sealed)
        .bind(row.created_at.0)
        .bind(row.expires_at.0)
        .execute(&mut *transaction)
        .await
        .failing_to(ADD)?;
        transaction.commit().await.failing_to(ADD)
    }

    async fn session(&self, id: &[u8], now: Timestamp) -> Result<Option<SessionRow>> {
        let statement = query(
            "SELECT id, owner, sealed, created_at, expires_at FROM desk_session \
             WHERE id = $1 AND expires_at > $2",
        )
        .bind(id)
        .bind(now.0);
        let Some(row) = self.row("find a session", statement).await? else { return Ok(None) };
        Ok(Some(SessionRow {
            id: row.bytes("id")?,
            owner: row.bytes("owner")?,
            sealed: row.bytes("sealed")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
        }))
    }

    async fn end_session(&self, id: &[u8]) -> Result<()> {
        let statement = query("DELETE FROM desk_session WHERE id = $1").bind(id);
        self.execute("end a session", statement).await?;
        Ok(())
    }

    async fn end_sessions_of(&self, owner: &[u8]) -> Result<()> {
        let statement = query("DELETE FROM desk_session WHERE owner = $1").bind(owner);
        self.execute("end a user's sessions", statement).await?;
        Ok(())
    }
}
