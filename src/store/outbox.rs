//! The outbox: what must still be sent, frozen before the first try.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::query;

use super::sql::{Columns, FailingTo, Sql, Word, clean, demand_change};
use super::tickets::{self, Direction};
use super::{NewOutgoing, Outbox, OutboxRow, OutboxState, OutgoingKind, Result};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

/// The state of a comment that is not to be mailed. Not an [`OutboxState`]: such a row is no mail and
/// is never listed.
const SKIPPED: &str = "skipped";

/// Nothing waits longer than this for its next try; what seems to was put off by a clock that was ahead.
const LONGEST_WAIT: Duration = Duration::from_secs(2 * 3600);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, mailbox, ticket, comment, message_id, recipient, state, attempts, next_try_at, \
             provider_id, dispatched_at, created_at, reason, kind, doubled FROM outbox ",
            $rest
        )
    };
}

impl Word for OutboxState {
    const WHAT: &'static str = "outbox state";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Queued, "queued"),
        (Self::Sending, "sending"),
        (Self::Sent, "sent"),
        (Self::Failed, "failed"),
    ];
}

impl Word for OutgoingKind {
    const WHAT: &'static str = "kind of outgoing mail";
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Answer, "answer"),
        (Self::Acknowledgement, "acknowledgement"),
        (Self::Closing, "closing"),
        (Self::TooLarge, "too-large"),
    ];
}

/// A mail that was never dispatched, as a number that no time is.
fn or_never(dispatched_at: Option<Timestamp>) -> i64 {
    dispatched_at.map_or(-1, |at| at.0)
}

pub(super) fn read(row: &AnyRow) -> Result<OutboxRow> {
    Ok(OutboxRow {
        id: row.number("id")?,
        mailbox: row.mailbox("mailbox")?,
        ticket: row.text("ticket")?,
        comment: row.text("comment")?,
        kind: row.word("kind")?,
        message_id: row.text("message_id")?,
        recipient: row.text("recipient")?,
        state: row.word("state")?,
        attempts: row.count("attempts")?,
        next_try_at: row.time("next_try_at")?,
        provider_id: row.text_or_none("provider_id")?,
        dispatched_at: row.time_or_none("dispatched_at")?,
        created_at: row.time("created_at")?,
        reason: row.text_or_none("reason")?,
        doubled: row.count("doubled")?,
    })
}

#[async_trait]
impl Outbox for Sql {
    async fn add_outgoing(&self, mail: &NewOutgoing) -> Result<bool> {
        const WHAT: &str = "queue a mail";
        let mut transaction = self.begin(WHAT).await?;
        let added = query(
            "INSERT INTO outbox (mailbox, ticket, comment, message_id, recipient, state, next_try_at, created_at, \
             kind) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) ON CONFLICT (ticket, comment) DO NOTHING \
             RETURNING id",
        )
        .bind(mail.mailbox.as_str())
        .bind(&mail.ticket)
        .bind(&mail.comment)
        .bind(clean(&mail.message_id))
        .bind(clean(&mail.recipient))
        .bind(OutboxState::Queued.word())
        .bind(mail.created_at.0)
        .bind(mail.kind.word())
        .fetch_all(&mut *transaction)
        .await
        .failing_to(WHAT)?;
        let Some(row) = added.first() else { return Ok(false) };
        query("INSERT INTO outbox_mime (outbox, mime) VALUES ($1, $2)")
            .bind(row.number("id")?)
            .bind(mail.mime.as_slice())
            .execute(&mut *transaction)
            .await
            .failing_to(WHAT)?;
        let (ticket, message_id) = (&mail.ticket, &mail.message_id);
        tickets::add_reference(&mut transaction, ticket, message_id, Direction::Out, mail.created_at, WHAT)
            .await?;
        transaction.commit().await.failing_to(WHAT)?;
        Ok(true)
    }

    async fn knows_outgoing(&self, ticket: &str, comment: &str) -> Result<bool> {
        let statement =
            query("SELECT id FROM outbox WHERE ticket = $1 AND comment = $2").bind(ticket).bind(comment);
        Ok(self.row("look a comment up", statement).await?.is_some())
    }

    async fn skip_comment(&self, ticket: &str, comment: &str, now: Timestamp) -> Result<()> {
        let statement = query(
            "INSERT INTO outbox (ticket, comment, state, next_try_at, created_at) \
             VALUES ($1, $2, $3, $4, $4) ON CONFLICT (ticket, comment) DO NOTHING",
        )
        .bind(ticket)
        .bind(comment)
        .bind(SKIPPED)
        .bind(now.0);
        self.execute("skip a comment", statement).await?;
        Ok(())
    }

