//! How many connections may be open, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections of all entry points together. Each may need a second one to an upstream.
const MOST: usize = 8192;
/// Connections from one address; browsers use at most a handful, an office behind one address some dozens.
const MOST_PER_ADDRESS: usize = 256;

/// Counts open connections; shared by all entry points.
#[derive(Debug, Clone, Default)]
pub struct Limits(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Whose connections are counted one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// One client behind the address.
    Single,
    /// A proxy with many clients behind it: only the overall cap holds.
    Proxy,
}

/// The right to be open; given back when dropped.
#[derive(Debug)]
#[must_use]
pub struct Place {
    limits: Limits,
    address: Option<IpAddr>,
}

impl Limits {
    /// `None` when a cap is reached.
    pub fn take(&self, address: IpAddr, share: Share) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= MOST {
            return None;
        }
        let address = (share == Share::Single).then_some(address);
        if address.is_some_and(|address| !open.count(address)) {
            return None;
        }
        open.all += 1;
        Some(Place { limits: self.clone(), address })
    }
}

impl Open {
    /// One more of that address; `false` when it has all it may have.
    fn count(&mut self, address: IpAddr) -> bool {
        let count = self.by_address.entry(address).or_default();
        let allowed = *count < MOST_PER_ADDRESS;
        if allowed {
            *count += 1;
        }
        allowed
    }
}

impl Place {
    /// A proxy's connection turned out to be one client's: from now on it counts as that address's.
    /// `None` when that address has all it may have.
    pub fn of_client(mut self, address: IpAddr) -> Option<Self> {
        if self.address.is_none() {
            let mut open = self.limits.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !open.count(address) {
                drop(open);
                return None;
            }
            drop(open);
            self.address = Some(address);
        }
        Some(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.limits.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        let Some(address) = self.address else { return };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn one_address_cannot_take_every_place() {
        let limits = Limits::default();
        let places: Vec<_> = (0..MOST_PER_ADDRESS).map(|_| limits.take(ONE, Share::Single)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(limits.take(ONE, Share::Single).is_none());
        assert!(limits.take(OTHER, Share::Single).is_some());
    }

    #[test]
    fn a_closed_connection_gives_its_place_back() {
        let limits = Limits::default();
        let places: Vec<_> = (0..MOST_PER_ADDRESS).map(|_| limits.take(ONE, Share::Single)).collect();
        drop(places);
        assert!(limits.take(ONE, Share::Single).is_some());
        assert!(limits.0.lock().expect("not poisoned").by_address.is_empty());
    }

    #[test]
    fn a_proxy_is_held_by_the_overall_cap_only() {
        let limits = Limits::default();
        let places: Vec<_> = (0..MOST).map(|_| limits.take(ONE, Share::Proxy)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(limits.take(OTHER, Share::Single).is_none());
    }

    #[test]
    fn a_client_behind_a_proxy_header_is_held_by_its_own_cap() {
        let limits = Limits::default();
        let place = || limits.take(OTHER, Share::Proxy).expect("a place").of_client(ONE);
        let places: Vec<_> = (0..MOST_PER_ADDRESS).map(|_| place()).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(place().is_none());
        drop(places);
        assert!(place().is_some());
        assert!(limits.0.lock().expect("not poisoned").by_address.is_empty());
    }
}
