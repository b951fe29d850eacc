//! The time that decides between processes. Several of them share a PostgreSQL, and each has a clock of its own:
//! the server's is the one they agree on. SQLite has one process, whose own clock serves.

use async_trait::async_trait;
use sqlx::query;

use super::sql::{Columns, Dialect, Sql};
use super::{Result, StoreError};
use crate::base::clock::Timestamp;

/// The server's clock in milliseconds since 1970. Not the transaction's: a statement may have waited for a row.
macro_rules! server_now {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}
pub(super) use server_now;

#[async_trait]
pub trait SharedTime: Send + Sync {
    /// Now, by the clock that every process of this store goes by. `own` is the caller's clock; it counts only
    /// where no other process can have the store open.
    async fn shared_time(&self, own: Timestamp) -> Result<Timestamp>;
}

#[async_trait]
impl SharedTime for Sql {
    async fn shared_time(&self, own: Timestamp) -> Result<Timestamp> {
        if self.dialect == Dialect::Sqlite {
            return Ok(own);
        }
        let statement = query(concat!("SELECT ", server_now!(), " AS now"));
        let row = self.row("ask for the time", statement).await?;
        row.ok_or(StoreError::Corrupt { what: "time" })?.time("now")
    }
}
