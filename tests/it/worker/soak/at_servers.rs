//! The mailbox at Dovecot's IMAP and submission, over wires that are cut.

use std::time::Duration;

use mintgate::base::clock::Clock;

use super::carrier::Carrier;
use super::child::Account;
use super::quick_clock::QuickClock;
use super::trouble::Chance;
use crate::support::cutter::{Cut, Cutter};
use crate::support::dovecot::Dovecot;
use crate::support::mail_server::Sink;
use crate::worker::mails::header;

const BY_IMAP: [&str; 8] =
    ["AUTHENTICATE", "CAPABILITY", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE", "LIST", "APPEND"];
/// The end of a mail most often: it is what matters.
const BY_SMTP: [&str; 9] = [".", ".", ".", "DATA", "RCPT", "MAIL", "AUTH", "EHLO", "QUIT"];

/// Milliseconds of real time. A round signs in at two servers, so a short life seldom gets as far as sending:
/// one of [`OF_LIVES`] may be a long one.
const SHORT_LIFE: u32 = 1_200;
const LONG_LIFE: u32 = 6_000;
const OF_LIVES: u32 = 4;

pub struct Servers {
    dovecot: Dovecot,
    /// Where the submission server relays to.
    world: Sink,
    imap: Cutter,
    submission: Cutter,
    clock: QuickClock,
}

impl Servers {
    /// `None` (with the reason printed) where Dovecot is not installed.
    pub async fn start(clock: QuickClock) -> Option<Self> {
        let world = Sink::start().await;
        let dovecot = Dovecot::start(world.address.port()).await?;
        let [imap, submission] = dovecot.ports();
        let (imap, submission) = (Cutter::before(imap).await, Cutter::before(submission).await);
        Some(Self { dovecot, world, imap, submission, clock })
    }
}

impl Carrier for Servers {
    fn account(&self) -> Account {
        Account::Servers { ports: [self.imap.port, self.submission.port] }
    }

    fn deliver(&self, raw: &[u8]) {
        self.dovecot.deliver_at(raw, self.clock.now());
    }

    fn received(&self, address: &str) -> Vec<Vec<u8>> {
        let is_theirs = |mail: &Vec<u8>| header(mail, "To").is_some_and(|to| to.contains(address));
        self.world.mails().into_iter().map(String::into_bytes).filter(is_theirs).collect()
    }

    fn life(&self, chance: &mut Chance) -> Duration {
        let longest = if chance.below(OF_LIVES) == 0 { LONG_LIFE } else { SHORT_LIFE };
        Duration::from_millis(u64::from(5 + chance.below(longest)))
    }

    fn trouble_begins(&self, chance: &mut Chance) {
        for (wire, commands) in [(&self.imap, &BY_IMAP[..]), (&self.submission, &BY_SMTP[..])] {
            if chance.happens(50) {
                let command = chance.pick(commands);
                wire.cut(if chance.happens(50) { Cut::Before(command) } else { Cut::After(command) });
            }
        }
        if chance.happens(1) {
            self.dovecot.begin_new_life();
        }
    }

    fn trouble_ends(&self) {
        self.imap.heal();
        self.submission.heal();
    }

    fn unclear(&self) -> usize {
        self.submission.unclear()
    }
}
