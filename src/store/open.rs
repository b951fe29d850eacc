//! Opening a store: the file or server, its settings, its schema.
//!
//! Whatever cannot be made safe (a second process, a newer schema) is refused here.

use std::error::Error;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::FlockOperation;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Executor, Row, SqlSafeStr, query};
use url::Url;

use super::sql::{Dialect, Sql};
use super::{PostgresUrl, Result, Store, StoreAt, StoreError};

/// Forward only, and never changed once released: a changed one no longer matches its checksum.
const SQLITE_SCHEMA: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("migrations/sqlite/0001_first.sql")),
    (2, "desk session", include_str!("migrations/sqlite/0002_desk_session.sql")),
    (4, "mail policies", include_str!("migrations/sqlite/0004_mail_policies.sql")),
    (5, "mailbox settings", include_str!("migrations/sqlite/0005_mailbox_settings.sql")),
    (6, "draft", include_str!("migrations/sqlite/0006_draft.sql")),
    (7, "file", include_str!("migrations/sqlite/0007_file.sql")),
    (8, "ticket number", include_str!("migrations/sqlite/0008_ticket_number.sql")),
    (10, "queues and events", include_str!("migrations/sqlite/0010_queues_and_events.sql")),
    (11, "draft begun", include_str!("migrations/sqlite/0011_draft_begun.sql")),
    (12, "inbound waits", include_str!("migrations/sqlite/0012_inbound_waits.sql")),
];
const POSTGRES_SCHEMA: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("migrations/postgres/0001_first.sql")),
    (2, "desk session", include_str!("migrations/postgres/0002_desk_session.sql")),
    (4, "mail policies", include_str!("migrations/postgres/0004_mail_policies.sql")),
    (5, "mailbox settings", include_str!("migrations/postgres/0005_mailbox_settings.sql")),
    (6, "draft", include_str!("migrations/postgres/0006_draft.sql")),
    (7, "file", include_str!("migrations/postgres/0007_file.sql")),
    (8, "ticket number", include_str!("migrations/postgres/0008_ticket_number.sql")),
    (10, "queues and events", include_str!("migrations/postgres/0010_queues_and_events.sql")),
    (11, "draft begun", include_str!("migrations/postgres/0011_draft_begun.sql")),
    (12, "inbound waits", include_str!("migrations/postgres/0012_inbound_waits.sql")),
];

/// FULL, in WAL mode too: a commit that was reported survives a power cut.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000; PRAGMA trusted_schema = OFF;";

/// A schema of its own: the helpdesk's migrations may share the database and must not meet our tables.
/// As start-up options, so that no connection is ever without them.
const POSTGRES_SETTINGS: &str = "-c search_path=mintgate -c statement_timeout=30000 -c lock_timeout=15000 \
     -c idle_in_transaction_session_timeout=60000 -c synchronous_commit=on";

const POSTGRES_CONNECTIONS: u32 = 8;
const NOT_OPENED: &str = "SQLite does not open the file";
const PATIENCE: Duration = Duration::from_secs(30);

/// Another process holds the SQLite file.
#[derive(Debug, thiserror::Error)]
enum InUse {
    #[error("process {0} has it open")]
    By(u32),
    #[error("another process has it open")]
    Unknown,
}

/// Opens the store, makes or updates its schema, and returns it ready for use.
///
/// # Errors
/// [`StoreError::Open`] when the place cannot be used, is in use by another process (SQLite), or was
/// written by a newer version.
pub async fn open(at: &StoreAt) -> Result<Arc<dyn Store>> {
    sqlx::any::install_default_drivers();
    let store = match at {
        StoreAt::Sqlite(path) if path.as_os_str() == ":memory:" => open_memory().await?,
        StoreAt::Sqlite(path) => open_file(path).await?,
        StoreAt::Postgres(url) => open_postgres(url).await?,
    };
    Ok(Arc::new(store))
}

