//! What is harmless once and worth a look in numbers: refusals from one address, addresses of one account,
//! refreshes of one mailbox. Pure; counts in memory and forgets.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use super::{Event, Outcome, Record};
use crate::base::id::MailboxId;

/// Refusals of one address within [`MINUTE`].
const MANY_REFUSALS: usize = 30;
/// Different addresses that one account signs in from within [`HOUR`].
const MANY_ADDRESSES: usize = 5;
/// Refreshes of one mailbox within [`HOUR`]; a healthy one needs one or two.
const MANY_REFRESHES: usize = 12;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Addresses, accounts or mailboxes that are counted at once; beyond it counting starts anew.
const MOST_KEYS: usize = 10_000;

/// The counts.
#[derive(Default)]
pub(super) struct Watch {
    refusals: Windows<IpAddr, usize>,
    addresses: Windows<String, HashSet<IpAddr>>,
    refreshes: Windows<MailboxId, usize>,
}

impl Watch {
    /// What is unusual about `record` coming after all the others; told once per window. `now` is steady.
    pub(super) fn see(&mut self, record: &Record<'_>, now: Duration) -> Option<&'static str> {
        match (record.event, record.outcome) {
            (Event::Refusal | Event::Brake, _) | (Event::SignIn, Outcome::Refused) => {
                let count = self.refusals.of(record.client?, now, MINUTE);
                *count += 1;
                (*count == MANY_REFUSALS).then_some("many refusals from one address")
            }
            (Event::SignIn, Outcome::Success) => {
                let seen = self.addresses.of(record.user?.to_owned(), now, HOUR);
                let is_new = seen.len() < MANY_ADDRESSES && seen.insert(record.client?);
                (is_new && seen.len() == MANY_ADDRESSES).then_some("many addresses for one account")
            }
            (Event::Refresh, _) => {
                let count = self.refreshes.of(record.mailbox?.clone(), now, HOUR);
                *count += 1;
                (*count == MANY_REFRESHES).then_some("a burst of token calls")
            }
            _ => None,
        }
    }
}

/// Something counted per key, from anew when its window is over.
struct Windows<K, V>(HashMap<K, (Duration, V)>);

impl<K, V> Default for Windows<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V: Default> Windows<K, V> {
    fn of(&mut self, key: K, now: Duration, span: Duration) -> &mut V {
        let is_over = |begun: Duration| now.saturating_sub(begun) >= span;
        if self.0.len() >= MOST_KEYS && !self.0.contains_key(&key) {
            self.0.retain(|_, (begun, _)| !is_over(*begun));
            if self.0.len() >= MOST_KEYS {
                self.0.clear();
            }
        }
        let (begun, value) = self.0.entry(key).or_insert_with(|| (now, V::default()));
        if is_over(*begun) {
            (*begun, *value) = (now, V::default());
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(last: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, last])
    }

    fn refusal() -> Record<'static> {
        Record::new(Event::Refusal, Outcome::Refused, "no session").from(from(1))
    }

    /// How many of `records`, one a second, were told to be unusual.
    fn told<'a>(watch: &mut Watch, records: impl IntoIterator<Item = Record<'a>>) -> Vec<&'static str> {
        let seconds = (0..).map(Duration::from_secs);
        records.into_iter().zip(seconds).filter_map(|(record, now)| watch.see(&record, now)).collect()
    }

    #[test]
    fn many_refusals_of_one_address_are_told_once_a_minute() {
        let mut watch = Watch::default();
        let told = told(&mut watch, vec![refusal(); 100]);
        assert_eq!(told, ["many refusals from one address"; 2]);
    }

    #[test]
    fn refusals_of_many_addresses_are_not_added_up() {
        let mut watch = Watch::default();
        let told = told(&mut watch, (0..200).map(|last| refusal().from(from(last))));
        assert!(told.is_empty());
    }

    #[test]
    fn an_account_at_many_addresses_is_told_and_the_same_address_again_is_not() {
        let sign_in = |last| Record::new(Event::SignIn, Outcome::Success, "").by("u1").from(from(last));
        let mut watch = Watch::default();
        assert!(told(&mut watch, [1, 1, 2, 2, 3, 4, 1, 4].map(sign_in)).is_empty());
        assert_eq!(told(&mut watch, [5, 6, 7].map(sign_in)), ["many addresses for one account"]);
    }

    #[test]
    fn a_burst_of_refreshes_is_told_per_mailbox() {
        let (one, other) =
            (MailboxId::parse("one").expect("an id"), MailboxId::parse("other").expect("an id"));
        let refresh = |mailbox| Record::new(Event::Refresh, Outcome::Success, "").about(mailbox);
        let mut watch = Watch::default();
        let mixed = (0..22).map(|turn| refresh(if turn % 2 == 0 { &one } else { &other }));
        assert!(told(&mut watch, mixed).is_empty());
        assert_eq!(told(&mut watch, [refresh(&one)]), ["a burst of token calls"]);
    }

    #[test]
    fn the_counts_stay_bounded() {
        let mut watch = Watch::default();
        for number in 0..(MOST_KEYS as u32 + 10) {
            let client = IpAddr::from(number.to_be_bytes());
            watch.see(&refusal().from(client), Duration::from_secs(1));
        }
        assert!(watch.refusals.0.len() <= MOST_KEYS);
    }
}
