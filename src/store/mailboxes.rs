//! Connected mailboxes, their leases and cursors.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction, query};

use super::shared_time::server_now;
use super::sql::{Columns, Dialect, FailingTo, Sql, Word, clean};
use super::waiting::{self, Waiting};
use super::{MailboxRow, MailboxState, Mailboxes, PollResult, Result};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

impl Word for MailboxState {
    const WHAT: &'static str = "mailbox state";
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Connected, "connected"), (Self::NeedsReconnect, "needs-reconnect")];
}

macro_rules! columns {
    () => {
        "id, kind, address, state, scopes, connected_at, accept_since, last_poll_at, last_mail_at, \
         last_error, failing_since, settings"
    };
}

fn read(row: &AnyRow) -> Result<MailboxRow> {
    Ok(MailboxRow {
        id: row.mailbox("id")?,
        kind: row.text("kind")?,
        address: row.text("address")?,
        state: row.word("state")?,
        scopes: row.text("scopes")?,
        connected_at: row.time("connected_at")?,
        accept_since: row.time("accept_since")?,
        last_poll_at: row.time_or_none("last_poll_at")?,
        last_mail_at: row.time_or_none("last_mail_at")?,
        last_error: row.text_or_none("last_error")?,
        failing_since: row.time_or_none("failing_since")?,
        settings: row.text("settings")?,
    })
}

/// Whether `fence` is still the newest. Touching the lease's row locks it: nobody takes over between the
/// look and the write.
async fn holds_lease(
    transaction: &mut Transaction<'static, Any>,
    id: &MailboxId,
    fence: i64,
    what: &'static str,
) -> Result<bool> {
    let held = query("UPDATE lease SET fence = fence WHERE mailbox = $1 AND fence = $2")
        .bind(id.as_str())
        .bind(fence)
        .execute(&mut **transaction)
        .await
        .failing_to(what)?;
    Ok(held.rows_affected() == 1)
}

/// What a disconnect does, in order. Mails that waited go on when the address is connected again, whatever day
/// mail is taken from then; whether one was older than this connection took is judged now.
const FAREWELL: [&str; 4] = [
    "INSERT INTO former_mailbox (address, mailbox) SELECT lower(address), id FROM mailbox WHERE id = $1 \
     ON CONFLICT (address) DO UPDATE SET mailbox = excluded.mailbox",
    "UPDATE inbound SET accepted = 1 WHERE mailbox = $1 AND state IN ('new', 'intent') AND received_at >= \
     (SELECT accept_since FROM mailbox WHERE id = $1)",
    "UPDATE inbound SET state = 'new' WHERE mailbox = $1 AND state = 'intent' AND intent = 'open'",
    "DELETE FROM mailbox WHERE id = $1",
];

/// Where `$now` is the time that counts. Evaluated anew in each place: the statement may have waited for the row.
macro_rules! lease {
    ($now:expr) => {
        concat!(
            "INSERT INTO lease (mailbox, holder, fence, until_at) VALUES ($1, $2, 1, ",
            $now,
            " + $3) ON CONFLICT (mailbox) DO UPDATE SET holder = excluded.holder, until_at = excluded.until_at, \
             fence = CASE WHEN lease.holder = excluded.holder THEN lease.fence ELSE lease.fence + 1 END \
             WHERE lease.holder = excluded.holder OR lease.until_at <= ",
            $now,
            " OR lease.until_at > ",
            $now,
            " + $4 RETURNING fence"
        )
    };
}

/// A lease that ends further ahead than this was taken by a clock that was ahead. Far more than a lease lasts
/// and than the clocks of several gateways differ.
const TOO_FAR: Duration = Duration::from_secs(600);

