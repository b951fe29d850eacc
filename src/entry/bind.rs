//! Takes the listening sockets before anything else starts, so that a busy port is one clear refusal.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use rustix::io::Errno;

use crate::config::EntryPoint;

/// Why an entry point cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("port {} of entry point `{name}` is taken: another program listens on {address}", .address.port())]
    Taken { name: String, address: SocketAddr, source: io::Error },
    #[error(
        "entry point `{name}` may not listen on {address}: ports below 1024 need CAP_NET_BIND_SERVICE, or choose a higher one"
    )]
    Forbidden { name: String, address: SocketAddr, source: io::Error },
    #[error("entry point `{name}` cannot listen on {address}")]
    Impossible { name: String, address: SocketAddr, source: io::Error },
}

/// An entry point with its listening socket.
#[derive(Debug)]
pub struct Bound {
    pub entry_point: EntryPoint,
    /// Where it really listens; differs from the entry point's address where that has port 0.
    pub address: SocketAddr,
    pub(super) socket: TcpListener,
}

impl Bound {
    /// The same socket for one more accept loop; whichever loop is idle takes the next connection.
    ///
    /// # Errors
    /// When the process may open no more files.
    pub fn shared(&self) -> io::Result<Self> {
        let socket = self.socket.try_clone()?;
        Ok(Self { entry_point: self.entry_point.clone(), address: self.address, socket })
    }
}

/// Binds every entry point, in order.
///
/// # Errors
/// The first one that cannot be had; the others are released.
pub fn bind(entry_points: Vec<EntryPoint>) -> Result<Vec<Bound>, BindError> {
    entry_points.into_iter().map(bind_one).collect()
}

fn bind_one(entry_point: EntryPoint) -> Result<Bound, BindError> {
    let (name, address) = (entry_point.name.clone(), entry_point.address);
    // The standard library sets SO_REUSEADDR, so a restart need not wait for old connections.
    let listening = TcpListener::bind(address).or_else(|error| match without_ipv6(address, &error) {
        Some(instead) => TcpListener::bind(instead),
        None => Err(error),
    });
    let taken = listening.and_then(|socket| {
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    });
    match taken {
        Ok((socket, address)) => Ok(Bound { entry_point, address, socket }),
        Err(source) => Err(match source.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken { name, address, source },
            io::ErrorKind::PermissionDenied => BindError::Forbidden { name, address, source },
            _ => BindError::Impossible { name, address, source },
        }),
    }
}

/// `:8080` means every address; where the kernel has no IPv6 that is every IPv4 address.
fn without_ipv6(address: SocketAddr, error: &io::Error) -> Option<SocketAddr> {
    let everywhere = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let refused = matches!(Errno::from_io_error(error), Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL));
    (everywhere && refused).then(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::EntryTimeouts;
    use crate::web::client_address::Trusted;

    fn entry_point(address: SocketAddr) -> EntryPoint {
        let span = Duration::from_secs(1);
        EntryPoint {
            name: "web".to_owned(),
            address,
            tls: false,
            redirect: None,
            trusted: Trusted::Nobody,
            proxy_header: None,
            timeouts: EntryTimeouts { read: span, write: None, idle: span, grace: span },
            middlewares: Vec::new(),
            default: true,
        }
    }

    #[test]
    fn a_busy_port_is_named_with_its_entry_point() {
        let busy = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = busy.local_addr().expect("an address");
        let error = bind(vec![entry_point(address)]).expect_err("the port is taken");
        let port = address.port();
        assert_eq!(
            error.to_string(),
            format!("port {port} of entry point `web` is taken: another program listens on {address}")
        );
    }

    #[test]
    fn a_free_port_is_taken_and_told() {
        let bound = bind(vec![entry_point(([127, 0, 0, 1], 0).into())]).expect("a free port");
        assert_ne!(bound[0].address.port(), 0);
        assert!(std::net::TcpStream::connect(bound[0].address).is_ok());
    }

    #[test]
    fn without_ipv6_everywhere_means_every_ipv4_address() {
        let no_ipv6 = io::Error::from(Errno::AFNOSUPPORT);
        let instead = |text: &str, error| without_ipv6(text.parse().expect("an address"), error);
        assert_eq!(instead("[::]:8080", &no_ipv6), Some("0.0.0.0:8080".parse().expect("an address")));
        assert_eq!(instead("[::1]:8080", &no_ipv6), None);
        assert_eq!(instead("[::]:8080", &io::Error::from(Errno::ADDRINUSE)), None);
    }
}
