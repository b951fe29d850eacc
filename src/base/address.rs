//! IP addresses and networks as an operator writes them.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// An address or a CIDR range that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is neither an IP address nor a CIDR range such as 192.0.2.0/24")]
pub struct NetworkError {
    pub text: String,
}

/// A parsed network, and whether host bits had to be masked (worth a warning to the operator).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    pub range: IpNet,
    pub host_bits_masked: bool,
}

/// Reads `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. Host bits are masked, as Traefik does;
/// v4-mapped IPv6 becomes IPv4, so that `::ffff:192.0.2.0/120` equals `192.0.2.0/24`.
pub fn parse_network(text: &str) -> Result<Network, NetworkError> {
    let refused = || NetworkError { text: text.to_owned() };
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Network { range: IpNet::from(canonical(address)), host_bits_masked: false });
    }
    let given: IpNet = text.parse().map_err(|_| refused())?;
    let unmapped = match (given.addr().to_canonical(), given) {
        (IpAddr::V4(v4), IpNet::V6(v6)) if v6.prefix_len() >= 96 => {
            IpNet::new(IpAddr::V4(v4), v6.prefix_len() - 96).map_err(|_| refused())?
        }
        _ => given,
    };
    let range = unmapped.trunc();
    Ok(Network { range, host_bits_masked: range.addr() != unmapped.addr() })
}

/// The one form of an address that is compared: v4-mapped IPv6 (`::ffff:0:0/96`) as IPv4,
/// everything else as it is.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Who is counted as one client: an IPv4 address, or the /64 of IPv6 that a subscriber has all addresses of.
pub fn subscriber(address: IpAddr) -> IpAddr {
    match canonical(address) {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_address_is_a_network_of_one() {
        let network = parse_network("192.0.2.7").expect("an address");
        assert_eq!(network.range.to_string(), "192.0.2.7/32");
        assert!(!network.host_bits_masked);
    }

    #[test]
    fn host_bits_are_masked_and_told() {
        let network = parse_network("192.0.2.7/24").expect("a range");
        assert_eq!(network.range.to_string(), "192.0.2.0/24");
        assert!(network.host_bits_masked);
    }

    #[test]
    fn a_mapped_range_is_an_ipv4_range() {
        let network = parse_network("::ffff:192.0.2.0/120").expect("a range");
        assert_eq!(network.range.to_string(), "192.0.2.0/24");
    }

    #[test]
    fn short_octal_named_and_zoned_forms_are_refused() {
        for text in ["10.0", "010.0.0.1", "localhost", "fe80::1%eth0", "", "10.0.0.0/33", "10.0.0.0/"] {
            assert!(parse_network(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_ipv6_subscriber_is_one_client_and_a_mapped_address_is_its_ipv4() {
        let of = |text: &str| subscriber(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
