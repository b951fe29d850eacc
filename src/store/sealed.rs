//! Sealed records: bytes that only the vault can read, written by compare-and-set.

use async_trait::async_trait;
use sqlx::query;

use super::sql::{Columns, Sql};
use super::{Result, SealedRecords, SealedRow};

#[async_trait]
impl SealedRecords for Sql {
    async fn sealed(&self, name: &str) -> Result<Option<SealedRow>> {
        let statement = query("SELECT name, version, sealed FROM sealed_record WHERE name = $1").bind(name);
        let Some(row) = self.row("read a sealed record", statement).await? else { return Ok(None) };
        Ok(Some(SealedRow {
            name: row.text("name")?,
            version: row.number("version")?,
            sealed: row.bytes("sealed")?,
        }))
    }

    async fn put_sealed(&self, name: &str, expected: i64, sealed: &[u8]) -> Result<bool> {
        let statement = if expected == 0 {
            query(
                "INSERT INTO sealed_record (name, version, sealed) VALUES ($1, $2 + 1, $3) ON CONFLICT DO NOTHING",
            )
        } else {
            query(
                "UPDATE sealed_record SET version = version + 1, sealed = $3 WHERE name = $1 AND version = $2",
            )
        };
        let statement = statement.bind(name).bind(expected).bind(sealed);
        Ok(self.execute("write a sealed record", statement).await?.rows_affected() == 1)
    }

    async fn delete_sealed(&self, name: &str) -> Result<()> {
        let statement = query("DELETE FROM sealed_record WHERE name = $1").bind(name);
        self.execute("delete a sealed record", statement).await?;
        Ok(())
    }

    async fn delete_sealed_version(&self, name: &str, expected: i64) -> Result<bool> {
        let statement =
            query("DELETE FROM sealed_record WHERE name = $1 AND version = $2").bind(name).bind(expected);
        Ok(self.execute("delete a sealed record", statement).await?.rows_affected() == 1)
    }

    async fn sealed_names(&self) -> Result<Vec<String>> {
        let statement = query("SELECT name FROM sealed_record ORDER BY name");
        let rows = self.rows("list the sealed records", statement).await?;
        rows.iter().map(|row| row.text("name")).collect()
    }
}
