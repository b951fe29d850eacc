//! The PROXY header, by which a balancer in front says who the client is: version 1 as text, version 2 as
//! bytes, each read to the letter.
//!
//! Source: "The PROXY protocol", haproxy.org, sections 2.1 and 2.2. Whether the peer may send one is not
//! decided here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::base::address::canonical;

/// A balancer sends it with its first packet.
const LONGEST: Duration = Duration::from_secs(2);
/// Bytes of the longest line of version 1, line end included.
const MOST_TEXT: usize = 107;
/// Bytes after the fixed part of version 2: addresses, and what a balancer says besides.
const MOST_EXTRA: usize = 1024;
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Shorter than any line of version 1.
const FIRST: usize = SIGNATURE.len();
/// Version, command, family and length follow the signature.
const FIXED: usize = 4;

/// Why a connection is closed before anything else of it is read.
#[derive(Debug, thiserror::Error)]
pub enum ProxyHeaderError {
    #[error("the PROXY header did not come in time")]
    TooSlow,
    #[error("the connection broke off within the PROXY header")]
    Broken { source: io::Error },
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    #[error("the PROXY header is malformed")]
    Malformed,
    /// `UNKNOWN`, `LOCAL`, or an address family that is not TCP.
    #[error("the PROXY header names no client")]
    Nobody,
}

/// Reads the header and nothing after it; the client's address, v4-mapped IPv6 as IPv4.
pub async fn read(socket: &mut TcpStream) -> Result<SocketAddr, ProxyHeaderError> {
    let client = timeout(LONGEST, receive(socket)).await.map_err(|_| ProxyHeaderError::TooSlow)??;
    Ok(SocketAddr::new(canonical(client.ip()), client.port()))
}

async fn receive(socket: &mut TcpStream) -> Result<SocketAddr, ProxyHeaderError> {
    let broken = |source| ProxyHeaderError::Broken { source };
    let mut header = Vec::with_capacity(MOST_TEXT);
    header.resize(FIRST, 0);
    socket.read_exact(&mut header).await.map_err(broken)?;
    if header == SIGNATURE {
        let mut fixed = [0; FIXED];
        socket.read_exact(&mut fixed).await.map_err(broken)?;
        let mut extra = vec![0; extra_length(fixed)?];
        socket.read_exact(&mut extra).await.map_err(broken)?;
        return bytes(fixed, &extra);
    }
    if !header.starts_with(b"PROXY ") {
        return Err(ProxyHeaderError::Missing);
    }
    receive_line(socket, &mut header).await?;
    text(&header)
}

/// Reads up to the line feed; what follows it stays in the socket.
async fn receive_line(socket: &mut TcpStream, line: &mut Vec<u8>) -> Result<(), ProxyHeaderError> {
    let broken = |source| ProxyHeaderError::Broken { source };
    while !line.ends_with(b"\n") {
        let mut ahead = [0; MOST_TEXT];
        let room = MOST_TEXT.saturating_sub(line.len());
        if room == 0 {
            return Err(ProxyHeaderError::Malformed);
        }
        let seen = socket.peek(&mut ahead[..room]).await.map_err(broken)?;
        if seen == 0 {
            return Err(ProxyHeaderError::Malformed);
        }
        let wanted = ahead[..seen].iter().position(|&byte| byte == b'\n').map_or(seen, |at| at + 1);
        socket.read_exact(&mut ahead[..wanted]).await.map_err(broken)?;
        line.extend_from_slice(&ahead[..wanted]);
    }
    Ok(())
}

/// A whole line of version 1, such as `PROXY TCP4 203.0.113.7 192.0.2.1 4711 443`.
fn text(line: &[u8]) -> Result<SocketAddr, ProxyHeaderError> {
    let line = line.strip_suffix(b"\r\n").ok_or(ProxyHeaderError::Malformed)?;
    let line = std::str::from_utf8(line).map_err(|_| ProxyHeaderError::Malformed)?;
    let parts: Vec<&str> = line.split(' ').collect();
    match parts[..] {
        ["PROXY", "UNKNOWN", ..] => Err(ProxyHeaderError::Nobody),
        ["PROXY", family @ ("TCP4" | "TCP6"), source, target, source_port, target_port] => {
            let address = |text| plain_address(family, text).ok_or(ProxyHeaderError::Malformed);
            let port = |text| plain_port(text).ok_or(ProxyHeaderError::Malformed);
            let client = SocketAddr::new(address(source)?, port(source_port)?);
            address(target)?;
            port(target_port)?;
            Ok(client)
        }
        _ => Err(ProxyHeaderError::Malformed),
    }
}

fn plain_address(family: &str, text: &str) -> Option<IpAddr> {
    match family {
        "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        _ => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
    }
}

/// Digits without a leading zero.
fn plain_port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

fn extra_length([version, _, high, low]: [u8; FIXED]) -> Result<usize, ProxyHeaderError> {
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version >> 4 == 2 && length <= MOST_EXTRA { Ok(length) } else { Err(ProxyHeaderError::Malformed) }
}

