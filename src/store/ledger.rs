//! The ledger: what mail was seen, what is to become of it, and what became of it.

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction, query};

use super::sql::{Columns, FailingTo, Sql, Word, clean, demand_change};
use super::tickets::{self, Direction};
use super::{InboundEnd, InboundRow, InboundState, Intent, Ledger, NewMail, Result, StoreError, TicketRow};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

const END: &str = "end a mail";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, mailbox, source_key, received_at, state, attempts, next_try_at, message_id, \
             intent, intent_ticket, intent_at, ticket, reason FROM inbound ",
            $rest
        )
    };
}

impl Word for InboundState {
    const WHAT: &'static str = "inbound state";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::New, "new"),
        (Self::Intent, "intent"),
        (Self::Done, "done"),
        (Self::Ignored, "ignored"),
        (Self::Quarantined, "quarantined"),
    ];
}

fn read(row: &AnyRow) -> Result<InboundRow> {
    Ok(InboundRow {
        id: row.number("id")?,
        mailbox: row.mailbox("mailbox")?,
        source_key: row.text("source_key")?,
        received_at: row.time("received_at")?,
        state: row.word("state")?,
        attempts: row.count("attempts")?,
        next_try_at: row.time("next_try_at")?,
        message_id: row.text_or_none("message_id")?,
        intent: read_intent(row)?,
        intent_at: row.time_or_none("intent_at")?,
        ticket: row.text_or_none("ticket")?,
        reason: row.text_or_none("reason")?,
    })
}

fn read_intent(row: &AnyRow) -> Result<Option<Intent>> {
    match (row.text_or_none("intent")?.as_deref(), row.text_or_none("intent_ticket")?) {
        (None, None) => Ok(None),
        (Some("open"), None) => Ok(Some(Intent::Open)),
        (Some("reply"), Some(ticket)) => Ok(Some(Intent::Reply { ticket })),
        _ => Err(StoreError::Corrupt { what: "intent" }),
    }
}

/// Writes the end into the mail's own row; refused when it has ended already.
async fn write_end(
    transaction: &mut Transaction<'static, Any>,
    id: i64,
    message_id: Option<&str>,
    end: &InboundEnd,
    now: Timestamp,
) -> Result<()> {
    let (state, ticket, reason) = match end {
        InboundEnd::Done { ticket } => (InboundState::Done, Some(ticket), None),
        InboundEnd::Ignored { reason, ticket } => (InboundState::Ignored, ticket.as_ref(), Some(reason)),
        InboundEnd::Quarantined { reason } => (InboundState::Quarantined, None, Some(reason)),
    };
    let ended = query(
        "UPDATE inbound SET state = $2, message_id = COALESCE($3, message_id), ticket = $4, reason = $5, \
         ended_at = $6 WHERE id = $1 AND state IN ('new', 'intent')",
    )
    .bind(id)
    .bind(state.word())
    .bind(message_id.map(clean))
    .bind(ticket.cloned())
    .bind(reason.map(|reason| clean(reason)))
    .bind(now.0)
    .execute(&mut **transaction)
    .await
    .failing_to(END)?;
    demand_change(END, &ended)
}

#[async_trait]
impl Ledger for Sql {
    async fn add_inbound(&self, mail: &NewMail) -> Result<Option<i64>> {
        const WHAT: &str = "store a mail";
        let mut transaction = self.begin(WHAT).await?;
        let added = query(
            "INSERT INTO inbound (mailbox, source_key, received_at, stored_at, state, next_try_at) \
             VALUES ($1, $2, $3, $4, $5, $4) ON CONFLICT (mailbox, source_key) DO NOTHING RETURNING id",
        )
        .bind(mail.mailbox.as_str())
        .bind(clean(&mail.source_key))
        .bind(mail.received_at.0)
        .bind(mail.stored_at.0)
        .bind(InboundState::New.word())
        .fetch_all(&mut *transaction)
        .await
        .failing_to(WHAT)?;
        let Some(row) = added.first() else { return Ok(None) };
        let id = row.number("id")?;
        query("INSERT INTO inbound_raw (inbound, raw) VALUES ($1, $2)")
            .bind(id)
            .bind(mail.raw.as_slice())
            .execute(&mut *transaction)
            .await
            .failing_to(WHAT)?;
        transaction.commit().await.failing_to(WHAT)?;
        Ok(Some(id))
    }

    async fn knows_inbound(&self, mailbox: &MailboxId, source_key: &str) -> Result<bool> {
        let statement = query("SELECT id FROM inbound WHERE mailbox = $1 AND source_key = $2")
            .bind(mailbox.as_str())
            .bind(clean(source_key));
        Ok(self.row("look a mail up", statement).await?.is_some())
    }

    async fn due_inbound(&self, now: Timestamp, limit: u32) -> Result<Vec<InboundRow>> {
        let statement = query(select!(
            "WHERE state IN ('new', 'intent') AND next_try_at <= $1 ORDER BY received_at, id LIMIT $2"
        ))
        .bind(now.0)
        .bind(i64::from(limit));
        self.rows("list due mails", statement).await?.iter().map(read).collect()
    }

    async fn inbound(&self, id: i64) -> Result<Option<InboundRow>> {
        let statement = query(select!("WHERE id = $1")).bind(id);
        self.row("read a mail's line", statement).await?.as_ref().map(read).transpose()
    }

