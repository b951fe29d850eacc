//! Files of mails: each content once, within its bounds, all of a mail's or none, and gone only when nothing
//! names it.

use mintgate::store::{FileRow, InboundEnd, InboundState, NewFile, Quota, Store, StoreAt};

use super::{NOW, later, mail, on_both, open, ticket};

on_both!(
    the_same_bytes_are_kept_once,
    a_second_call_changes_nothing,
    what_is_too_much_is_named_and_not_kept,
    files_of_a_ticket_outlive_every_sweep,
    files_of_a_mail_that_was_left_alone_are_swept,
    a_crash_before_the_commit_leaves_nothing,
    the_bytes_of_a_mail_that_was_left_alone_go_with_its_files,
    the_bytes_of_a_mail_go_once_its_files_are_kept_apart,
);

const PLENTY: Quota = Quota { per_mail: 1_000_000, total: 1_000_000 };

fn file(name: &str, bytes: &[u8]) -> NewFile {
    NewFile {
        name: name.to_owned(),
        media_type: "image/png".to_owned(),
        size: bytes.len() as u64,
        bytes: Some(bytes.to_vec()),
    }
}

async fn add(store: &dyn Store, key: &str) -> i64 {
    store.add_inbound(&mail(key)).await.expect("stored").expect("new")
}

async fn keep(store: &dyn Store, mail: i64, files: &[NewFile], quota: Quota) -> Vec<FileRow> {
    store.keep_files(mail, files, quota, NOW).await.expect("kept")
}

/// How many files of the mail are kept, and how many can be read.
async fn kept(store: &dyn Store, mail: i64) -> (usize, usize) {
    let mut readable = 0;
    let rows = store.files_of(mail).await.expect("listed");
    let digests: Vec<_> = rows.into_iter().filter_map(|row| row.digest).collect();
    for digest in &digests {
        readable += usize::from(store.file_bytes(digest).await.expect("read").is_some());
    }
    (digests.len(), readable)
}

async fn the_same_bytes_are_kept_once(place: StoreAt) {
    let store = open(&place).await;
    let (one, two) = (add(&*store, "one").await, add(&*store, "two").await);
    // Room for one logo only: the second one needs none.
    let tight = Quota { total: 4, ..PLENTY };
    let first = keep(&*store, one, &[file("logo.png", b"logo")], tight).await;
    let second = keep(&*store, two, &[file("same.png", b"logo"), file("other.png", b"gol!")], tight).await;
    assert_eq!(first[0].digest, second[0].digest);
    assert_eq!(second[1].digest, None);
    assert_eq!(store.files_of(two).await.expect("listed"), second);
    let bytes = store.file_bytes(first[0].digest.as_deref().expect("kept")).await.expect("read");
    assert_eq!(bytes.as_deref(), Some(&b"logo"[..]));
}

async fn a_second_call_changes_nothing(place: StoreAt) {
    let store = open(&place).await;
    let one = add(&*store, "one").await;
    let files = [file("a\0b", b"a"), file("b", b"")];
    let first = keep(&*store, one, &files, PLENTY).await;
    assert_eq!(keep(&*store, one, &files, Quota { per_mail: 0, total: 0 }).await, first);
    assert_eq!(keep(&*store, one, &[], PLENTY).await, first);
    assert_eq!((first[0].position, first[1].position, first[1].size), (1, 2, 0));
}

async fn what_is_too_much_is_named_and_not_kept(place: StoreAt) {
    let store = open(&place).await;
    let one = add(&*store, "one").await;
    let unread = NewFile { bytes: None, ..file("unread", b"four") };
    let files = [file("small", b"123"), file("large", b"45678"), unread, file("fits", b"90")];
    let rows = keep(&*store, one, &files, Quota { per_mail: 5, total: 100 }).await;
    let told: Vec<_> = rows.iter().map(|row| (&*row.name, row.size, row.digest.is_some())).collect();
    assert_eq!(told, [("small", 3, true), ("large", 5, false), ("unread", 4, false), ("fits", 2, true)]);
}

async fn files_of_a_ticket_outlive_every_sweep(place: StoreAt) {
    let store = open(&place).await;
    let one = add(&*store, "one").await;
    keep(&*store, one, &[file("a", b"a")], PLENTY).await;
    assert_eq!(store.sweep_files(later(1_000), NOW).await.expect("swept"), 0, "on its way to the desk");
    let end = InboundEnd::Done { ticket: "t1".to_owned() };
    store.end_inbound(one, None, &end, Some(&ticket("t1")), NOW).await.expect("ended");
    assert_eq!(store.sweep_files(later(1_000), NOW).await.expect("swept"), 0);
    assert_eq!(kept(&*store, one).await, (1, 1));
}

async fn files_of_a_mail_that_was_left_alone_are_swept(place: StoreAt) {
    let store = open(&place).await;
    let (one, two) = (add(&*store, "one").await, add(&*store, "two").await);
    keep(&*store, one, &[file("a", b"only here"), file("b", b"shared")], PLENTY).await;
    keep(&*store, two, &[file("b", b"shared")], PLENTY).await;
    store.skip_inbound(one, InboundState::New, "by hand", NOW).await.expect("skipped");
    assert_eq!(store.sweep_files(NOW, NOW).await.expect("swept"), 0, "too young");
    assert_eq!(store.sweep_files(later(1), NOW).await.expect("swept"), 1);
    assert_eq!((kept(&*store, one).await, kept(&*store, two).await), ((0, 0), (1, 1)));
}

async fn a_crash_before_the_commit_leaves_nothing(place: StoreAt) {
    let store = open(&place).await;
    // There is no such mail, so its row fails after the bytes were written.
    let failed = store.keep_files(4711, &[file("a", b"orphan")], PLENTY, NOW).await;
    assert!(failed.is_err());
    let one = add(&*store, "one").await;
    let rows = keep(&*store, one, &[file("b", b"123456")], Quota { total: 6, ..PLENTY }).await;
    assert!(rows[0].digest.is_some(), "the bytes that were given up take no room");
}

async fn the_bytes_of_a_mail_go_once_its_files_are_kept_apart(place: StoreAt) {
    let store = open(&place).await;
    let (apart, within) = (add(&*store, "apart").await, add(&*store, "within").await);
    keep(&*store, apart, &[file("a", b"a")], PLENTY).await;
    for id in [apart, within] {
        let end = InboundEnd::Done { ticket: "t1".to_owned() };
        store.end_inbound(id, None, &end, Some(&ticket("t1")), NOW).await.expect("ended");
    }
    assert_eq!(store.drop_old_raw(later(1), 10).await.expect("dropped"), 1);
    assert_eq!(store.inbound_raw(apart).await.expect("read"), None);
    assert!(store.inbound_raw(within).await.expect("read").is_some(), "nothing else has its files");
    assert_eq!(kept(&*store, apart).await, (1, 1));
}

async fn the_bytes_of_a_mail_that_was_left_alone_go_with_its_files(place: StoreAt) {
    let store = open(&place).await;
    let (left_alone, noted) = (add(&*store, "left alone").await, add(&*store, "noted").await);
    for (id, ticket) in [(left_alone, None), (noted, Some("t1".to_owned()))] {
        let end = InboundEnd::Ignored { reason: "an automatic reply".to_owned(), ticket };
        store.end_inbound(id, None, &end, None, NOW).await.expect("ended");
    }
    assert_eq!(store.drop_old_raw(later(1), 10).await.expect("dropped"), 1);
    assert_eq!(store.inbound_raw(left_alone).await.expect("read"), None);
    assert!(store.inbound_raw(noted).await.expect("read").is_some(), "the ticket leads to its files");
}
