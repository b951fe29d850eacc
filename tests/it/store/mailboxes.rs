//! Mailboxes, leases and cursors.

use std::time::Duration;

use mintgate::base::id::MailboxId;
use mintgate::store::{
    FirstIntent, InboundEnd, InboundRow, InboundState, Intent, MailboxRow, MailboxState, NewMail, PollResult,
    StoreAt, Waiting,
};

use super::{FRESH, NOW, later, mail, on_both, open, reading, support};
use crate::support::postgres::database;

const LEASE: Duration = Duration::from_secs(30);

on_both!(
    a_mailbox_connected_again_keeps_its_cursor_and_its_first_moment,
    settings_are_kept_when_a_mailbox_is_connected_again,
    of_two_who_change_the_same_settings_one_succeeds,
    what_waits_is_counted_for_each_mailbox,
    a_run_of_errors_keeps_its_beginning_until_a_poll_is_fine,
    a_disconnected_mailbox_takes_its_secrets_along_and_nothing_else,
    a_lease_is_renewed_by_its_holder_and_refused_to_others,
    a_lease_ends_when_its_time_is_over,
    a_holder_that_was_overtaken_cannot_move_the_cursor,
    of_many_workers_one_gets_the_lease,
    fencing_numbers_go_on_after_a_disconnect,
    an_address_is_one_mailbox_whatever_its_case,
    a_lease_that_a_clock_put_far_ahead_is_over,
    an_address_is_the_same_mailbox_when_it_is_connected_again,
    what_waits_in_a_disconnected_mailbox_keeps_its_age_and_holds_up_no_copy,
    old_mail_whose_bytes_are_dropped_is_to_be_fetched_when_it_is_wanted_after_all,
);

fn row() -> MailboxRow {
    MailboxRow {
        id: support(),
        kind: "microsoft-graph".to_owned(),
        address: "support@example.org".to_owned(),
        state: MailboxState::Connected,
        scopes: "mail.readwrite mail.send".to_owned(),
        connected_at: NOW,
        accept_since: NOW,
        last_poll_at: None,
        last_mail_at: None,
        last_error: None,
        failing_since: None,
        settings: String::new(),
    }
}

async fn a_mailbox_connected_again_keeps_its_cursor_and_its_first_moment(place: StoreAt) {
    let store = open(&place).await;
    store.connect_mailbox(&row()).await.expect("connected");
    let fence = store.lease(&support(), "worker", LEASE, NOW).await.expect("leased").expect("free");
    assert!(store.set_cursor(&support(), fence, Some("page 7")).await.expect("written"));
    store
        .set_mailbox_state(&support(), MailboxState::NeedsReconnect, Some("the grant is dead"), later(5))
        .await
        .expect("noted");
    let dead = store.mailbox(&support()).await.expect("read").expect("there");
    assert_eq!(
        (dead.state, dead.last_error.as_deref(), dead.failing_since),
        (MailboxState::NeedsReconnect, Some("the grant is dead"), Some(later(5)))
    );

    let again =
        MailboxRow { scopes: "mail.read".into(), connected_at: later(9), accept_since: later(9), ..row() };
    store.connect_mailbox(&again).await.expect("connected");

    let expected = MailboxRow { accept_since: NOW, ..again };
    assert_eq!(store.mailboxes().await.expect("listed"), [expected]);
    assert_eq!(store.cursor(&support()).await.expect("read").as_deref(), Some("page 7"));
}

