//! OAuth flows on their way. What they hold is sealed; here they are only counted, parked and taken.

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction, query};

use super::sql::{Columns, Dialect, FailingTo, Sql};
use super::{FlowRow, Flows, Result};
use crate::base::clock::Timestamp;

macro_rules! columns {
    () => {
        "id, state_hash, session, sealed, created_at, expires_at, parked, parked_at"
    };
}

const START: &str = "start a flow";

fn read(row: &AnyRow) -> Result<FlowRow> {
    Ok(FlowRow {
        id: row.text("id")?,
        state_hash: row.bytes("state_hash")?,
        session: row.bytes("session")?,
        sealed: row.bytes("sealed")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        parked: row.bytes_or_none("parked")?,
        parked_at: row.time_or_none("parked_at")?,
    })
}

/// Open flows of `session` and of everybody.
async fn open_flows(transaction: &mut Transaction<'static, Any>, session: &[u8]) -> Result<(i64, i64)> {
    let row =
        query("SELECT COUNT(*) AS everybody, COUNT(CASE WHEN session = $1 THEN 1 END) AS own FROM flow")
            .bind(session)
            .fetch_one(&mut **transaction)
            .await
            .failing_to(START)?;
    Ok((row.number("own")?, row.number("everybody")?))
}

#[async_trait]
impl Flows for Sql {
    async fn start_flow(&self, row: &FlowRow, now: Timestamp, per_session: u32, in_all: u32) -> Result<bool> {
        let mut transaction = self.begin(START).await?;
        if self.dialect == Dialect::Postgres {
            // Two that count at once would both find room for one more.
            query("LOCK TABLE flow IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *transaction)
                .await
                .failing_to(START)?;
        }
        query("DELETE FROM flow WHERE expires_at <= $1")
            .bind(now.0)
            .execute(&mut *transaction)
            .await
            .failing_to(START)?;
        let (own, everybody) = open_flows(&mut transaction, &row.session).await?;
        let room = own < i64::from(per_session) && everybody < i64::from(in_all);
        if room {
            query(
                "INSERT INTO flow (id, state_hash, session, sealed, created_at, expires_at, parked, parked_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(&row.id)
            .bind(&row.state_hash)
            .bind(&row.session)
            .bind(&row.sealed)
            .bind(row.created_at.0)
            .bind(row.expires_at.0)
            .bind(&row.parked)
            .bind(row.parked_at.map(|moment| moment.0))
            .execute(&mut *transaction)
            .await
            .failing_to(START)?;
        }
        transaction.commit().await.failing_to(START)?;
        Ok(room)
    }

    async fn flow_by_state(&self, state_hash: &[u8], now: Timestamp) -> Result<Option<FlowRow>> {
        let statement =
            query(concat!("SELECT ", columns!(), " FROM flow WHERE state_hash = $1 AND expires_at > $2"))
                .bind(state_hash)
                .bind(now.0);
        self.row("find a flow", statement).await?.as_ref().map(read).transpose()
    }

    async fn park_flow(&self, id: &str, parked: &[u8], now: Timestamp) -> Result<bool> {
        let statement = query(
            "UPDATE flow SET parked = $2, parked_at = $3 \
             WHERE id = $1 AND parked IS NULL AND expires_at > $3",
        )
        .bind(id)
        .bind(parked)
        .bind(now.0);
        Ok(self.execute("park a flow", statement).await?.rows_affected() == 1)
    }

    async fn take_flow(&self, id: &str, session: &[u8], now: Timestamp) -> Result<Option<FlowRow>> {
        let statement = query(concat!(
            "DELETE FROM flow WHERE id = $1 AND session = $2 AND expires_at > $3 RETURNING ",
            columns!()
        ))
        .bind(id)
        .bind(session)
        .bind(now.0);
        self.row("take a flow", statement).await?.as_ref().map(read).transpose()
    }
}