/// Version 2: the four bytes after the signature, and what they announce.
fn bytes([version, family, ..]: [u8; FIXED], extra: &[u8]) -> Result<SocketAddr, ProxyHeaderError> {
    const PROXY: u8 = 0x21;
    const LOCAL: u8 = 0x20;
    const TCP_OVER_IPV4: u8 = 0x11;
    const TCP_OVER_IPV6: u8 = 0x21;
    let malformed = ProxyHeaderError::Malformed;
    match (version, family) {
        (PROXY, TCP_OVER_IPV4) => {
            let (source, rest) = extra.split_first_chunk::<4>().ok_or(malformed)?;
            client(Ipv4Addr::from(*source).into(), rest.get(4..8))
        }
        (PROXY, TCP_OVER_IPV6) => {
            let (source, rest) = extra.split_first_chunk::<16>().ok_or(malformed)?;
            client(Ipv6Addr::from(*source).into(), rest.get(16..20))
        }
        (PROXY | LOCAL, _) => Err(ProxyHeaderError::Nobody),
        _ => Err(malformed),
    }
}

/// `ports`: the client's, then the balancer's own.
fn client(address: IpAddr, ports: Option<&[u8]>) -> Result<SocketAddr, ProxyHeaderError> {
    match ports {
        Some(&[high, low, ..]) => Ok(SocketAddr::new(address, u16::from_be_bytes([high, low]))),
        _ => Err(ProxyHeaderError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(line: &str) -> Result<SocketAddr, String> {
        text(line.as_bytes()).map_err(|error| error.to_string())
    }

    fn of_bytes(version: u8, family: u8, extra: &[u8]) -> Result<SocketAddr, String> {
        let length = u16::try_from(extra.len()).expect("a short header").to_be_bytes();
        let fixed = [version, family, length[0], length[1]];
        extra_length(fixed).and_then(|_| bytes(fixed, extra)).map_err(|error| error.to_string())
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    const IPV4: [u8; 12] = [203, 0, 113, 7, 192, 0, 2, 1, 0x12, 0x67, 1, 187];

    #[test]
    fn the_client_is_read_from_both_versions() {
        assert_eq!(of_text("PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n"), Ok(address("203.0.113.7:4711")));
        assert_eq!(of_text("PROXY TCP6 2001:db8::1 ::1 0 443\r\n"), Ok(address("[2001:db8::1]:0")));
        assert_eq!(of_bytes(0x21, 0x11, &IPV4), Ok(address("203.0.113.7:4711")));
        let extended = [IPV4.as_slice(), &[4, 0, 1, 0]].concat();
        assert_eq!(of_bytes(0x21, 0x11, &extended), Ok(address("203.0.113.7:4711")));
        let mut ipv6 = [0; 36];
        (ipv6[15], ipv6[33]) = (1, 80);
        assert_eq!(of_bytes(0x21, 0x21, &ipv6), Ok(address("[::1]:80")));
    }

    #[test]
    fn no_header_cut_anywhere_names_a_client() {
        let line = "PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n";
        assert!((0..line.len()).all(|cut| of_text(&line[..cut]).is_err()));
        assert!((0..IPV4.len()).all(|cut| of_bytes(0x21, 0x11, &IPV4[..cut]).is_err()));
        assert!((0..36).all(|cut| of_bytes(0x21, 0x21, &[1; 36][..cut]).is_err()));
    }

    #[test]
    fn what_names_no_client_is_refused() {
        let nobody = ProxyHeaderError::Nobody.to_string();
        for line in ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ::1 ::1 1 2\r\n"] {
            assert_eq!(of_text(line), Err(nobody.clone()), "{line:?}");
        }
        for (version, family) in [(0x20, 0x11), (0x20, 0), (0x21, 0), (0x21, 0x12), (0x21, 0x31)] {
            assert_eq!(of_bytes(version, family, &IPV4), Err(nobody.clone()), "{version:x} {family:x}");
        }
    }

    #[test]
    fn a_header_that_could_be_read_in_two_ways_is_malformed() {
        let malformed = ProxyHeaderError::Malformed.to_string();
        for line in [
            "PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 4711 443 \r\n",
            "PROXY TCP4  203.0.113.7 192.0.2.1 4711 443\r\n",
            "PROXY TCP4 203.0.113.07 192.0.2.1 4711 443\r\n",
            "PROXY TCP4 203.0.113 192.0.2.1 4711 443\r\n",
            "PROXY TCP4 ::1 ::1 4711 443\r\n",
            "PROXY TCP6 203.0.113.7 192.0.2.1 4711 443\r\n",
            "PROXY TCP6 fe80::1%eth0 ::1 4711 443\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 04711 443\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 +4711 443\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 4711 65536\r\n",
            "PROXY TCP4 203.0.113.7 x 4711 443\r\n",
            "PROXY tcp4 203.0.113.7 192.0.2.1 4711 443\r\n",
            "PROXY UDP4 203.0.113.7 192.0.2.1 4711 443\r\n",
        ] {
            assert_eq!(of_text(line), Err(malformed.clone()), "{line:?}");
        }
        for (version, length) in [(0x11, 12), (0x31, 12), (0x22, 12), (0x21, 0), (0x21, 8), (0x21, 11)] {
            assert_eq!(of_bytes(version, 0x11, &IPV4[..length]), Err(malformed.clone()), "{version:x}");
        }
        assert_eq!(of_bytes(0x21, 0x11, &[0; MOST_EXTRA + 1]), Err(malformed));
    }
}