async fn settings_are_kept_when_a_mailbox_is_connected_again(place: StoreAt) {
    let store = open(&place).await;
    assert!(!store.set_mailbox_settings(&support(), "{}").await.expect("asked"), "there is none yet");
    store.connect_mailbox(&row()).await.expect("connected");
    assert!(store.set_mailbox_settings(&support(), r#"{"acknowledge":true}"#).await.expect("written"));

    store.connect_mailbox(&row()).await.expect("connected again");

    let kept = store.mailbox(&support()).await.expect("read").expect("there").settings;
    assert_eq!(kept, r#"{"acknowledge":true}"#);
}

async fn of_two_who_change_the_same_settings_one_succeeds(place: StoreAt) {
    let store = open(&place).await;
    store.connect_mailbox(&row()).await.expect("connected");
    let (one, other) = (r#"{"acknowledge":true}"#, r#"{"paused":true}"#);
    assert!(store.change_mailbox_settings(&support(), "", one).await.expect("asked"));
    assert!(!store.change_mailbox_settings(&support(), "", other).await.expect("asked"));
    let kept = store.mailbox(&support()).await.expect("read").expect("there").settings;
    assert_eq!(kept, one);
}

async fn what_waits_is_counted_for_each_mailbox(place: StoreAt) {
    let store = open(&place).await;
    assert_eq!(store.waiting().await.expect("counted"), []);
    for (key, stored_at) in [("1", later(3)), ("2", later(2)), ("3", later(1))] {
        let mail = NewMail { stored_at, ..mail(key) };
        let id = store.add_inbound(&mail).await.expect("stored").expect("new");
        if key == "3" {
            let end = InboundEnd::Quarantined { reason: "unreadable".to_owned() };
            store.end_inbound(id, None, &end, None, later(4)).await.expect("ended");
        }
    }

    let waiting = store.waiting().await.expect("counted");

    let expected = Waiting { inbound: 2, quarantined: 1, oldest: Some(later(2)), ..Waiting::default() };
    assert_eq!(waiting, [(support(), expected)]);
}

async fn a_run_of_errors_keeps_its_beginning_until_a_poll_is_fine(place: StoreAt) {
    let store = open(&place).await;
    store.connect_mailbox(&row()).await.expect("connected");
    let fine = |at, newest_mail| PollResult::Fine { at, newest_mail };
    let failed = |at| PollResult::Failed { at, error: "503\0".to_owned() };
    for result in [fine(later(1), Some(NOW)), fine(later(2), None), failed(later(3)), failed(later(4))] {
        store.record_poll(&support(), &result).await.expect("recorded");
    }
    let failing = store.mailbox(&support()).await.expect("read").expect("there");
    assert_eq!((failing.last_poll_at, failing.failing_since), (Some(later(4)), Some(later(3))));
    assert_eq!((failing.last_error.as_deref(), failing.last_mail_at), (Some("503\u{fffd}"), Some(NOW)));

    store.record_poll(&support(), &fine(later(5), Some(later(5)))).await.expect("recorded");
    store.record_poll(&support(), &fine(later(6), Some(later(1)))).await.expect("recorded");

    let well = store.mailbox(&support()).await.expect("read").expect("there");
    assert_eq!((well.last_error, well.failing_since, well.last_mail_at), (None, None, Some(later(5))));
}

async fn a_disconnected_mailbox_takes_its_secrets_along_and_nothing_else(place: StoreAt) {
    let store = open(&place).await;
    store.connect_mailbox(&row()).await.expect("connected");
    let id = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    for name in ["mailbox/support/tokens", "mailbox/support2/tokens", "client-secret"] {
        store.put_sealed(name, 0, b"x").await.expect("written");
    }

    store.disconnect_mailbox(&support()).await.expect("disconnected");

    assert!(store.mailbox(&support()).await.expect("read").is_none());
    let names = store.sealed_names().await.expect("listed");
    assert_eq!(names, ["client-secret", "mailbox/support2/tokens"]);
    assert!(store.inbound(id).await.expect("read").is_some());
    assert!(store.knows_inbound(&support(), "one").await.expect("read"));
}

async fn a_lease_is_renewed_by_its_holder_and_refused_to_others(place: StoreAt) {
    let store = open(&place).await;
    let lease = async |holder, span| store.lease(&support(), holder, span, NOW).await.expect("asked");
    assert_eq!(lease("a", LEASE).await, Some(1));
    assert_eq!(lease("b", LEASE).await, None);
    assert_eq!(lease("b", Duration::ZERO).await, None, "nor does it give back what is another's");
    assert_eq!(lease("a", LEASE).await, Some(1));
    assert_eq!(lease("a", Duration::ZERO).await, Some(1));
    assert_eq!(lease("b", LEASE).await, Some(2));
    assert_eq!(lease("a", LEASE).await, None);
}

/// By whatever clock: the embedded store's is moved, the server's goes on by itself.
async fn a_lease_ends_when_its_time_is_over(place: StoreAt) {
    let store = open(&place).await;
    let short = Duration::from_millis(200);
    assert_eq!(store.lease(&support(), "a", short, NOW).await.expect("asked"), Some(1));
    assert_eq!(store.lease(&support(), "b", LEASE, NOW).await.expect("asked"), None);
    let taking_over = async {
        loop {
            if let Some(fence) = store.lease(&support(), "b", LEASE, NOW + short).await.expect("asked") {
                return fence;
            }
        }
    };
    let fence = tokio::time::timeout(Duration::from_secs(20), taking_over).await.expect("it ends");
    assert_eq!(fence, 2);
    assert_eq!(store.lease(&support(), "a", LEASE, NOW).await.expect("asked"), None);
}

#[tokio::test]
async fn however_far_the_clocks_of_two_gateways_are_apart_one_has_the_lease() {
    let Some(place) = database() else { return };
    let (one, two) = (open(&place).await, open(&place).await);
    assert_eq!(one.lease(&support(), "one", LEASE, NOW).await.expect("asked"), Some(1));
    for hours in [0, 8, 24 * 365] {
        let ahead = NOW + Duration::from_secs(hours * 3600);
        let behind = NOW - Duration::from_secs(hours * 3600);
        for own in [ahead, behind] {
            assert_eq!(two.lease(&support(), "two", LEASE, own).await.expect("asked"), None, "{hours}");
        }
    }
    assert_eq!(one.lease(&support(), "one", LEASE, NOW).await.expect("asked"), Some(1), "it was not touched");
}

#[tokio::test]
async fn processes_that_share_a_store_share_its_time() {
    let Some(place) = database() else { return };
    let store = open(&place).await;
    let of_one_behind = store.shared_time(NOW).await.expect("told");
    let of_one_ahead = store.shared_time(later(8 * 3600)).await.expect("told");
    assert!(of_one_behind <= of_one_ahead);
    assert!(of_one_ahead.since(of_one_behind) < Duration::from_secs(3600));
}

#[tokio::test]
async fn the_only_process_of_a_store_goes_by_its_own_clock() {
    let store = open(&StoreAt::Sqlite(":memory:".into())).await;
    assert_eq!(store.shared_time(NOW).await.expect("told"), NOW);
    assert_eq!(store.lease(&support(), "a", LEASE, NOW).await.expect("asked"), Some(1));
    assert_eq!(store.lease(&support(), "b", LEASE, later(29)).await.expect("asked"), None);
    assert_eq!(store.lease(&support(), "b", LEASE, later(30)).await.expect("asked"), Some(2));
}

async fn a_holder_that_was_overtaken_cannot_move_the_cursor(place: StoreAt) {
    let store = open(&place).await;
    store.connect_mailbox(&row()).await.expect("connected");
    let old = store.lease(&support(), "a", LEASE, NOW).await.expect("asked").expect("free");
    assert!(store.set_cursor(&support(), old, Some("1")).await.expect("answered"));
    store.lease(&support(), "a", Duration::ZERO, NOW).await.expect("asked").expect("its own");
    let new = store.lease(&support(), "b", LEASE, NOW).await.expect("asked").expect("free");

    assert!(!store.set_cursor(&support(), old, Some("stale")).await.expect("answered"));
    assert_eq!(store.cursor(&support()).await.expect("read").as_deref(), Some("1"));
    assert!(store.set_cursor(&support(), new, None).await.expect("answered"));
    assert_eq!(store.cursor(&support()).await.expect("read"), None);
}

async fn of_many_workers_one_gets_the_lease(place: StoreAt) {
    let store = open(&place).await;
    let workers = (0..10).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.lease(&support(), &format!("worker {number}"), LEASE, NOW).await })
    });
    let answers = futures_util::future::try_join_all(workers).await.expect("every worker ends");
    let won: Vec<i64> = answers.into_iter().filter_map(|answer| answer.expect("answered")).collect();
    assert_eq!(won, [1]);
}