#[async_trait]
impl Mailboxes for Sql {
    async fn connect_mailbox(&self, row: &MailboxRow) -> Result<()> {
        let statement = query(
            "INSERT INTO mailbox (id, kind, address, state, scopes, connected_at, accept_since, settings) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, address = excluded.address, \
             state = excluded.state, scopes = excluded.scopes, connected_at = excluded.connected_at, \
             last_error = NULL, failing_since = NULL",
        )
        .bind(row.id.as_str())
        .bind(clean(&row.kind))
        .bind(clean(&row.address))
        .bind(MailboxState::Connected.word())
        .bind(clean(&row.scopes))
        .bind(row.connected_at.0)
        .bind(row.accept_since.0)
        .bind(clean(&row.settings));
        self.execute("connect a mailbox", statement).await?;
        Ok(())
    }

    async fn mailboxes(&self) -> Result<Vec<MailboxRow>> {
        let statement = query(concat!("SELECT ", columns!(), " FROM mailbox ORDER BY id"));
        self.rows("list the mailboxes", statement).await?.iter().map(read).collect()
    }

    async fn mailbox(&self, id: &MailboxId) -> Result<Option<MailboxRow>> {
        let statement =
            query(concat!("SELECT ", columns!(), " FROM mailbox WHERE id = $1")).bind(id.as_str());
        self.row("find a mailbox", statement).await?.as_ref().map(read).transpose()
    }

    async fn set_mailbox_state(
        &self,
        id: &MailboxId,
        state: MailboxState,
        reason: Option<&str>,
        at: Timestamp,
    ) -> Result<()> {
        let statement = query(
            "UPDATE mailbox SET state = $2, last_error = $3, \
             failing_since = CASE WHEN $2 = 'connected' THEN NULL ELSE COALESCE(failing_since, $4) END \
             WHERE id = $1",
        )
        .bind(id.as_str())
        .bind(state.word())
        .bind(reason.map(clean))
        .bind(at.0);
        self.execute("note a mailbox's state", statement).await?;
        Ok(())
    }

    async fn set_mailbox_settings(&self, id: &MailboxId, settings: &str) -> Result<bool> {
        let statement =
            query("UPDATE mailbox SET settings = $2 WHERE id = $1").bind(id.as_str()).bind(clean(settings));
        Ok(self.execute("write a mailbox's settings", statement).await?.rows_affected() == 1)
    }

    async fn change_mailbox_settings(&self, id: &MailboxId, seen: &str, settings: &str) -> Result<bool> {
        let statement = query("UPDATE mailbox SET settings = $3 WHERE id = $1 AND settings = $2")
            .bind(id.as_str())
            .bind(clean(seen))
            .bind(clean(settings));
        Ok(self.execute("change a mailbox's settings", statement).await?.rows_affected() == 1)
    }

    async fn waiting(&self) -> Result<Vec<(MailboxId, Waiting)>> {
        waiting::waiting(self).await
    }

    async fn record_poll(&self, id: &MailboxId, result: &PollResult) -> Result<()> {
        let statement = match result {
            PollResult::Fine { at, newest_mail } => query(
                "UPDATE mailbox SET last_poll_at = $2, last_error = NULL, failing_since = NULL, \
                 last_mail_at = CASE WHEN $3 IS NULL OR last_mail_at > $3 THEN last_mail_at ELSE $3 END \
                 WHERE id = $1",
            )
            .bind(id.as_str())
            .bind(at.0)
            .bind(newest_mail.map(|moment| moment.0)),
            PollResult::Failed { at, error } => query(
                "UPDATE mailbox SET last_poll_at = $2, last_error = $3, \
                 failing_since = COALESCE(failing_since, $2) WHERE id = $1",
            )
            .bind(id.as_str())
            .bind(at.0)
            .bind(clean(error)),
        };
        self.execute("record a poll", statement).await?;
        Ok(())
    }

    async fn disconnect_mailbox(&self, id: &MailboxId) -> Result<()> {
        const WHAT: &str = "disconnect a mailbox";
        let mut transaction = self.begin(WHAT).await?;
        // A mailbox id has no character that LIKE gives a meaning to.
        query("DELETE FROM sealed_record WHERE name LIKE $1")
            .bind(format!("mailbox/{id}/%"))
            .execute(&mut *transaction)
            .await
            .failing_to(WHAT)?;
        for statement in FAREWELL {
            query(statement).bind(id.as_str()).execute(&mut *transaction).await.failing_to(WHAT)?;
        }
        transaction.commit().await.failing_to(WHAT)
    }

