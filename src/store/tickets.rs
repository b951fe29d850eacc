//! Conversations and the Message-IDs that lead to them; shared by ledger and outbox.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{Any, Transaction, query};

use super::sql::{Columns, FailingTo, Query, Sql, clean};
use super::{Participant, Result, StoreError, TicketRow};
use crate::base::clock::Timestamp;
use crate::mail::{message_id, same_address};

/// Besides the root, so many of the newest Message-IDs are kept: `References` must not grow without end.
const NEWEST: usize = 20;

/// A ticket that the desk does not show any more is looked at this much less often.
const GONE_EVERY: Duration = Duration::from_secs(24 * 3600);

/// A mail that names more Message-IDs than this is looked up by the first ones only.
const LOOKUPS: usize = 100;

macro_rules! columns {
    () => {
        "ticket.id, ticket.mailbox, ticket.requester, ticket.requester_name, ticket.subject, \
         ticket.message_ids, ticket.opened_at, ticket.swept_at, ticket.participants, ticket.thread_index, \
         ticket.closed, ticket.by_mail, ticket.number, ticket.gone_at"
    };
}

/// Which way the mail went that a Message-ID names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    In,
    Out,
}

fn read(row: &AnyRow) -> Result<TicketRow> {
    Ok(TicketRow {
        id: row.text("id")?,
        mailbox: row.mailbox("mailbox")?,
        requester: row.text("requester")?,
        requester_name: row.text("requester_name")?,
        subject: row.text("subject")?,
        participants: read_participants(&row.text("participants")?)?,
        references: read_list(&row.text("message_ids")?)?,
        thread_index: row.text_or_none("thread_index")?,
        closed: row.number("closed")? != 0,
        by_mail: row.number("by_mail")? != 0,
        number: row.number_or_none("number")?,
        gone_at: row.time_or_none("gone_at")?,
        opened_at: row.time("opened_at")?,
        swept_at: row.time("swept_at")?,
    })
}

fn read_list(text: &str) -> Result<Vec<String>> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt { what: "list of Message-IDs" })
}

fn read_participants(text: &str) -> Result<Vec<Participant>> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt { what: "list of participants" })
}

/// `known` and then what is new in `more`; the root and the newest stay.
fn merged<'a>(known: &[String], more: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut all = known.to_vec();
    for id in more {
        if !all.iter().any(|known| known == id) {
            all.push(id.to_owned());
        }
    }
    if all.len() > NEWEST + 1 {
        all.drain(1..all.len() - NEWEST);
    }
    all
}

macro_rules! insert {
    ($rest:literal) => {
        concat!(
            "INSERT INTO ticket (id, mailbox, requester, requester_name, subject, message_ids, opened_at, \
             swept_at, participants, thread_index, closed, by_mail, number, gone_at, short) \
             VALUES ($1, $2, $3, $4, $5, '[]', $6, $7, $8, $9, $10, $11, $12, $13, $14) ",
            $rest
        )
    };
}

fn insertion<'q>(ticket: &TicketRow, statement: &'static str) -> Query<'q> {
    let participants = serde_json::to_string(&ticket.participants).expect("strings have a JSON form");
    query(statement)
        .bind(ticket.id.clone())
        .bind(ticket.mailbox.as_str().to_owned())
        .bind(clean(&ticket.requester))
        .bind(clean(&ticket.requester_name))
        .bind(clean(&ticket.subject))
        .bind(ticket.opened_at.0)
        .bind(ticket.swept_at.0)
        .bind(clean(&participants))
        .bind(ticket.thread_index.as_deref().map(clean))
        .bind(i64::from(ticket.closed))
        .bind(i64::from(ticket.by_mail))
        .bind(ticket.number)
        .bind(ticket.gone_at.map(|at| at.0))
        .bind(message_id::short(&ticket.id))
}

