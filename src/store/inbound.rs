//! A line of the ledger as its columns. Knows no question that is asked of them.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::query;

use super::sql::{Columns, Query, Word};
use super::{InboundRow, InboundState, Intent, Reading, Result, StoreError};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

macro_rules! select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT id, mailbox, source_key, received_at, stored_at, state, attempts, refusals, next_try_at, \
             accepted, settle_tries, message_id, intent, intent_ticket, intent_at, ticket, reason, sender, \
             content, files FROM inbound ",
            $($rest),+
        )
    };
}
pub(super) use select;

/// Mails of a mailbox for which `$which` holds and whose next try is due, in order of arrival; [`turn`] binds
/// the parameters. The sign keeps the times from choosing the index: only the one in that order needs no sorting.
macro_rules! in_turn {
    ($which:literal) => {
        select!(
            "WHERE ",
            $which,
            " AND mailbox = $1 AND (+next_try_at <= $2 OR +next_try_at > $3) \
             AND (received_at, id) > ($4, $5) ORDER BY received_at, id LIMIT $6"
        )
    };
}
pub(super) use in_turn;

/// Those that are worked on.
pub(super) const DUE: &str = in_turn!("fetched = 1 AND state IN ('new', 'intent')");

/// A statement of [`in_turn`] for what comes behind `after` (when received, id).
pub(super) fn turn<'q>(
    statement: &'static str,
    mailbox: &MailboxId,
    now: Timestamp,
    after: Option<(Timestamp, i64)>,
    limit: u32,
) -> Query<'q> {
    let (received_at, id) = after.unwrap_or((Timestamp(i64::MIN), i64::MIN));
    query(statement)
        .bind(mailbox.as_str().to_owned())
        .bind(now.0)
        .bind(too_far(now).0)
        .bind(received_at.0)
        .bind(id)
        .bind(i64::from(limit))
}

/// Nothing waits longer of its own accord: what is due later than this was written by a clock that was ahead.
const LONGEST_WAIT: Duration = Duration::from_secs(2 * 3600);

/// The first moment that is too far ahead to be waited for.
pub(super) fn too_far(now: Timestamp) -> Timestamp {
    now + LONGEST_WAIT
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

pub(super) fn read(row: &AnyRow) -> Result<InboundRow> {
    Ok(InboundRow {
        id: row.number("id")?,
        mailbox: row.mailbox("mailbox")?,
        source_key: row.text("source_key")?,
        received_at: row.time("received_at")?,
        stored_at: row.time("stored_at")?,
        state: row.word("state")?,
        attempts: row.count("attempts")?,
        refusals: row.count("refusals")?,
        next_try_at: row.time("next_try_at")?,
        accepted: row.number("accepted")? != 0,
        settle_tries: row.count("settle_tries")?,
        message_id: row.text_or_none("message_id")?,
        intent: read_intent(row)?,
        intent_at: row.time_or_none("intent_at")?,
        ticket: row.text_or_none("ticket")?,
        reason: row.text_or_none("reason")?,
        reading: read_reading(row)?,
    })
}

fn read_reading(row: &AnyRow) -> Result<Option<Reading>> {
    let Some(content) = row.text_or_none("content")? else { return Ok(None) };
    let corrupt = || StoreError::Corrupt { what: "reading" };
    Ok(Some(Reading {
        message_id: row.text_or_none("message_id")?.ok_or_else(corrupt)?,
        sender: row.text_or_none("sender")?.ok_or_else(corrupt)?,
        content,
        files: row.count("files")?,
    }))
}

fn read_intent(row: &AnyRow) -> Result<Option<Intent>> {
    match (row.text_or_none("intent")?.as_deref(), row.text_or_none("intent_ticket")?) {
        (None, None) => Ok(None),
        (Some("open"), None) => Ok(Some(Intent::Open)),
        (Some("reply"), Some(ticket)) => Ok(Some(Intent::Reply { ticket })),
        (Some("note"), Some(ticket)) => Ok(Some(Intent::Note { ticket })),
        _ => Err(StoreError::Corrupt { what: "intent" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::open_memory;

    #[tokio::test]
    async fn due_mails_are_found_in_order_without_sorting_the_backlog() {
        sqlx::any::install_default_drivers();
        let store = open_memory().await.expect("a store");
        const EXPLAINED: &str =
            concat!("EXPLAIN QUERY PLAN ", in_turn!("fetched = 1 AND state IN ('new', 'intent')"));
        assert!(EXPLAINED.ends_with(DUE));
        let mailbox = MailboxId::parse("m").expect("an id");
        let explained = turn(EXPLAINED, &mailbox, Timestamp(9), Some((Timestamp(0), 0)), 1);
        let plan: Vec<_> = store.rows("explain", explained).await.expect("a plan");
        let plan: Vec<_> = plan.iter().map(|row| row.text("detail").expect("a step")).collect();
        assert!(plan.len() == 1 && plan[0].contains("inbound_waiting"), "{plan:?}");
    }
}
