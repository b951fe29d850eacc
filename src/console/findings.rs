//! What a look at the whole installation finds, kept for a moment: it asks the desk and the providers, and a page
//! that is loaded again must not ask them each time. Whatever it finds leaves without addresses and tokens.

use std::time::Duration;

use tokio::sync::Mutex;

use crate::base::clock::Timestamp;
use crate::base::redact::redacted;
use crate::console::Examination;

/// How long a page waits for the look.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long what was found stays good.
const FRESH: Duration = Duration::from_secs(60);
/// Characters of a line.
const LONGEST: usize = 400;

/// The last findings; one look at a time.
#[derive(Default)]
pub struct Findings(Mutex<Option<(Timestamp, Vec<String>)>>);

impl Findings {
    /// The lines that `examine` finds, or has found within the last minute; `None` where it takes too long.
    pub async fn at(&self, now: Timestamp, examine: &Examination) -> Option<Vec<String>> {
        let looked = async {
            let mut last = self.0.lock().await;
            if let Some((_, lines)) = last.as_ref().filter(|(at, _)| now < *at + FRESH) {
                return lines.clone();
            }
            let lines: Vec<String> = examine().await.iter().map(|line| shown(line)).collect();
            *last = Some((now, lines.clone()));
            lines
        };
        tokio::time::timeout(PATIENCE, looked).await.ok()
    }
}

/// A finding is a line and, below it, what to do.
fn shown(line: &str) -> String {
    line.lines().map(|part| redacted(part, LONGEST)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::FutureExt;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_222_800_000);

    #[tokio::test]
    async fn what_was_found_is_found_again_only_after_a_minute() {
        let looks = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&looks);
        let examine: Examination = Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async {
                vec![
                    "problem      bot: help@desk.example is refused.\n             → Put it right."
                        .to_owned(),
                ]
            }
            .boxed()
        });
        let findings = Findings::default();
        let mut seen = Vec::new();
        for now in [NOW, NOW + Duration::from_secs(59), NOW + FRESH] {
            let lines = findings.at(now, &examine).await.expect("in time");
            assert!(
                !lines[0].contains("help@desk.example") && lines[0].contains("→ Put it right."),
                "{lines:?}"
            );
            seen.push(looks.load(Ordering::SeqCst));
        }
        assert_eq!(seen, [1, 1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_takes_too_long_keeps_no_page_waiting() {
        let examine: Examination = Arc::new(|| std::future::pending().boxed());
        assert_eq!(Findings::default().at(NOW, &examine).await, None);
    }
}
