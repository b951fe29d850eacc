//! Which browser a session was begun in, as far as a gateway can tell browsers apart.
//!
//! The desk ends a session whose User-Agent and address both differ from those at sign-in, but only where it
//! looks at sessions at all; here every request with a session is looked at. Knows nothing of what is asked.

use std::net::IpAddr;

use http::header::{HeaderMap, HeaderValue, USER_AGENT};
use serde::{Deserialize, Serialize};

use crate::base::address::subscriber;
use crate::base::secret::sha256;

/// Who uses a session, or began it.
#[derive(Debug, Clone)]
pub struct Browser {
    pub agent: Option<HeaderValue>,
    pub client: IpAddr,
}

impl Browser {
    pub fn of(headers: &HeaderMap, client: IpAddr) -> Self {
        Self { agent: headers.get(USER_AGENT).cloned(), client }
    }

    fn agent(&self) -> [u8; 32] {
        sha256(self.agent.as_ref().map_or(b"".as_slice(), HeaderValue::as_bytes))
    }
}

/// What a session remembers of the browser it was begun in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    agent: [u8; 32],
    client: IpAddr,
}

impl Beginning {
    pub fn by(browser: &Browser) -> Self {
        Self { agent: browser.agent(), client: browser.client }
    }

    /// The same address, or the same kind of browser elsewhere: people move with their machines, and
    /// browsers are updated. (The desk's own rule.)
    pub fn may_be(&self, browser: &Browser) -> bool {
        self.client == browser.client || self.agent == browser.agent()
    }

    /// The same IPv4 address, or the same /64 of IPv6, inside which addresses change by themselves
    /// (RFC 8981). What a thief of cookies cannot copy along with them.
    pub fn is_at(&self, client: IpAddr) -> bool {
        subscriber(self.client) == subscriber(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser(agent: &'static str, client: &str) -> Browser {
        Browser { agent: Some(HeaderValue::from_static(agent)), client: client.parse().expect("an address") }
    }

    #[test]
    fn only_another_browser_elsewhere_is_a_stranger() {
        let beginning = Beginning::by(&browser("one", "203.0.113.7"));
        let table = [
            ("one", "203.0.113.7", true),
            ("two", "203.0.113.7", true),
            ("one", "203.0.113.8", true),
            ("two", "203.0.113.8", false),
        ];
        for (agent, client, expected) in table {
            assert_eq!(beginning.may_be(&browser(agent, client)), expected, "{agent} at {client}");
        }
        let silent = Browser { agent: None, client: IpAddr::from([203, 0, 113, 8]) };
        assert!(!beginning.may_be(&silent));
    }

    #[test]
    fn a_place_is_an_address_or_a_sixty_four() {
        let table = [
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("2001:db8:0:1::7", "2001:db8:0:1:9::8", true),
            ("2001:db8:0:1::7", "2001:db8:0:2::7", false),
            ("2001:db8::7", "203.0.113.7", false),
        ];
        for (then, now, expected) in table {
            let beginning = Beginning::by(&browser("one", then));
            assert_eq!(beginning.is_at(now.parse().expect("an address")), expected, "{then} then {now}");
        }
    }
}
