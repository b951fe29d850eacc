//! What an encrypted connection shows of itself, for people. That the certificate is trusted was settled before.

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ProtocolVersion;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::base::clock::Timestamp;

/// Characters of an issuer's name; it is the server's text.
const MOST: usize = 120;

/// A connection's protocol and its server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// `TLS 1.3`.
    pub protocol: &'static str,
    pub issuer: String,
    pub valid_until: Timestamp,
}

impl Shown {
    /// `None` for a certificate that cannot be read.
    pub fn of(stream: &TlsStream<TcpStream>) -> Option<Self> {
        let (_, connection) = stream.get_ref();
        let own = connection.peer_certificates()?.first()?;
        let (_, parsed) = X509Certificate::from_der(own).ok()?;
        let issuer = parsed.issuer().to_string();
        Some(Self {
            protocol: match connection.protocol_version()? {
                ProtocolVersion::TLSv1_3 => "TLS 1.3",
                ProtocolVersion::TLSv1_2 => "TLS 1.2",
                _ => "TLS",
            },
            issuer: issuer.chars().filter(|one| !one.is_control()).take(MOST).collect(),
            valid_until: Timestamp(parsed.validity().not_after.timestamp().saturating_mul(1000)),
        })
    }
}
