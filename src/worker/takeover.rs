//! When mailboxes came over from another gateway. What that one began is dated by its clock, which may be far from
//! ours: how long ago it was is counted from the moment it can have done nothing more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::clock::Timestamp;
use crate::base::id::MailboxId;

/// By our clock.
#[derive(Default)]
pub(super) struct Takeovers(Mutex<HashMap<MailboxId, Timestamp>>);

impl Takeovers {
    pub(super) fn note(&self, mailbox: &MailboxId, now: Timestamp) {
        self.all().insert(mailbox.clone(), now);
    }

    /// The moment from which to count what was written down at `at`: no earlier than the takeover.
    pub(super) fn counted_from(&self, mailbox: &MailboxId, at: Timestamp) -> Timestamp {
        self.all().get(mailbox).map_or(at, |taken| at.max(*taken))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<MailboxId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_gateway_began_is_counted_from_the_takeover() {
        let (mailbox, takeovers) = (MailboxId::parse("m").expect("an id"), Takeovers::default());
        assert_eq!(takeovers.counted_from(&mailbox, Timestamp(5)), Timestamp(5), "nobody had it before");
        takeovers.note(&mailbox, Timestamp(100));
        assert_eq!(takeovers.counted_from(&mailbox, Timestamp(5)), Timestamp(100));
        assert_eq!(takeovers.counted_from(&mailbox, Timestamp(200)), Timestamp(200), "our own");
    }
}
