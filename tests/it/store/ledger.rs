//! The ledger: a mail is known once, ends once, and its conversation is found again.

use std::time::Duration;

use mintgate::base::id::MailboxId;
use mintgate::store::{
    FirstIntent, InboundEnd, InboundState, Intent, NewMail, PutOff, Seen, StoreAt, StoreError, TicketRow,
    UnfetchedMail,
};

use super::{FRESH, NOW, later, mail, on_both, open, reading, support, ticket};

on_both!(
    a_mail_is_stored_once_however_many_bring_it,
    raw_bytes_come_back_as_they_were,
    due_mails_come_oldest_first_and_only_when_due,
    an_end_writes_mail_conversation_and_reference_together,
    an_ended_mail_takes_no_second_end_and_no_intent,
    a_conversation_keeps_its_root_and_the_newest_references,
    a_message_id_stays_with_the_first_ticket,
    the_first_given_message_id_wins,
    a_copy_is_known_by_its_message_id_only_once_it_is_further_on,
    two_copies_never_give_way_to_each_other,
    a_quarantined_mail_is_tried_again_by_hand_only,
    ended_mails_stay_unsettled_until_settled,
    what_stood_before_a_mail_was_settled_is_kept_until_then,
    text_with_nul_does_not_stop_the_ledger,
    tickets_are_swept_in_turn,
    a_sweep_by_a_clock_that_was_ahead_is_made_again,
    counts_tell_where_mails_stand,
    a_ticket_is_found_by_its_number_and_by_its_short_form,
    a_ticket_that_is_gone_is_looked_at_once_a_day,
    of_several_who_saw_the_same_one_writes_the_intent,
    an_intent_is_renewed_by_whoever_wrote_the_newest,
    a_try_that_a_clock_put_far_ahead_is_due,
    a_mail_without_bytes_waits_apart_until_it_is_filled,
    what_a_mail_waits_for_is_counted_by_its_kind,
    a_mail_that_cannot_be_settled_lets_the_others_pass,
    a_mail_that_was_put_aside_is_told_of_once,
);

fn done(ticket: &str) -> InboundEnd {
    InboundEnd::Done { ticket: ticket.to_owned() }
}

fn ignored() -> InboundEnd {
    InboundEnd::Ignored { reason: "automatic".to_owned(), ticket: None }
}

async fn a_mail_is_stored_once_however_many_bring_it(place: StoreAt) {
    let store = open(&place).await;
    let bringers = (0..10).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.add_inbound(&mail("same")).await.expect("answered") })
    });
    let answers = futures_util::future::try_join_all(bringers).await.expect("every bringer ends");
    assert_eq!(answers.into_iter().flatten().count(), 1);
    assert!(store.knows_inbound(&support(), "same").await.expect("read"));
    assert!(!store.knows_inbound(&support(), "other").await.expect("read"));
}

async fn raw_bytes_come_back_as_they_were(place: StoreAt) {
    let store = open(&place).await;
    let raw: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let id =
        store.add_inbound(&NewMail { raw: raw.clone(), ..mail("one") }).await.expect("stored").expect("new");
    assert!(store.inbound_raw(id).await.expect("read").expect("there") == raw);
    assert!(store.inbound_raw(id + 1).await.expect("read").is_none());
}

async fn due_mails_come_oldest_first_and_only_when_due(place: StoreAt) {
    let store = open(&place).await;
    let mut ids = Vec::new();
    for (key, received) in [("late", 30), ("early", 10), ("middle", 20)] {
        let mail = NewMail { received_at: later(received), ..mail(key) };
        ids.push(store.add_inbound(&mail).await.expect("stored").expect("new"));
    }
    store.postpone_inbound(ids[2], later(100), "the desk is down", PutOff::Trouble).await.expect("postponed");

    let keys = async |now, limit| {
        let rows = store.due_inbound(&support(), now, None, limit).await.expect("listed");
        rows.into_iter().map(|row| row.source_key).collect::<Vec<_>>()
    };
    assert_eq!(keys(later(99), 10).await, ["early", "late"]);
    assert_eq!(keys(later(100), 10).await, ["early", "middle", "late"]);
    assert_eq!(keys(later(100), 1).await, ["early"]);
    let postponed = store.inbound(ids[2]).await.expect("read").expect("there");
    assert_eq!((postponed.attempts, postponed.reason.as_deref()), (1, Some("the desk is down")));
}

