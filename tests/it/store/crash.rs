//! Crashes: whatever was reported is there, and nothing is there by halves.

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::pin::pin;
use std::process::{Command, Stdio};
use std::task::Poll;

use mintgate::store::{InboundEnd, InboundState, Intent, Store, StoreAt};

use super::{FRESH, NOW, mail, on_both, open, read_place, reading, spelled, support, ticket};

const ROUNDS: usize = 20;

on_both!(an_end_cut_anywhere_is_whole_or_absent, nothing_reported_is_lost_when_the_process_is_killed);

fn end(ticket: &str) -> InboundEnd {
    InboundEnd::Done { ticket: ticket.to_owned() }
}

/// Polls `future` so many times at most, then drops it where it stands; whether it ended.
async fn cut_after(polls: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut seen = 0;
    std::future::poll_fn(|context| {
        seen += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if seen >= polls => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Whether the mail `key` ended as a whole, on ticket `key`; a half is a failure.
async fn is_whole(store: &dyn Store, id: i64, key: &str) -> bool {
    let ended = async || store.inbound(id).await.expect("read").expect("there").state == InboundState::Done;
    loop {
        let before = ended().await;
        let ticket = store.ticket(key).await.expect("read");
        let found = store.ticket_by_message_ids(&[key.to_owned()]).await.expect("read");
        // PostgreSQL may finish a commit whose caller is gone while this looks; then it looks again.
        if ended().await != before {
            continue;
        }
        assert_eq!((ticket.is_some(), found.is_some()), (before, before), "{key}");
        assert!(ticket.is_none_or(|ticket| ticket.references == [key]), "{key}");
        assert!(store.inbound_raw(id).await.expect("read").is_some(), "{key}");
        return before;
    }
}

async fn an_end_cut_anywhere_is_whole_or_absent(place: StoreAt) {
    let store = open(&place).await;
    let (mut cut, mut ended) = (0, 0);
    // How many polls an end takes depends on how busy the machine is, in both directions; so the schedule
    // goes round until there was enough of each.
    let schedule = (1..60).chain([100, 200, 400, 800, 1600]).cycle().take(2000);
    for (turn, polls) in schedule.enumerate() {
        let key = format!("{turn}@x");
        let id = store.add_inbound(&mail(&key)).await.expect("stored").expect("new");
        let (how, row) = (end(&key), ticket(&key));
        let done = cut_after(polls, store.end_inbound(id, Some(&key), &how, Some(&row), NOW)).await;
        let whole = is_whole(&*store, id, &key).await;
        assert!(whole || !done, "{key} was reported");
        match done {
            true => ended += 1,
            false => cut += 1,
        }
        if cut > 3 && ended >= 3 {
            return;
        }
    }
    panic!("{cut} cut, {ended} ended");
}

/// Writes until it is killed; tells each mail once it is committed.
#[tokio::test]
#[ignore = "the child of other tests; does nothing by itself"]
async fn child_that_writes() {
    let Ok(place) = std::env::var("MINTGATE_TEST_STORE") else { return };
    let store = open(&read_place(&place)).await;
    let first = store.counts().await.expect("counted").inbound_done
        + store.counts().await.expect("counted").inbound_waiting;
    for number in first.. {
        let key = format!("{number}@x");
        if let Some(id) = store.add_inbound(&mail(&key)).await.expect("stored") {
            store.write_intent(id, FRESH, &reading(&key), &Intent::Open, NOW).await.expect("written");
            store.end_inbound(id, Some(&key), &end(&key), Some(&ticket(&key)), NOW).await.expect("ended");
            println!("\ncommitted {key} {id}");
        }
    }
}

/// What a child that writes into `place` told before it was killed (SIGKILL, after `mails` commits)
/// or ended by itself.
fn told_by(mut child: Command, place: &StoreAt, mails: usize) -> Vec<(String, i64)> {
    let mut child = child
        .args(["store::crash::child_that_writes", "--exact", "--ignored", "--nocapture"])
        .env("MINTGATE_TEST_STORE", spelled(place))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts");
    let mut told = Vec::new();
    for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
        let line = line.expect("text");
        let words: Vec<&str> = line.split(' ').collect();
        if let ["committed", key, id] = words[..] {
            told.push((key.to_owned(), id.parse().expect("a number")));
        }
        if told.len() == mails {
            child.kill().expect("killed");
            break;
        }
    }
    child.wait().expect("ended");
    told
}

fn this_program() -> std::path::PathBuf {
    std::env::current_exe().expect("this program")
}

async fn nothing_reported_is_lost_when_the_process_is_killed(place: StoreAt) {
    let mut known = 0;
    for round in 0..ROUNDS {
        let mails = 1 + round * 7 % 11;
        let told = tokio::task::block_in_place(|| told_by(Command::new(this_program()), &place, mails));
        assert_eq!(told.len(), mails, "the child writes until it is killed");
        let store = open(&place).await;
        for (key, id) in &told {
            assert!(is_whole(&*store, *id, key).await, "{key} was reported");
        }
        let all = store.recent_inbound(None, 10_000).await.expect("listed");
        for row in all.iter().take(told.len() + 3) {
            is_whole(&*store, row.id, &row.source_key).await;
        }
        assert!(all.len() >= known + told.len(), "round {round}");
        assert!(store.knows_inbound(&support(), &told[0].0).await.expect("read"));
        known = all.len();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_fails_loudly_and_loses_nothing_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = StoreAt::Sqlite(folder.path().join("store.db"));
    // No file may grow beyond 3000 blocks of 512 bytes, three times what the schema takes; the write then fails as on a full disk.
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"trap '' XFSZ; ulimit -f 3000; exec "$0" "$@""#]).arg(this_program());

    let told = tokio::task::block_in_place(|| told_by(limited, &place, 10_000));
    let store = open(&place).await;

    assert!((1..10_000).contains(&told.len()), "{} mails fit", told.len());
    for (key, id) in &told {
        assert!(is_whole(&*store, *id, key).await, "{key} was reported");
    }
    assert!(store.add_inbound(&mail("afterwards")).await.expect("stored").is_some());
}
