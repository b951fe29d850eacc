//! Opening: what is made, what is refused, what is kept.

use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use mintgate::base::report::Report;
use mintgate::store::{self, PostgresUrl, StoreAt, StoreError};
use sqlx::{AnyConnection, Connection, query};

use super::{mail, on_both, open, spelled, support};

on_both!(
    a_reopened_store_has_what_it_had,
    a_schema_of_a_newer_version_is_refused_with_a_sentence,
    of_mailboxes_with_one_address_the_newer_one_stays,
);

/// Ends in the schema that did not hold addresses apart.
const BEFORE_UNIQUE_ADDRESSES: [&str; 8] = [
    "DROP INDEX mailbox_address",
    "DROP INDEX outbox_on_ticket",
    "DROP INDEX ticket_short",
    "DROP INDEX ticket_number",
    "ALTER TABLE ticket DROP COLUMN gone_at",
    "ALTER TABLE ticket DROP COLUMN short",
    "ALTER TABLE ticket DROP COLUMN number",
    "DELETE FROM _sqlx_migrations WHERE version = 8",
];

async fn of_mailboxes_with_one_address_the_newer_one_stays(place: StoreAt) {
    let store = open(&place).await;
    store.put_sealed("mailbox/older/tokens", 0, b"x").await.expect("written");
    store.put_sealed("mailbox/newer/tokens", 0, b"x").await.expect("written");
    drop(store);
    let mut connection = AnyConnection::connect(&url(&place)).await.expect("connected");
    for statement in BEFORE_UNIQUE_ADDRESSES {
        query(statement).execute(&mut connection).await.expect("undone");
    }
    for (id, address, connected_at) in
        [("older", "Help@x.example", 1), ("newer", "help@x.example", 2), ("other", "sales@x.example", 1)]
    {
        let statement = "INSERT INTO mailbox (id, kind, address, state, scopes, connected_at, accept_since) \
                         VALUES ($1, 'imap', $2, 'connected', '', $3, 1)";
        let row = query(statement).bind(id).bind(address).bind(i64::from(connected_at));
        row.execute(&mut connection).await.expect("written");
    }
    connection.close().await.expect("closed");

    let store = open(&place).await;

    let rows = store.mailboxes().await.expect("listed");
    assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["newer", "other"]);
    assert_eq!(store.sealed_names().await.expect("listed"), ["mailbox/newer/tokens"]);
}

fn url(place: &StoreAt) -> String {
    match place {
        StoreAt::Sqlite(path) => format!("sqlite://{}", path.display()),
        StoreAt::Postgres(url) => format!("{}&options=-csearch_path=mintgate", url.0),
    }
}

async fn a_reopened_store_has_what_it_had(place: StoreAt) {
    let store = open(&place).await;
    store.add_inbound(&mail("one")).await.expect("stored");
    drop(store);
    assert!(open(&place).await.knows_inbound(&support(), "one").await.expect("read"));
}

async fn a_schema_of_a_newer_version_is_refused_with_a_sentence(place: StoreAt) {
    drop(open(&place).await);
    let mut connection = AnyConnection::connect(&url(&place)).await.expect("connected");
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (99, 'later', TRUE, $1, 0)";
    query(later).bind(vec![1u8]).execute(&mut connection).await.expect("written");
    connection.close().await.expect("closed");

    let error = store::open(&place).await.err().expect("refused");

    assert!(matches!(error, StoreError::Open { .. }));
    assert!(
        Report(&error).to_string().contains("newer version of mintgate (schema 99"),
        "{}",
        Report(&error)
    );
}

#[tokio::test]
async fn a_new_file_and_its_folder_are_private() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/data folder%41/store ?#.db");
    let store = open(&StoreAt::Sqlite(path.clone())).await;
    store.add_inbound(&mail("one")).await.expect("stored");

    let mode = |path: &std::path::Path| path.metadata().expect("there").mode() & 0o777;
    let parent = path.parent().expect("a parent");
    assert_eq!(mode(parent), 0o700);
    let files: Vec<_> =
        parent.read_dir().expect("listed").map(|entry| entry.expect("an entry").path()).collect();
    assert!(files.contains(&path) && files.len() >= 3, "the file, its log and its lock: {files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
}

#[tokio::test]
async fn a_second_process_on_one_sqlite_file_is_refused_and_told_by_whom() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = StoreAt::Sqlite(folder.path().join("store.db"));
    let store = open(&place).await;

    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["store::crash::child_that_writes", "--exact", "--ignored", "--nocapture"])
        .env("MINTGATE_TEST_STORE", spelled(&place))
        .stdout(Stdio::null())
        .output()
        .expect("the child ran");
    let again = store::open(&place).await.err().expect("refused within one process too");
    drop(store);

    let told = String::from_utf8_lossy(&child.stderr).into_owned();
    assert!(!child.status.success());
    assert!(told.contains(&format!("By({})", std::process::id())), "{told}");
    assert!(Report(&again).to_string().contains("is in use"), "{}", Report(&again));
    open(&place).await;
}

#[tokio::test]
async fn two_stores_in_memory_do_not_know_each_other() {
    let (one, two) =
        (open(&StoreAt::Sqlite(":memory:".into())).await, open(&StoreAt::Sqlite(":memory:".into())).await);
    one.add_inbound(&mail("one")).await.expect("stored");
    assert!(one.knows_inbound(&support(), "one").await.expect("read"));
    assert!(!two.knows_inbound(&support(), "one").await.expect("read"));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    std::fs::write(&path, "notes of somebody else, longer than a page header is".repeat(9)).expect("written");
    let before = std::fs::read(&path).expect("read");

    let error = store::open(&StoreAt::Sqlite(path.clone())).await.err().expect("refused");

    assert!(matches!(error, StoreError::Open { .. }));
    assert_eq!(std::fs::read(&path).expect("read"), before);
}

#[tokio::test]
async fn a_wrong_url_is_refused_without_telling_its_password() {
    for url in
        ["mysql://user:s3cret@host/db", "postgres://user:s3cret@ho st/db", "postgres://user:s3cret@host:x/db"]
    {
        let place = StoreAt::Postgres(PostgresUrl(url.to_owned()));

        let error = store::open(&place).await.err().expect("refused");

        let told = format!("{} {error:?} {place:?}", Report(&error));
        assert!(!told.contains("s3cret"), "{told}");
    }
}