/// Opens the store of an installation whose gateway may be running: takes no lock and changes no schema. For
/// commands that look or leave a word, never for a second gateway.
///
/// # Errors
/// [`StoreError::Open`] when there is no store yet, or this version of mintgate did not make its schema.
pub async fn open_beside(at: &StoreAt) -> Result<Arc<dyn Store>> {
    sqlx::any::install_default_drivers();
    let (store, schema) = match at {
        StoreAt::Sqlite(path) => {
            let path = &std::path::absolute(path)
                .map_err(cannot(format!("`{}` cannot be opened", path.display())))?;
            if !path.is_file() {
                let hint = format!("`{}` is not there; `mintgate run` makes it", path.display());
                return Err(cannot(hint)("no such file"));
            }
            let pool = sqlite_pool(&sqlite_url(path)?).await?;
            (Sql { pool, dialect: Dialect::Sqlite, _lock: None }, SQLITE_SCHEMA)
        }
        StoreAt::Postgres(url) => (
            Sql { pool: postgres_pool(url).await?, dialect: Dialect::Postgres, _lock: None },
            POSTGRES_SCHEMA,
        ),
    };
    demand_schema(&store.pool, schema).await?;
    Ok(Arc::new(store))
}

async fn demand_schema(pool: &AnyPool, schema: &[(i64, &str, &str)]) -> Result<()> {
    let newest = query("SELECT CAST(MAX(version) AS BIGINT) FROM _sqlx_migrations WHERE success");
    let found: Option<i64> = newest
        .fetch_one(pool)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(cannot("it has no schema yet; `mintgate run` makes it"))?;
    let wanted = schema.last().map(|&(version, _, _)| version);
    if found == wanted {
        return Ok(());
    }
    let shown = |version: Option<i64>| version.map_or_else(|| "none".to_owned(), |number| number.to_string());
    Err(cannot("it was made by another version of mintgate; use the same one as the gateway")(format!(
        "schema {}, this version has {}",
        shown(found),
        shown(wanted)
    )))
}

fn cannot<E: Into<Box<dyn Error + Send + Sync>>>(hint: impl Into<String>) -> impl FnOnce(E) -> StoreError {
    let hint = hint.into();
    move |error| StoreError::Open { hint, source: error.into() }
}

pub(super) async fn open_memory() -> Result<Sql> {
    let pool = sqlite_pool("sqlite::memory:").await?;
    let mut connection = pool.acquire().await.map_err(cannot(NOT_OPENED))?;
    migrate(&mut connection, SQLITE_SCHEMA).await?;
    drop(connection);
    Ok(Sql { pool, dialect: Dialect::Sqlite, _lock: None })
}

async fn open_file(path: &Path) -> Result<Sql> {
    let unusable = || cannot(format!("`{}` cannot be made or opened", path.display()));
    let path = &std::path::absolute(path).map_err(unusable())?;
    make_parent(path).map_err(unusable())?;
    let lock = lock(path)?;
    make_private(path).map_err(unusable())?;
    let url = sqlite_url(path)?;
    // A pool tries again and again where a connection of one's own fails at once.
    let mut connection = AnyConnection::connect(&url).await.map_err(cannot(NOT_OPENED))?;
    set(&mut connection, SQLITE_SETTINGS).await.map_err(cannot(NOT_OPENED))?;
    migrate(&mut connection, SQLITE_SCHEMA).await?;
    connection.close().await.map_err(cannot(NOT_OPENED))?;
    Ok(Sql { pool: sqlite_pool(&url).await?, dialect: Dialect::Sqlite, _lock: Some(lock) })
}

/// One connection: one writer, and nobody who reads what is not committed.
async fn sqlite_pool(url: &str) -> Result<AnyPool> {
    AnyPoolOptions::new()
        .min_connections(1)
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| Box::pin(set(connection, SQLITE_SETTINGS)))
        .connect(url)
        .await
        .map_err(cannot(NOT_OPENED))
}

async fn set(connection: &mut AnyConnection, settings: &'static str) -> sqlx::Result<()> {
    connection.execute(sqlx::raw_sql(settings)).await.map(drop)
}

