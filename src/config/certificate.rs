//! A certificate and its key from PEM files: they fit each other, and the names are its own.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error as TlsError, InconsistentKeys};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::Certificate;
use crate::base::clock::Timestamp;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("`{path}` cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("`{path}` holds no certificate in PEM form")]
    NoCertificate { path: PathBuf },
    #[error("`{path}` holds no private key in PEM form")]
    NoKey { path: PathBuf },
    #[error("`{path}` is not PEM that can be read")]
    Garbled { path: PathBuf, source: PemError },
    #[error("the certificate in `{path}` cannot be read")]
    NotX509 { path: PathBuf },
    #[error("the key in `{path}` cannot be used")]
    Key { path: PathBuf, source: TlsError },
    #[error("the key does not belong to the certificate")]
    Mismatch,
    #[error("the certificate in `{path}` has no name in its subjectAltName")]
    NoNames { path: PathBuf },
}

/// A certificate that was read, and until when it is valid.
pub struct Read {
    pub certificate: Certificate,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

impl Read {
    /// What is odd about the validity at `now`. Not an error: an expired certificate must not take the
    /// helpdesk down at the next start.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        let names = self.certificate.names.join(", ");
        if self.not_after < now {
            Some(format!("the certificate for {names} expired on {}", self.not_after))
        } else if now < self.not_before {
            Some(format!("the certificate for {names} is not valid before {}", self.not_before))
        } else {
            None
        }
    }
}

/// Reads a chain, its own certificate first, and the key.
///
/// # Errors
/// A file that cannot be read or is not PEM, a key of another certificate, a certificate without names.
pub fn read(certificate: &Path, key: &Path) -> Result<Read, CertificateError> {
    let chain = chain(certificate)?;
    let own =
        chain.first().ok_or_else(|| CertificateError::NoCertificate { path: certificate.to_owned() })?;
    let not_x509 = || CertificateError::NotX509 { path: certificate.to_owned() };
    let (_, parsed) = X509Certificate::from_der(own).map_err(|_| not_x509())?;
    let names = names(&parsed).ok_or_else(not_x509)?;
    if names.is_empty() {
        return Err(CertificateError::NoNames { path: certificate.to_owned() });
    }
    let seconds = |moment: i64| Timestamp(moment.saturating_mul(1000));
    let not_before = seconds(parsed.validity().not_before.timestamp());
    let not_after = seconds(parsed.validity().not_after.timestamp());
    let private = private_key(key)?;
    let unusable = |source| CertificateError::Key { path: key.to_owned(), source };
    let signing = ring::default_provider().key_provider.load_private_key(private).map_err(unusable)?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Ok(()) => {}
        Err(TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            return Err(CertificateError::Mismatch);
        }
        Err(source) => return Err(unusable(source)),
    }
    Ok(Read { certificate: Certificate { names, key: Arc::new(certified) }, not_before, not_after })
}

fn pem_error(path: &Path, error: PemError, nothing: CertificateError) -> CertificateError {
    match error {
        PemError::NoItemsFound => nothing,
        PemError::Io(source) => CertificateError::Unreadable { path: path.to_owned(), source },
        source => CertificateError::Garbled { path: path.to_owned(), source },
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let nothing = || CertificateError::NoCertificate { path: path.to_owned() };
    let items = CertificateDer::pem_file_iter(path).map_err(|error| pem_error(path, error, nothing()))?;
    items.map(|item| item.map_err(|error| pem_error(path, error, nothing()))).collect()
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let nothing = CertificateError::NoKey { path: path.to_owned() };
    PrivateKeyDer::from_pem_file(path).map_err(|error| pem_error(path, error, nothing))
}

/// DNS names and addresses, lower case. Clients have not looked at the common name since 2017.
fn names(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let Some(extension) = certificate.subject_alternative_name().ok()? else { return Some(Vec::new()) };
    let names = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    });
    Some(names.collect())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Files {
        folder: tempfile::TempDir,
    }

    impl Files {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().expect("a folder") }
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.folder.path().join(name);
            fs::write(&path, text).expect("written");
            path
        }
    }

    fn made(names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_certificate_is_for_the_names_it_carries() {
        let files = Files::new();
        let (certificate, key) = made(&["Desk.example.com", "*.example.org", "127.0.0.1"]);
        let read = read(&files.write("c.pem", &certificate), &files.write("k.pem", &key)).expect("usable");
        assert_eq!(read.certificate.names, ["desk.example.com", "*.example.org", "127.0.0.1"]);
        assert!(read.not_before < read.not_after);
    }

    #[test]
    fn another_certificates_key_is_refused() {
        let files = Files::new();
        let ((certificate, _), (_, key)) = (made(&["a.example.com"]), made(&["a.example.com"]));
        let result = read(&files.write("c.pem", &certificate), &files.write("k.pem", &key));
        assert!(matches!(result, Err(CertificateError::Mismatch)));
    }

    #[test]
    fn missing_files_garbage_and_swapped_files_are_refused() {
        let files = Files::new();
        let (certificate, key) = made(&["a.example.com"]);
        let (certificate, key) = (files.write("c.pem", &certificate), files.write("k.pem", &key));
        let garbage = files.write("g.pem", "not PEM at all");
        let broken = files.write("b.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        let missing = files.folder.path().join("missing");
        let outcome = |certificate: &Path, key: &Path| read(certificate, key).err().expect("refused");
        assert!(matches!(outcome(&missing, &key), CertificateError::Unreadable { .. }));
        assert!(matches!(outcome(&garbage, &key), CertificateError::NoCertificate { .. }));
        assert!(matches!(outcome(&key, &certificate), CertificateError::NoCertificate { .. }));
        assert!(matches!(outcome(&broken, &key), CertificateError::NotX509 { .. }));
        assert!(matches!(outcome(&certificate, &certificate), CertificateError::NoKey { .. }));
    }

    #[test]
    fn a_certificate_without_names_is_refused() {
        let files = Files::new();
        let (certificate, key) = made(&[]);
        let result = read(&files.write("c.pem", &certificate), &files.write("k.pem", &key));
        assert!(matches!(result, Err(CertificateError::NoNames { .. })));
    }

    #[test]
    fn an_expired_certificate_is_told_and_used() {
        let files = Files::new();
        let (certificate, key) = made(&["a.example.com"]);
        let read = read(&files.write("c.pem", &certificate), &files.write("k.pem", &key)).expect("usable");
        let day = std::time::Duration::from_secs(86_400);
        assert_eq!(read.warning(read.not_after), None);
        assert!(read.warning(read.not_after + day).is_some_and(|warning| warning.contains("expired on")));
        assert!(
            read.warning(read.not_before - day).is_some_and(|warning| warning.contains("not valid before"))
        );
    }
}
