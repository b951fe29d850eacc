//! `mintgate healthcheck`: asks the ping entry point, as `traefik healthcheck` does.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

use super::ConfigArgument;
use crate::config::EntryPoint;

const PATIENCE: Duration = Duration::from_secs(4);

/// Exit code 0 when `/ping` answers 200, 1 otherwise.
pub(super) fn run(config: &ConfigArgument) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(config)?;
    let Some(name) = &start_up.ping else { bail!("`ping` is not switched on in the start-up file") };
    let point = start_up.entry_points.iter().find(|point| &point.name == name);
    let point = point.context("the ping entry point is not among the entry points")?;
    if point.tls {
        bail!("`ping.entryPoint` is a TLS entry point; name a plain one");
    }
    let (address, status) = ask_any(&reachable(point))?;
    if status != "200" {
        bail!("http://{address}/ping answers {status}");
    }
    println!("OK: http://{address}/ping");
    Ok(ExitCode::SUCCESS)
}

/// The entry point's address, or loopback where it listens everywhere: IPv4 first, since a machine without
/// IPv6 has only that.
fn reachable(point: &EntryPoint) -> Vec<SocketAddr> {
    let port = point.address.port();
    if point.address.ip().is_unspecified() {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return loopback.map(|ip| SocketAddr::new(ip, port)).to_vec();
    }
    vec![point.address]
}

/// The first of `addresses` that answers, and its status.
fn ask_any(addresses: &[SocketAddr]) -> anyhow::Result<(SocketAddr, String)> {
    let mut failure = None;
    for &address in addresses {
        match ask(address) {
            Ok(status) => return Ok((address, status)),
            Err(error) => {
                failure = Some(anyhow!(error).context(format!("http://{address}/ping does not answer")))
            }
        }
    }
    Err(failure.context("there is no address to ask")?)
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /ping HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 64];
    let read = stream.read(&mut head)?;
    let line = String::from_utf8_lossy(&head[..read]);
    Ok(line.split(' ').nth(1).unwrap_or("nothing").to_owned())
}
