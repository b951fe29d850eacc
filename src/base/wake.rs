//! One wake-up handle: whoever has something to do for a task rings; the task waits for a ring. A ring may say
//! what it is about.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Things rung about that are remembered until the task looks.
const MOST: usize = 256;

/// Rings are not counted: one ring or ten before the task looks are one wake-up.
#[derive(Clone, Default)]
pub struct Wake(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    rung: bool,
    about: Vec<String>,
    waiting: Option<Waker>,
}

impl Wake {
    pub fn new() -> Self {
        Self::default()
    }

    /// Never blocks, never fails; the ring is kept until somebody waits.
    pub fn ring(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.rung = true;
            state.waiting.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Rings and says what about. Of very many things some are forgotten: only the ring is sure.
    pub fn ring_about(&self, what: String) {
        {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if state.about.len() < MOST && !state.about.contains(&what) {
                state.about.push(what);
            }
        }
        self.ring();
    }

    /// What was rung about since this was last asked, oldest first.
    pub fn take_about(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).about)
    }

    /// Ready once rung since the last wait. One task waits at a time.
    pub async fn rung(&self) {
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if std::mem::take(&mut state.rung) {
                return Poll::Ready(());
            }
            state.waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ring_before_the_wait_is_kept() {
        let wake = Wake::new();
        wake.ring();
        wake.ring();
        wake.rung().await;
    }

    #[tokio::test]
    async fn what_was_rung_about_is_told_once() {
        let wake = Wake::new();
        for what in ["a", "b", "a"] {
            wake.ring_about(what.to_owned());
        }
        wake.rung().await;
        assert_eq!(wake.take_about(), ["a", "b"]);
        assert!(wake.take_about().is_empty());
    }

    #[test]
    fn a_flood_is_not_kept() {
        let wake = Wake::new();
        (0..MOST + 9).for_each(|number| wake.ring_about(number.to_string()));
        assert_eq!(wake.take_about().len(), MOST);
    }

    #[tokio::test]
    async fn a_ring_during_the_wait_wakes() {
        let wake = Wake::new();
        let bell = wake.clone();
        let waiter = tokio::spawn(async move { wake.rung().await });
        tokio::task::yield_now().await;
        bell.ring();
        waiter.await.expect("the waiter ends");
    }
}
