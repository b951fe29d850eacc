//! The certificate that is served where none was configured: made once, kept in the data folder.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use tokio_rustls::rustls::sign::CertifiedKey;
use tracing::warn;

use crate::config::certificate::{self, Read};
use crate::config::{Routes, StartUp};

const CERTIFICATE: &str = "self-signed.crt";
const KEY: &str = "self-signed.key";

/// Where the made certificate of `data_dir` lies.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(CERTIFICATE)
}

/// The certificate for names that none of the rules is for; `None` where nothing speaks TLS or the rules
/// bring certificates of their own.
pub(super) fn default(start_up: &StartUp, routes: &Routes) -> anyhow::Result<Option<Arc<CertifiedKey>>> {
    let speaks_tls =
        start_up.entry_points.iter().any(|point| point.tls) || routes.routers.iter().any(|router| router.tls);
    if !speaks_tls || !routes.certificates.is_empty() {
        return Ok(None);
    }
    let public = start_up.console.public_url.as_ref().and_then(|url| url.host_str());
    let names: BTreeSet<&str> = public.into_iter().chain(["localhost", "desk.localhost"]).collect();
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    Ok(Some(read_or_make(&start_up.data_dir, &names)?.certificate.key))
}

/// The certificate of `data_dir`, made for `names` when it is not there yet.
fn read_or_make(data_dir: &Path, names: &[String]) -> anyhow::Result<Read> {
    let (certificate, key) = (data_dir.join(CERTIFICATE), data_dir.join(KEY));
    if !(certificate.exists() && key.exists()) {
        make(&certificate, &key, names).context("no self-signed certificate can be made")?;
        warn!(path = %certificate.display(), "no certificate is configured: a self-signed one was made");
    }
    Ok(certificate::read(&certificate, &key)?)
}

fn make(certificate: &Path, key: &Path, names: &[String]) -> anyhow::Result<()> {
    let pair = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name.push(DnType::CommonName, "mintgate, self-signed");
    // Browsers refuse longer lives than 825 days only from public authorities; this one nobody trusts anyway.
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2046, 1, 1);
    let signed = params.self_signed(&pair)?;
    if let Some(folder) = key.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(key)?;
    file.write_all(pair.serialize_pem().as_bytes())?;
    file.sync_all()?;
    fs::write(certificate, signed.pem())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_certificate_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["desk.localhost".to_owned()];
        let made = read_or_make(folder.path(), &names).expect("a certificate");
        let again = read_or_make(folder.path(), &names).expect("the same");
        assert_eq!(made.certificate.names, names);
        assert_eq!(made.certificate.key.cert, again.certificate.key.cert);
    }

    #[test]
    fn the_key_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        read_or_make(folder.path(), &["localhost".to_owned()]).expect("a certificate");
        let mode = fs::metadata(folder.path().join(KEY)).expect("the key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
