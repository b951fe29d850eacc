//! Which addresses a server may have whose name a stranger chose. Decides; connects to nobody.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

use crate::base::address::{NetworkError, canonical, parse_network};

use super::egress::is_public;

/// Web and mail as clients use them. 25 is between servers; whoever is asked to call it is being used.
const PORTS: [u16; 7] = [80, 143, 443, 465, 587, 993, 995];

/// Why a server is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    #[error("port {port} is not one that mail or web clients use")]
    Port { port: u16 },
    #[error(
        "the name leads to an address that is not public (`mail.privateNetworks` opens networks of your own)"
    )]
    Private,
    #[error("the name has no address")]
    Nothing,
}

/// Part of the network inside that the operator opens: `10.0.0.0/8`, or one port of it: `10.0.0.5@1993`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inside {
    range: IpNet,
    port: Option<u16>,
}

impl Inside {
    /// Whether it leaves nothing out.
    pub fn is_everything(&self) -> bool {
        self.range.prefix_len() == 0
    }
}

impl FromStr for Inside {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let refused = |_| NetworkError { text: text.to_owned() };
        let (network, port) = match text.split_once('@') {
            Some((network, port)) => (network, Some(port.parse().map_err(refused)?)),
            None => (text, None),
        };
        Ok(Self { range: parse_network(network)?.range, port })
    }
}

/// Public addresses, and what the operator opened of the inside.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    inside: Vec<Inside>,
}

impl Reach {
    pub fn with(inside: Vec<Inside>) -> Self {
        Self { inside }
    }

    /// Where to connect, when `addresses` are all that a name leads to. One address that may not be called spoils
    /// all: a name that answers both ways is an attack or a mistake.
    pub fn admit(&self, addresses: &[IpAddr], port: u16) -> Result<Vec<SocketAddr>, ReachError> {
        let usual = PORTS.contains(&port);
        if !usual && !self.names_port(port) {
            return Err(ReachError::Port { port });
        }
        if addresses.is_empty() {
            return Err(ReachError::Nothing);
        }
        let admitted = |address: &&IpAddr| (usual && is_public(**address)) || self.opens(**address, port);
        if !addresses.iter().all(|address| admitted(&address)) {
            return Err(ReachError::Private);
        }
        Ok(addresses.iter().map(|&address| SocketAddr::new(address, port)).collect())
    }

    /// Whether some network inside is opened at this port.
    pub(super) fn names_port(&self, port: u16) -> bool {
        self.inside.iter().any(|inside| inside.port == Some(port))
    }

    fn opens(&self, address: IpAddr, port: u16) -> bool {
        let address = canonical(address);
        self.inside.iter().any(|inside| match inside.port {
            Some(only) => only == port && inside.range.contains(&address),
            None => PORTS.contains(&port) && inside.range.contains(&address),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(reach: &Reach, addresses: &[&str], port: u16) -> Result<(), ReachError> {
        let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        reach.admit(&addresses, port).map(|_| ())
    }

    #[test]
    fn a_stranger_reaches_public_addresses_at_usual_ports_only() {
        let reach = Reach::default();
        assert_eq!(admit(&reach, &["8.8.8.8", "2606:4700::1111"], 993), Ok(()));
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "100.64.0.1",
            "::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "0.0.0.0",
        ] {
            assert_eq!(admit(&reach, &[private], 443), Err(ReachError::Private), "{private}");
            assert_eq!(admit(&reach, &["8.8.8.8", private], 443), Err(ReachError::Private), "{private}");
        }
        for port in [0, 22, 25, 53, 110, 3306, 5432, 6379, 8080] {
            assert_eq!(admit(&reach, &["8.8.8.8"], port), Err(ReachError::Port { port }));
        }
        assert_eq!(admit(&reach, &[], 993), Err(ReachError::Nothing));
    }

    #[test]
    fn what_the_operator_opens_is_reached_and_nothing_beside_it() {
        let open = |text: &str| Reach::with(vec![text.parse().expect("a network")]);
        assert_eq!(admit(&open("10.0.0.0/8"), &["10.1.2.3"], 993), Ok(()));
        assert_eq!(admit(&open("10.0.0.0/8"), &["::ffff:10.1.2.3"], 993), Ok(()));
        assert_eq!(admit(&open("10.0.0.0/8"), &["192.168.0.1"], 993), Err(ReachError::Private));
        assert_eq!(admit(&open("10.0.0.0/8"), &["10.1.2.3"], 22), Err(ReachError::Port { port: 22 }));
        assert_eq!(admit(&open("10.0.0.5@1993"), &["10.0.0.5"], 1993), Ok(()));
        assert_eq!(admit(&open("10.0.0.5@1993"), &["10.0.0.5"], 993), Err(ReachError::Private));
        assert_eq!(admit(&open("10.0.0.5@1993"), &["8.8.8.8"], 1993), Err(ReachError::Private));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "inside", "10.0.0.5@", "10.0.0.5@imap", "10.0.0.5@70000", "10.0.0.5:1993"] {
            assert!(text.parse::<Inside>().is_err(), "{text}");
        }
    }
}
