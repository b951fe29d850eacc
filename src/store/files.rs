//! Files that mails brought: the bytes once each, by their SHA-256, and which mail calls them what. Who may
//! see them, and what is in them, is not known here.

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction, query};

use super::sql::{Columns, FailingTo, Query, Sql, clean};
use super::{Result, StoreError};
use crate::base::clock::Timestamp;
use crate::base::id::hex;
use crate::base::secret::sha256;

const KEEP: &str = "keep the files of a mail";

macro_rules! of_mail {
    () => {
        "SELECT position, name, media_type, size, digest FROM mail_file WHERE inbound = $1 ORDER BY position"
    };
}

/// A file to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    pub name: String,
    /// As the mail claims it.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
    /// `None` for a file that is only to be named.
    pub bytes: Option<Vec<u8>>,
}

/// A file of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// From 1, in the mail's order.
    pub position: u32,
    pub name: String,
    /// As the mail claims it.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of the bytes in lower-case hexadecimal; `None` for a file that was not kept.
    pub digest: Option<String>,
}

/// How much is kept, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// All files of one mail.
    pub per_mail: u64,
    /// All files of all mails, the same bytes counted once.
    pub total: u64,
}

#[async_trait]
pub trait Files: Send + Sync {
    /// Keeps the files of a mail as far as `quota` lets it, and notes the others by name; all or nothing.
    /// A second call for the same mail changes nothing. What is there afterwards, in the mail's order.
    async fn keep_files(
        &self,
        mail: i64,
        files: &[NewFile],
        quota: Quota,
        now: Timestamp,
    ) -> Result<Vec<FileRow>>;
    /// The files of a mail, kept or not, in the mail's order.
    async fn files_of(&self, mail: i64) -> Result<Vec<FileRow>>;
    /// The bytes of a [`FileRow::digest`].
    async fn file_bytes(&self, digest: &str) -> Result<Option<Vec<u8>>>;
    /// Drops what no mail at the desk has: files of mails that were left alone before `before`, those of
    /// tickets that are gone since before `gone_before`, and bytes that nothing has named since `before`. How
    /// many contents were dropped.
    async fn sweep_files(&self, before: Timestamp, gone_before: Timestamp) -> Result<u64>;
}

fn read(row: &AnyRow) -> Result<FileRow> {
    Ok(FileRow {
        position: row.count("position")?,
        name: row.text("name")?,
        media_type: row.text("media_type")?,
        size: u64::try_from(row.number("size")?).map_err(|_| StoreError::Corrupt { what: "size" })?,
        digest: row.text_or_none("digest")?,
    })
}

fn stored(size: u64) -> i64 {
    i64::try_from(size).expect("a file in memory is smaller than 2^63 bytes")
}

/// A transaction that keeps the files of one mail.
struct Keeping<'t> {
    transaction: &'t mut Transaction<'static, Any>,
    now: Timestamp,
    left_of_mail: u64,
    left_in_all: u64,
}

impl Keeping<'_> {
    async fn rows(&mut self, statement: Query<'_>) -> Result<Vec<AnyRow>> {
        statement.fetch_all(&mut **self.transaction).await.failing_to(KEEP)
    }

    /// The digest under which the bytes are kept, or `None` where there is no room for them.
    async fn content(&mut self, bytes: &[u8]) -> Result<Option<String>> {
        let size = bytes.len() as u64;
        if size > self.left_of_mail {
            return Ok(None);
        }
        let digest = hex(&sha256(bytes));
        // The new time keeps a sweep at the same moment away from bytes that nothing named until now.
        let known = query("UPDATE file_content SET added_at = $2 WHERE digest = $1 RETURNING digest")
            .bind(digest.clone())
            .bind(self.now.0);
        if self.rows(known).await?.is_empty() {
            if size > self.left_in_all {
                return Ok(None);
            }
            let added = query(
                "INSERT INTO file_content (digest, size, added_at, bytes) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (digest) DO UPDATE SET added_at = excluded.added_at RETURNING digest",
            )
            .bind(digest.clone())
            .bind(stored(size))
            .bind(self.now.0)
            .bind(bytes.to_vec());
            self.rows(added).await?;
            self.left_in_all -= size;
        }
        self.left_of_mail -= size;
        Ok(Some(digest))
    }
}