async fn an_end_writes_mail_conversation_and_reference_together(place: StoreAt) {
    let store = open(&place).await;
    let id = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    store.write_intent(id, FRESH, &reading("a@x"), &Intent::Open, later(1)).await.expect("written");
    let intended = store.inbound(id).await.expect("read").expect("there");
    assert_eq!(
        (intended.state, intended.intent, intended.intent_at),
        (InboundState::Intent, Some(Intent::Open), Some(later(1)))
    );

    store.end_inbound(id, Some("a@x"), &done("t1"), Some(&ticket("t1")), later(2)).await.expect("ended");

    let ended = store.inbound(id).await.expect("read").expect("there");
    assert_eq!((ended.state, ended.ticket.as_deref()), (InboundState::Done, Some("t1")));
    let expected = TicketRow { references: vec!["a@x".to_owned()], ..ticket("t1") };
    assert_eq!(store.ticket("t1").await.expect("read"), Some(expected.clone()));
    assert_eq!(store.ticket_by_message_ids(&["a@x".to_owned()]).await.expect("read"), Some(expected));
    assert!(store.due_inbound(&support(), later(9), None, 10).await.expect("listed").is_empty());
}

async fn an_ended_mail_takes_no_second_end_and_no_intent(place: StoreAt) {
    let store = open(&place).await;
    let id = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    store.end_inbound(id, Some("a@x"), &done("t1"), Some(&ticket("t1")), NOW).await.expect("ended");

    let again = store.end_inbound(id, Some("b@x"), &done("t2"), Some(&ticket("t2")), NOW).await;
    let intent = store.write_intent(id, FRESH, &reading("a@x"), &Intent::Open, NOW).await;

    assert!(matches!(again, Err(StoreError::Failed { .. })), "{again:?}");
    assert!(!intent.expect("answered"));
    assert!(store.ticket("t2").await.expect("read").is_none(), "nothing of the refused end stays");
    assert!(!store.retry_inbound(id, NOW).await.expect("answered"));
}

async fn a_conversation_keeps_its_root_and_the_newest_references(place: StoreAt) {
    let store = open(&place).await;
    for number in 0..30 {
        let id = store.add_inbound(&mail(&format!("{number}"))).await.expect("stored").expect("new");
        let update =
            TicketRow { subject: format!("subject {number}"), opened_at: later(number), ..ticket("t1") };
        let message_id = format!("{number}@x");
        store.end_inbound(id, Some(&message_id), &done("t1"), Some(&update), NOW).await.expect("ended");
    }

    let kept = store.ticket("t1").await.expect("read").expect("there");
    let expected: Vec<String> =
        std::iter::once(0).chain(10..30).map(|number| format!("{number}@x")).collect();
    assert_eq!((kept.references, kept.subject.as_str(), kept.opened_at), (expected, "subject 29", NOW));
    let forgotten = store.ticket_by_message_ids(&["5@x".to_owned()]).await.expect("read");
    assert_eq!(forgotten.expect("still found").id, "t1");
}

async fn a_message_id_stays_with_the_first_ticket(place: StoreAt) {
    let store = open(&place).await;
    for (key, id) in [("one", "t1"), ("two", "t2")] {
        let mail = store.add_inbound(&mail(key)).await.expect("stored").expect("new");
        store.end_inbound(mail, Some("a@x"), &done(id), Some(&ticket(id)), NOW).await.expect("ended");
    }
    let found = store.ticket_by_message_ids(&["a@x".to_owned()]).await.expect("read");
    assert_eq!(found.expect("there").id, "t1");
}

