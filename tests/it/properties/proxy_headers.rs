//! PROXY headers over a real socket: a well-formed one names its client and takes nothing of what follows;
//! one byte changed never makes anybody else of it without the header saying so.

use std::net::{IpAddr, SocketAddr};

use mintgate::entry::proxy_header::read;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::runner;

/// What follows the header on the wire.
const REST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The client and target of a header, of one family.
fn ends() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    let v4 = any::<([u8; 4], [u8; 4])>().prop_map(|(one, other)| (IpAddr::from(one), IpAddr::from(other)));
    let v6 = any::<([u8; 16], [u8; 16])>().prop_map(|(one, other)| (IpAddr::from(one), IpAddr::from(other)));
    let ports = any::<(u16, u16)>();
    (prop_oneof![v4, v6], ports).prop_map(|((one, other), (port, target))| {
        (SocketAddr::new(one, port), SocketAddr::new(other, target))
    })
}

fn text((client, target): (SocketAddr, SocketAddr)) -> Vec<u8> {
    let family = if client.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (client.ip(), target.ip());
    format!("PROXY {family} {from} {to} {} {}\r\n", client.port(), target.port()).into_bytes()
}

fn bytes((client, target): (SocketAddr, SocketAddr)) -> Vec<u8> {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mut addresses = [octets(client.ip()), octets(target.ip())].concat();
    addresses.extend(client.port().to_be_bytes());
    addresses.extend(target.port().to_be_bytes());
    let length = u16::try_from(addresses.len()).expect("short");
    let family = if client.is_ipv4() { 0x11 } else { 0x21 };
    [SIGNATURE, &[0x21, family], &length.to_be_bytes(), &addresses].concat()
}

/// What is read of `sent` and then an end, and what is left in the socket.
async fn received(listener: &TcpListener, sent: &[u8]) -> (Option<SocketAddr>, Vec<u8>) {
    let mut sender = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("connected");
    let (mut socket, _) = listener.accept().await.expect("accepted");
    sender.write_all(sent).await.expect("sent");
    drop(sender);
    let client = read(&mut socket).await.ok();
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).await.expect("read");
    (client, rest)
}

fn plain(client: SocketAddr) -> SocketAddr {
    SocketAddr::new(client.ip().to_canonical(), client.port())
}

#[test]
fn a_header_names_its_client_and_leaves_the_rest() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let checked = runner(400).run(&(ends(), any::<bool>()), |(ends, as_text)| {
        let header = if as_text { text(ends) } else { bytes(ends) };
        let sent = [header.as_slice(), REST].concat();
        let (client, rest) = runtime.block_on(received(&listener, &sent));
        prop_assert_eq!(client, Some(plain(ends.0)));
        prop_assert_eq!(rest, REST);
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_changed_header_is_refused_or_says_what_it_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let change = (ends(), any::<prop::sample::Index>(), any::<u8>(), any::<bool>());
    let checked = runner(400).run(&change, |(ends, at, byte, as_text)| {
        let mut header = if as_text { text(ends) } else { bytes(ends) };
        let at = at.index(header.len());
        header[at] = byte;
        let sent = [header.as_slice(), REST].concat();
        let Some(client) = runtime.block_on(received(&listener, &sent)).0 else { return Ok(()) };
        if as_text {
            // Whoever is named stands in the line, word for word.
            let line = String::from_utf8(header).expect("an accepted line is text");
            let named: IpAddr = line.split(' ').nth(2).expect("a client").parse().expect("an address");
            prop_assert_eq!(client.ip(), named.to_canonical());
        } else {
            prop_assert!(
                at >= SIGNATURE.len() + 2 || byte == bytes(ends)[at],
                "signature, version and family count"
            );
        }
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}
