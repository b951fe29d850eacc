//! The mails of both directions page by page, as a person looks through them. Every question is answered by an index: the queues may be long.

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::query;

use super::sql::{Columns, Query, Sql, Word};
use super::{InboundRow, InboundState, OutboxRow, OutboxState, Result, outbox};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

/// Where a mail stands, as far as a person has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Goes on by itself.
    Waiting,
    /// Put aside or given up: nothing happens until a person decides.
    Failed,
    /// Came to its end, whichever.
    Done,
}

/// Which mails are asked for, newest first.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub standing: Standing,
    /// `None` for every mailbox.
    pub mailbox: Option<&'a MailboxId>,
    /// Only what is older than the mail of this number.
    pub before: Option<i64>,
    pub limit: u32,
}

/// A mail and when it came to its end, if it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    pub row: T,
    pub ended_at: Option<Timestamp>,
}

#[async_trait]
pub trait Queues: Send + Sync {
    async fn inbound_page(&self, wanted: &Wanted<'_>) -> Result<Vec<Listed<InboundRow>>>;
    async fn outgoing_page(&self, wanted: &Wanted<'_>) -> Result<Vec<Listed<OutboxRow>>>;
    async fn listed_inbound(&self, id: i64) -> Result<Option<Listed<InboundRow>>>;
    async fn listed_outgoing(&self, id: i64) -> Result<Option<Listed<OutboxRow>>>;
}

const INBOUND: &str = "list incoming mails";
const OUTGOING: &str = "list outgoing mails";

fn inbound_states(standing: Standing) -> &'static [InboundState] {
    match standing {
        Standing::Waiting => &[InboundState::New, InboundState::Intent],
        Standing::Failed => &[InboundState::Quarantined],
        Standing::Done => &[InboundState::Done, InboundState::Ignored],
    }
}

fn outbox_states(standing: Standing) -> &'static [OutboxState] {
    match standing {
        Standing::Waiting => &[OutboxState::Queued, OutboxState::Sending],
        Standing::Failed => &[OutboxState::Failed],
        Standing::Done => &[OutboxState::Sent],
    }
}

impl Wanted<'_> {
    /// `every` has the parameters state, number and limit; `of_one` also the mailbox.
    fn statement(&self, state: &'static str, every: &'static str, of_one: &'static str) -> Query<'static> {
        let statement = query(if self.mailbox.is_some() { of_one } else { every })
            .bind(state)
            .bind(self.before.unwrap_or(i64::MAX))
            .bind(i64::from(self.limit));
        match self.mailbox {
            Some(mailbox) => statement.bind(mailbox.as_str().to_owned()),
            None => statement,
        }
    }

    /// Each state has its own run of the index; together they are in order again.
    fn merged<T>(&self, mut rows: Vec<Listed<T>>, id: impl Fn(&T) -> i64) -> Vec<Listed<T>> {
        rows.sort_by_key(|listed| std::cmp::Reverse(id(&listed.row)));
        rows.truncate(self.limit as usize);
        rows
    }
}

fn inbound(row: &AnyRow) -> Result<Listed<InboundRow>> {
    Ok(Listed { row: super::inbound::read(row)?, ended_at: row.time_or_none("ended_at")? })
}

fn outgoing(row: &AnyRow) -> Result<Listed<OutboxRow>> {
    Ok(Listed { row: outbox::read(row)?, ended_at: row.time_or_none("sent_at")? })
}

#[async_trait]
impl Queues for Sql {
    async fn inbound_page(&self, wanted: &Wanted<'_>) -> Result<Vec<Listed<InboundRow>>> {
        let mut found = Vec::new();
        for state in inbound_states(wanted.standing) {
            let statement = wanted.statement(
                state.word(),
                "SELECT * FROM inbound WHERE state = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                "SELECT * FROM inbound WHERE state = $1 AND id < $2 AND mailbox = $4 ORDER BY id DESC LIMIT $3",
            );
            for row in self.rows(INBOUND, statement).await? {
                found.push(inbound(&row)?);
            }
        }
        Ok(wanted.merged(found, |row| row.id))
    }

    async fn outgoing_page(&self, wanted: &Wanted<'_>) -> Result<Vec<Listed<OutboxRow>>> {
        let mut found = Vec::new();
        for state in outbox_states(wanted.standing) {
            let statement = wanted.statement(
                state.word(),
                "SELECT * FROM outbox WHERE state = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                "SELECT * FROM outbox WHERE state = $1 AND id < $2 AND mailbox = $4 ORDER BY id DESC LIMIT $3",
            );
            for row in self.rows(OUTGOING, statement).await? {
                found.push(outgoing(&row)?);
            }
        }
        Ok(wanted.merged(found, |row| row.id))
    }

    async fn listed_inbound(&self, id: i64) -> Result<Option<Listed<InboundRow>>> {
        let statement = query("SELECT * FROM inbound WHERE id = $1").bind(id);
        self.row(INBOUND, statement).await?.as_ref().map(inbound).transpose()
    }

    async fn listed_outgoing(&self, id: i64) -> Result<Option<Listed<OutboxRow>>> {
        let statement = query("SELECT * FROM outbox WHERE id = $1 AND state <> 'skipped'").bind(id);
        self.row(OUTGOING, statement).await?.as_ref().map(outgoing).transpose()
    }
}
