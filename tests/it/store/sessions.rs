//! Browsers' sessions: found until they end.

use mintgate::store::{SessionRow, StoreAt};

use super::{NOW, later, on_both, open};

on_both!(a_session_is_found_until_it_expires, an_ended_session_is_gone, only_the_users_own_sessions_end);

fn session(id: &str, owner: &str) -> SessionRow {
    SessionRow {
        id: id.as_bytes().to_vec(),
        owner: owner.as_bytes().to_vec(),
        sealed: b"sealed\0".to_vec(),
        created_at: NOW,
        expires_at: later(60),
    }
}

async fn a_session_is_found_until_it_expires(place: StoreAt) {
    let added = session("one", "ann");
    let store = open(&place).await;
    store.add_session(&added, NOW).await.expect("added");
    drop(store);

    let store = open(&place).await;
    assert_eq!(store.session(b"one", later(59)).await.expect("asked"), Some(added));
    assert_eq!(store.session(b"one", later(60)).await.expect("asked"), None);
    assert_eq!(store.session(b"two", NOW).await.expect("asked"), None);
    store.add_session(&session("two", "ann"), later(60)).await.expect("added");
    assert_eq!(store.session(b"one", NOW).await.expect("asked"), None, "the expired one was removed");
}

async fn an_ended_session_is_gone(place: StoreAt) {
    let store = open(&place).await;
    store.add_session(&session("one", "ann"), NOW).await.expect("added");
    for _ in 0..2 {
        store.end_session(b"one").await.expect("ended");
        assert_eq!(store.session(b"one", NOW).await.expect("asked"), None);
    }
}

async fn only_the_users_own_sessions_end(place: StoreAt) {
    let store = open(&place).await;
    for (id, owner) in [("one", "ann"), ("two", "ann"), ("three", "bob")] {
        store.add_session(&session(id, owner), NOW).await.expect("added");
    }
    store.end_sessions_of(b"ann").await.expect("ended");
    for (id, stays) in [("one", false), ("two", false), ("three", true)] {
        assert_eq!(store.session(id.as_bytes(), NOW).await.expect("asked").is_some(), stays, "{id}");
    }
}
