//! How long a mail takes from its arrival to its ticket, by each way to hear of it. Only prints: what is quick
//! depends on the machine.

use std::time::{Duration, Instant};

use mintgate::mailbox::settings::MailboxSettings;
use tokio::sync::watch;

use super::post::Post;
use super::story::{NO_IDLE, patient};
use crate::support::dovecot::Kind;
use crate::worker::announced::Working;
use crate::worker::mails::question;
use crate::worker::scene::Scene;

const MAILS: usize = 40;
/// From one mail to the next; no part of the poll's interval, so that mails come at every moment of it.
const EACH: Duration = Duration::from_millis(1_030);
const LOOK: Duration = Duration::from_millis(5);
const DAY: Duration = Duration::from_secs(24 * 3600);
const POLL: Duration = Duration::from_secs(5);

#[tokio::test]
#[ignore = "prints figures and asserts none; run by `make arrival`"]
async fn arrival_to_ticket_by_notification_by_idle_and_by_poll() {
    let working = Working::announced().await;
    let arrives = |raw: &[u8]| drop(working.scene.deliver(raw));
    measure("Graph notification", &working.scene, arrives).await;
    working.end().await;

    let looked = Kind { capability: Some(NO_IDLE), ..Kind::default() };
    for (what, kind, interval) in [("IDLE", Kind::default(), DAY), ("poll every 5 s", looked, POLL)] {
        let Some(post) = Post::with(kind, MailboxSettings::default()).await else { return };
        let (_stop, stopped) = watch::channel(false);
        let running = tokio::spawn(patient(&post, interval).run(stopped));
        measure(what, &post, |raw| post.arrives(raw)).await;
        running.abort();
    }
}

async fn measure(what: &str, scene: &Scene, arrives: impl Fn(&[u8])) {
    let (mut begun, mut waits) = (Vec::new(), Vec::new());
    let mut each = tokio::time::interval(EACH);
    while waits.len() < MAILS {
        tokio::select! {
            _ = each.tick(), if begun.len() < MAILS => {
                let number = u32::try_from(begun.len()).expect("few") + 1;
                begun.push(Instant::now());
                arrives(&question(number));
            }
            () = tokio::time::sleep(LOOK) => {}
        }
        let there = scene.desk.tickets().len();
        waits.extend(begun[waits.len()..there].iter().map(|begun: &Instant| begun.elapsed().as_millis()));
    }
    waits.sort_unstable();
    let part = |percent: usize| waits[waits.len() * percent / 100];
    println!("arrival to ticket by {what}: p50={} ms p99={} ms", part(50), part(99));
}
