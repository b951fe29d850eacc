//! Drafts of mailboxes: kept until they are finished or stale; of two writers one wins.

use mintgate::store::{DraftRow, StoreAt};

use super::{NOW, later, on_both, open};

on_both!(
    a_draft_is_kept_until_it_is_deleted,
    of_two_who_save_one_wins,
    a_new_draft_clears_stale_ones_away,
    of_many_who_begin_the_same_at_once_there_is_one_draft,
    what_was_saved_is_not_taken_for_a_new_beginning
);

fn draft(id: &str) -> DraftRow {
    let body = r#"{"step":"signIn"}"#.to_owned();
    DraftRow { id: id.to_owned(), version: 1, body, created_at: NOW, updated_at: NOW }
}

async fn a_draft_is_kept_until_it_is_deleted(place: StoreAt) {
    let store = open(&place).await;
    store.add_draft(&draft("one"), "one", NOW).await.expect("added");
    drop(store);
    let store = open(&place).await;
    assert_eq!(store.draft("one").await.expect("asked"), Some(draft("one")));
    assert_eq!(store.draft("two").await.expect("asked"), None);
    for _ in 0..2 {
        store.delete_draft("one").await.expect("deleted");
        assert_eq!(store.drafts().await.expect("asked"), []);
    }
}

async fn of_two_who_save_one_wins(place: StoreAt) {
    let store = open(&place).await;
    store.add_draft(&draft("one"), "one", NOW).await.expect("added");
    assert!(store.save_draft("one", 1, "first", later(5)).await.expect("saved"));
    assert!(!store.save_draft("one", 1, "second", later(6)).await.expect("asked"));
    assert!(!store.save_draft("two", 1, "second", later(6)).await.expect("asked"));
    let saved = DraftRow { version: 2, body: "first".to_owned(), updated_at: later(5), ..draft("one") };
    assert_eq!(store.draft("one").await.expect("asked"), Some(saved));
}

async fn a_new_draft_clears_stale_ones_away(place: StoreAt) {
    let store = open(&place).await;
    store.add_draft(&draft("old"), "old", NOW).await.expect("added");
    let fresh = DraftRow { updated_at: later(10), ..draft("fresh") };
    store.add_draft(&fresh, "fresh", NOW).await.expect("added");
    assert_eq!(store.drafts().await.expect("asked"), [fresh.clone(), draft("old")]);
    let newest = DraftRow { updated_at: later(20), ..draft("newest") };
    store.add_draft(&newest, "newest", later(5)).await.expect("added");
    assert_eq!(store.drafts().await.expect("asked"), [newest, fresh]);
}

async fn of_many_who_begin_the_same_at_once_there_is_one_draft(place: StoreAt) {
    let store = open(&place).await;
    let begin = async |number: u32| {
        let row = DraftRow { body: number.to_string(), ..draft(&format!("draft-{number}")) };
        store.add_draft(&row, "ada, help@desk.example", NOW).await.expect("added")
    };
    let ids = futures_util::future::join_all((0..8).map(begin)).await;

    let rows = store.drafts().await.expect("asked");
    assert_eq!(rows.len(), 1);
    assert!(ids.iter().all(|id| *id == rows[0].id), "{ids:?}");
    assert_eq!(rows[0].version, 1);
}

async fn what_was_saved_is_not_taken_for_a_new_beginning(place: StoreAt) {
    let store = open(&place).await;
    store.add_draft(&draft("one"), "same", NOW).await.expect("added");
    assert!(store.save_draft("one", 1, "chosen", later(5)).await.expect("saved"));

    let id = store.add_draft(&draft("two"), "same", NOW).await.expect("added");

    assert_eq!(id, "two");
    assert_eq!(store.draft("one").await.expect("asked").expect("a draft").body, "chosen");
}
