//! The servers behind a service: whose turn it is, where they are, and how long they may take.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::HeaderValue;
use pingora::upstreams::peer::HttpPeer;

use super::names::{Name, Unresolved};
use crate::config;
use crate::web::exchange::Scheme;

/// How long an upstream may take. The defaults suit a web application.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamTimeouts {
    pub connect: Duration,
    /// Between two reads; also until the answer's head.
    pub read: Duration,
    pub write: Duration,
}

impl Default for UpstreamTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(60),
            write: Duration::from_secs(30),
        }
    }
}

/// The desk's web client closes idle connections after 5 s; a request must not race that.
const IDLE: Duration = Duration::from_secs(3);

/// A service that can be asked.
pub struct Service {
    pub name: Arc<str>,
    pub pass_host: bool,
    servers: Box<[Server]>,
    next: AtomicUsize,
}

/// One server.
pub struct Server {
    /// What it is called in `Host:`, with its port unless that is the scheme's own.
    pub authority: HeaderValue,
    peer: HttpPeer,
    place: Place,
}

enum Place {
    Address(SocketAddr),
    Name(Arc<Name>),
}

impl Service {
    pub fn new(service: config::Service, timeouts: &UpstreamTimeouts) -> Self {
        Self {
            name: service.name.into(),
            pass_host: service.pass_host,
            servers: service.servers.into_iter().map(|server| Server::new(server, timeouts)).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// Each server in turn.
    pub fn next_server(&self) -> Option<usize> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        turn.checked_rem(self.servers.len())
    }

    pub fn server(&self, index: usize) -> Option<&Server> {
        self.servers.get(index)
    }

    /// How many tries to connect make sense before the client is told.
    pub fn most_tries(&self) -> u32 {
        if self.servers.len() > 1 { 3 } else { 2 }
    }
}

impl Server {
    fn new(server: config::Server, timeouts: &UpstreamTimeouts) -> Self {
        let bare = server.host.trim_start_matches('[').trim_end_matches(']');
        let (place, address) = match bare.parse::<IpAddr>() {
            Ok(ip) => (Place::Address((ip, server.port).into()), SocketAddr::from((ip, server.port))),
            Err(_) => {
                let place = Place::Name(Arc::new(Name::new(server.host.clone(), server.port)));
                (place, SocketAddr::from(([0, 0, 0, 0], server.port)))
            }
        };
        let mut peer = HttpPeer::new(address, server.scheme == Scheme::Https, bare.to_owned());
        peer.options.connection_timeout = Some(timeouts.connect);
        peer.options.total_connection_timeout = Some(timeouts.connect * 2);
        peer.options.read_timeout = Some(timeouts.read);
        peer.options.write_timeout = Some(timeouts.write);
        peer.options.idle_timeout = Some(IDLE);
        Self { authority: authority(&server), peer, place }
    }

    /// Where to connect. `attempt` walks through a name's addresses.
    ///
    /// # Errors
    /// When the server's name has no address; an address that was known before is used on.
    pub async fn peer(&self, attempt: usize) -> Result<Box<HttpPeer>, Unresolved> {
        let mut peer = Box::new(self.peer.clone());
        peer._address = match &self.place {
            Place::Address(address) => (*address).into(),
            Place::Name(name) => name.address(attempt).await?.into(),
        };
        Ok(peer)
    }
}

fn authority(server: &config::Server) -> HeaderValue {
    let host = match server.host.parse::<std::net::Ipv6Addr>() {
        Ok(v6) => format!("[{v6}]"),
        Err(_) => server.host.clone(),
    };
    let text = match (server.scheme, server.port) {
        (Scheme::Http, 80) | (Scheme::Https, 443) => host,
        (_, port) => format!("{host}:{port}"),
    };
    HeaderValue::from_str(&text).expect("a server's host was read from a URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(hosts: &[&str]) -> Service {
        let server =
            |host: &&str| config::Server { scheme: Scheme::Http, host: (*host).to_owned(), port: 80 };
        let service = config::Service {
            name: "desk".to_owned(),
            servers: hosts.iter().map(server).collect(),
            pass_host: true,
        };
        Service::new(service, &UpstreamTimeouts::default())
    }

    #[test]
    fn servers_take_turns() {
        let service = service(&["192.0.2.1", "192.0.2.2"]);
        let turns: Vec<_> = (0..4).map(|_| service.next_server()).collect();
        assert_eq!(turns, [Some(0), Some(1), Some(0), Some(1)]);
    }

    #[test]
    fn a_service_without_servers_has_no_next_one() {
        assert_eq!(service(&[]).next_server(), None);
    }

    #[test]
    fn an_authority_names_only_an_unusual_port() {
        let server = |scheme, host: &str, port| config::Server { scheme, host: host.to_owned(), port };
        let table = [
            (server(Scheme::Http, "desk", 80), "desk"),
            (server(Scheme::Https, "desk", 443), "desk"),
            (server(Scheme::Http, "desk", 3000), "desk:3000"),
            (server(Scheme::Http, "::1", 3000), "[::1]:3000"),
        ];
        for (server, text) in table {
            assert_eq!(authority(&server), text);
        }
    }
}
