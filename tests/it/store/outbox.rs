//! The outbox: a comment is answered once, and a sent mail stays sent.

use std::time::Duration;

use mintgate::store::{
    InboundEnd, NewOutgoing, OutboxState, OutgoingKind, Participant, Store, StoreAt, TicketRow,
};

use super::{NOW, later, mail, on_both, open, support, ticket};

on_both!(
    a_comment_is_queued_once_however_many_find_it,
    a_queued_mail_is_a_reference_of_its_ticket,
    a_message_id_is_never_given_to_two_mails,
    a_skipped_comment_is_known_and_never_listed,
    a_mail_goes_from_queued_to_sent,
    the_last_dispatch_is_remembered,
    of_two_workers_with_one_mail_one_goes_on,
    a_mail_that_was_put_off_by_a_clock_ahead_is_due,
    the_bytes_of_sent_mails_are_dropped_after_a_time,
    the_bytes_of_notices_that_were_given_up_are_dropped_and_those_of_answers_stay,
    what_nobody_has_tried_since_is_told_from_what_waits,
    who_is_left_out_takes_part_no_more,
    a_failed_mail_is_not_tried_again_but_evidence_counts,
);

fn answer(comment: &str) -> NewOutgoing {
    NewOutgoing {
        mailbox: support(),
        ticket: "t1".to_owned(),
        comment: comment.to_owned(),
        kind: OutgoingKind::Answer,
        message_id: format!("{comment}@desk"),
        recipient: "customer@example.org".to_owned(),
        mime: b"Subject: Re: x\r\n\r\n\xff\0".to_vec(),
        created_at: NOW,
    }
}

async fn queued(store: &dyn Store) -> i64 {
    store.add_outgoing(&answer("c1")).await.expect("queued");
    store.due_outgoing(&support(), NOW, 10).await.expect("listed")[0].id
}

async fn state_of(store: &dyn Store, id: i64) -> OutboxState {
    let rows = store.recent_outgoing(None, 100).await.expect("listed");
    rows.into_iter().find(|row| row.id == id).expect("there").state
}

async fn a_comment_is_queued_once_however_many_find_it(place: StoreAt) {
    let store = open(&place).await;
    let finders = (0..10).map(|number| {
        let store = store.clone();
        let found = NewOutgoing { message_id: format!("{number}@desk"), ..answer("c1") };
        tokio::spawn(async move { store.add_outgoing(&found).await.expect("answered") })
    });
    let added = futures_util::future::try_join_all(finders).await.expect("every finder ends");
    assert_eq!(added.into_iter().filter(|added| *added).count(), 1);
    assert!(store.knows_outgoing("t1", "c1").await.expect("read"));
    assert!(!store.knows_outgoing("t2", "c1").await.expect("read"));
}

async fn a_queued_mail_is_a_reference_of_its_ticket(place: StoreAt) {
    let store = open(&place).await;
    let id = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    let end = InboundEnd::Done { ticket: "t1".to_owned() };
    store.end_inbound(id, Some("a@x"), &end, Some(&ticket("t1")), NOW).await.expect("ended");

    store.add_outgoing(&answer("c1")).await.expect("queued");

    let found = store.ticket_by_message_ids(&["c1@desk".to_owned()]).await.expect("read").expect("there");
    assert_eq!(found.references, ["a@x", "c1@desk"]);
}

async fn a_message_id_is_never_given_to_two_mails(place: StoreAt) {
    let store = open(&place).await;
    store.add_outgoing(&answer("c1")).await.expect("queued");
    let clash = NewOutgoing { message_id: "c1@desk".to_owned(), ..answer("c2") };
    store.add_outgoing(&clash).await.expect_err("refused");
    assert!(!store.knows_outgoing("t1", "c2").await.expect("read"));
}

async fn a_skipped_comment_is_known_and_never_listed(place: StoreAt) {
    let store = open(&place).await;
    store.skip_comment("t1", "c1", NOW).await.expect("skipped");
    store.skip_comment("t1", "c1", NOW).await.expect("skipped again");

    assert!(store.knows_outgoing("t1", "c1").await.expect("read"));
    assert!(!store.add_outgoing(&answer("c1")).await.expect("answered"));
    assert!(store.recent_outgoing(None, 10).await.expect("listed").is_empty());
    assert!(store.due_outgoing(&support(), later(9), 10).await.expect("listed").is_empty());
    assert_eq!(store.counts().await.expect("counted"), Default::default());
}

async fn a_mail_goes_from_queued_to_sent(place: StoreAt) {
    let store = open(&place).await;
    let id = queued(&*store).await;
    assert_eq!(store.outgoing_mime(id).await.expect("read").expect("there"), answer("c1").mime);
    store.outgoing_prepared(id, None, Some("draft")).await.expect("noted");
    store.postpone_outgoing(id, later(60), "429").await.expect("postponed");
    assert!(store.due_outgoing(&support(), later(59), 10).await.expect("listed").is_empty());
    let due = store.due_outgoing(&support(), later(60), 10).await.expect("listed").remove(0);
    assert_eq!(
        (due.state, due.attempts, due.provider_id.as_deref()),
        (OutboxState::Sending, 1, Some("draft"))
    );
    assert_eq!((due.message_id.as_str(), due.recipient.as_str()), ("c1@desk", "customer@example.org"));

    store.outgoing_sent(id, later(61)).await.expect("noted");

    store.postpone_outgoing(id, NOW, "late").await.expect("without effect");
    store.outgoing_failed(id, "late").await.expect("without effect");
    assert_eq!(state_of(&*store, id).await, OutboxState::Sent);
    assert!(store.due_outgoing(&support(), later(99), 10).await.expect("listed").is_empty());
    store.outgoing_prepared(id, None, Some("another")).await.expect_err("a sent mail is not prepared");
    store.outgoing_dispatched(id, None, NOW).await.expect_err("a sent mail is not sent again");
    assert_eq!(store.counts().await.expect("counted").outgoing_sent, 1);
}

