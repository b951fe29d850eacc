//! Events: a bounded list per mailbox, without what must not be told on.

use mintgate::base::audit::Outcome;
use mintgate::base::id::MailboxId;
use mintgate::store::{EventKind, KEPT_EVENTS, NewEvent, StoreAt};

use super::{NOW, later, on_both, open, support};

on_both!(
    an_event_comes_back_as_it_was,
    the_newest_of_each_mailbox_stay,
    an_event_keeps_no_address_and_no_token,
);

fn failed(seconds: u64, detail: &str) -> NewEvent {
    NewEvent::new(later(seconds), EventKind::Mailbox, Outcome::Failure, detail).about(&support())
}

async fn an_event_comes_back_as_it_was(place: StoreAt) {
    let store = open(&place).await;
    let by_admin = NewEvent {
        actor: Some("Ada Admin".to_owned()),
        client: Some([203, 0, 113, 7].into()),
        ..NewEvent::new(NOW, EventKind::Admin, Outcome::Success, "connection tested")
    };
    store.add_event(&by_admin).await.expect("noted");
    store.add_event(&failed(1, "the mail server is silent")).await.expect("noted");

    let all = store.events(None, None, 9).await.expect("listed");
    let events: Vec<_> = all.iter().map(|row| row.event.clone()).collect();
    assert_eq!(events, [failed(1, "the mail server is silent"), by_admin]);
    let of_mailbox = store.events(Some(&support()), None, 9).await.expect("listed");
    assert_eq!(of_mailbox, all[..1]);
    assert_eq!(store.events(None, Some(all[0].id), 9).await.expect("listed"), all[1..]);
}

async fn the_newest_of_each_mailbox_stay(place: StoreAt) {
    let store = open(&place).await;
    let other = MailboxId::parse("other").expect("an id");
    store.add_event(&failed(0, "first").about(&other)).await.expect("noted");
    for second in 0..u64::from(KEPT_EVENTS) + 3 {
        store.add_event(&failed(second, "again")).await.expect("noted");
    }

    let kept = store.events(Some(&support()), None, KEPT_EVENTS + 9).await.expect("listed");
    assert_eq!(kept.len(), KEPT_EVENTS as usize);
    assert_eq!(kept.last().map(|row| row.event.at), Some(later(3)));
    assert_eq!(store.events(Some(&other), None, 9).await.expect("listed").len(), 1);
}

async fn an_event_keeps_no_address_and_no_token(place: StoreAt) {
    let store = open(&place).await;
    let detail = "550 <cora@customer.example>\0 refused eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiIwMDAwMDAw";
    store.add_event(&failed(0, detail)).await.expect("noted");
    let kept = store.events(None, None, 1).await.expect("listed").remove(0).event.detail;
    assert!(kept.starts_with("550 <[address]>") && !kept.contains("eyJ") && !kept.contains("cora"), "{kept}");
}