async fn the_first_given_message_id_wins(place: StoreAt) {
    let store = open(&place).await;
    for (message_id, id) in [("a@x", "t1"), ("b@x", "t2")] {
        let mail = store.add_inbound(&mail(id)).await.expect("stored").expect("new");
        store.end_inbound(mail, Some(message_id), &done(id), Some(&ticket(id)), NOW).await.expect("ended");
    }
    let asked = ["unknown@x", "b@x", "a@x"].map(str::to_owned);
    assert_eq!(store.ticket_by_message_ids(&asked).await.expect("read").expect("there").id, "t2");
    assert!(store.ticket_by_message_ids(&asked[..1]).await.expect("read").is_none());
    assert!(store.ticket_by_message_ids(&[]).await.expect("read").is_none());
}

async fn a_copy_is_known_by_its_message_id_only_once_it_is_further_on(place: StoreAt) {
    let store = open(&place).await;
    let first = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    let copy = store.add_inbound(&mail("two")).await.expect("stored").expect("new");
    let known = async || {
        let found = store.inbound_by_message_id(&support(), "a@x", copy).await.expect("read");
        found.map(|row| (row.id, row.state))
    };

    assert_eq!(known().await, None);
    store.write_intent(first, FRESH, &reading("a@x"), &Intent::Open, NOW).await.expect("written");
    assert_eq!(known().await, Some((first, InboundState::Intent)));
    store.end_inbound(first, Some("a@x"), &done("t1"), Some(&ticket("t1")), NOW).await.expect("ended");
    assert_eq!(known().await, Some((first, InboundState::Done)));
    assert!(store.inbound_by_message_id(&support(), "a@x", first).await.expect("read").is_none());
}

async fn two_copies_never_give_way_to_each_other(place: StoreAt) {
    let store = open(&place).await;
    let first = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    let second = store.add_inbound(&mail("two")).await.expect("stored").expect("new");
    store.write_intent(second, FRESH, &reading("a@x"), &Intent::Open, NOW).await.expect("written");
    store.write_intent(first, FRESH, &reading("a@x"), &Intent::Open, NOW).await.expect("written");

    let seen_by =
        async |id| store.inbound_by_message_id(&support(), "a@x", id).await.expect("read").map(|row| row.id);
    assert_eq!((seen_by(first).await, seen_by(second).await), (None, Some(first)));
    store.end_inbound(second, Some("a@x"), &ignored(), None, NOW).await.expect("ended");
    assert_eq!(seen_by(first).await, None, "an ignored copy stops nobody");
}

async fn a_quarantined_mail_is_tried_again_by_hand_only(place: StoreAt) {
    let store = open(&place).await;
    let id = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    store.postpone_inbound(id, NOW, "a panic", PutOff::Refusal).await.expect("postponed");
    let end = InboundEnd::Quarantined { reason: "cannot be read".to_owned() };
    store.end_inbound(id, None, &end, None, NOW).await.expect("ended");

    assert!(store.due_inbound(&support(), later(9), None, 10).await.expect("listed").is_empty());
    assert!(store.unsettled_inbound(&support(), NOW, 10).await.expect("listed").is_empty());
    let listed = store.recent_inbound(Some(InboundState::Quarantined), 10).await.expect("listed");
    assert_eq!(listed[0].reason.as_deref(), Some("cannot be read"));
    assert!(store.inbound_raw(id).await.expect("read").is_some(), "its bytes are kept");
    assert!(store.retry_inbound(id, later(1)).await.expect("answered"));
    assert!(!store.retry_inbound(id, later(1)).await.expect("answered"));
    let again = &store.due_inbound(&support(), later(1), None, 10).await.expect("listed")[0];
    assert_eq!((again.id, again.state, again.attempts), (id, InboundState::New, 0));
}

