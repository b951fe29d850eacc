//! Connections that are not HTTP: to mail servers, by TCP and TLS. Knows who may be called and nothing
//! of what is said.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

use super::NetError;
use super::egress::{Egress, is_localhost};
use super::reach::{Inside, Reach, ReachError};
use crate::web::call::CallError;

/// IMAP, submission, IMAPS and SMTPS (RFC 8314). Port 25 is not for clients.
const MAIL_PORTS: [u16; 4] = [143, 465, 587, 993];

const PRIVATE: &str = "its address is not public, and no network of `mail.privateNetworks` has it";

/// Until the connection stands, and again until TLS does.
const CONNECT: Duration = Duration::from_secs(10);

/// Connects to mail servers: on mail ports at public addresses and in networks that the operator opens, or
/// wherever the operator allows.
#[derive(Clone)]
pub struct Dialer {
    egress: Arc<Egress>,
    reach: Reach,
    tls: TlsConnector,
}

impl Dialer {
    /// A dialer that trusts the platform's certificate authorities.
    pub fn new(egress: Egress) -> Result<Self, NetError> {
        Self::with_roots(egress, Vec::new())
    }

    /// A dialer that also trusts the certificates in `pem`, such as a self-signed one.
    pub fn trusting(pem: &[u8], egress: Egress) -> Result<Self, NetError> {
        let roots = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        Self::with_roots(egress, roots.map_err(unusable)?)
    }

    fn with_roots(egress: Egress, roots: Vec<CertificateDer<'static>>) -> Result<Self, NetError> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider)).map_err(unusable)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self {
            egress: Arc::new(egress),
            reach: Reach::default(),
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// The same, which also reaches what the operator opened of the inside.
    pub fn reaching(self, inside: Vec<Inside>) -> Self {
        Self { reach: Reach::with(inside), ..self }
    }

    /// A TCP connection; the name is resolved once, and what was checked is what is connected to.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, CallError> {
        let found = self.locate(host, port).await?;
        self.reach(&found).await
    }

    /// Where a server is, if it may be called there.
    pub async fn locate(&self, host: &str, port: u16) -> Result<Located, CallError> {
        let host = host.to_ascii_lowercase();
        let trusted = self.egress.is_trusted(&host);
        if !trusted && !MAIL_PORTS.contains(&port) && !self.reach.names_port(port) {
            return Err(forbidden(&host, "its port is none of 143, 465, 587 and 993"));
        }
        let addresses = timeout(CONNECT, addresses(&host, port)).await.map_err(|_| silent(&host))?;
        let addresses = addresses.map_err(|source| unreachable(&host, source))?;
        if !trusted {
            self.admit(&host, port, &addresses)?;
        }
        Ok(Located { host, addresses })
    }

    /// A TCP connection to where a server is.
    pub async fn reach(&self, Located { host, addresses }: &Located) -> Result<TcpStream, CallError> {
        let stream = timeout(CONNECT, TcpStream::connect(addresses.as_slice())).await;
        let stream = stream.map_err(|_| silent(host))?.map_err(|source| unreachable(host, source))?;
        stream.set_nodelay(true).map_err(|source| unreachable(host, source))?;
        Ok(stream)
    }

    fn admit(&self, host: &str, port: u16, addresses: &[SocketAddr]) -> Result<(), CallError> {
        let addresses: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
        self.reach.admit(&addresses, port).map(drop).map_err(|refused| match refused {
            ReachError::Port { .. } => forbidden(host, "its port is none of 143, 465, 587 and 993"),
            ReachError::Private => forbidden(host, PRIVATE),
            ReachError::Nothing => forbidden(host, "its name has no address"),
        })
    }

    /// TLS over `stream`, with a certificate for `host`.
    pub async fn secure(&self, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, CallError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| forbidden(host, "its name cannot stand in a certificate"))?;
        let secured = timeout(CONNECT, self.tls.connect(name, stream)).await;
        secured
            .map_err(|_| CallError::Timeout { host: host.to_owned(), after: CONNECT })?
            .map_err(|source| CallError::Insecure { host: host.to_owned(), source: Box::new(source) })
    }
}

/// Addresses of a server that were checked.
#[derive(Debug, Clone)]
pub struct Located {
    host: String,
    addresses: Vec<SocketAddr>,
}

impl Located {
    /// Without the port, in the order in which they are tried.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.addresses.iter().map(SocketAddr::ip)
    }
}

fn silent(host: &str) -> CallError {
    CallError::Timeout { host: host.to_owned(), after: CONNECT }
}

fn unreachable(host: &str, source: io::Error) -> CallError {
    CallError::Unreachable { host: host.to_owned(), source: Box::new(source) }
}

fn forbidden(host: &str, reason: &'static str) -> CallError {
    CallError::Forbidden { host: host.to_owned(), reason }
}

fn unusable<E: std::error::Error + Send + Sync + 'static>(error: E) -> NetError {
    NetError::Client { source: Box::new(error) }
}

async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if is_localhost(host) {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(loopback.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(egress: Egress, host: &str, port: u16) -> &'static str {
        let dialer = Dialer::new(egress).expect("a dialer");
        match dialer.connect(host, port).await {
            Err(CallError::Forbidden { reason, .. }) => reason,
            other => panic!("{host}:{port} gave {other:?}"),
        }
    }

    #[tokio::test]
    async fn the_inside_of_the_network_is_not_called() {
        for host in ["127.0.0.1", "localhost", "10.0.0.1", "::1", "169.254.169.254"] {
            let reason = refusal(Egress::default(), host, 993).await;
            assert_eq!(reason, PRIVATE, "{host}");
        }
    }

    #[tokio::test]
    async fn only_mail_is_spoken_to_strangers() {
        for port in [22, 25, 80, 443, 5432] {
            let reason = refusal(Egress::default(), "192.0.32.10", port).await;
            assert!(reason.starts_with("its port"), "{port}");
        }
    }

    #[tokio::test]
    async fn a_network_that_the_operator_opens_is_called_and_nothing_beside_it() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = server.local_addr().expect("its address").port();
        let open = |text: &str| {
            let inside = vec![text.parse().expect("a network")];
            Dialer::new(Egress::default()).expect("a dialer").reaching(inside)
        };
        assert!(open(&format!("127.0.0.0/8@{port}")).connect("127.0.0.1", port).await.is_ok());
        for closed in ["127.0.0.0/8", "10.0.0.0/8", &format!("10.0.0.0/8@{port}")] {
            let refused = open(closed).connect("127.0.0.1", port).await;
            assert!(matches!(refused, Err(CallError::Forbidden { .. })), "{closed}");
        }
    }

    #[tokio::test]
    async fn what_the_operator_allows_is_called_at_any_port() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = server.local_addr().expect("its address").port();
        let dialer = Dialer::new(Egress::default().allow(["127.0.0.1"]).expect("rules")).expect("a dialer");
        assert!(dialer.connect("127.0.0.1", port).await.is_ok());
    }
}
