//! OAuth flows: counted, parked and taken by one only.

use mintgate::store::{FlowRow, StoreAt};

use super::{NOW, later, on_both, open};

on_both!(
    no_session_opens_more_flows_than_allowed_even_at_once,
    all_sessions_together_have_a_limit_and_expired_flows_free_it,
    a_code_is_parked_once_and_not_after_the_end,
    of_two_takers_one_gets_the_flow,
    another_session_cannot_take_a_flow,
);

fn flow(id: &str, session: &str) -> FlowRow {
    FlowRow {
        id: id.to_owned(),
        state_hash: format!("hash of {id}").into_bytes(),
        session: session.as_bytes().to_vec(),
        sealed: b"sealed".to_vec(),
        created_at: NOW,
        expires_at: later(600),
        parked: None,
        parked_at: None,
    }
}

async fn no_session_opens_more_flows_than_allowed_even_at_once(place: StoreAt) {
    let store = open(&place).await;
    let starters = (0..20).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.start_flow(&flow(&format!("{number}"), "one"), NOW, 5, 100).await })
    });
    let started = futures_util::future::try_join_all(starters).await.expect("every starter ends");

    assert_eq!(started.into_iter().filter(|answer| *answer.as_ref().expect("answered")).count(), 5);
    assert!(store.start_flow(&flow("other", "two"), NOW, 5, 100).await.expect("answered"));
}

async fn all_sessions_together_have_a_limit_and_expired_flows_free_it(place: StoreAt) {
    let store = open(&place).await;
    for number in 0..3 {
        let session = format!("session {number}");
        assert!(store.start_flow(&flow(&format!("{number}"), &session), NOW, 5, 3).await.expect("answered"));
    }
    assert!(!store.start_flow(&flow("4", "four"), later(599), 5, 3).await.expect("answered"));
    assert!(store.start_flow(&flow("4", "four"), later(600), 5, 3).await.expect("answered"));
}

async fn a_code_is_parked_once_and_not_after_the_end(place: StoreAt) {
    let store = open(&place).await;
    store.start_flow(&flow("a", "one"), NOW, 5, 100).await.expect("started");
    store.start_flow(&flow("b", "one"), NOW, 5, 100).await.expect("started");

    assert!(store.park_flow("a", b"code", later(1)).await.expect("answered"));
    assert!(!store.park_flow("a", b"another", later(2)).await.expect("answered"));
    assert!(!store.park_flow("b", b"late", later(600)).await.expect("answered"));
    assert!(!store.park_flow("unknown", b"code", NOW).await.expect("answered"));

    let found = store.flow_by_state(b"hash of a", later(1)).await.expect("read").expect("there");
    let parked = FlowRow { parked: Some(b"code".to_vec()), parked_at: Some(later(1)), ..flow("a", "one") };
    assert_eq!(found, parked);
    assert!(store.flow_by_state(b"hash of a", later(600)).await.expect("read").is_none());
    assert!(store.flow_by_state(b"hash of c", NOW).await.expect("read").is_none());
}

async fn of_two_takers_one_gets_the_flow(place: StoreAt) {
    let store = open(&place).await;
    for round in 0..10 {
        let id = format!("{round}");
        store.start_flow(&flow(&id, "one"), NOW, 100, 100).await.expect("started");
        let takers = (0..4).map(|_| {
            let (store, id) = (store.clone(), id.clone());
            tokio::spawn(async move { store.take_flow(&id, b"one", NOW).await.expect("answered") })
        });
        let taken = futures_util::future::try_join_all(takers).await.expect("every taker ends");
        assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [flow(&id, "one")]);
    }
}

async fn another_session_cannot_take_a_flow(place: StoreAt) {
    let store = open(&place).await;
    store.start_flow(&flow("a", "one"), NOW, 5, 100).await.expect("started");
    assert!(store.take_flow("a", b"two", NOW).await.expect("answered").is_none());
    assert!(store.take_flow("a", b"one", later(600)).await.expect("answered").is_none());
    assert!(store.take_flow("a", b"one", NOW).await.expect("answered").is_some());
}
