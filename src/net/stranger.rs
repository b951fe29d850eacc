//! Connections to servers whose names a stranger chose: resolved once, checked, and connected to at just that
//! address. Sends no credentials and knows no mail.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

use super::egress::plain_host;
use super::names::{Names, NamesError};
use super::reach::{Reach, ReachError};

const MOST_REDIRECTS: usize = 3;
/// A configuration file of a few dozen lines is what is expected.
const LARGEST_BODY: usize = 256 << 10;
/// One address of several that does not answer must not use up the time for the others.
const PATIENCE_PER_ADDRESS: Duration = Duration::from_millis(1_500);

/// Why a stranger's server was not reached, or not understood.
#[derive(Debug, thiserror::Error)]
pub enum StrangerError {
    #[error("`{host}` has no address")]
    Names { host: String, source: NamesError },
    #[error("`{host}` is not called")]
    Refused { host: String, source: ReachError },
    #[error("`{host}` cannot be connected to")]
    Connect { host: String, source: io::Error },
    #[error("`{host}` speaks no TLS that can be trusted")]
    Tls { host: String, source: io::Error },
    #[error("`{url}` is not called: {reason}")]
    Url { url: String, reason: &'static str },
    #[error("`{host}` answers no HTTP that can be read")]
    Http { host: String, source: reqwest::Error },
    #[error("`{host}` answers {status}")]
    Status { host: String, status: u16 },
    #[error("`{host}` answers more than {LARGEST_BODY} bytes")]
    TooLarge { host: String },
    #[error("`{host}` redirects more than {MOST_REDIRECTS} times")]
    Redirects { host: String },
    #[error("the system's CA certificates cannot be read")]
    Certificates { source: rustls::Error },
}

/// Connects to strangers.
#[derive(Clone)]
pub struct Strangers {
    names: Names,
    reach: Reach,
    tls: Arc<ClientConfig>,
}

impl Strangers {
    /// Trusts the system's certificate authorities, and `extra` ones.
    pub fn new(
        names: Names,
        reach: Reach,
        extra: Vec<CertificateDer<'static>>,
    ) -> Result<Self, StrangerError> {
        let failed = |source| StrangerError::Certificates { source };
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(extra, provider.clone()).map_err(failed)?;
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self { names, reach, tls: Arc::new(tls) })
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The addresses of `host` at `port`, if all of them may be called.
    async fn locate(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, StrangerError> {
        let unnamed = |source| StrangerError::Names { host: host.to_owned(), source };
        let refused = |source| StrangerError::Refused { host: host.to_owned(), source };
        let addresses = self.names.addresses(host).await.map_err(unnamed)?;
        self.reach.admit(&addresses, port).map_err(refused)
    }

    /// A plain connection to `host`.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, StrangerError> {
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in self.locate(host, port).await? {
            match tokio::time::timeout(PATIENCE_PER_ADDRESS, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(StrangerError::Connect { host: host.to_owned(), source: failure })
    }

    /// TLS over `stream`; the certificate must be `host`'s.
    pub async fn encrypt(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, StrangerError> {
        let failed = |source| StrangerError::Tls { host: host.to_owned(), source };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(io::Error::other(error)))?;
        TlsConnector::from(self.tls.clone()).connect(name, stream).await.map_err(failed)
    }

    /// What a GET of `url` answers with 200, redirects followed and checked each.
    pub async fn fetch(&self, url: &Url) -> Result<Bytes, StrangerError> {
        let mut url = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.get(&url).await?;
            if !response.status().is_redirection() {
                return read(response, &host_of(&url)).await;
            }
            let next = response.headers().get(http::header::LOCATION).and_then(|value| value.to_str().ok());
            let next = next.and_then(|text| url.join(text).ok());
            let next = next.ok_or_else(|| refuse(&url, "it redirects to what is no URL"))?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(refuse(&next, "https is not left for http"));
            }
            url = next;
        }
        Err(StrangerError::Redirects { host: host_of(&url) })
    }

    async fn get(&self, url: &Url) -> Result<reqwest::Response, StrangerError> {
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some()
        {
            return Err(refuse(url, "a plain http or https URL is expected"));
        }
        let port = url.port_or_known_default();
        let (host, port) = plain_host(url).zip(port).ok_or_else(|| refuse(url, "it names no host"))?;
        let addresses = self.locate(&host, port).await?;
        let failed =
            |error: reqwest::Error| StrangerError::Http { host: host.clone(), source: error.without_url() };
        // A client of its own: it knows the addresses that were checked, and looks up none.
        let client = reqwest::Client::builder()
            .user_agent(concat!("mintgate/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .tls_backend_preconfigured((*self.tls).clone())
            .resolve_to_addrs(&host, &addresses)
            .build()
            .map_err(failed)?;
        client.get(url.clone()).send().await.map_err(failed)
    }
}

async fn read(mut response: reqwest::Response, host: &str) -> Result<Bytes, StrangerError> {
    if response.status() != http::StatusCode::OK {
        return Err(StrangerError::Status { host: host.to_owned(), status: response.status().as_u16() });
    }
    let failed =
        |error: reqwest::Error| StrangerError::Http { host: host.to_owned(), source: error.without_url() };
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > LARGEST_BODY {
            return Err(StrangerError::TooLarge { host: host.to_owned() });
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// The query is left out of what is told: it may hold a mail address.
fn refuse(url: &Url, reason: &'static str) -> StrangerError {
    let mut url = url.clone();
    url.set_query(None);
    StrangerError::Url { url: url.into(), reason }
}