/// Adds the conversation, or updates it: its Message-IDs are merged, its first moment stays, the rest
/// is replaced.
pub(super) async fn save(
    transaction: &mut Transaction<'static, Any>,
    ticket: &TicketRow,
    what: &'static str,
) -> Result<()> {
    insertion(
        ticket,
        insert!(
            "ON CONFLICT (id) DO UPDATE SET mailbox = excluded.mailbox, requester = excluded.requester, \
             requester_name = excluded.requester_name, subject = excluded.subject, \
             participants = excluded.participants, closed = excluded.closed, \
             number = COALESCE(excluded.number, ticket.number), gone_at = excluded.gone_at, \
             short = excluded.short, \
             thread_index = COALESCE(ticket.thread_index, excluded.thread_index)"
        ),
    )
    .execute(&mut **transaction)
    .await
    .failing_to(what)?;
    extend(transaction, &ticket.id, ticket.references.iter().map(String::as_str), what).await
}

/// Appends Message-IDs to a conversation; nothing if there is none of that id.
async fn extend(
    transaction: &mut Transaction<'static, Any>,
    ticket: &str,
    more: impl Iterator<Item = &str>,
    what: &'static str,
) -> Result<()> {
    // Touching the row locks it until the commit, on both databases.
    let rows = query("UPDATE ticket SET id = id WHERE id = $1 RETURNING message_ids")
        .bind(ticket)
        .fetch_all(&mut **transaction)
        .await
        .failing_to(what)?;
    let Some(row) = rows.first() else { return Ok(()) };
    let all = merged(&read_list(&row.text("message_ids")?)?, more);
    query("UPDATE ticket SET message_ids = $2 WHERE id = $1")
        .bind(ticket)
        .bind(serde_json::to_string(&all).expect("strings have a JSON form"))
        .execute(&mut **transaction)
        .await
        .failing_to(what)?;
    Ok(())
}