    async fn sent_lately(&self, kind: OutgoingKind, recipient: &str, since: Timestamp) -> Result<bool> {
        let statement = query(
            "SELECT id FROM outbox WHERE kind = $1 AND LOWER(recipient) = $2 AND created_at >= $3 LIMIT 1",
        )
        .bind(kind.word())
        .bind(clean(&recipient.to_lowercase()))
        .bind(since.0);
        Ok(self.row("look for an earlier mail", statement).await?.is_some())
    }

    async fn acknowledged_lately(&self, sender: &str, since: Timestamp) -> Result<Option<String>> {
        let statement = query(
            "SELECT outbox.recipient AS recipient FROM inbound JOIN outbox ON outbox.ticket = inbound.ticket \
             WHERE inbound.sender = $1 AND inbound.stored_at >= $2 AND outbox.kind = 'acknowledgement' \
             AND outbox.created_at >= $2 LIMIT 1",
        )
        .bind(sender.to_owned())
        .bind(since.0);
        let row = self.row("look for an earlier acknowledgement", statement).await?;
        row.map(|row| row.text("recipient")).transpose()
    }

    async fn sent_about(&self, ticket: &str, since: Timestamp) -> Result<u64> {
        let statement = query(
            "SELECT COUNT(*) AS mails FROM outbox WHERE ticket = $1 AND state = 'sent' AND sent_at >= $2",
        )
        .bind(ticket.to_owned())
        .bind(since.0);
        let row = self.row("count the mails about a ticket", statement).await?;
        row.map_or(Ok(0), |row| row.count("mails").map(u64::from))
    }

    async fn outgoing(&self, id: i64) -> Result<Option<OutboxRow>> {
        let statement = query(select!("WHERE id = $1 AND state <> 'skipped'")).bind(id);
        self.row("read an outgoing mail's line", statement).await?.as_ref().map(read).transpose()
    }