    async fn former_mailbox(&self, address: &str) -> Result<Option<MailboxId>> {
        let statement =
            query("SELECT mailbox FROM former_mailbox WHERE address = lower($1)").bind(clean(address));
        self.row("look for an earlier mailbox", statement)
            .await?
            .map(|row| row.mailbox("mailbox"))
            .transpose()
    }

    async fn lease(
        &self,
        id: &MailboxId,
        holder: &str,
        span: Duration,
        own: Timestamp,
    ) -> Result<Option<i64>> {
        let milliseconds = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 4);
        let statement = match self.dialect {
            Dialect::Sqlite => query(lease!("$5")),
            Dialect::Postgres => query(lease!(server_now!())),
        };
        let statement =
            statement.bind(id.as_str()).bind(holder).bind(milliseconds(span)).bind(milliseconds(TOO_FAR));
        let statement = match self.dialect {
            Dialect::Sqlite => statement.bind(own.0),
            Dialect::Postgres => statement,
        };
        self.row("lease a mailbox", statement).await?.map(|row| row.number("fence")).transpose()
    }

    async fn fence(&self, id: &MailboxId) -> Result<Option<i64>> {
        let statement = query("SELECT fence FROM lease WHERE mailbox = $1").bind(id.as_str());
        self.row("read a fencing number", statement).await?.map(|row| row.number("fence")).transpose()
    }

    async fn cursor(&self, id: &MailboxId) -> Result<Option<String>> {
        let statement = query("SELECT position FROM mailbox WHERE id = $1").bind(id.as_str());
        match self.row("read a cursor", statement).await? {
            Some(row) => row.text_or_none("position"),
            None => Ok(None),
        }
    }

    async fn import_since(&self, id: &MailboxId, fence: i64, since: Timestamp) -> Result<bool> {
        const WHAT: &str = "take old mail in";
        let mut transaction = self.begin(WHAT).await?;
        if !holds_lease(&mut transaction, id, fence, WHAT).await? {
            return Ok(false);
        }
        // Whatever was ignored from before the mailbox's own first moment was ignored for its age.
        let (again, wider) = (
            "UPDATE inbound SET state = 'new', attempts = 0, refusals = 0, next_try_at = $2, reason = NULL, ended_at = NULL, \
             fetched = CASE WHEN EXISTS (SELECT 1 FROM inbound_raw WHERE inbound_raw.inbound = inbound.id) \
             THEN 1 ELSE 0 END WHERE mailbox = $1 AND state = 'ignored' AND received_at >= $2 AND received_at < \
             (SELECT accept_since FROM mailbox WHERE id = $1)",
            "UPDATE mailbox SET position = NULL, last_mail_at = NULL, \
             accept_since = CASE WHEN accept_since < $2 THEN accept_since ELSE $2 END WHERE id = $1",
        );
        for statement in [again, wider] {
            query(statement)
                .bind(id.as_str())
                .bind(since.0)
                .execute(&mut *transaction)
                .await
                .failing_to(WHAT)?;
        }
        transaction.commit().await.failing_to(WHAT)?;
        Ok(true)
    }

    async fn set_cursor(&self, id: &MailboxId, fence: i64, cursor: Option<&str>) -> Result<bool> {
        const WHAT: &str = "advance a cursor";
        let mut transaction = self.begin(WHAT).await?;
        if !holds_lease(&mut transaction, id, fence, WHAT).await? {
            return Ok(false);
        }
        let written = query("UPDATE mailbox SET position = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(cursor)
            .execute(&mut *transaction)
            .await
            .failing_to(WHAT)?;
        transaction.commit().await.failing_to(WHAT)?;
        Ok(written.rows_affected() == 1)
    }
}
