//! One life of the worker: this test program again, working until it is killed.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use mintgate::base::secret::SecretString;
use mintgate::mailbox::settings::MailboxSettings;
use mintgate::oauth::source::AccessToken;
use mintgate::store::{self, MailboxRow, StoreAt};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child as Process, ChildStdout, Command};

use super::quick_clock::QuickClock;
use crate::support::dovecot::PASSWORD;
use crate::support::mail_server::dialer;
use crate::worker::scene::{BOTH, Place, mailbox_row, worker_of};
use crate::worker::servers::post::row_at;

const VARIABLE: &str = "MINTGATE_SOAK_SCENERY";
/// What a life says once it works.
const WORKS: &str = "the worker works";
/// Real time between two rounds.
const PAUSE: Duration = Duration::from_millis(20);

/// What a life needs to know of the world.
#[derive(Serialize, Deserialize)]
pub struct Scenery {
    pub store: PathBuf,
    pub desk: String,
    pub account: Account,
    pub clock: QuickClock,
}

/// How the mailbox is reached.
#[derive(Clone, Serialize, Deserialize)]
pub enum Account {
    Graph {
        url: String,
        token: String,
    },
    /// IMAP and submission on this machine.
    Servers {
        ports: [u16; 2],
    },
}

impl Account {
    fn row(&self) -> MailboxRow {
        match self {
            Self::Graph { .. } => mailbox_row(&BOTH),
            Self::Servers { ports } => row_at(*ports, MailboxSettings::default()),
        }
    }
}

/// A life that ends with its handle.
pub struct Child {
    process: Process,
    output: Lines<BufReader<ChildStdout>>,
}

impl Child {
    pub fn start(scenery: &Scenery) -> Self {
        let text = serde_json::to_string(scenery).expect("texts and numbers");
        let log = std::env::var_os("MINTGATE_SOAK_LOG").map(|path| {
            std::fs::OpenOptions::new().create(true).append(true).open(path).expect("a log file")
        });
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["worker::soak::child::works_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
            .env(VARIABLE, text)
            .stdout(Stdio::piped())
            .stderr(log.map_or_else(Stdio::null, Stdio::from))
            .kill_on_drop(true)
            .spawn()
            .expect("the child starts");
        let output = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        Self { process, output }
    }

    /// Waits until it has opened the store and works.
    pub async fn works(&mut self) {
        while let Some(line) = self.output.next_line().await.expect("a pipe") {
            if line.contains(WORKS) {
                return;
            }
        }
    }

    /// SIGKILL. A life that ended by itself has failed.
    pub async fn kill(&mut self) {
        assert!(self.process.try_wait().expect("a child").is_none(), "the worker ended by itself");
        self.process.kill().await.expect("it was running");
    }
}

#[tokio::test]
#[ignore = "the child of other tests; does nothing by itself"]
async fn works_until_it_is_killed() {
    let Ok(text) = std::env::var(VARIABLE) else { return };
    let scenery: Scenery = serde_json::from_str(&text).expect("what the parent wrote");
    let store = store::open(&StoreAt::Sqlite(scenery.store)).await.expect("the store");
    let row = scenery.account.row();
    if store.mailbox(&row.id).await.expect("read").is_none() {
        store.connect_mailbox(&row).await.expect("connected");
    }
    let (graph, token, password) = match scenery.account {
        Account::Graph { url, token } => (url, token, None),
        Account::Servers { .. } => ("http://127.0.0.1:9".to_owned(), String::new(), Some(PASSWORD)),
    };
    let token = AccessToken {
        secret: SecretString::from(token),
        expires_at: mintgate::base::clock::Timestamp(i64::MAX),
        scopes: BOTH.iter().map(|scope| scope.to_lowercase()).collect(),
    };
    let place = Place {
        clock: scenery.clock.shared(),
        desk: scenery.desk,
        graph,
        store,
        second: token.clone(),
        token,
        dialer: dialer(),
        password,
    };
    let worker = worker_of(&place, Arc::new(|_| {}));
    println!("{WORKS}");
    loop {
        if let Err(error) = worker.run_once().await {
            eprintln!("{}", mintgate::base::report::Report(&error));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