async fn the_last_dispatch_is_remembered(place: StoreAt) {
    let store = open(&place).await;
    let id = queued(&*store).await;
    store.outgoing_dispatched(id, None, later(1)).await.expect("noted");
    store.outgoing_dispatched(id, Some(later(1)), later(5)).await.expect("noted");
    let row = store.due_outgoing(&support(), NOW, 10).await.expect("listed").remove(0);
    assert_eq!((row.state, row.dispatched_at), (OutboxState::Sending, Some(later(5))));
}

async fn of_two_workers_with_one_mail_one_goes_on(place: StoreAt) {
    let store = open(&place).await;
    let id = queued(&*store).await;
    store.outgoing_prepared(id, None, Some("draft")).await.expect("the first");
    store.outgoing_prepared(id, None, Some("another")).await.expect_err("the first has a draft");
    store.outgoing_dispatched(id, None, later(1)).await.expect("the first");
    store.outgoing_dispatched(id, None, later(2)).await.expect_err("the first sends it");
    let row = store.outgoing(id).await.expect("read").expect("there");
    assert_eq!((row.provider_id.as_deref(), row.dispatched_at), (Some("draft"), Some(later(1))));
}

async fn a_mail_that_was_put_off_by_a_clock_ahead_is_due(place: StoreAt) {
    let store = open(&place).await;
    let id = queued(&*store).await;
    let due = async |now| store.due_outgoing(&support(), now, 10).await.expect("listed").len();
    store.postpone_outgoing(id, later(7_000), "451").await.expect("postponed");
    assert_eq!(due(NOW).await, 0, "an ordinary wait");
    store.postpone_outgoing(id, later(8 * 3600), "451").await.expect("postponed");
    assert_eq!(due(NOW).await, 1);
}

async fn the_bytes_of_sent_mails_are_dropped_after_a_time(place: StoreAt) {
    let store = open(&place).await;
    let id = queued(&*store).await;
    let is_there = async || store.outgoing_mime(id).await.expect("read").is_some();
    assert_eq!(store.drop_sent_mime(later(99), 10).await.expect("tidied"), 0, "it is not sent");
    store.outgoing_sent(id, later(5)).await.expect("noted");
    assert_eq!(store.drop_sent_mime(later(5), 10).await.expect("tidied"), 0, "it was sent lately");
    assert!(is_there().await);
    assert_eq!(store.drop_sent_mime(later(6), 10).await.expect("tidied"), 1);
    assert!(!is_there().await);
}

async fn the_bytes_of_notices_that_were_given_up_are_dropped_and_those_of_answers_stay(place: StoreAt) {
    let store = open(&place).await;
    let notice = NewOutgoing { kind: OutgoingKind::Acknowledgement, ..answer("greeting") };
    for mail in [answer("c1"), notice] {
        store.add_outgoing(&mail).await.expect("queued");
    }
    let mails = store.due_outgoing(&support(), NOW, 10).await.expect("listed");
    for mail in &mails {
        store.outgoing_failed(mail.id, "too late").await.expect("given up");
    }
    assert_eq!(store.drop_sent_mime(NOW, 10).await.expect("tidied"), 0, "they are new");
    assert_eq!(store.drop_sent_mime(later(1), 10).await.expect("tidied"), 1);
    let left = async |at: usize| store.outgoing_mime(mails[at].id).await.expect("read").is_some();
    assert_eq!((left(0).await, left(1).await), (true, false));
}

async fn what_nobody_has_tried_since_is_told_from_what_waits(place: StoreAt) {
    let store = open(&place).await;
    let id = queued(&*store).await;
    let overdue = async |since| store.overdue_outgoing(&support(), since, 10).await.expect("listed").len();
    assert_eq!((overdue(NOW - Duration::from_millis(1)).await, overdue(NOW).await), (0, 1));
    store.postpone_outgoing(id, later(60), "451").await.expect("postponed");
    assert_eq!((overdue(later(59)).await, overdue(later(60)).await), (0, 1));
    store.outgoing_sent(id, later(70)).await.expect("sent");
    assert_eq!(overdue(later(99)).await, 0);
}

async fn who_is_left_out_takes_part_no_more(place: StoreAt) {
    let store = open(&place).await;
    let named = |address: &str| Participant { name: String::new(), address: address.to_owned() };
    let row =
        TicketRow { participants: vec![named("carl@x.example"), named("dora@x.example")], ..ticket("t1") };
    store.add_ticket(&row).await.expect("added");
    store.leave_out("t1", &["Carl@X.example".to_owned()]).await.expect("left out");
    let left = store.ticket("t1").await.expect("read").expect("there").participants;
    assert_eq!(left, [named("dora@x.example")]);
}

async fn a_failed_mail_is_not_tried_again_but_evidence_counts(place: StoreAt) {
    let store = open(&place).await;
    let id = queued(&*store).await;
    store.outgoing_failed(id, "550 no such user").await.expect("noted");
    assert!(store.due_outgoing(&support(), later(99), 10).await.expect("listed").is_empty());
    let failed = store.recent_outgoing(Some(OutboxState::Failed), 10).await.expect("listed");
    assert_eq!(failed[0].reason.as_deref(), Some("550 no such user"));
    store.outgoing_sent(id, later(1)).await.expect("noted");
    assert_eq!(state_of(&*store, id).await, OutboxState::Sent);
}
