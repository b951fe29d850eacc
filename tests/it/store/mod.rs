//! The store's promises, each kept by both databases.

mod crash;
mod drafts;
mod events;
mod files;
mod flows;
mod ledger;
mod mailboxes;
mod opening;
mod outbox;
mod queues;
mod sealed;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use mintgate::base::clock::Timestamp;
use mintgate::base::id::MailboxId;
use mintgate::store::{self, InboundState, NewMail, Reading, Seen, Store, StoreAt, TicketRow};

/// Runs each test on SQLite and on PostgreSQL, in an empty store of its own.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                let folder = tempfile::tempdir().expect("a folder");
                super::$test(mintgate::store::StoreAt::Sqlite(folder.path().join("store.db"))).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                if let Some(place) = crate::support::postgres::database() {
                    super::$test(place).await;
                }
            })+
        }
    };
}
use on_both;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// A mail that nothing was done for yet.
const FRESH: Seen = Seen { state: InboundState::New, intent_at: None };

async fn open(place: &StoreAt) -> Arc<dyn Store> {
    store::open(place).await.expect("the store opens")
}

fn later(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

fn support() -> MailboxId {
    MailboxId::parse("support").expect("an id")
}

fn mail(key: &str) -> NewMail {
    NewMail {
        mailbox: support(),
        source_key: key.to_owned(),
        received_at: NOW,
        stored_at: NOW,
        raw: format!("Subject: {key}\r\n\r\n\0\u{ff}").into_bytes(),
    }
}

fn reading(message_id: &str) -> Reading {
    let (sender, content) = ("5e4d".to_owned(), format!("content of {message_id}").replace('\0', ""));
    Reading { message_id: message_id.to_owned(), sender, content, files: 0 }
}

fn ticket(id: &str) -> TicketRow {
    TicketRow {
        id: id.to_owned(),
        mailbox: support(),
        requester: "customer@example.org".to_owned(),
        requester_name: "A Customer".to_owned(),
        subject: "The printer burns".to_owned(),
        participants: Vec::new(),
        references: Vec::new(),
        thread_index: None,
        closed: false,
        by_mail: true,
        number: None,
        gone_at: None,
        opened_at: NOW,
        swept_at: NOW,
    }
}

/// A place to open by a child process, as one word.
fn spelled(place: &StoreAt) -> String {
    match place {
        StoreAt::Sqlite(path) => path.to_str().expect("a plain path").to_owned(),
        StoreAt::Postgres(url) => url.0.clone(),
    }
}

fn read_place(text: &str) -> StoreAt {
    match text.starts_with("postgres://") {
        true => StoreAt::Postgres(store::PostgresUrl(text.to_owned())),
        false => StoreAt::Sqlite(text.into()),
    }
}