/// Notes that `message_id` belongs to `ticket`. The first ticket keeps it: a later mail that uses the
/// same Message-ID cannot draw the conversation over.
pub(super) async fn add_reference(
    transaction: &mut Transaction<'static, Any>,
    ticket: &str,
    message_id: &str,
    direction: Direction,
    now: Timestamp,
    what: &'static str,
) -> Result<()> {
    let message_id = clean(message_id);
    let direction = match direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    query(
        "INSERT INTO message_ref (message_id, ticket, direction, added_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&message_id)
    .bind(ticket)
    .bind(direction)
    .bind(now.0)
    .execute(&mut **transaction)
    .await
    .failing_to(what)?;
    extend(transaction, ticket, std::iter::once(message_id.as_str()), what).await
}

impl Sql {
    pub(super) async fn find_by_message_ids(&self, message_ids: &[String]) -> Result<Option<TicketRow>> {
        for message_id in message_ids.iter().take(LOOKUPS) {
            let statement = query(concat!(
                "SELECT ",
                columns!(),
                " FROM message_ref JOIN ticket ON ticket.id = message_ref.ticket \
                  WHERE message_ref.message_id = $1"
            ))
            .bind(clean(message_id));
            if let Some(row) = self.row("find a ticket by Message-ID", statement).await? {
                return read(&row).map(Some);
            }
        }
        Ok(None)
    }

    pub(super) async fn find_ticket(&self, id: &str) -> Result<Option<TicketRow>> {
        let statement = query(concat!("SELECT ", columns!(), " FROM ticket WHERE id = $1")).bind(id);
        self.row("find a ticket", statement).await?.as_ref().map(read).transpose()
    }

    pub(super) async fn find_by_short(&self, short: &str) -> Result<Option<TicketRow>> {
        let statement = query(concat!("SELECT ", columns!(), " FROM ticket WHERE short = $1")).bind(short);
        self.row("find a ticket by our Message-ID", statement).await?.as_ref().map(read).transpose()
    }

    pub(super) async fn find_by_number(&self, number: i64) -> Result<Option<TicketRow>> {
        // A desk that began anew counts from 1 again: the newest is meant.
        let statement = query(concat!(
            "SELECT ",
            columns!(),
            " FROM ticket WHERE number = $1 AND gone_at IS NULL ORDER BY opened_at DESC, id LIMIT 1"
        ))
        .bind(number);
        self.row("find a ticket by number", statement).await?.as_ref().map(read).transpose()
    }

    pub(super) async fn least_recently_swept(
        &self,
        by_mail: bool,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<TicketRow>> {
        let statement = query(concat!(
            "SELECT ",
            columns!(),
            " FROM ticket WHERE by_mail = $3 AND swept_at < $1 AND (gone_at IS NULL OR swept_at < $4) \
              ORDER BY swept_at, id LIMIT $2"
        ))
        .bind(before.0)
        .bind(i64::from(limit))
        .bind(i64::from(by_mail))
        .bind((before - GONE_EVERY).0);
        self.rows("list tickets to sweep", statement).await?.iter().map(read).collect()
    }

    pub(super) async fn forget_sweeps_after(&self, now: Timestamp) -> Result<u64> {
        // Both kinds are named, so that the index is used.
        let statement =
            query("UPDATE ticket SET swept_at = 0 WHERE by_mail IN (0, 1) AND swept_at > $1").bind(now.0);
        Ok(self.execute("forget sweeps of another time", statement).await?.rows_affected())
    }

    pub(super) async fn drop_participants(&self, id: &str, addresses: &[String]) -> Result<()> {
        const WHAT: &str = "leave participants out";
        if addresses.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin(WHAT).await?;
        // Touching the row locks it until the commit, on both databases.
        let rows = query("UPDATE ticket SET id = id WHERE id = $1 RETURNING participants")
            .bind(id)
            .fetch_all(&mut *transaction)
            .await
            .failing_to(WHAT)?;
        let Some(row) = rows.first() else { return Ok(()) };
        let mut participants = read_participants(&row.text("participants")?)?;
        participants.retain(|one| !addresses.iter().any(|address| same_address(address, &one.address)));
        query("UPDATE ticket SET participants = $2 WHERE id = $1")
            .bind(id)
            .bind(serde_json::to_string(&participants).expect("strings have a JSON form"))
            .execute(&mut *transaction)
            .await
            .failing_to(WHAT)?;
        transaction.commit().await.failing_to(WHAT)
    }

    pub(super) async fn take_up_ticket(&self, ticket: &TicketRow) -> Result<bool> {
        let statement = insertion(ticket, insert!("ON CONFLICT (id) DO NOTHING"));
        Ok(self.execute("take a ticket up", statement).await?.rows_affected() == 1)
    }

    pub(super) async fn seen_closed(&self, id: &str, closed: bool) -> Result<bool> {
        let statement = query("UPDATE ticket SET closed = $2 WHERE id = $1 AND closed <> $2")
            .bind(id.to_owned())
            .bind(i64::from(closed));
        Ok(self.execute("note a closed ticket", statement).await?.rows_affected() == 1)
    }

    pub(super) async fn seen_at_desk(&self, id: &str, number: i64) -> Result<()> {
        let statement = query("UPDATE ticket SET number = $2, gone_at = NULL WHERE id = $1")
            .bind(id.to_owned())
            .bind(number);
        self.execute("note a ticket's number", statement).await?;
        Ok(())
    }

    pub(super) async fn seen_gone(&self, id: &str, now: Timestamp) -> Result<()> {
        let statement = query("UPDATE ticket SET gone_at = COALESCE(gone_at, $2) WHERE id = $1")
            .bind(id.to_owned())
            .bind(now.0);
        self.execute("note a ticket that is gone", statement).await?;
        Ok(())
    }

    pub(super) async fn sweep_done(&self, id: &str, now: Timestamp) -> Result<()> {
        // Rows of earlier versions have no short form yet.
        let statement = query("UPDATE ticket SET swept_at = $2, short = $3 WHERE id = $1")
            .bind(id.to_owned())
            .bind(now.0)
            .bind(message_id::short(id));
        self.execute("note a sweep", statement).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|number| format!("<{number}@example.org>")).collect()
    }

    fn merge(known: &[String], more: &[String]) -> Vec<String> {
        merged(known, more.iter().map(String::as_str))
    }

    #[test]
    fn the_root_and_the_twenty_newest_stay() {
        let all = merge(&ids(0..15), &ids(10..40));
        assert_eq!(all, [ids(0..1), ids(20..40)].concat());
    }

    #[test]
    fn a_known_reference_keeps_its_place() {
        assert_eq!(merge(&ids(0..3), &ids(1..2)), ids(0..3));
        assert_eq!(merge(&ids(0..NEWEST + 1), &[]), ids(0..NEWEST + 1));
    }
}
