//! Whether somebody can go round the gateway: the desk's ports at this machine's own outer addresses.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

use super::Line;
use crate::config::StartUp;

const TOPIC: &str = "desk's ports";
/// Peppermint's web client and its API.
const USUAL: [u16; 2] = [3000, 5003];
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn look(start_up: &StartUp) -> Line {
    let desk = [&start_up.desk.url, &start_up.desk.api_url];
    let ports: BTreeSet<u16> = desk.iter().flat_map(|url| url.port_or_known_default()).chain(USUAL).collect();
    let own = own_addresses();
    // A port that the gateway itself listens on is no way round it.
    let ours: BTreeSet<u16> = start_up.entry_points.iter().map(|point| point.address.port()).collect();
    let outer: Vec<SocketAddr> =
        own.iter().flat_map(|ip| ports.difference(&ours).map(|port| SocketAddr::new(*ip, *port))).collect();
    let open: Vec<String> = reachable(&outer).await.iter().map(SocketAddr::to_string).collect();
    if !open.is_empty() {
        let found =
            format!("Everybody who reaches this machine can go round the gateway: {}.", open.join(", "));
        let to_do =
            "Bind Peppermint to 127.0.0.1, or do not publish its ports (`expose` instead of `ports`).";
        return Line::problem(TOPIC, found, to_do);
    }
    if own.is_empty() || !desk.iter().all(|url| is_here(url, &own)) {
        let found =
            "The desk runs on another machine or in another container; its ports are not seen from here.";
        let to_do =
            "From outside, try the ports 3000 and 5003 of the machine that runs it: nothing may answer.";
        return Line::cannot_tell(TOPIC, found, to_do);
    }
    Line::ok(TOPIC, format!("None answers at this machine's {} outer address(es).", own.len()))
}

async fn reachable(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let tries = addresses.iter().map(|address| timeout(PATIENCE, TcpStream::connect(address)));
    let answers = join_all(tries).await;
    let answered = |answer: &Result<std::io::Result<TcpStream>, _>| matches!(answer, Ok(Ok(_)));
    addresses
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answered(answer))
        .map(|(address, _)| *address)
        .collect()
}

fn is_here(url: &Url, own: &[IpAddr]) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback() || own.contains(&IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || own.contains(&IpAddr::V6(ip)),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// This machine's addresses that others may reach, as Linux tells them; empty where it does not.
fn own_addresses() -> Vec<IpAddr> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let (v4, v6) = (read("/proc/net/fib_trie"), read("/proc/net/if_inet6"));
    let all: BTreeSet<IpAddr> = local_v4(&v4).map(IpAddr::V4).chain(local_v6(&v6).map(IpAddr::V6)).collect();
    all.into_iter().collect()
}

/// `|-- 192.0.2.7` followed by `/32 host LOCAL`.
fn local_v4(table: &str) -> impl Iterator<Item = Ipv4Addr> {
    let lines: Vec<&str> = table.lines().map(str::trim).collect();
    let pairs: Vec<Option<Ipv4Addr>> = lines
        .windows(2)
        .map(|pair| match pair[1] {
            "/32 host LOCAL" => pair[0].strip_prefix("|-- ")?.parse().ok(),
            _ => None,
        })
        .collect();
    pairs.into_iter().flatten().filter(|ip: &Ipv4Addr| !ip.is_loopback())
}

/// 32 hexadecimal digits, then the interface; link-local ones need a scope and are left out.
fn local_v6(table: &str) -> impl Iterator<Item = Ipv6Addr> {
    let digits = table.lines().filter_map(|line| line.split_whitespace().next());
    let addresses = digits.filter_map(|digits| u128::from_str_radix(digits, 16).ok()).map(Ipv6Addr::from);
    addresses.filter(|ip| !ip.is_loopback() && !ip.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_addresses_are_read_from_the_kernels_tables() {
        let v4 = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n  \
                  |-- 127.0.0.1\n     /32 host LOCAL\n     |-- 172.17.0.2\n        /32 host LOCAL\n     \
                  |-- 172.17.255.255\n        /32 link BROADCAST\n";
        let v6 = "00000000000000000000000000000001 01 80 10 80       lo\n\
                  20010db8000000000000000000000007 02 40 00 80     eth0\n\
                  fe800000000000000042acfffe110002 02 40 20 80     eth0\n";
        assert_eq!(local_v4(v4).collect::<Vec<_>>(), [Ipv4Addr::new(172, 17, 0, 2)]);
        assert_eq!(local_v6(v6).map(|ip| ip.to_string()).collect::<Vec<_>>(), ["2001:db8::7"]);
        assert_eq!((local_v4("").count(), local_v6("rubbish\n").count()), (0, 0));
    }

    #[test]
    fn a_desk_in_another_container_is_not_here() {
        let here = |url: &str| is_here(&Url::parse(url).expect("a URL"), &[IpAddr::from([10, 0, 0, 2])]);
        assert!(
            here("http://127.0.0.1:3000") && here("http://desk.localhost:3000") && here("http://10.0.0.2:1")
        );
        assert!(!here("http://peppermint:3000") && !here("http://10.0.0.3:3000"));
    }
}
