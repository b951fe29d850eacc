//! The pool and what every query shares: transactions, words for states, errors.
//!
//! One implementation serves both databases through sqlx's `Any` driver; the few differences are
//! [`Dialect`]'s.

use std::fs::File;

use sqlx::any::{AnyQueryResult, AnyRow};
use sqlx::{Any, AnyPool, Row, Transaction};

use super::{Result, StoreError};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

/// A query and its bound values.
pub(super) type Query<'q> = sqlx::query::Query<'q, Any, sqlx::any::AnyArguments>;

/// Which database is beneath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// A store over SQL.
pub(super) struct Sql {
    pub(super) pool: AnyPool,
    pub(super) dialect: Dialect,
    /// Held as long as the store lives: the proof that no other process has the SQLite file.
    pub(super) _lock: Option<File>,
}

impl Sql {
    /// Begins a transaction. SQLite takes its write lock now: a transaction that reads first and
    /// writes later could otherwise fail half-way.
    pub(super) async fn begin(&self, what: &'static str) -> Result<Transaction<'static, Any>> {
        let statement = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        };
        self.pool.begin_with(statement).await.failing_to(what)
    }

    pub(super) async fn execute(&self, what: &'static str, query: Query<'_>) -> Result<AnyQueryResult> {
        query.execute(&self.pool).await.failing_to(what)
    }

    /// All rows. Also what a writing query with RETURNING has to use: only a statement that runs to
    /// its end reports a commit that failed.
    pub(super) async fn rows(&self, what: &'static str, query: Query<'_>) -> Result<Vec<AnyRow>> {
        query.fetch_all(&self.pool).await.failing_to(what)
    }

    pub(super) async fn row(&self, what: &'static str, query: Query<'_>) -> Result<Option<AnyRow>> {
        Ok(self.rows(what, query).await?.into_iter().next())
    }
}

/// Turns a database error into the store's own.
pub(super) trait FailingTo<T> {
    fn failing_to(self, what: &'static str) -> Result<T>;
}

impl<T> FailingTo<T> for std::result::Result<T, sqlx::Error> {
    fn failing_to(self, what: &'static str) -> Result<T> {
        self.map_err(|error| StoreError::Failed { what, source: Box::new(error) })
    }
}

/// The row is not in the state that the caller believed; most likely another worker was there.
#[derive(Debug, thiserror::Error)]
#[error("it is no longer in the expected state")]
struct Overtaken;

/// Refuses a write that found no row to change.
pub(super) fn demand_change(what: &'static str, result: &AnyQueryResult) -> Result<()> {
    if result.rows_affected() == 0 {
        return Err(StoreError::Failed { what, source: Box::new(Overtaken) });
    }
    Ok(())
}

/// An enum kept as a word.
pub(super) trait Word: Copy + PartialEq + 'static {
    const WHAT: &'static str;
    const WORDS: &'static [(Self, &'static str)];

    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(value, _)| *value == self);
        found.expect("every value has a word").1
    }

    fn read(text: &str) -> Result<Self> {
        let found = Self::WORDS.iter().find(|(_, word)| *word == text);
        found.map(|(value, _)| *value).ok_or(StoreError::Corrupt { what: Self::WHAT })
    }
}

/// Text from outside as both databases can hold it: PostgreSQL refuses NUL.
pub(super) fn clean(text: &str) -> String {
    match text.contains('\0') {
        true => text.replace('\0', "\u{fffd}"),
        false => text.to_owned(),
    }
}

/// Reading a row's columns, each by its name.
pub(super) trait Columns {
    fn number(&self, column: &'static str) -> Result<i64>;
    fn number_or_none(&self, column: &'static str) -> Result<Option<i64>>;
    fn text(&self, column: &'static str) -> Result<String>;
    fn text_or_none(&self, column: &'static str) -> Result<Option<String>>;
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>>;
    fn bytes_or_none(&self, column: &'static str) -> Result<Option<Vec<u8>>>;

    fn time(&self, column: &'static str) -> Result<Timestamp> {
        self.number(column).map(Timestamp)
    }

    fn time_or_none(&self, column: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.number_or_none(column)?.map(Timestamp))
    }

    fn word<W: Word>(&self, column: &'static str) -> Result<W> {
        W::read(&self.text(column)?)
    }

    fn count(&self, column: &'static str) -> Result<u32> {
        u32::try_from(self.number(column)?).map_err(|_| StoreError::Corrupt { what: column })
    }

    fn mailbox(&self, column: &'static str) -> Result<MailboxId> {
        MailboxId::parse(&self.text(column)?).ok_or(StoreError::Corrupt { what: column })
    }
}

impl Columns for AnyRow {
    fn number(&self, column: &'static str) -> Result<i64> {
        self.try_get(column).failing_to(READ)
    }
    fn number_or_none(&self, column: &'static str) -> Result<Option<i64>> {
        self.try_get(column).failing_to(READ)
    }
    fn text(&self, column: &'static str) -> Result<String> {
        self.try_get(column).failing_to(READ)
    }
    fn text_or_none(&self, column: &'static str) -> Result<Option<String>> {
        self.try_get(column).failing_to(READ)
    }
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>> {
        self.try_get(column).failing_to(READ)
    }
    fn bytes_or_none(&self, column: &'static str) -> Result<Option<Vec<u8>>> {
        self.try_get(column).failing_to(READ)
    }
}

const READ: &str = "read a row";
