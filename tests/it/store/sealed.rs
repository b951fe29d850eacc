//! Sealed records and facts: compare-and-set under many writers.

use mintgate::store::StoreAt;

use super::{NOW, on_both, open};

on_both!(
    a_record_is_written_only_over_the_version_that_was_read,
    a_record_is_deleted_at_the_version_that_was_seen,
    no_increment_is_lost_among_many_writers,
    of_many_first_values_one_stays,
    a_hint_given_twice_is_taken_once,
    two_takers_never_share_a_hint,
);

async fn a_record_is_written_only_over_the_version_that_was_read(place: StoreAt) {
    let store = open(&place).await;
    assert!(store.put_sealed("mailbox/support/tokens", 0, b"one").await.expect("written"));
    assert!(!store.put_sealed("mailbox/support/tokens", 0, b"late").await.expect("refused"));
    assert!(store.put_sealed("mailbox/support/tokens", 1, b"two").await.expect("written"));
    assert!(!store.put_sealed("mailbox/support/tokens", 1, b"late").await.expect("refused"));
    assert!(!store.put_sealed("unknown", 3, b"late").await.expect("refused"));

    let row = store.sealed("mailbox/support/tokens").await.expect("read").expect("there");
    assert_eq!((row.version, row.sealed.as_slice()), (2, b"two".as_slice()));
    assert_eq!(store.sealed_names().await.expect("listed"), ["mailbox/support/tokens"]);
    store.delete_sealed("mailbox/support/tokens").await.expect("deleted");
    assert!(store.sealed("mailbox/support/tokens").await.expect("read").is_none());
}

async fn a_record_is_deleted_at_the_version_that_was_seen(place: StoreAt) {
    let store = open(&place).await;
    store.put_sealed("one", 0, b"first").await.expect("answered");
    store.put_sealed("one", 1, b"second").await.expect("answered");
    assert!(!store.delete_sealed_version("one", 1).await.expect("answered"), "somebody wrote since");
    assert!(store.sealed("one").await.expect("read").is_some());
    assert!(store.delete_sealed_version("one", 2).await.expect("answered"));
    assert!(!store.delete_sealed_version("one", 2).await.expect("answered"), "it is gone");
    assert_eq!(store.sealed("one").await.expect("read"), None);
}

async fn no_increment_is_lost_among_many_writers(place: StoreAt) {
    const WRITERS: i64 = 8;
    const EACH: i64 = 10;
    let store = open(&place).await;
    let writers = (0..WRITERS).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut written = 0;
            while written < EACH {
                let row = store.sealed("counter").await.expect("read");
                let (version, count) = row.map_or((0, 0), |row| {
                    (row.version, i64::from_be_bytes(row.sealed.try_into().expect("8")))
                });
                let next = (count + 1).to_be_bytes();
                if store.put_sealed("counter", version, &next).await.expect("answered") {
                    written += 1;
                }
            }
        })
    });
    futures_util::future::try_join_all(writers).await.expect("every writer ends");

    let row = store.sealed("counter").await.expect("read").expect("there");
    assert_eq!(row.version, WRITERS * EACH);
    assert_eq!(row.sealed, (WRITERS * EACH).to_be_bytes());
}

async fn of_many_first_values_one_stays(place: StoreAt) {
    let store = open(&place).await;
    let writers = (0..10).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.fact_or_insert("install", &format!("id {number}")).await })
    });
    let answers = futures_util::future::try_join_all(writers).await.expect("every writer ends");

    let kept = store.fact("install").await.expect("read").expect("there");
    assert!(answers.into_iter().all(|answer| answer.expect("answered") == kept));
    store.set_fact("install", Some("other")).await.expect("set");
    assert_eq!(store.fact("install").await.expect("read").as_deref(), Some("other"));
    store.set_fact("install", None).await.expect("cleared");
    assert_eq!(store.fact("install").await.expect("read"), None);
}

async fn a_hint_given_twice_is_taken_once(place: StoreAt) {
    let store = open(&place).await;
    for hint in ["ticket/2", "ticket/1", "ticket/2"] {
        store.add_hint(hint, NOW).await.expect("added");
    }
    assert_eq!(store.hints("ticket/").await.expect("listed"), ["ticket/1", "ticket/2"]);
    assert!(store.take_hint("ticket/2").await.expect("taken"));
    assert!(!store.take_hint("ticket/2").await.expect("answered"));
    assert_eq!(store.hints("").await.expect("listed"), ["ticket/1"]);
}

async fn two_takers_never_share_a_hint(place: StoreAt) {
    let store = open(&place).await;
    let all: Vec<String> = (0..60).map(|number| format!("ticket/{number:02}")).collect();
    for hint in &all {
        store.add_hint(hint, NOW).await.expect("added");
    }
    let takers = (0..4).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut taken = Vec::new();
            for hint in store.hints("").await.expect("listed") {
                if store.take_hint(&hint).await.expect("answered") {
                    taken.push(hint);
                }
            }
            taken
        })
    });
    let mut taken = futures_util::future::try_join_all(takers).await.expect("every taker ends").concat();
    taken.sort();
    assert_eq!(taken, all);
}