async fn ended_mails_stay_unsettled_until_settled(place: StoreAt) {
    let store = open(&place).await;
    let mut ids = Vec::new();
    for (key, end) in [("one", done("t1")), ("two", ignored())] {
        let id = store.add_inbound(&mail(key)).await.expect("stored").expect("new");
        store.end_inbound(id, Some(key), &end, None, NOW).await.expect("ended");
        ids.push(id);
    }
    let unsettled = async || {
        let rows = store.unsettled_inbound(&support(), NOW, 10).await.expect("listed");
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(unsettled().await, ids);
    store.settle_inbound(ids[0]).await.expect("settled");
    assert_eq!(unsettled().await, ids[1..]);
    assert_eq!(
        store.recent_inbound(None, 10).await.expect("listed").iter().map(|row| row.id).collect::<Vec<_>>(),
        [ids[1], ids[0]]
    );
}

async fn text_with_nul_does_not_stop_the_ledger(place: StoreAt) {
    let store = open(&place).await;
    let id = store.add_inbound(&mail("a\0b")).await.expect("stored").expect("new");
    let odd = TicketRow { subject: "one\0two".into(), requester_name: "\0".into(), ..ticket("t1") };
    store.write_intent(id, FRESH, &reading("a\0b@x"), &Intent::Open, NOW).await.expect("written");
    store.postpone_inbound(id, NOW, "because\0", PutOff::Trouble).await.expect("postponed");
    store.end_inbound(id, Some("a\0b@x"), &done("t1"), Some(&odd), NOW).await.expect("ended");

    assert!(store.knows_inbound(&support(), "a\0b").await.expect("read"));
    let found = store.ticket_by_message_ids(&["a\0b@x".to_owned()]).await.expect("read").expect("there");
    assert_eq!(found.subject, "one\u{fffd}two");
}

async fn tickets_are_swept_in_turn(place: StoreAt) {
    let store = open(&place).await;
    for (id, swept) in [("t1", 20), ("t2", 10), ("t3", 30)] {
        let mail = store.add_inbound(&mail(id)).await.expect("stored").expect("new");
        let row = TicketRow { swept_at: later(swept), ..ticket(id) };
        store.end_inbound(mail, None, &done(id), Some(&row), NOW).await.expect("ended");
    }
    let due = async |before| {
        let rows = store.tickets_to_sweep(true, before, 2).await.expect("listed");
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(due(later(31)).await, ["t2", "t1"]);
    store.mark_swept("t2", later(40)).await.expect("marked");
    assert_eq!(due(later(31)).await, ["t1", "t3"]);
    assert_eq!(due(later(20)).await, Vec::<String>::new());
}

async fn what_stood_before_a_mail_was_settled_is_kept_until_then(place: StoreAt) {
    let store = open(&place).await;
    let id = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    let fact = format!("settling/{id}");
    assert_eq!(store.keep_before_settling(id, "7 12").await.expect("kept"), "7 12");
    assert_eq!(store.keep_before_settling(id, "7 13").await.expect("kept"), "7 12", "the first counts");
    assert!(store.fact(&fact).await.expect("read").is_some());
    // Also the end of a mail that is given up.
    store.settle_inbound(id).await.expect("settled");
    assert_eq!(store.fact(&fact).await.expect("read"), None);
}

async fn a_sweep_by_a_clock_that_was_ahead_is_made_again(place: StoreAt) {
    let store = open(&place).await;
    for (id, swept_at) in [("t1", later(9_000)), ("t2", NOW)] {
        store.add_ticket(&TicketRow { swept_at, ..ticket(id) }).await.expect("added");
    }

    assert_eq!(store.unmark_swept_after(later(1)).await.expect("forgotten"), 1);

    let due = store.tickets_to_sweep(true, NOW, 10).await.expect("listed");
    assert_eq!(due.into_iter().map(|row| row.id).collect::<Vec<_>>(), ["t1"]);
}

async fn counts_tell_where_mails_stand(place: StoreAt) {
    let store = open(&place).await;
    let ends =
        [None, None, Some(done("t1")), Some(ignored()), Some(InboundEnd::Quarantined { reason: "r".into() })];
    for (number, end) in ends.into_iter().enumerate() {
        let id = store.add_inbound(&mail(&format!("{number}"))).await.expect("stored").expect("new");
        if number == 1 {
            store
                .write_intent(id, FRESH, &reading("a@x"), &Intent::Reply { ticket: "t1".into() }, NOW)
                .await
                .expect("written");
            let row = store.inbound(id).await.expect("read").expect("there");
            assert_eq!(row.intent, Some(Intent::Reply { ticket: "t1".into() }));
        }
        if let Some(end) = end {
            store.end_inbound(id, None, &end, None, NOW).await.expect("ended");
        }
    }
    let counts = store.counts().await.expect("counted");
    assert_eq!(
        [counts.inbound_waiting, counts.inbound_done, counts.inbound_ignored, counts.inbound_quarantined],
        [2, 1, 1, 1]
    );
}

async fn a_ticket_is_found_by_its_number_and_by_its_short_form(place: StoreAt) {
    let store = open(&place).await;
    for id in ["t1", "t2"] {
        assert!(store.add_ticket(&ticket(id)).await.expect("added"));
    }
    assert!(store.ticket_by_number(7).await.expect("read").is_none());

    store.note_shown("t2", 7).await.expect("noted");

    let found = store.ticket_by_number(7).await.expect("read").expect("there");
    assert_eq!((found.id.as_str(), found.number), ("t2", Some(7)));
    let short = mintgate::mail::message_id::short("t1");
    assert_eq!(store.ticket_by_short(&short).await.expect("read").expect("there").id, "t1");
    assert!(store.ticket_by_short("t1").await.expect("read").is_none());
}

async fn a_ticket_that_is_gone_is_looked_at_once_a_day(place: StoreAt) {
    let store = open(&place).await;
    store.add_ticket(&ticket("t1")).await.expect("added");
    store.note_gone("t1", later(5)).await.expect("noted");
    store.note_gone("t1", later(9)).await.expect("noted");
    let due = async |before| store.tickets_to_sweep(true, before, 10).await.expect("listed").len();

    assert_eq!((due(later(3_600)).await, due(later(24 * 3_600 + 1)).await), (0, 1));
    assert_eq!(store.ticket("t1").await.expect("read").expect("there").gone_at, Some(later(5)));
    store.note_shown("t1", 7).await.expect("noted");
    assert_eq!(due(later(3_600)).await, 1);
}

async fn of_several_who_saw_the_same_one_writes_the_intent(place: StoreAt) {
    let store = open(&place).await;
    let (one, other) = (mail("one"), mail("other"));
    let (one, other) = (store.add_inbound(&one).await, store.add_inbound(&other).await);
    let (one, other) = (one.expect("stored").expect("new"), other.expect("stored").expect("new"));
    let (mut written, mut first) = (0, 0);
    for second in 1..=3 {
        let intent = store.write_intent(one, FRESH, &reading("a@x"), &Intent::Open, later(second)).await;
        written += u32::from(intent.expect("answered"));
        let intent = store.write_first_intent(other, FRESH, &reading("b@x"), later(second)).await;
        first += u32::from(intent.expect("answered") == FirstIntent::Written);
    }
    assert_eq!((written, first), (1, 1));

    let seen = store.inbound(one).await.expect("read").expect("there").seen();
    assert_eq!(seen, Seen { state: InboundState::Intent, intent_at: Some(later(1)) });
    let again = store.write_intent(one, seen, &reading("a@x"), &Intent::Open, later(99)).await;
    assert!(again.expect("answered"), "whoever saw the newest may go on");
}

async fn an_intent_is_renewed_by_whoever_wrote_the_newest(place: StoreAt) {
    let store = open(&place).await;
    let id = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    store.write_intent(id, FRESH, &reading("a@x"), &Intent::Open, later(1)).await.expect("written");
    assert!(store.renew_intent(id, later(1), later(20)).await.expect("answered"));
    assert!(!store.renew_intent(id, later(1), later(21)).await.expect("answered"));
    assert_eq!(store.inbound(id).await.expect("read").expect("there").intent_at, Some(later(20)));
}

async fn a_try_that_a_clock_put_far_ahead_is_due(place: StoreAt) {
    const HOURS: u64 = 3600;
    let store = open(&place).await;
    let id = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    let due = async |wait| {
        store
            .postpone_inbound(id, later(wait), "the desk is down", PutOff::Trouble)
            .await
            .expect("postponed");
        let rows = store.due_inbound(&support(), NOW, None, 10).await.expect("listed");
        let next = store.next_inbound_try(&support(), NOW).await.expect("answered");
        (rows.len(), next)
    };
    assert_eq!(due(HOURS).await, (0, Some(later(HOURS))));
    assert_eq!(due(8 * HOURS).await, (1, None));
}

async fn a_mail_without_bytes_waits_apart_until_it_is_filled(place: StoreAt) {
    let store = open(&place).await;
    let unfetched = UnfetchedMail {
        mailbox: support(),
        source_key: "one".to_owned(),
        received_at: NOW,
        listed_at: NOW,
        next_try_at: later(5),
        reason: "500".to_owned(),
    };
    for _ in 0..2 {
        store.add_unfetched(&unfetched).await.expect("noted");
    }
    assert!(store.knows_inbound(&support(), "one").await.expect("read"));
    assert_eq!(store.add_inbound(&mail("one")).await.expect("answered"), None);
    let unfetched = async |now| store.unfetched_inbound(&support(), now, None, 10).await.expect("listed");
    assert!(unfetched(later(4)).await.is_empty());
    let [row] = unfetched(later(5)).await.try_into().expect("one");
    assert_eq!((row.attempts, row.reason.as_deref()), (1, Some("500")));
    assert!(store.due_inbound(&support(), later(9), None, 10).await.expect("listed").is_empty());
    assert!(!store.fetched_since(&support(), NOW).await.expect("answered"));

    assert!(store.fill_inbound(row.id, b"Subject: x", later(1), later(9)).await.expect("answered"));
    assert!(!store.fill_inbound(row.id, b"Subject: y", later(1), later(9)).await.expect("answered"));

    assert_eq!(store.inbound_raw(row.id).await.expect("read").as_deref(), Some(b"Subject: x".as_slice()));
    let [due] =
        store.due_inbound(&support(), later(9), None, 10).await.expect("listed").try_into().expect("one");
    assert_eq!((due.attempts, due.received_at), (0, later(1)));
    assert!(store.fetched_since(&support(), later(9)).await.expect("answered"));
    let elsewhere = MailboxId::parse("sales").expect("an id");
    assert!(!store.fetched_since(&elsewhere, NOW).await.expect("answered"));
}

async fn what_a_mail_waits_for_is_counted_by_its_kind(place: StoreAt) {
    let store = open(&place).await;
    let id = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    for put_off in [PutOff::Turn, PutOff::Trouble, PutOff::Trouble, PutOff::Refusal] {
        store.postpone_inbound(id, NOW, "because", put_off).await.expect("postponed");
    }
    let row = store.inbound(id).await.expect("read").expect("there");
    assert_eq!((row.attempts, row.refusals), (3, 1));
}

async fn a_mail_that_cannot_be_settled_lets_the_others_pass(place: StoreAt) {
    let store = open(&place).await;
    let mut ids = Vec::new();
    for key in ["one", "two"] {
        let id = store.add_inbound(&mail(key)).await.expect("stored").expect("new");
        store.end_inbound(id, Some(key), &done("t1"), None, NOW).await.expect("ended");
        ids.push(id);
    }
    store.postpone_settling(ids[0], NOW + Duration::from_secs(60)).await.expect("postponed");
    let unsettled = async |now| {
        let rows = store.unsettled_inbound(&support(), now, 10).await.expect("listed");
        rows.into_iter().map(|row| (row.id, row.settle_tries)).collect::<Vec<_>>()
    };
    assert_eq!(unsettled(NOW).await, [(ids[1], 0)]);
    assert_eq!(unsettled(later(60)).await, [(ids[0], 1), (ids[1], 0)]);
}

async fn a_mail_that_was_put_aside_is_told_of_once(place: StoreAt) {
    let store = open(&place).await;
    let id = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    let untold = async |now| store.untold_inbound(&support(), now, 10).await.expect("listed").len();
    assert_eq!(untold(NOW).await, 0);
    let end = InboundEnd::Quarantined { reason: "cannot be read".to_owned() };
    store.end_inbound(id, None, &end, None, NOW).await.expect("ended");
    assert_eq!(untold(NOW).await, 1);
    store.postpone_telling(id, later(45)).await.expect("postponed");
    assert_eq!((untold(NOW).await, untold(later(45)).await), (0, 1));
    store.note_told(id).await.expect("noted");
    assert_eq!(untold(later(99)).await, 0);
}
