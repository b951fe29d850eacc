//! The TLS side of an entry point. Which certificate a name gets is the routing table's business.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::{ResolvesServerCert, ServerSessionMemoryCache};
use tokio_rustls::rustls::{self, ServerConfig};

const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];
const SESSIONS: usize = 4096;

/// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, the certificate asked from `certificates` per handshake.
/// No early data: it could be replayed.
///
/// # Errors
/// When the crypto provider knows none of the protocol versions.
pub fn server_config(certificates: Arc<dyn ResolvesServerCert>) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    Ok(Arc::new(config))
}