#[async_trait]
impl Files for Sql {
    async fn keep_files(
        &self,
        mail: i64,
        files: &[NewFile],
        quota: Quota,
        now: Timestamp,
    ) -> Result<Vec<FileRow>> {
        let mut transaction = self.begin(KEEP).await?;
        let known = query(of_mail!()).bind(mail).fetch_all(&mut *transaction).await.failing_to(KEEP)?;
        if !known.is_empty() {
            return known.iter().map(read).collect();
        }
        let sum = query("SELECT COALESCE(CAST(SUM(size) AS BIGINT), 0) AS used FROM file_content");
        let used = sum.fetch_one(&mut *transaction).await.failing_to(KEEP)?.number("used")?;
        let used = u64::try_from(used).map_err(|_| StoreError::Corrupt { what: "size" })?;
        let mut keeping = Keeping {
            transaction: &mut transaction,
            now,
            left_of_mail: quota.per_mail,
            left_in_all: quota.total.saturating_sub(used),
        };
        let mut kept = Vec::new();
        for (position, file) in (1_u32..).zip(files) {
            let row = FileRow {
                position,
                name: clean(&file.name),
                media_type: clean(&file.media_type),
                size: file.size,
                digest: match &file.bytes {
                    Some(bytes) => keeping.content(bytes).await?,
                    None => None,
                },
            };
            let added = query(
                "INSERT INTO mail_file (inbound, position, name, media_type, size, digest) \
                 VALUES ($1, $2, $3, $4, $5, $6) RETURNING position",
            )
            .bind(mail)
            .bind(i64::from(position))
            .bind(row.name.clone())
            .bind(row.media_type.clone())
            .bind(stored(file.size))
            .bind(row.digest.clone());
            keeping.rows(added).await?;
            kept.push(row);
        }
        transaction.commit().await.failing_to(KEEP)?;
        Ok(kept)
    }

    async fn files_of(&self, mail: i64) -> Result<Vec<FileRow>> {
        self.rows("list the files of a mail", query(of_mail!()).bind(mail)).await?.iter().map(read).collect()
    }

    async fn file_bytes(&self, digest: &str) -> Result<Option<Vec<u8>>> {
        let statement = query("SELECT bytes FROM file_content WHERE digest = $1").bind(digest.to_owned());
        self.row("read a file", statement).await?.map(|row| row.bytes("bytes")).transpose()
    }

    async fn sweep_files(&self, before: Timestamp, gone_before: Timestamp) -> Result<u64> {
        const WHAT: &str = "drop files that nothing names";
        let left_alone = query(
            "DELETE FROM mail_file WHERE inbound IN \
             (SELECT id FROM inbound WHERE state = 'ignored' AND ticket IS NULL AND ended_at < $1)",
        )
        .bind(before.0);
        self.execute(WHAT, left_alone).await?;
        let gone = [
            "DELETE FROM mail_file WHERE inbound IN (SELECT inbound.id FROM inbound JOIN ticket ON \
             ticket.id = inbound.ticket WHERE ticket.gone_at < $1)",
            // The raw mail has no files to keep any more and goes when its own time is over.
            "UPDATE inbound SET files = 0 WHERE files > 0 AND state IN ('done', 'ignored') AND \
             ticket IN (SELECT ticket.id FROM ticket WHERE ticket.gone_at < $1)",
        ];
        for statement in gone {
            self.execute(WHAT, query(statement).bind(gone_before.0)).await?;
        }
        let unnamed = query(
            "DELETE FROM file_content WHERE added_at < $1 AND NOT EXISTS \
             (SELECT 1 FROM mail_file WHERE mail_file.digest = file_content.digest)",
        )
        .bind(before.0);
        Ok(self.execute(WHAT, unnamed).await?.rows_affected())
    }
}