async fn fencing_numbers_go_on_after_a_disconnect(place: StoreAt) {
    let store = open(&place).await;
    store.connect_mailbox(&row()).await.expect("connected");
    store.lease(&support(), "a", LEASE, NOW).await.expect("asked").expect("free");
    store.disconnect_mailbox(&support()).await.expect("disconnected");
    store.connect_mailbox(&row()).await.expect("connected");

    store.lease(&support(), "a", Duration::ZERO, NOW).await.expect("asked").expect("its own");
    assert_eq!(store.lease(&support(), "b", LEASE, NOW).await.expect("asked"), Some(2));
    assert!(!store.set_cursor(&support(), 1, Some("stale")).await.expect("answered"));
}

async fn an_address_is_one_mailbox_whatever_its_case(place: StoreAt) {
    let store = open(&place).await;
    store.connect_mailbox(&row()).await.expect("connected");
    let id = mintgate::base::id::MailboxId::parse("another").expect("an id");
    let twice = MailboxRow { id, address: "Support@Example.org".to_owned(), ..row() };

    assert!(store.connect_mailbox(&twice).await.is_err());

    assert_eq!(store.mailboxes().await.expect("listed"), [row()]);
}

async fn a_lease_that_a_clock_put_far_ahead_is_over(place: StoreAt) {
    let store = open(&place).await;
    let lease = async |holder, span| store.lease(&support(), holder, span, NOW).await.expect("asked");
    assert_eq!(lease("a", Duration::from_secs(8 * 3600)).await, Some(1));
    assert_eq!(lease("b", LEASE).await, Some(2));
    assert_eq!(lease("a", LEASE).await, None);
}

