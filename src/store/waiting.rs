//! What still waits, mailbox by mailbox: for cards and alarms, cheap enough for every page.

use sqlx::query;

use super::sql::{Columns, Sql, Word};
use super::{InboundState, OutboxState, Result};
use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

const WHAT: &str = "count what waits";

/// Mails of one mailbox that are not through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Came in and are no ticket yet.
    pub inbound: u64,
    /// Put aside.
    pub quarantined: u64,
    /// Answers that have not left yet.
    pub outgoing: u64,
    /// Answers that were given up.
    pub failed: u64,
    /// When the oldest of those that wait, in either direction, was stored.
    pub oldest: Option<Timestamp>,
}

impl Waiting {
    /// In both directions.
    pub fn mails(&self) -> u64 {
        self.inbound + self.outgoing
    }

    fn note_oldest(&mut self, at: Timestamp) {
        self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
    }
}

/// Mailboxes that nothing waits for are left out.
pub(super) async fn waiting(sql: &Sql) -> Result<Vec<(MailboxId, Waiting)>> {
    let mut all = Vec::new();
    let inbound = query(
        "SELECT mailbox, state, COUNT(*) AS mails, MIN(stored_at) AS oldest FROM inbound \
         WHERE state IN ('new', 'intent', 'quarantined') GROUP BY mailbox, state",
    );
    for row in sql.rows(WHAT, inbound).await? {
        let waiting = of(&mut all, row.mailbox("mailbox")?);
        let mails = u64::from(row.count("mails")?);
        if row.word::<InboundState>("state")? == InboundState::Quarantined {
            waiting.quarantined += mails;
        } else {
            waiting.inbound += mails;
            waiting.note_oldest(row.time("oldest")?);
        }
    }
    let outgoing = query(
        "SELECT mailbox, state, COUNT(*) AS mails, MIN(created_at) AS oldest FROM outbox \
         WHERE state IN ('queued', 'sending', 'failed') AND mailbox IS NOT NULL GROUP BY mailbox, state",
    );
    for row in sql.rows(WHAT, outgoing).await? {
        let waiting = of(&mut all, row.mailbox("mailbox")?);
        let mails = u64::from(row.count("mails")?);
        if OutboxState::read(&row.text("state")?)? == OutboxState::Failed {
            waiting.failed += mails;
        } else {
            waiting.outgoing += mails;
            waiting.note_oldest(row.time("oldest")?);
        }
    }
    Ok(all)
}

fn of(all: &mut Vec<(MailboxId, Waiting)>, mailbox: MailboxId) -> &mut Waiting {
    let at = all.iter().position(|(id, _)| *id == mailbox).unwrap_or_else(|| {
        all.push((mailbox, Waiting::default()));
        all.len() - 1
    });
    &mut all[at].1
}
