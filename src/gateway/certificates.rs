//! Which certificate a name gets.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_rustls::rustls::server::ClientHello;
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::config::Certificate;

/// Certificates by name: exact names, then `*.` for one label, then the default.
#[derive(Debug, Default)]
pub struct Certificates {
    by_name: HashMap<Box<str>, Arc<CertifiedKey>>,
    default: Option<Arc<CertifiedKey>>,
}

impl Certificates {
    /// `default` answers names that no certificate is for; without one the first certificate does.
    /// Of two certificates for one name the first counts.
    pub fn new(certificates: &[Certificate], default: Option<Arc<CertifiedKey>>) -> Self {
        let mut by_name = HashMap::new();
        for certificate in certificates {
            for name in &certificate.names {
                by_name.entry(name.as_str().into()).or_insert_with(|| certificate.key.clone());
            }
        }
        let default = default.or_else(|| certificates.first().map(|first| first.key.clone()));
        Self { by_name, default }
    }

    /// `None` only when there is no certificate at all.
    pub fn choose(&self, hello: &ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.named(hello.server_name()).or_else(|| self.default.clone())
    }

    /// rustls has the name in lower case already.
    fn named(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let name = name?;
        let found = self.by_name.get(name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.by_name.get(format!("*.{parent}").as_str())
        });
        found.cloned()
    }
}
