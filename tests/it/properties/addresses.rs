//! The client's address against an oracle that knows addresses as numbers: every case is made as numbers,
//! written as text, and read by the program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use mintgate::base::address::parse_network;
use mintgate::web::client_address::{ClientAddressError, Trusted, resolve};
use proptest::prelude::*;

use super::runner;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// An address as a family (32 or 128 bits) and a number.
type Number = (u32, u128);

#[derive(Debug, Clone)]
enum Hop {
    Address(Number, Writing),
    Rubbish(&'static str),
}

#[derive(Debug, Clone, Copy)]
enum Writing {
    Plain,
    Mapped,
    Port,
    Brackets,
}

fn address((bits, number): Number) -> IpAddr {
    match bits {
        32 => Ipv4Addr::from(u32::try_from(number).expect("32 bits")).into(),
        _ => Ipv6Addr::from(number).into(),
    }
}

fn written(number: Number, writing: Writing) -> String {
    let plain = address(number);
    match (number.0, writing) {
        (32, Writing::Mapped) => format!("::ffff:{plain}"),
        (32, Writing::Port) => format!("{plain}:4711"),
        (32, Writing::Brackets) => format!("[::ffff:{plain}]"),
        (128, Writing::Port) => format!("[{plain}]:4711"),
        (128, Writing::Brackets) => format!("[{plain}]"),
        _ => plain.to_string(),
    }
}

/// Few enough numbers that networks are hit often. None is an IPv4 address in IPv6 clothes.
fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        (0_u128..4, 0_u128..6).prop_map(|(net, host)| (32, 0x0a00_0000 + (net << 16) + host)),
        any::<u32>().prop_map(|number| (32, u128::from(number))),
        (0_u128..4, 0_u128..6).prop_map(|(net, host)| (128, (0x2001_0db8 << 96) + (net << 64) + host)),
        any::<u128>().prop_filter("mapped", |number| number >> 32 != 0xffff).prop_map(|number| (128, number)),
    ]
}

fn network() -> impl Strategy<Value = (Number, u32)> {
    (number(), any::<u32>()).prop_map(|(number, any)| {
        let least = number.0 / 4;
        (number, if any.is_multiple_of(16) { any % least } else { least + any % (number.0 - least + 1) })
    })
}

fn hop() -> impl Strategy<Value = Hop> {
    let writing =
        prop::sample::select(vec![Writing::Plain, Writing::Mapped, Writing::Port, Writing::Brackets]);
    prop_oneof![
        12 => (number(), writing).prop_map(|(number, writing)| Hop::Address(number, writing)),
        1 => prop::sample::select(vec!["", "unknown", "10.0.0", "010.0.0.1", "10.0.0.1.", "fe80::1%1", "[10.0.0.1]",
            "10.0.0.256", "0x0a000001", "_hidden", "for=10.0.0.1"]).prop_map(Hop::Rubbish),
    ]
}

fn holds(((bits, base), length): (Number, u32), (family, number): Number) -> bool {
    // All but `length` bits shifted out; a whole word cannot be shifted out at once.
    let head = |number: u128| if length == 0 { 0 } else { number >> (bits - length) };
    bits == family && head(base) == head(number)
}

/// Who the client is, in numbers.
fn expected(
    peer: Number,
    hops: &[Hop],
    networks: &[(Number, u32)],
    bytes: usize,
) -> Result<Number, ClientAddressError> {
    let trusted = |number: Number| networks.iter().any(|network| holds(*network, number));
    if !trusted(peer) || hops.is_empty() {
        return Ok(peer);
    }
    if hops.len() > 32 || bytes > 4096 {
        return Err(ClientAddressError::TooLong);
    }
    let mut client = peer;
    for hop in hops.iter().rev() {
        match hop {
            Hop::Rubbish(_) => return Err(ClientAddressError::Unreadable),
            Hop::Address(number, _) => client = *number,
        }
        if !trusted(client) {
            return Ok(client);
        }
    }
    Ok(client)
}

/// Several lines, cut where `cuts` has a bit.
fn lines(hops: &[Hop], cuts: u64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, hop) in hops.iter().enumerate() {
        let text = match hop {
            Hop::Address(number, writing) => written(*number, *writing),
            Hop::Rubbish(text) => (*text).to_owned(),
        };
        match lines.last_mut().filter(|_| cuts >> at & 1 == 0) {
            Some(line) => line.push_str(&format!(", {text}")),
            None => lines.push(text),
        }
    }
    lines
}

#[test]
fn the_client_is_whom_the_oracle_says() {
    let hops =
        prop_oneof![9 => prop::collection::vec(hop(), 0..6), 1 => prop::collection::vec(hop(), 28..36)];
    let networks = prop::collection::vec(network(), 0..4);
    let cuts = (any::<u64>(), any::<u64>()).prop_map(|(one, other)| one & other);
    let checked = runner(100_000).run(&(number(), hops, networks, cuts), |(peer, hops, networks, cuts)| {
        let lines = lines(&hops, cuts);
        let mut headers = HeaderMap::new();
        for line in &lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).expect("a value"));
        }
        let read = |(number, length): &(Number, u32)| {
            let text = format!("{}/{length}", address(*number));
            parse_network(&text).expect("a network").range
        };
        let trusted: Vec<IpNet> = networks.iter().map(read).collect();
        let client = resolve(address(peer), &headers, &Trusted::Networks(trusted));
        let bytes = lines.iter().map(String::len).sum();
        prop_assert_eq!(
            client,
            expected(peer, &hops, &networks, bytes).map(address),
            "{:?} {:?}",
            lines,
            networks
        );
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}