    async fn inbound_raw(&self, id: i64) -> Result<Option<Vec<u8>>> {
        let statement = query("SELECT raw FROM inbound_raw WHERE inbound = $1").bind(id);
        self.row("read a mail", statement).await?.map(|row| row.bytes("raw")).transpose()
    }

    async fn inbound_by_message_id(
        &self,
        mailbox: &MailboxId,
        message_id: &str,
        except: i64,
    ) -> Result<Option<InboundRow>> {
        // Of two that both have an intent only the first counts, so that they never give way to each other.
        let statement = query(select!(
            "WHERE mailbox = $1 AND message_id = $2 AND id <> $3 AND (state = 'done' OR (state = 'intent' \
             AND (id < $3 OR 'new' = (SELECT own.state FROM inbound AS own WHERE own.id = $3)))) \
             ORDER BY CASE state WHEN 'done' THEN 0 ELSE 1 END, id LIMIT 1"
        ))
        .bind(mailbox.as_str())
        .bind(clean(message_id))
        .bind(except);
        self.row("find a mail by Message-ID", statement).await?.as_ref().map(read).transpose()
    }

    async fn write_intent(&self, id: i64, message_id: &str, intent: &Intent, now: Timestamp) -> Result<()> {
        const WHAT: &str = "write an intent";
        let (word, ticket) = match intent {
            Intent::Open => ("open", None),
            Intent::Reply { ticket } => ("reply", Some(ticket.clone())),
        };
        let statement = query(
            "UPDATE inbound SET state = 'intent', message_id = $2, intent = $3, intent_ticket = $4, \
             intent_at = $5 WHERE id = $1 AND state IN ('new', 'intent')",
        )
        .bind(id)
        .bind(clean(message_id))
        .bind(word)
        .bind(ticket)
        .bind(now.0);
        demand_change(WHAT, &self.execute(WHAT, statement).await?)
    }

    async fn postpone_inbound(&self, id: i64, next_try_at: Timestamp, reason: &str) -> Result<()> {
        let statement = query(
            "UPDATE inbound SET attempts = attempts + 1, next_try_at = $2, reason = $3 \
             WHERE id = $1 AND state IN ('new', 'intent')",
        )
        .bind(id)
        .bind(next_try_at.0)
        .bind(clean(reason));
        self.execute("postpone a mail", statement).await?;
        Ok(())
    }

    async fn end_inbound(
        &self,
        id: i64,
        message_id: Option<&str>,
        end: &InboundEnd,
        ticket: Option<&TicketRow>,
        now: Timestamp,
    ) -> Result<()> {
        let mut transaction = self.begin(END).await?;
        write_end(&mut transaction, id, message_id, end, now).await?;
        if let Some(ticket) = ticket {
            tickets::save(&mut transaction, ticket, END).await?;
        }
        let ended_on = match end {
            InboundEnd::Done { ticket } => Some(ticket),
            InboundEnd::Ignored { ticket, .. } => ticket.as_ref(),
            InboundEnd::Quarantined { .. } => None,
        };
        if let (Some(ticket), Some(message_id)) = (ended_on, message_id) {
            tickets::add_reference(&mut transaction, ticket, message_id, Direction::In, now, END).await?;
        }
        transaction.commit().await.failing_to(END)
    }

    async fn retry_inbound(&self, id: i64, now: Timestamp) -> Result<bool> {
        let statement = query(
            "UPDATE inbound SET state = 'new', attempts = 0, next_try_at = $2, reason = NULL, \
             ended_at = NULL, settled = 0 WHERE id = $1 AND state = 'quarantined'",
        )
        .bind(id)
        .bind(now.0);
        Ok(self.execute("retry a mail", statement).await?.rows_affected() == 1)
    }

    async fn unsettled_inbound(&self, mailbox: &MailboxId, limit: u32) -> Result<Vec<InboundRow>> {
        // A quarantined mail stays as it is on the server, for a person to find.
        let statement = query(select!(
            "WHERE mailbox = $1 AND settled = 0 AND state IN ('done', 'ignored') ORDER BY id LIMIT $2"
        ))
        .bind(mailbox.as_str())
        .bind(i64::from(limit));
        self.rows("list unsettled mails", statement).await?.iter().map(read).collect()
    }

    async fn settle_inbound(&self, id: i64) -> Result<()> {
        let statement = query("UPDATE inbound SET settled = 1 WHERE id = $1").bind(id);
        self.execute("settle a mail", statement).await?;
        Ok(())
    }

    async fn recent_inbound(&self, state: Option<InboundState>, limit: u32) -> Result<Vec<InboundRow>> {
        let statement = match state {
            Some(state) => query(select!("WHERE state = $2 ORDER BY id DESC LIMIT $1"))
                .bind(i64::from(limit))
                .bind(state.word()),
            None => query(select!("ORDER BY id DESC LIMIT $1")).bind(i64::from(limit)),
        };
        self.rows("list recent mails", statement).await?.iter().map(read).collect()
    }

    async fn ticket_by_message_ids(&self, message_ids: &[String]) -> Result<Option<TicketRow>> {
        self.find_by_message_ids(message_ids).await
    }

    async fn ticket(&self, id: &str) -> Result<Option<TicketRow>> {
        self.find_ticket(id).await
    }

    async fn tickets_to_sweep(&self, swept_before: Timestamp, limit: u32) -> Result<Vec<TicketRow>> {
        self.least_recently_swept(swept_before, limit).await
    }

    async fn mark_swept(&self, id: &str, now: Timestamp) -> Result<()> {
        self.sweep_done(id, now).await
    }
}
