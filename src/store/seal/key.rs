//! The sealing key and its file: 32 random bytes as one line of base64.
//!
//! Refuses files that others can read and keys that cannot be random. Does not choose the path.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rustix::fs::StatVfsMountFlags;
use rustix::process::geteuid;
use zeroize::{Zeroize, Zeroizing};

use crate::base::id::{random_bytes, short_id};
use crate::base::secret::HashKey;

/// Padding or none: tools differ, the bytes are the same.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Far more than a key file needs; keeps a wrong path from being read whole.
const LARGEST_FILE: u64 = 4096;

/// Where container runtimes mount secrets; the mode there is the runtime's choice, not the operator's.
const MOUNTED_SECRETS: &str = "/run/secrets";

/// Why there is no usable key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("key file `{path}` cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("key file `{path}` can be read by every user (mode {mode:04o}); make it 0600")]
    OpenToAll { path: PathBuf, mode: u32 },
    #[error(
        "key file `{path}` belongs to user {owner}, who could change it; give it to the user mintgate runs as"
    )]
    Foreign { path: PathBuf, owner: u32 },
    #[error("key file `{path}` is not one line of base64")]
    NotBase64 { path: PathBuf },
    #[error("key file `{path}` holds {length} bytes; a key has exactly 32")]
    Length { path: PathBuf, length: usize },
    #[error("key file `{path}` holds a key that is not random: {reason}")]
    Weak { path: PathBuf, reason: &'static str },
    #[error("key file `{path}` cannot be written")]
    Unwritable { path: PathBuf, source: io::Error },
}

/// 32 random bytes that wrap data keys and derive hashing keys. Has no Debug and no Display.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl SealingKey {
    /// A key that no file holds: what it seals is lost when it is dropped.
    pub fn random() -> Self {
        Self(Zeroizing::new(random_bytes()))
    }

    /// Reads a key file; symbolic links are followed.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let mode = metadata.mode() & 0o7777;
        let real = fs::canonicalize(path).map_err(unreadable)?;
        let mount = rustix::fs::fstatvfs(&file).map_err(|error| unreadable(error.into()))?;
        if !is_mounted_secret(&real, mount.f_flag.contains(StatVfsMountFlags::RDONLY)) {
            check_access(path, mode, metadata.uid())?;
        }
        let mut text = Zeroizing::new(String::with_capacity(LARGEST_FILE as usize));
        file.take(LARGEST_FILE).read_to_string(&mut text).map_err(unreadable)?;
        parse(&text, path)
    }

    /// Makes a new key file, mode 0600, and returns its key. A file that is there is never replaced.
    ///
    /// The name appears only once the key is on the disk: a crash leaves no half-written key behind.
    pub fn make(path: &Path) -> Result<Self, KeyError> {
        let key = Self::random();
        write_new(path, &key).map_err(|source| KeyError::Unwritable { path: path.to_owned(), source })?;
        Ok(key)
    }

    /// Tells keys apart without telling anything about them.
    pub(super) fn id(&self) -> [u8; 8] {
        let mut id = [0; 8];
        id.copy_from_slice(&self.derived("id", "")[..8]);
        id
    }

    pub(super) fn derived(&self, label: &str, purpose: &str) -> Zeroizing<[u8; 32]> {
        let root = HashKey::from_bytes(*self.0);
        Zeroizing::new(root.hash(&[b"mintgate key 1", label.as_bytes(), purpose.as_bytes()]))
    }
}

fn parse(text: &str, path: &Path) -> Result<SealingKey, KeyError> {
    // The URL-safe alphabet differs in two letters only; both name the same bytes.
    let line = Zeroizing::new(text.trim().replace('-', "+").replace('_', "/"));
    let decoded = BASE64.decode(line.as_bytes());
    let mut bytes = Zeroizing::new(decoded.map_err(|_| KeyError::NotBase64 { path: path.to_owned() })?);
    let key = <[u8; 32]>::try_from(bytes.as_slice())
        .map_err(|_| KeyError::Length { path: path.to_owned(), length: bytes.len() })?;
    bytes.zeroize();
    match weakness(&key) {
        Some(reason) => Err(KeyError::Weak { path: path.to_owned(), reason }),
        None => Ok(SealingKey(Zeroizing::new(key))),
    }
}

/// What chance does not bring about: each of these has a probability below 2⁻⁴⁰ in a random key.
fn weakness(key: &[u8; 32]) -> Option<&'static str> {
    let step = key[1].wrapping_sub(key[0]);
    if key.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
        return Some("its bytes are all equal or simply counted");
    }
    if key.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        return Some("it is readable text, such as a sample from a manual");
    }
    let (first, second) = key.split_at(16);
    (first == second).then_some("its two halves are equal")
}

/// A secret that a container runtime mounts may have any owner and mode.
fn is_mounted_secret(real_path: &Path, mounted_read_only: bool) -> bool {
    mounted_read_only && real_path.starts_with(MOUNTED_SECRETS)
}

