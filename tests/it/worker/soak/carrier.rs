//! What carries mail between the customers and the desk's mailbox, and how it fails.

use std::time::Duration;

use super::child::Account;
use super::trouble::Chance;

/// Called from the customers' side; the worker meets it as a mailbox.
pub trait Carrier: Sync {
    /// How the worker reaches the mailbox.
    fn account(&self) -> Account;

    /// A mail arrives in the mailbox.
    fn deliver(&self, raw: &[u8]);

    /// The mails that somebody outside has received.
    fn received(&self, address: &str) -> Vec<Vec<u8>>;

    /// How long the worker's next life lasts once it works.
    fn life(&self, chance: &mut Chance) -> Duration;

    /// Lets things go wrong until [`Carrier::trouble_ends`].
    fn trouble_begins(&self, chance: &mut Chance);

    fn trouble_ends(&self);

    /// How many mails were handed over without the worker being able to know it.
    fn unclear(&self) -> usize;
}