async fn an_address_is_the_same_mailbox_when_it_is_connected_again(place: StoreAt) {
    let store = open(&place).await;
    let former = async |address: String| store.former_mailbox(&address).await.expect("asked");
    store.connect_mailbox(&row()).await.expect("connected");
    assert_eq!(former(row().address).await, None);
    for _ in 0..2 {
        store.disconnect_mailbox(&support()).await.expect("disconnected");
    }
    assert_eq!(former(row().address.to_uppercase()).await, Some(support()));
    assert_eq!(former("somebody.else@example.org".to_owned()).await, None);
}

async fn what_waits_in_a_disconnected_mailbox_keeps_its_age_and_holds_up_no_copy(place: StoreAt) {
    let store = open(&place).await;
    let sales = MailboxId::parse("sales").expect("an id");
    let other = MailboxRow { id: sales.clone(), address: "sales@example.org".to_owned(), ..row() };
    for row in [row(), other] {
        store.connect_mailbox(&row).await.expect("connected");
    }
    let in_time = store.add_inbound(&mail("one")).await.expect("stored").expect("new");
    let too_old = NewMail { received_at: NOW - Duration::from_secs(9_999), ..mail("old") };
    let too_old = store.add_inbound(&too_old).await.expect("stored").expect("new");
    let copy = NewMail { mailbox: sales, ..mail("one") };
    let copy = store.add_inbound(&copy).await.expect("stored").expect("new");
    store.write_intent(in_time, FRESH, &reading("a@x"), &Intent::Open, NOW).await.expect("written");
    let first = async || store.write_first_intent(copy, FRESH, &reading("a@x"), NOW).await.expect("answered");
    assert_eq!(first().await, FirstIntent::Elsewhere);

    store.disconnect_mailbox(&support()).await.expect("disconnected");

    assert_eq!(first().await, FirstIntent::Written);
    let found = async |id| store.inbound(id).await.expect("read").expect("there");
    assert_eq!((found(in_time).await.state, found(in_time).await.accepted), (InboundState::New, true));
    assert!(!found(too_old).await.accepted);
}

async fn old_mail_whose_bytes_are_dropped_is_to_be_fetched_when_it_is_wanted_after_all(place: StoreAt) {
    let store = open(&place).await;
    store.connect_mailbox(&row()).await.expect("connected");
    let fence = store.lease(&support(), "worker", LEASE, NOW).await.expect("asked").expect("free");
    let since = NOW - Duration::from_secs(100);
    for key in ["dropped", "there"] {
        let old = NewMail { received_at: since, ..mail(key) };
        let id = store.add_inbound(&old).await.expect("stored").expect("new");
        let reason = "received before the mailbox was connected".to_owned();
        let end = InboundEnd::Ignored { reason, ticket: None };
        store.end_inbound(id, None, &end, None, NOW).await.expect("ended");
        if key == "dropped" {
            assert_eq!(store.drop_old_raw(later(1), 10).await.expect("dropped"), 1);
        }
    }

    assert!(store.import_since(&support(), fence, since).await.expect("answered"));

    let keys = |rows: Vec<InboundRow>| rows.into_iter().map(|row| row.source_key).collect::<Vec<_>>();
    let due = store.due_inbound(&support(), later(9), None, 10).await.expect("listed");
    assert_eq!(keys(due), ["there"]);
    let unfetched = store.unfetched_inbound(&support(), later(9), None, 10).await.expect("listed");
    assert_eq!(keys(unfetched), ["dropped"]);
}
