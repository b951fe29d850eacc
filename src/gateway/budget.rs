//! How many bytes may be held for clients at once: in all, and for one client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::address::subscriber;

/// Bytes in all.
const MOST: usize = 64 * 1024 * 1024;
/// Bytes for one client, so that filling the whole takes many.
const MOST_PER_CLIENT: usize = 8 * 1024 * 1024;

#[derive(Debug, Default)]
pub struct Budget(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    all: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// What one request holds; given back when dropped.
#[derive(Debug)]
pub struct Room {
    budget: Arc<Budget>,
    /// As [`subscriber`] counts them.
    client: IpAddr,
    bytes: usize,
}

impl Budget {
    /// Room for nothing yet.
    pub fn room(self: &Arc<Self>, client: IpAddr) -> Room {
        Room { budget: self.clone(), client: subscriber(client), bytes: 0 }
    }
}

impl Room {
    /// Takes more; `false`, and nothing is taken, when that is too much.
    pub fn grow(&mut self, more: usize) -> bool {
        if more == 0 {
            return true;
        }
        let mut held = self.budget.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = held.all + more;
        let mine = held.by_client.get(&self.client).map_or(0, |bytes| *bytes) + more;
        if all > MOST || mine > MOST_PER_CLIENT {
            return false;
        }
        held.all = all;
        held.by_client.insert(self.client, mine);
        self.bytes += more;
        true
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut held = self.budget.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.all -= self.bytes;
        if let Some(mine) = held.by_client.get_mut(&self.client) {
            *mine -= self.bytes;
            if *mine == 0 {
                held.by_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn one_client_cannot_take_everything_and_all_together_cannot_take_more() {
        let budget = Arc::new(Budget::default());
        let full = |client| {
            let mut room = budget.room(client);
            room.grow(MOST_PER_CLIENT).then_some(room)
        };
        let rooms: Vec<_> = (1..=8).map(|last| full(client(last))).collect();
        assert!(rooms.iter().all(Option::is_some));
        assert!(!budget.room(client(9)).grow(1), "the whole is taken");
        drop(rooms);
        let mine = full(client(1));
        assert!(mine.is_some());
        assert!(!budget.room(client(1)).grow(1), "its own part is taken");
        assert!(budget.room(client(2)).grow(1));
    }

    #[test]
    fn what_is_given_back_leaves_nothing_behind() {
        let budget = Arc::new(Budget::default());
        let mut room = budget.room(client(1));
        assert!(room.grow(10) && room.grow(0) && !room.grow(MOST));
        drop((room, budget.room(client(2))));
        let held = budget.0.lock().expect("not poisoned");
        assert_eq!((held.all, held.by_client.len()), (0, 0));
    }
}
