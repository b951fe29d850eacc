//! Several gateways on one PostgreSQL: one of them works a mailbox, and one that comes back late does no harm.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use mintgate::base::clock::{Clock, ManualClock};
use mintgate::store::InboundState;
use mintgate::worker::{Parts, Point, Worker, WorkerError};
use tokio::task::JoinHandle;

use super::mails::{question, question_id, reply};
use super::scene::{LONG, Scene, id};
use crate::support::postgres;

/// Longer than a lease holds.
const PAUSE: Duration = Duration::from_secs(120);

/// A gate that holds the first who passes `point` until it is opened.
fn gate(point: Point) -> (impl Fn(Point) + Send + Sync, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (arrived, arrival) = mpsc::channel();
    let (open, opening) = mpsc::channel();
    let (used, opening) = (AtomicBool::new(false), Mutex::new(opening));
    let pass = move |at| {
        if at == point && !used.swap(true, Ordering::SeqCst) {
            arrived.send(()).expect("the test waits");
            // Lets the runtime give this thread's other tasks to another one.
            tokio::task::block_in_place(|| opening.lock().expect("one waits").recv())
                .expect("the test opens");
        }
    };
    (pass, arrival, open)
}

/// A pass of the first gateway that has come to `point`, and stays there until it is let go.
fn held(scene: &Scene, point: Point) -> (JoinHandle<Result<(), WorkerError>>, mpsc::Sender<()>) {
    let (pass, arrival, open) = gate(point);
    let holder = scene.worker_named("the first", pass);
    let first = tokio::spawn(async move { holder.run_once().await });
    tokio::task::block_in_place(|| arrival.recv()).expect("it gets there");
    (first, open)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_paused_holder_that_comes_back_moves_no_cursor_and_doubles_nothing() {
    for point in [Point::RawStored, Point::CursorWritten, Point::IntentWritten, Point::DeskAnswered] {
        let Some(place) = postgres::database() else { return };
        let scene = Scene::on(place).await;
        scene.deliver(&question(1));
        let (first, open) = held(&scene, point);

        scene.clock.advance(PAUSE);
        scene.end_lease_of("the first").await;
        let second = scene.worker_named("the second", |_| {});
        second.run_once().await.expect("the second takes over");
        scene.clock.advance(PAUSE);
        scene.deliver(&question(2));
        second.run_once().await.expect("and goes on");
        let cursor = scene.store.cursor(&id()).await.expect("the store");
        open.send(()).expect("the first waits");
        // What it comes to is not told: it may notice, or find everything done.
        first.await.expect("it does not die").ok();
        assert_eq!(scene.store.cursor(&id()).await.expect("the store"), cursor, "{point:?}");
        for _ in 0..3 {
            scene.clock.advance(PAUSE);
            second.run_once().await.expect("a pass");
        }

        assert_eq!(scene.desk.tickets().len(), 2, "{point:?}");
        assert_eq!(scene.count(InboundState::Done).await, 2, "{point:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_gateway_whose_clock_is_hours_ahead_leaves_another_ones_mailbox_alone() {
    let Some(place) = postgres::database() else { return };
    let scene = Scene::on(place).await;
    scene.deliver(&question(1));
    let (first, open) = held(&scene, Point::RawStored);
    let met = Arc::new(AtomicU32::new(0));
    let (counted, clock) = (met.clone(), Arc::new(ManualClock::at(scene.clock.now())));
    clock.advance(Duration::from_secs(8 * 3600));
    let at = move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    let ahead = Worker::new(Parts { clock, ..scene.parts("ahead", at) });

    ahead.run_once().await.expect("a pass");
    assert_eq!(met.load(Ordering::SeqCst), 0, "it did something for the mailbox");

    open.send(()).expect("the first waits");
    first.await.expect("it does not die").expect("it still has the mailbox");
    assert_eq!(scene.count(InboundState::Done).await, 1);
    scene.end_lease_of("the first").await;
    scene.deliver(&question(2));
    ahead.run_once().await.expect("a pass");
    assert_eq!(scene.desk.tickets().len(), 2, "what was given back is taken over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_another_gateway_has_just_begun_is_waited_for_by_one_whose_clock_is_ahead() {
    let Some(place) = postgres::database() else { return };
    let scene = Scene::on(place).await;
    scene.deliver(&question(1));
    let (first, open) = held(&scene, Point::IntentWritten);
    scene.end_lease_of("the first").await;
    let clock = Arc::new(ManualClock::at(scene.clock.now()));
    clock.advance(Duration::from_secs(8 * 3600));
    let ahead = Worker::new(Parts { clock: clock.clone(), ..scene.parts("ahead", |_| {}) });

    ahead.run_once().await.expect("a pass");
    assert!(scene.desk.tickets().is_empty(), "the first one's call may be on its way");

    open.send(()).expect("the first waits");
    first.await.expect("it does not die").ok();
    for _ in 0..3 {
        clock.advance(PAUSE);
        ahead.run_once().await.expect("a pass");
    }
    assert_eq!(scene.desk.tickets().len(), 1);
    assert_eq!(scene.count(InboundState::Done).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_send_command_of_another_gateway_is_waited_for_by_one_whose_clock_is_ahead() {
    let Some(place) = postgres::database() else { return };
    let scene = Scene::on_with(place, &["Mail.Read", "Mail.Send"]).await;
    scene.deliver(&question(1));
    scene.worker_named("the first", |_| {}).run_once().await.expect("a pass");
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    let (first, open) = held(&scene, Point::DispatchWritten);
    scene.end_lease_of("the first").await;
    let clock = Arc::new(ManualClock::at(scene.clock.now()));
    clock.advance(Duration::from_secs(8 * 3600));
    let ahead = Worker::new(Parts { clock: clock.clone(), ..scene.parts("ahead", |_| {}) });

    ahead.run_once().await.expect("a pass");
    scene.clock.advance(PAUSE);
    assert!(scene.sent().is_empty(), "the first one's command may be on its way");

    open.send(()).expect("the first waits");
    first.await.expect("it does not die").ok();
    for _ in 0..3 {
        scene.clock.advance(LONG);
        clock.advance(LONG);
        ahead.run_once().await.expect("a pass");
    }
    assert_eq!(scene.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_gateways_at_once_make_one_ticket_one_comment_and_one_answer() {
    let Some(place) = postgres::database() else { return };
    let scene = Scene::on(place).await;
    let (one, two) = (scene.worker_named("one", |_| {}), scene.worker_named("two", |_| {}));
    let both = async || {
        for _ in 0..6 {
            let (left, right) = tokio::join!(one.run_once(), two.run_once());
            left.expect("a pass");
            right.expect("a pass");
            scene.clock.advance(PAUSE);
            for holder in ["one", "two"] {
                scene.end_lease_of(holder).await;
            }
        }
    };
    scene.deliver(&question(1));
    both().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.deliver(&reply(&question_id(1), "reply-1@customer.example", "It still smokes."));
    both().await;
    assert_eq!(scene.desk.tickets().len(), 1);
    assert_eq!(scene.customers_comments(&ticket), 1);
    assert_eq!(scene.sent().len(), 1);
}
