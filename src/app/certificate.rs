//! The certificate that is served where none was configured: made once, kept in the data folder.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use tracing::warn;

use crate::config::certificate::{self, Read};

const CERTIFICATE: &str = "self-signed.crt";
const KEY: &str = "self-signed.key";

/// Where the made certificate of `data_dir` lies.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(CERTIFICATE)
}

/// The certificate of `data_dir`, made for `names` when it is not there yet.
pub(super) fn read_or_make(data_dir: &Path, names: &[String]) -> anyhow::Result<Read> {
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
