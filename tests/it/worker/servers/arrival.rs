//! How long a mail takes from its arrival at a real server to its ticket. Only prints: what is quick depends on the
//! machine.

use std::time::{Duration, Instant};

use mintgate::mailbox::settings::MailboxSettings;
use tokio::sync::watch;

use super::post::Post;
use super::story::{NO_IDLE, patient};
use crate::support::dovecot::Kind;
use crate::worker::mails::question;

const MAILS: u32 = 50;
const DAY: Duration = Duration::from_secs(24 * 3600);
const POLL: Duration = Duration::from_secs(2);

#[tokio::test]
#[ignore = "prints figures and asserts none; run by `make arrival`"]
async fn arrival_to_ticket_by_idle_and_by_poll() {
    let looked = Kind { capability: Some(NO_IDLE), ..Kind::default() };
    for (what, kind, interval) in [("IDLE", Kind::default(), DAY), ("poll every 2 s", looked, POLL)] {
        let Some(post) = Post::with(kind, MailboxSettings::default()).await else { return };
        let (_stop, stopped) = watch::channel(false);
        let running = tokio::spawn(patient(&post, interval).run(stopped));
        let mut waits = Vec::new();
        for number in 1..=MAILS {
            let begun = Instant::now();
            post.arrives(&question(number));
            post.until(|| post.desk.tickets().len() == number as usize).await;
            waits.push(begun.elapsed().as_millis());
        }
        running.abort();
        waits.sort_unstable();
        let part = |percent: usize| waits[waits.len() * percent / 100];
        println!("arrival to ticket by {what}: p50={} ms p99={} ms", part(50), part(99));
    }
}
