//! Every sealed field of the store, wherever it lies, for those who check keys or change them.

use async_trait::async_trait;
use sqlx::query;

use super::sql::{Columns, Query, Sql};
use super::{Result, SealedField, SealedFields, SealedPlace};
use crate::base::clock::Timestamp;

const LIST: &str = "list the sealed fields";

#[async_trait]
impl SealedFields for Sql {
    async fn sealed_fields(&self, now: Timestamp) -> Result<Vec<SealedField>> {
        let mut fields = Vec::new();
        for row in
            self.rows(LIST, query("SELECT name, version, sealed FROM sealed_record ORDER BY name")).await?
        {
            let place = SealedPlace::Record { name: row.text("name")?, version: row.number("version")? };
            fields.push(SealedField { place, sealed: row.bytes("sealed")? });
        }
        let flows =
            query("SELECT id, sealed, parked FROM flow WHERE expires_at > $1 ORDER BY id").bind(now.0);
        for row in self.rows(LIST, flows).await? {
            let id = row.text("id")?;
            if let Some(sealed) = row.bytes_or_none("parked")? {
                fields.push(SealedField { place: SealedPlace::Parked { flow: id.clone() }, sealed });
            }
            fields.push(SealedField { place: SealedPlace::Flow { id }, sealed: row.bytes("sealed")? });
        }
        let sessions =
            query("SELECT id, expires_at, sealed FROM desk_session WHERE expires_at > $1 ORDER BY id")
                .bind(now.0);
        for row in self.rows(LIST, sessions).await? {
            let place = SealedPlace::Session { id: row.bytes("id")?, expires_at: row.time("expires_at")? };
            fields.push(SealedField { place, sealed: row.bytes("sealed")? });
        }
        Ok(fields)
    }

    async fn reseal(&self, field: &SealedField, anew: &[u8]) -> Result<bool> {
        let statement = match &field.place {
            SealedPlace::Record { name, version } => {
                let here =
                    "UPDATE sealed_record SET sealed = $1 WHERE sealed = $2 AND name = $3 AND version = $4";
                with(here, anew, field).bind(name).bind(version)
            }
            SealedPlace::Flow { id } => {
                with("UPDATE flow SET sealed = $1 WHERE sealed = $2 AND id = $3", anew, field).bind(id)
            }
            SealedPlace::Parked { flow } => {
                with("UPDATE flow SET parked = $1 WHERE parked = $2 AND id = $3", anew, field).bind(flow)
            }
            SealedPlace::Session { id, .. } => {
                with("UPDATE desk_session SET sealed = $1 WHERE sealed = $2 AND id = $3", anew, field)
                    .bind(id)
            }
        };
        Ok(self.execute("seal a field anew", statement).await?.rows_affected() == 1)
    }
}

fn with<'q>(statement: &'static str, anew: &'q [u8], field: &'q SealedField) -> Query<'q> {
    query(statement).bind(anew).bind(&field.sealed)
}
