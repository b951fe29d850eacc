//! How many connections may be open, in all and from one client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::address::subscriber;

/// Connections of all entry points together. Each may need a second one to an upstream.
const MOST: usize = 8192;
/// Connections from one client; browsers use at most a handful, an office behind one address some dozens.
const MOST_PER_CLIENT: usize = 256;

/// Counts open connections; shared by all entry points.
#[derive(Debug, Clone, Default)]
pub struct Limits(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_client: HashMap<IpAddr, usize>,
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
    /// Whose place it is, as [`subscriber`] counts them.
    client: Option<IpAddr>,
}

impl Limits {
    /// `None` when a cap is reached.
    pub fn take(&self, address: IpAddr, share: Share) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= MOST {
            return None;
        }
        let client = (share == Share::Single).then(|| subscriber(address));
        if client.is_some_and(|client| !open.count(client)) {
            return None;
        }
        open.all += 1;
        Some(Place { limits: self.clone(), client })
    }
}

impl Open {
    /// One more of that client; `false` when it has all it may have.
    fn count(&mut self, client: IpAddr) -> bool {
        let count = self.by_client.entry(client).or_default();
        let allowed = *count < MOST_PER_CLIENT;
        if allowed {
            *count += 1;
        }
        allowed
    }
}

impl Place {
    /// A proxy's connection turned out to be one client's: from now on it counts as that one's.
    /// `None` when that client has all it may have.
    pub fn of_client(mut self, address: IpAddr) -> Option<Self> {
        if self.client.is_none() {
            let client = subscriber(address);
            let mut open = self.limits.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !open.count(client) {
                drop(open);
                return None;
            }
            drop(open);
            self.client = Some(client);
        }
        Some(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.limits.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        let Some(client) = self.client else { return };
        if let Some(count) = open.by_client.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                open.by_client.remove(&client);
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
        let places: Vec<_> = (0..MOST_PER_CLIENT).map(|_| limits.take(ONE, Share::Single)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(limits.take(ONE, Share::Single).is_none());
        assert!(limits.take(OTHER, Share::Single).is_some());
    }

    #[test]
    fn the_addresses_of_one_ipv6_subscriber_are_one_client() {
        let limits = Limits::default();
        let of = |net: u16, host: usize| {
            let host = u16::try_from(host).expect("small");
            IpAddr::from([0x2001, 0xdb8, 0, net, 0, 0, 0, host])
        };
        let proxied = |host| limits.take(ONE, Share::Proxy).expect("a place").of_client(of(1, host));
        let places: Vec<_> = (0..MOST_PER_CLIENT)
            .map(|host| if host % 2 == 0 { limits.take(of(1, host), Share::Single) } else { proxied(host) })
            .collect();
        assert!(places.iter().all(Option::is_some));
        assert!(limits.take(of(1, 5000), Share::Single).is_none());
        assert!(proxied(5001).is_none());
        assert!(limits.take(of(2, 1), Share::Single).is_some());
    }

    #[test]
    fn a_closed_connection_gives_its_place_back() {
        let limits = Limits::default();
        let places: Vec<_> = (0..MOST_PER_CLIENT).map(|_| limits.take(ONE, Share::Single)).collect();
        drop(places);
        assert!(limits.take(ONE, Share::Single).is_some());
        assert!(limits.0.lock().expect("not poisoned").by_client.is_empty());
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
        let places: Vec<_> = (0..MOST_PER_CLIENT).map(|_| place()).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(place().is_none());
        drop(places);
        assert!(place().is_some());
        assert!(limits.0.lock().expect("not poisoned").by_client.is_empty());
    }
}
