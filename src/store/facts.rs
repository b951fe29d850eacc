//! Small facts by name, the hints to the worker, and the counts that are shown.

use async_trait::async_trait;
use sqlx::query;

use super::sql::{Columns, Sql, Word, clean};
use super::{Counts, Facts, InboundState, OutboxState, Result, StoreError};
use crate::base::clock::Timestamp;

const COUNT: &str = "count the mails";

#[async_trait]
impl Facts for Sql {
    async fn fact(&self, name: &str) -> Result<Option<String>> {
        let statement = query("SELECT value FROM fact WHERE name = $1").bind(name);
        self.row("read a fact", statement).await?.map(|row| row.text("value")).transpose()
    }

    async fn set_fact(&self, name: &str, value: Option<&str>) -> Result<()> {
        let statement = match value {
            Some(value) => query(
                "INSERT INTO fact (name, value) VALUES ($1, $2) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            )
            .bind(name)
            .bind(clean(value)),
            None => query("DELETE FROM fact WHERE name = $1").bind(name),
        };
        self.execute("set a fact", statement).await?;
        Ok(())
    }

    async fn fact_or_insert(&self, name: &str, value: &str) -> Result<String> {
        const WHAT: &str = "settle a fact";
        // The update changes nothing; it makes the row that was there count as returned.
        let statement = query(
            "INSERT INTO fact (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING value",
        )
        .bind(name)
        .bind(clean(value));
        let row = self.row(WHAT, statement).await?.ok_or(StoreError::Corrupt { what: "fact" })?;
        row.text("value")
    }

    async fn counts(&self) -> Result<Counts> {
        let mut counts = Counts::default();
        let inbound = query("SELECT state, COUNT(*) AS mails FROM inbound GROUP BY state");
        for row in self.rows(COUNT, inbound).await? {
            *match row.word("state")? {
                InboundState::New | InboundState::Intent => &mut counts.inbound_waiting,
                InboundState::Done => &mut counts.inbound_done,
                InboundState::Ignored => &mut counts.inbound_ignored,
                InboundState::Quarantined => &mut counts.inbound_quarantined,
            } += u64::from(row.count("mails")?);
        }
        let outgoing = query(
            "SELECT state, COUNT(*) AS mails, CAST(SUM(doubled) AS BIGINT) AS doubled FROM outbox WHERE state <> 'skipped' \
             GROUP BY state",
        );
        for row in self.rows(COUNT, outgoing).await? {
            counts.outgoing_doubled += u64::from(row.count("doubled")?);
            *match OutboxState::read(&row.text("state")?)? {
                OutboxState::Queued | OutboxState::Sending => &mut counts.outgoing_waiting,
                OutboxState::Sent => &mut counts.outgoing_sent,
                OutboxState::Failed => &mut counts.outgoing_failed,
            } += u64::from(row.count("mails")?);
        }
        let oldest = query("SELECT MIN(stored_at) AS at FROM inbound WHERE state IN ('new', 'intent')");
        counts.oldest_inbound =
            self.row(COUNT, oldest).await?.map_or(Ok(None), |row| row.number_or_none("at"))?;
        let oldest = query("SELECT MIN(created_at) AS at FROM outbox WHERE state IN ('queued', 'sending')");
        counts.oldest_outgoing =
            self.row(COUNT, oldest).await?.map_or(Ok(None), |row| row.number_or_none("at"))?;
        Ok(counts)
    }

    async fn add_hint(&self, hint: &str, now: Timestamp) -> Result<()> {
        let statement = query("INSERT INTO hint (hint, added_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(clean(hint))
            .bind(now.0);
        self.execute("add a hint", statement).await?;
        Ok(())
    }

    async fn hints(&self, start: &str) -> Result<Vec<String>> {
        let statement = query(
            "SELECT hint FROM hint WHERE substr(hint, 1, length($1)) = $1 ORDER BY added_at, hint LIMIT 1000",
        )
        .bind(start.to_owned());
        self.rows("list hints", statement).await?.iter().map(|row| row.text("hint")).collect()
    }

    async fn take_hint(&self, hint: &str) -> Result<bool> {
        let statement = query("DELETE FROM hint WHERE hint = $1").bind(clean(hint));
        Ok(self.execute("take a hint", statement).await?.rows_affected() == 1)
    }
}
