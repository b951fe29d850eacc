//! Work that goes on beside the requests: what breaks down is told and begun again.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tracing::error;

/// Before work that broke down begins again.
const AGAIN: Duration = Duration::from_secs(5);

/// Runs `work` until it ends by itself, or `rests` is true after it broke down.
pub(super) async fn keep_going<W>(name: &'static str, work: impl Fn() -> W, mut rests: watch::Receiver<bool>)
where
    W: Future<Output = ()> + Send + 'static,
{
    while let Err(broken) = tokio::spawn(work()).await {
        error!(work = name, panicked = broken.is_panic(), "broke down; it begins again");
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            _ = rests.wait_for(|rest| *rest) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_breaks_down_begins_again_until_it_ends_by_itself() {
        let begun = Arc::new(AtomicU32::new(0));
        let (_rest, rests) = watch::channel(false);
        let counted = begun.clone();
        let work = move || {
            let turn = counted.fetch_add(1, Ordering::Relaxed);
            async move { assert!(turn == 2, "broke down") }
        };
        keep_going("a test", work, rests).await;
        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_to_rest_does_not_begin_again() {
        let (rest, rests) = watch::channel(false);
        let work = move || {
            rest.send_replace(true);
            async { panic!("broke down") }
        };
        keep_going("a test", work, rests).await;
    }
}