/// Refuses what everybody can reach by its mode, and what somebody else owns.
fn check_access(path: &Path, mode: u32, owner: u32) -> Result<(), KeyError> {
    if mode & 0o007 != 0 {
        return Err(KeyError::OpenToAll { path: path.to_owned(), mode });
    }
    match owner == 0 || owner == geteuid().as_raw() {
        true => Ok(()),
        false => Err(KeyError::Foreign { path: path.to_owned(), owner }),
    }
}

fn write_new(path: &Path, key: &SealingKey) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let draft = directory.join(format!(".key-{}", short_id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let mut line = Zeroizing::new(BASE64.encode(*key.0));
    line.push('\n');
    // A link, unlike a rename, fails where the name exists.
    let linked = file
        .write_all(line.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    linked?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn key_file(folder: &tempfile::TempDir, text: &str, mode: u32) -> PathBuf {
        let path = folder.path().join("key");
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode set");
        path
    }

    #[test]
    fn a_made_key_is_private_and_reads_back_as_the_same_key() {
        let folder = folder();
        let path = folder.path().join("vault.key");
        let made = SealingKey::make(&path).expect("made");
        let read = SealingKey::read(&path).expect("read");
        assert_eq!(made.id(), read.id());
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "no draft stays behind");
    }

    #[test]
    fn an_existing_key_is_never_replaced() {
        let folder = folder();
        let path = folder.path().join("vault.key");
        let first = SealingKey::make(&path).expect("made");
        assert!(matches!(SealingKey::make(&path), Err(KeyError::Unwritable { .. })));
        assert_eq!(SealingKey::read(&path).expect("read").id(), first.id());
    }

    #[test]
    fn a_key_that_every_user_can_read_is_refused() {
        let folder = folder();
        let text = BASE64.encode(random_bytes::<32>());
        for mode in [0o604, 0o644, 0o601, 0o666] {
            let refused = SealingKey::read(&key_file(&folder, &text, mode));
            assert!(matches!(refused, Err(KeyError::OpenToAll { .. })), "{mode:o}");
        }
        for mode in [0o600, 0o400, 0o440] {
            assert!(SealingKey::read(&key_file(&folder, &text, mode)).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn only_a_read_only_mounted_secret_may_have_any_mode_and_owner() {
        assert!(is_mounted_secret(Path::new("/run/secrets/vault"), true));
        assert!(!is_mounted_secret(Path::new("/run/secrets/vault"), false));
        assert!(!is_mounted_secret(Path::new("/run/secrets-of-others/vault"), true));
        assert!(!is_mounted_secret(Path::new("/etc/vault"), true));
    }

    #[test]
    fn a_key_of_another_user_is_refused() {
        let (path, own) = (Path::new("/etc/vault"), geteuid().as_raw());
        assert!(check_access(path, 0o400, own).is_ok() && check_access(path, 0o440, 0).is_ok());
        assert!(
            matches!(check_access(path, 0o400, own + 1), Err(KeyError::Foreign { owner, .. }) if owner == own + 1)
        );
        assert!(matches!(check_access(path, 0o444, own), Err(KeyError::OpenToAll { .. })));
    }

    #[test]
    fn a_symbolic_link_padding_and_the_url_alphabet_are_accepted() {
        let folder = folder();
        let bytes = [0xfb; 31].into_iter().chain([0xf1]).collect::<Vec<u8>>();
        let text = BASE64.encode(&bytes);
        assert!(text.contains('+') || text.contains('/'));
        let target = key_file(&folder, &text, 0o600);
        let link = folder.path().join("link");
        symlink(&target, &link).expect("linked");
        let plain = SealingKey::read(&link).expect("read").id();
        for other in [text.replace('+', "-").replace('/', "_"), text.replace('=', ""), format!("{text}\r\n")]
        {
            assert_eq!(SealingKey::read(&key_file(&folder, &other, 0o600)).expect("read").id(), plain);
        }
    }

    #[test]
    fn short_long_empty_and_garbled_keys_are_refused() {
        let folder = folder();
        for length in [1, 16, 31, 33, 64] {
            let bytes: Vec<u8> = random_bytes::<64>()[..length].to_vec();
            let refused = SealingKey::read(&key_file(&folder, &BASE64.encode(bytes), 0o600));
            assert!(matches!(refused, Err(KeyError::Length { .. })), "{length} bytes");
        }
        let refused = SealingKey::read(&key_file(&folder, "", 0o600));
        assert!(matches!(refused, Err(KeyError::Length { length: 0, .. })));
        let refused = SealingKey::read(&key_file(&folder, "not base64 at all!", 0o600));
        assert!(matches!(refused, Err(KeyError::NotBase64 { .. })));
    }

    #[test]
    fn keys_that_chance_does_not_make_are_refused() {
        let folder = folder();
        let counted: Vec<u8> = (0..32).collect();
        let samples: [&[u8]; 5] = [
            &[0; 32],
            &[0x41; 32],
            &counted,
            b"change-me-change-me-change-me-32",
            &[[1, 9, 2, 200, 4, 77, 3, 3, 1, 0, 255, 254, 17, 5, 6, 8]; 2].concat(),
        ];
        for sample in samples {
            let refused = SealingKey::read(&key_file(&folder, &BASE64.encode(sample), 0o600));
            assert!(matches!(refused, Err(KeyError::Weak { .. })), "{sample:?}");
        }
    }
}
