//! The queues page by page, and what a person may do with a mail.

use mintgate::store::by_hand::{self, Change, QueuedMail};
use mintgate::store::{
    InboundEnd, InboundState, NewMail, NewOutgoing, OutboxState, OutgoingKind, Standing, Store, StoreAt,
    Wanted,
};

use super::{NOW, later, mail, on_both, open, support};

on_both!(
    a_page_has_the_newest_first_and_the_next_goes_on_behind_it,
    a_page_of_one_mailbox_has_no_other,
    an_act_on_a_state_that_has_passed_changes_nothing,
    the_reason_of_a_mail_left_alone_is_kept,
);

async fn add(store: &dyn Store, key: &str) -> i64 {
    store.add_inbound(&mail(key)).await.expect("stored").expect("new")
}

async fn queue(store: &dyn Store, comment: &str) -> i64 {
    let mail = NewOutgoing {
        mailbox: support(),
        ticket: "t1".to_owned(),
        comment: comment.to_owned(),
        kind: OutgoingKind::Answer,
        message_id: format!("{comment}@desk"),
        recipient: "customer@example.org".to_owned(),
        mime: b"Subject: Re: x\r\n\r\n".to_vec(),
        created_at: NOW,
    };
    store.add_outgoing(&mail).await.expect("queued");
    store.recent_outgoing(None, 1).await.expect("listed")[0].id
}

fn page(standing: Standing, before: Option<i64>, limit: u32) -> Wanted<'static> {
    Wanted { standing, mailbox: None, before, limit }
}

async fn a_page_has_the_newest_first_and_the_next_goes_on_behind_it(place: StoreAt) {
    let store = open(&place).await;
    let mut ids = Vec::new();
    for number in 0..6 {
        let id = add(&*store, &format!("{number}")).await;
        // Two states that are one list.
        let end = match number % 2 {
            0 => InboundEnd::Done { ticket: "t1".to_owned() },
            _ => InboundEnd::Ignored { reason: "r".to_owned(), ticket: None },
        };
        store.end_inbound(id, None, &end, None, later(number)).await.expect("ended");
        ids.insert(0, id);
    }
    let listed = async |before| {
        let found = store.inbound_page(&page(Standing::Done, before, 4)).await.expect("listed");
        found.into_iter().map(|one| (one.row.id, one.ended_at)).collect::<Vec<_>>()
    };
    let ended: Vec<_> = ids.iter().zip((0..6).rev()).map(|(id, at)| (*id, Some(later(at)))).collect();
    assert_eq!(listed(None).await, ended[..4]);
    assert_eq!(listed(Some(ids[3])).await, ended[4..]);
    assert!(store.inbound_page(&page(Standing::Waiting, None, 9)).await.expect("listed").is_empty());
}

async fn a_page_of_one_mailbox_has_no_other(place: StoreAt) {
    let store = open(&place).await;
    let sales = mintgate::base::id::MailboxId::parse("sales").expect("an id");
    add(&*store, "one").await;
    let own = NewMail { mailbox: sales.clone(), ..mail("one") };
    let own = store.add_inbound(&own).await.expect("stored").expect("new");
    queue(&*store, "c1").await;
    store.skip_comment("t1", "c2", NOW).await.expect("skipped");

    let wanted = Wanted { mailbox: Some(&sales), ..page(Standing::Waiting, None, 9) };
    let found = store.inbound_page(&wanted).await.expect("listed");
    assert_eq!(found.iter().map(|one| one.row.id).collect::<Vec<_>>(), [own]);
    assert!(store.outgoing_page(&wanted).await.expect("listed").is_empty());
    let every = store.outgoing_page(&page(Standing::Waiting, None, 9)).await.expect("listed");
    assert_eq!(every.len(), 1, "a comment that is not mailed is no mail");
}

async fn an_act_on_a_state_that_has_passed_changes_nothing(place: StoreAt) {
    let store = open(&place).await;
    let (one, answer) = (add(&*store, "one").await, queue(&*store, "c1").await);
    store.outgoing_prepared(answer, None, Some("draft")).await.expect("noted");
    let (incoming, outgoing) = (QueuedMail::In(one), QueuedMail::Out(answer));

    let stale_in = by_hand::skip(&*store, incoming, Some("quarantined"), "", NOW).await.expect("answered");
    let stale_out = by_hand::skip(&*store, outgoing, Some("queued"), "", NOW).await.expect("answered");
    let absent = by_hand::retry(&*store, QueuedMail::In(999), None, NOW).await.expect("answered");
    assert_eq!((stale_in, stale_out, absent), (Change::Overtaken, Change::Overtaken, Change::Absent));
    // The store itself holds it too, whoever asks it.
    assert!(!store.skip_inbound(one, InboundState::Quarantined, "r", NOW).await.expect("answered"));
    assert!(!store.skip_outgoing(answer, OutboxState::Queued, "r").await.expect("answered"));

    assert_eq!(store.inbound(one).await.expect("read").expect("there").state, InboundState::New);
    assert_eq!(store.outgoing(answer).await.expect("read").expect("there").state, OutboxState::Sending);
    let done = by_hand::retry(&*store, incoming, Some("new"), NOW).await.expect("answered");
    assert_eq!(done, Change::Done);
}

async fn the_reason_of_a_mail_left_alone_is_kept(place: StoreAt) {
    let store = open(&place).await;
    let (one, answer) = (add(&*store, "one").await, queue(&*store, "c1").await);
    for mail in [QueuedMail::In(one), QueuedMail::Out(answer)] {
        let done = by_hand::skip(&*store, mail, None, "a test", NOW).await.expect("answered");
        assert_eq!(done, Change::Done, "{mail}");
        let again = by_hand::skip(&*store, mail, None, "again", NOW).await.expect("answered");
        assert_eq!(again, Change::Overtaken, "{mail}");
    }
    let inbound = store.listed_inbound(one).await.expect("read").expect("there");
    let outgoing = store.listed_outgoing(answer).await.expect("read").expect("there");
    let reason = Some("left alone by an operator: a test");
    assert_eq!((inbound.row.reason.as_deref(), inbound.ended_at), (reason, Some(NOW)));
    assert_eq!((outgoing.row.reason.as_deref(), outgoing.row.state), (reason, OutboxState::Failed));
}
