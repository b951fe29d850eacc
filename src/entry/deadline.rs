//! When waiting for a client's next bytes ends.
//!
//! One timer per connection; it is touched only when a read has to wait, and moved only when it would
//! fire too late, so that a busy connection never pays for it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a whole head, from its first byte, and for the first head from the connection's start.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// Since the connection began.
    First,
    Idle,
    Head,
    /// For nothing of the client's; pingora's own timeouts hold.
    Nothing,
}

#[derive(Debug)]
pub struct Deadline {
    patience: Patience,
    waiting: Waiting,
    at: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub fn new(patience: Patience, now: Instant) -> Self {
        Self { patience, waiting: Waiting::First, at: now + patience.head, timer: None }
    }

    /// The client owes nothing at present.
    pub fn rest(&mut self) {
        self.waiting = Waiting::Nothing;
    }

    /// Ready once the client has had its time. `begun`: a part of the head is there.
    pub fn poll(&mut self, begun: bool, context: &mut Context<'_>) -> Poll<()> {
        let waiting = match (self.waiting, begun) {
            (Waiting::First, _) => Waiting::First,
            (_, true) => Waiting::Head,
            (_, false) => Waiting::Idle,
        };
        if waiting != self.waiting {
            self.waiting = waiting;
            let span = if begun { self.patience.head } else { self.patience.idle };
            self.at = Instant::now() + span;
        }
        let at = self.at;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            if timer.deadline() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
    }
}
