//! One bell for each mailbox that is worked here. Ringing one that is not here does nothing, so that nobody
//! from outside can make them more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::id::MailboxId;
use crate::base::wake::Wake;

/// Clones share the bells.
#[derive(Clone, Default)]
pub(super) struct Bells(Arc<Mutex<HashMap<MailboxId, Wake>>>);

impl Bells {
    /// Hangs up a bell for this mailbox, in place of an earlier one.
    pub(super) fn hang(&self, mailbox: &MailboxId) -> Wake {
        let bell = Wake::new();
        self.all().insert(mailbox.clone(), bell.clone());
        bell
    }

    pub(super) fn take_down(&self, mailbox: &MailboxId) {
        self.all().remove(mailbox);
    }

    pub(super) fn has(&self, mailbox: &MailboxId) -> bool {
        self.all().contains_key(mailbox)
    }

    pub(super) fn ring(&self, mailbox: &MailboxId) {
        if let Some(bell) = self.all().get(mailbox) {
            bell.ring();
        }
    }

    pub(super) fn ring_all(&self) {
        self.all().values().for_each(Wake::ring);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<MailboxId, Wake>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
