//! The worker dies at every named point, and at points nobody named.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use mintgate::store::{InboundState, OutboxState};
use mintgate::worker::Point;

use super::mails::{header, question, question_id, reply};
use super::scene::Scene;

/// One conversation: Bob asks, an agent answers, Bob replies. `dies` is asked for each worker's life.
async fn conversation(scene: &Scene, pass: impl AsyncFn(&Scene)) {
    scene.deliver(&question(1));
    pass(scene).await;
    scene.settle_down().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    pass(scene).await;
    scene.settle_down().await;
    scene.deliver(&reply(&question_id(1), "reply-1@customer.example", "It still smokes."));
    pass(scene).await;
    scene.settle_down().await;
}

#[tokio::test]
async fn a_crash_at_any_named_point_loses_and_doubles_nothing() {
    for point in Point::ALL {
        let scene = Scene::new().await;
        let died = std::sync::Arc::new(AtomicBool::new(false));
        conversation(&scene, async |scene: &Scene| {
            let died = died.clone();
            scene
                .dying_pass(move |at| {
                    if at == point && !died.swap(true, Ordering::SeqCst) {
                        std::panic::resume_unwind(Box::new("the process dies here"));
                    }
                })
                .await;
        })
        .await;
        assert!(died.load(Ordering::SeqCst), "{point:?} was never passed");
        assert_eq!(scene.desk.tickets().len(), 1, "{point:?}");
        assert_eq!(scene.customers_comments(&scene.desk.tickets()[0].id), 1, "{point:?}");
        assert_eq!(scene.sent().len(), 1, "{point:?}");
        assert_eq!(scene.outgoing(OutboxState::Sent).await, 1, "{point:?}");
        assert_eq!(scene.count(InboundState::Done).await, 2, "{point:?}");
    }
}

/// Ends as if killed after `polls` looks at the work.
struct Killed<F> {
    work: F,
    polls: u32,
}

impl<F: Future + Unpin> Future for Killed<F> {
    /// Whether it was killed before the work was done.
    type Output = bool;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        if self.polls == 0 {
            return Poll::Ready(true);
        }
        self.polls -= 1;
        Pin::new(&mut self.work).poll(context).map(|_| false)
    }
}

/// A small generator of numbers that look random and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(limit)).expect("below a u32")
    }
}

#[tokio::test]
async fn kills_at_random_moments_lose_and_double_nothing() {
    const ROUNDS: u32 = 20;
    let scene = Scene::new().await;
    let (mut chance, mut kills) = (Chance(7), 0);
    for number in 1..=ROUNDS {
        scene.deliver(&question(number));
        if let Some(ticket) = scene.unanswered() {
            scene.agent_says(&ticket, &format!("Answer at round {number}.")).await;
        }
        let worker = scene.worker();
        let work = pin!(worker.run_once());
        kills += u32::from(Killed { work, polls: 1 + chance.below(90) }.await);
        scene.clock.advance(Duration::from_secs(50));
    }
    scene.settle_down().await;
    while let Some(ticket) = scene.unanswered() {
        scene.agent_says(&ticket, "Answer at the end.").await;
    }
    scene.settle_down().await;

    assert!(kills > ROUNDS / 2, "only {kills} of {ROUNDS} lives were cut short");
    let mut titles: Vec<_> = scene.desk.tickets().into_iter().map(|ticket| ticket.title).collect();
    titles.sort();
    let mut wanted: Vec<_> = (1..=ROUNDS).map(|number| format!("Printer {number} smokes")).collect();
    wanted.sort();
    assert_eq!(titles, wanted);
    let mut subjects: Vec<_> = scene.sent().iter().filter_map(|raw| header(raw, "Subject")).collect();
    subjects.sort();
    let mut answers: Vec<_> = wanted.iter().map(|title| format!("Re: {title}")).collect();
    answers.sort();
    assert_eq!(subjects, answers);
}
