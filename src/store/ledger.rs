//! The ledger: what mail was seen, what is to become of it, and what became of it.

use async_trait::async_trait;
use sqlx::{Any, Transaction, query};

use super::inbound::{DUE, read, select, too_far, turn};
use super::sql::{Columns, Dialect, FailingTo, Query, Sql, Word, clean, demand_change};
use super::tickets::{self, Direction};
use super::{
    FirstIntent, InboundEnd, InboundRow, InboundState, Intent, Ledger, NewMail, PutOff, Reading, Result,
    Seen, TicketRow,
};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

const END: &str = "end a mail";
const INTENT: &str = "write an intent";

/// The update that writes `intent` and what was read, for a mail that has not ended and is as it was seen.
fn intent_statement<'q>(
    id: i64,
    seen: Seen,
    reading: &Reading,
    intent: &Intent,
    now: Timestamp,
) -> Query<'q> {
    let (word, ticket) = match intent {
        Intent::Open => ("open", None),
        Intent::Reply { ticket } => ("reply", Some(ticket.clone())),
        Intent::Note { ticket } => ("note", Some(ticket.clone())),
    };
    query(
        "UPDATE inbound SET state = 'intent', message_id = $2, sender = $3, content = $4, files = $5, \
         intent = $6, intent_ticket = $7, intent_at = $8 WHERE id = $1 AND state IN ('new', 'intent') \
         AND state = $9 AND COALESCE(intent_at, -1) = $10",
    )
    .bind(id)
    .bind(clean(&reading.message_id))
    .bind(reading.sender.clone())
    .bind(reading.content.clone())
    .bind(i64::from(reading.files))
    .bind(word)
    .bind(ticket)
    .bind(now.0)
    .bind(seen.state.word())
    .bind(seen.intent_at.map_or(-1, |at| at.0))
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
         ended_at = $6, untold = CASE WHEN $2 = 'quarantined' THEN 1 ELSE 0 END \
         WHERE id = $1 AND state IN ('new', 'intent')",
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

    async fn due_inbound(
        &self,
        mailbox: &MailboxId,
        now: Timestamp,
        after: Option<(Timestamp, i64)>,
        limit: u32,
    ) -> Result<Vec<InboundRow>> {
        let statement = turn(DUE, mailbox, now, after, limit);
        self.rows("list due mails", statement).await?.iter().map(read).collect()
    }

    async fn next_inbound_try(&self, mailbox: &MailboxId, now: Timestamp) -> Result<Option<Timestamp>> {
        let statement = query(
            "SELECT MIN(next_try_at) AS at FROM inbound WHERE state IN ('new', 'intent') AND mailbox = $1 \
             AND next_try_at > $2 AND next_try_at <= $3",
        )
        .bind(mailbox.as_str())
        .bind(now.0)
        .bind(too_far(now).0);
        let row = self.row("look for the next try", statement).await?;
        row.map_or(Ok(None), |row| row.time_or_none("at"))
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

    async fn waits_before(&self, mail: &InboundRow, ticket: &str) -> Result<Option<Timestamp>> {
        let statement = query(
            "SELECT next_try_at FROM inbound WHERE state = 'intent' AND intent_ticket = $1 AND mailbox = $2 \
             AND (received_at < $3 OR (received_at = $3 AND id < $4)) ORDER BY received_at, id LIMIT 1",
        )
        .bind(ticket)
        .bind(mail.mailbox.as_str())
        .bind(mail.received_at.0)
        .bind(mail.id);
        self.row("look for earlier mails", statement).await?.map(|row| row.time("next_try_at")).transpose()
    }

    async fn ended_on(&self, ticket: &str, since: Timestamp) -> Result<u64> {
        let statement = query(
            "SELECT COUNT(*) AS mails FROM inbound WHERE ticket = $1 AND state = 'done' AND ended_at >= $2",
        )
        .bind(ticket)
        .bind(since.0);
        let row = self.row("count a ticket's mails", statement).await?;
        row.map_or(Ok(0), |row| row.count("mails").map(u64::from))
    }

    async fn newest_on(&self, ticket: &str) -> Result<Option<InboundRow>> {
        let statement =
            query(select!("WHERE state = 'done' AND ticket = $1 ORDER BY received_at DESC, id DESC LIMIT 1"))
                .bind(ticket);
        self.row("find the newest mail of a ticket", statement).await?.as_ref().map(read).transpose()
    }

    async fn inbound_elsewhere(&self, mail: &InboundRow, reading: &Reading) -> Result<Option<InboundRow>> {
        let statement = query(select!(
            "WHERE message_id = $1 AND content = $2 AND mailbox <> $3 AND (state = 'done' OR (state = 'intent' \
             AND EXISTS (SELECT 1 FROM mailbox WHERE mailbox.id = inbound.mailbox) AND (id < $4 OR 'new' = (SELECT own.state FROM inbound AS own WHERE own.id = $4)))) \
             ORDER BY CASE state WHEN 'done' THEN 0 ELSE 1 END, id LIMIT 1"
        ))
        .bind(clean(&reading.message_id))
        .bind(reading.content.clone())
        .bind(mail.mailbox.as_str())
        .bind(mail.id);
        self.row("find a mail in another mailbox", statement).await?.as_ref().map(read).transpose()
    }

    async fn write_intent(
        &self,
        id: i64,
        seen: Seen,
        reading: &Reading,
        intent: &Intent,
        now: Timestamp,
    ) -> Result<bool> {
        let statement = intent_statement(id, seen, reading, intent, now);
        Ok(self.execute(INTENT, statement).await?.rows_affected() == 1)
    }

    async fn renew_intent(&self, id: i64, begun: Timestamp, now: Timestamp) -> Result<bool> {
        let statement =
            query("UPDATE inbound SET intent_at = $3 WHERE id = $1 AND state = 'intent' AND intent_at = $2")
                .bind(id)
                .bind(begun.0)
                .bind(now.0);
        Ok(self.execute(INTENT, statement).await?.rows_affected() == 1)
    }

    async fn write_first_intent(
        &self,
        id: i64,
        seen: Seen,
        reading: &Reading,
        now: Timestamp,
    ) -> Result<FirstIntent> {
        let mut transaction = self.begin(INTENT).await?;
        if self.dialect == Dialect::Postgres {
            // SQLite has one writer anyway; here two who look at the same moment must wait for each other.
            query("SELECT CAST(pg_advisory_xact_lock(hashtext($1)) AS TEXT)")
                .bind(clean(&reading.message_id))
                .fetch_all(&mut *transaction)
                .await
                .failing_to(INTENT)?;
        }
        let others = query(
            "SELECT other.id FROM inbound AS other JOIN inbound AS own ON own.id = $3 WHERE \
             other.message_id = $1 AND other.content = $2 AND other.mailbox <> own.mailbox AND \
             (other.state = 'done' OR (other.state = 'intent' AND \
             EXISTS (SELECT 1 FROM mailbox WHERE mailbox.id = other.mailbox))) LIMIT 1",
        )
        .bind(clean(&reading.message_id))
        .bind(reading.content.clone())
        .bind(id)
        .fetch_all(&mut *transaction)
        .await
        .failing_to(INTENT)?;
        if !others.is_empty() {
            return Ok(FirstIntent::Elsewhere);
        }
        let written = intent_statement(id, seen, reading, &Intent::Open, now)
            .execute(&mut *transaction)
            .await
            .failing_to(INTENT)?;
        if written.rows_affected() == 0 {
            return Ok(FirstIntent::Overtaken);
        }
        transaction.commit().await.failing_to(INTENT)?;
        Ok(FirstIntent::Written)
    }

    async fn note_reading(&self, id: i64, reading: &Reading) -> Result<()> {
        let statement =
            query("UPDATE inbound SET message_id = $2, sender = $3, content = $4, files = $5 WHERE id = $1")
                .bind(id)
                .bind(clean(&reading.message_id))
                .bind(reading.sender.clone())
                .bind(reading.content.clone())
                .bind(i64::from(reading.files));
        self.execute("note what a mail says", statement).await?;
        Ok(())
    }

    async fn inbound_from(&self, sender: &str, since: Timestamp) -> Result<u64> {
        let statement = query("SELECT COUNT(*) AS mails FROM inbound WHERE sender = $1 AND stored_at >= $2")
            .bind(sender.to_owned())
            .bind(since.0);
        let row = self.row("count a sender's mails", statement).await?;
        row.map_or(Ok(0), |row| row.count("mails").map(u64::from))
    }

    async fn postpone_inbound(
        &self,
        id: i64,
        next_try_at: Timestamp,
        reason: &str,
        put_off: PutOff,
    ) -> Result<()> {
        let (tries, refusals) = match put_off {
            PutOff::Turn => (0_i64, 0_i64),
            PutOff::Trouble => (1, 0),
            PutOff::Refusal => (1, 1),
        };
        let statement = query(
            "UPDATE inbound SET attempts = attempts + $4, refusals = refusals + $5, next_try_at = $2, \
             reason = $3 WHERE id = $1 AND state IN ('new', 'intent')",
        )
        .bind(id)
        .bind(next_try_at.0)
        .bind(clean(reason))
        .bind(tries)
        .bind(refusals);
        self.execute("postpone a mail", statement).await?;
        Ok(())
    }

    async fn ended_since(&self, since: Timestamp) -> Result<bool> {
        // The index is that of both ends.
        let statement = query(
            "SELECT id FROM inbound WHERE state IN ('done', 'ignored') AND state = 'done' AND ended_at >= $1 \
             LIMIT 1",
        )
        .bind(since.0);
        Ok(self.row("look for mails at the desk", statement).await?.is_some())
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
            "UPDATE inbound SET state = 'new', attempts = 0, refusals = 0, next_try_at = $2, reason = NULL, \
             ended_at = NULL, settled = 0, untold = 0 WHERE id = $1 AND state = 'quarantined'",
        )
        .bind(id)
        .bind(now.0);
        Ok(self.execute("retry a mail", statement).await?.rows_affected() == 1)
    }

    async fn hasten_inbound(&self, id: i64, now: Timestamp) -> Result<bool> {
        let statement =
            query("UPDATE inbound SET next_try_at = $2 WHERE id = $1 AND state IN ('new', 'intent')")
                .bind(id)
                .bind(now.0);
        Ok(self.execute("hasten a mail", statement).await?.rows_affected() == 1)
    }

    async fn skip_inbound(&self, id: i64, from: InboundState, reason: &str, now: Timestamp) -> Result<bool> {
        let statement = query(
            "UPDATE inbound SET state = 'ignored', reason = $2, ended_at = $3 \
             WHERE id = $1 AND state = $4 AND state IN ('new', 'intent', 'quarantined')",
        )
        .bind(id)
        .bind(clean(reason))
        .bind(now.0)
        .bind(from.word());
        Ok(self.execute("skip a mail", statement).await?.rows_affected() == 1)
    }

    async fn drop_old_raw(&self, ended_before: Timestamp, limit: u32) -> Result<u64> {
        let statement = query(
            "DELETE FROM inbound_raw WHERE inbound IN (SELECT id FROM inbound JOIN inbound_raw ON \
             inbound_raw.inbound = inbound.id WHERE state IN ('done', 'ignored') AND (files = 0 \
             OR (state = 'ignored' AND ticket IS NULL) OR id IN (SELECT mail_file.inbound FROM mail_file)) AND ended_at < $1 LIMIT $2)",
        )
        .bind(ended_before.0)
        .bind(i64::from(limit));
        Ok(self.execute("drop the bytes of old mails", statement).await?.rows_affected())
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

    async fn ticket_by_short(&self, short: &str) -> Result<Option<TicketRow>> {
        self.find_by_short(short).await
    }

    async fn ticket_by_number(&self, number: i64) -> Result<Option<TicketRow>> {
        self.find_by_number(number).await
    }

    async fn tickets_to_sweep(
        &self,
        by_mail: bool,
        swept_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<TicketRow>> {
        self.least_recently_swept(by_mail, swept_before, limit).await
    }

    async fn unmark_swept_after(&self, now: Timestamp) -> Result<u64> {
        self.forget_sweeps_after(now).await
    }

    async fn mark_swept(&self, id: &str, now: Timestamp) -> Result<()> {
        self.sweep_done(id, now).await
    }

    async fn add_ticket(&self, ticket: &TicketRow) -> Result<bool> {
        self.take_up_ticket(ticket).await
    }

    async fn leave_out(&self, id: &str, addresses: &[String]) -> Result<()> {
        self.drop_participants(id, addresses).await
    }

    async fn note_closed(&self, id: &str, closed: bool) -> Result<bool> {
        self.seen_closed(id, closed).await
    }

    async fn note_shown(&self, id: &str, number: i64) -> Result<()> {
        self.seen_at_desk(id, number).await
    }

    async fn note_gone(&self, id: &str, now: Timestamp) -> Result<()> {
        self.seen_gone(id, now).await
    }
}