    async fn due_outgoing(&self, mailbox: &MailboxId, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>> {
        let statement = query(select!(
            "WHERE mailbox = $1 AND state IN ('queued', 'sending') AND (next_try_at <= $2 OR next_try_at > $4) \
             ORDER BY created_at, id LIMIT $3"
        ))
        .bind(mailbox.as_str())
        .bind(now.0)
        .bind(i64::from(limit))
        .bind((now + LONGEST_WAIT).0);
        self.rows("list mails to send", statement).await?.iter().map(read).collect()
    }

    async fn overdue_outgoing(
        &self,
        mailbox: &MailboxId,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxRow>> {
        let statement = query(select!(
            "WHERE mailbox = $1 AND state IN ('queued', 'sending') AND next_try_at <= $2 \
             ORDER BY created_at, id LIMIT $3"
        ))
        .bind(mailbox.as_str())
        .bind(since.0)
        .bind(i64::from(limit));
        self.rows("list mails that nobody sends", statement).await?.iter().map(read).collect()
    }

    async fn outgoing_mime(&self, id: i64) -> Result<Option<Vec<u8>>> {
        let statement = query("SELECT mime FROM outbox_mime WHERE outbox = $1").bind(id);
        self.row("read a mail to send", statement).await?.map(|row| row.bytes("mime")).transpose()
    }

    async fn outgoing_prepared(
        &self,
        id: i64,
        seen: Option<Timestamp>,
        provider_id: Option<&str>,
    ) -> Result<()> {
        const WHAT: &str = "note a prepared mail";
        let statement = query(
            "UPDATE outbox SET state = 'sending', provider_id = $2 WHERE id = $1 AND \
             state IN ('queued', 'sending') AND provider_id IS NULL AND COALESCE(dispatched_at, -1) = $3",
        )
        .bind(id)
        .bind(provider_id.map(clean))
        .bind(or_never(seen));
        demand_change(WHAT, &self.execute(WHAT, statement).await?)
    }

    async fn outgoing_dispatched(&self, id: i64, seen: Option<Timestamp>, now: Timestamp) -> Result<()> {
        const WHAT: &str = "note the sending of a mail";
        let statement = query(
            "UPDATE outbox SET state = 'sending', dispatched_at = $2 WHERE id = $1 AND \
             state IN ('queued', 'sending') AND COALESCE(dispatched_at, -1) = $3",
        )
        .bind(id)
        .bind(now.0)
        .bind(or_never(seen));
        demand_change(WHAT, &self.execute(WHAT, statement).await?)
    }

    async fn outgoing_doubled(&self, id: i64) -> Result<()> {
        let statement = query("UPDATE outbox SET doubled = doubled + 1 WHERE id = $1").bind(id);
        self.execute("count a possible double", statement).await?;
        Ok(())
    }

    async fn outgoing_sent(&self, id: i64, now: Timestamp) -> Result<()> {
        // Evidence may arrive after the mail was given up; it counts more than the giving up.
        let statement = query(
            "UPDATE outbox SET state = 'sent', sent_at = COALESCE(sent_at, $2), reason = NULL \
             WHERE id = $1 AND state <> 'skipped'",
        )
        .bind(id)
        .bind(now.0);
        self.execute("note a sent mail", statement).await?;
        Ok(())
    }

    async fn postpone_outgoing(&self, id: i64, next_try_at: Timestamp, reason: &str) -> Result<()> {
        let statement = query(
            "UPDATE outbox SET attempts = attempts + 1, next_try_at = $2, reason = $3 \
             WHERE id = $1 AND state IN ('queued', 'sending')",
        )
        .bind(id)
        .bind(next_try_at.0)
        .bind(clean(reason));
        self.execute("postpone a mail to send", statement).await?;
        Ok(())
    }

    async fn outgoing_failed(&self, id: i64, reason: &str) -> Result<()> {
        let statement = query(
            "UPDATE outbox SET state = 'failed', reason = $2 WHERE id = $1 AND state IN ('queued', 'sending')",
        )
        .bind(id)
        .bind(clean(reason));
        self.execute("give a mail up", statement).await?;
        Ok(())
    }

    async fn skip_outgoing(&self, id: i64, from: OutboxState, reason: &str) -> Result<bool> {
        let statement = query(
            "UPDATE outbox SET state = 'failed', reason = $2 \
             WHERE id = $1 AND state = $3 AND state IN ('queued', 'sending')",
        )
        .bind(id)
        .bind(clean(reason))
        .bind(from.word());
        Ok(self.execute("leave an outgoing mail", statement).await?.rows_affected() == 1)
    }

    async fn retry_outgoing(&self, id: i64, now: Timestamp) -> Result<bool> {
        // What was dispatched stays so: the next try looks for it before it sends anything.
        let statement = query(
            "UPDATE outbox SET attempts = 0, next_try_at = $2, reason = NULL, created_at = CASE state \
             WHEN 'failed' THEN $2 ELSE created_at END, state = CASE WHEN provider_id IS NULL AND \
             dispatched_at IS NULL THEN 'queued' ELSE 'sending' END \
             WHERE id = $1 AND state IN ('queued', 'sending', 'failed')",
        )
        .bind(id)
        .bind(now.0);
        Ok(self.execute("retry an outgoing mail", statement).await?.rows_affected() == 1)
    }

    async fn drop_sent_mime(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let (sent, notices) = (
            "DELETE FROM outbox_mime WHERE outbox IN (SELECT outbox.id FROM outbox JOIN outbox_mime ON \
             outbox_mime.outbox = outbox.id WHERE outbox.state = 'sent' AND outbox.sent_at < $1 LIMIT $2)",
            "DELETE FROM outbox_mime WHERE outbox IN (SELECT outbox.id FROM outbox JOIN outbox_mime ON \
             outbox_mime.outbox = outbox.id WHERE outbox.state = 'failed' AND outbox.kind <> 'answer' \
             AND outbox.created_at < $1 LIMIT $2)",
        );
        let mut dropped = 0;
        for statement in [sent, notices] {
            let statement = query(statement).bind(before.0).bind(i64::from(limit));
            dropped += self.execute("drop the bytes of old mails", statement).await?.rows_affected();
        }
        Ok(dropped)
    }

    async fn recent_outgoing(&self, state: Option<OutboxState>, limit: u32) -> Result<Vec<OutboxRow>> {
        let statement = match state {
            Some(state) => query(select!("WHERE state = $2 ORDER BY id DESC LIMIT $1"))
                .bind(i64::from(limit))
                .bind(state.word()),
            None => {
                query(select!("WHERE state <> 'skipped' ORDER BY id DESC LIMIT $1")).bind(i64::from(limit))
            }
        };
        self.rows("list recent mails to send", statement).await?.iter().map(read).collect()
    }
}