fn sqlite_url(path: &Path) -> Result<String> {
    let text =
        path.to_str().ok_or("not UTF-8").map_err(cannot("the path of the SQLite file is not UTF-8"))?;
    let mut url = String::from("sqlite://");
    for byte in text.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(url)
}

fn make_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.is_dir() => DirBuilder::new().recursive(true).mode(0o700).create(parent),
        _ => Ok(()),
    }
}

/// Makes the file before SQLite does, so that it is private from its first moment; SQLite gives its
/// side files the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// Takes the lock beside the file. The operating system gives it back when the process ends, however
/// it ends.
fn lock(path: &Path) -> Result<File> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let unusable = || cannot(format!("`{}` cannot be used as a lock", lock_path.display()));
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock_path)
        .map_err(unusable())?;
    if let Err(error) = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        if error != rustix::io::Errno::WOULDBLOCK {
            return Err(unusable()(io::Error::from(error)));
        }
        let hint = format!("`{}` is in use; one SQLite file serves one mintgate", path.display());
        return Err(cannot(hint)(holder(&mut file)));
    }
    note_holder(&mut file).map_err(unusable())?;
    Ok(file)
}

fn holder(file: &mut File) -> InUse {
    let mut text = String::new();
    match file.read_to_string(&mut text).map(|_| text.trim().parse()) {
        Ok(Ok(process)) => InUse::By(process),
        _ => InUse::Unknown,
    }
}

fn note_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

async fn open_postgres(url: &PostgresUrl) -> Result<Sql> {
    let pool = postgres_pool(url).await?;
    make_schema(&pool).await.map_err(cannot("the schema `mintgate` cannot be made"))?;
    let mut connection = pool.acquire().await.map_err(cannot("PostgreSQL does not accept the connection"))?;
    migrate(&mut connection, POSTGRES_SCHEMA).await?;
    drop(connection);
    Ok(Sql { pool, dialect: Dialect::Postgres, _lock: None })
}

async fn postgres_pool(url: &PostgresUrl) -> Result<AnyPool> {
    // The parser's complaint would not name the password, but the URL itself must not be told.
    let mut parsed = Url::parse(&url.0).map_err(cannot("the PostgreSQL URL cannot be read"))?;
    if !matches!(parsed.scheme(), "postgres" | "postgresql") {
        return Err(cannot("the PostgreSQL URL cannot be read")("it does not start with postgres://"));
    }
    let server = parsed.host_str().unwrap_or("the local socket").to_owned();
    let unreachable = || cannot(format!("PostgreSQL at {server} does not accept the connection"));
    parsed.query_pairs_mut().append_pair("options", POSTGRES_SETTINGS);
    let options = AnyConnectOptions::from_url(&parsed).map_err(unreachable())?;
    AnyPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await
        .map_err(unreachable())
}

/// `CREATE SCHEMA IF NOT EXISTS` demands the right to create one even where it exists, and two at once
/// can collide; so it is asked first and afterwards.
async fn make_schema(pool: &AnyPool) -> sqlx::Result<()> {
    if has_schema(pool).await? {
        return Ok(());
    }
    match query("CREATE SCHEMA mintgate").execute(pool).await {
        Err(error) if !has_schema(pool).await? => Err(error),
        _ => Ok(()),
    }
}

async fn has_schema(pool: &AnyPool) -> sqlx::Result<bool> {
    let found = query("SELECT 1 FROM pg_namespace WHERE nspname = 'mintgate'").fetch_optional(pool).await?;
    Ok(found.is_some())
}

async fn migrate(
    connection: &mut AnyConnection,
    schema: &'static [(i64, &'static str, &'static str)],
) -> Result<()> {
    let migrations = schema.iter().map(|&(version, name, text)| {
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    migrator.run(connection).await.map_err(|error| {
        let hint = match error {
            MigrateError::VersionMissing(version) => format!(
                "it was written by a newer version of mintgate (schema {version}; this version knows {}); \
                 use that version, or restore a backup",
                schema.last().map_or(0, |&(version, _, _)| version)
            ),
            _ => "its schema cannot be brought up to date".to_owned(),
        };
        StoreError::Open { hint, source: error.into() }
    })
}
