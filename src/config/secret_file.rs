//! Values that stand in files of their own, such as mounts under `/run/secrets`.

use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::base::secret::SecretString;

/// Largest file of one value.
const MAX_BYTES: u64 = 64 * 1024;

/// Why a file's value cannot be used. The value itself is in no text.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("file `{path}` cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("`{path}` is not a file")]
    NotAFile { path: PathBuf },
    #[error("file `{path}` is empty")]
    Empty { path: PathBuf },
    #[error("file `{path}` has more than 64 KiB")]
    TooLarge { path: PathBuf },
    #[error("file `{path}` is not UTF-8 text")]
    NotText { path: PathBuf },
}

/// A file's value, without the one line break at its end.
#[derive(Debug)]
pub struct SecretFile {
    pub value: SecretString,
    /// Everybody on this machine may read the file, and it is no secret mount.
    pub world_readable: bool,
}

/// Reads the file at `path`. Mounts under `/run/secrets` may have any owner and mode.
pub fn read(path: &Path) -> Result<SecretFile, SecretFileError> {
    let unreadable = |source| SecretFileError::Unreadable { path: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(SecretFileError::NotAFile { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(SecretFileError::TooLarge { path: path.to_owned() });
    }
    let text = String::from_utf8(bytes).map_err(|_| SecretFileError::NotText { path: path.to_owned() })?;
    let value = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if value.trim().is_empty() {
        return Err(SecretFileError::Empty { path: path.to_owned() });
    }
    let world_readable = metadata.permissions().mode() & 0o004 != 0 && !path.starts_with("/run/secrets");
    Ok(SecretFile { value: SecretString::from(value), world_readable })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::base::secret::ExposeSecret;

    fn read_bytes(bytes: &[u8], mode: u32) -> Result<SecretFile, SecretFileError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        fs::write(&path, bytes).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        read(&path)
    }

    #[test]
    fn one_line_break_at_the_end_is_cut_and_no_more() {
        for (bytes, value) in [("a b\n", "a b"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a", " a")] {
            let file = read_bytes(bytes.as_bytes(), 0o600).expect("a value");
            assert_eq!(file.value.expose_secret(), value);
        }
    }

    #[test]
    fn empty_large_binary_missing_and_folders_are_refused() {
        assert!(matches!(read_bytes(b"\n", 0o600), Err(SecretFileError::Empty { .. })));
        assert!(matches!(read_bytes(&[b'a'; 65_537], 0o600), Err(SecretFileError::TooLarge { .. })));
        assert!(matches!(read_bytes(&[0xff, 0xfe], 0o600), Err(SecretFileError::NotText { .. })));
        assert!(matches!(read(Path::new("/nonexistent")), Err(SecretFileError::Unreadable { .. })));
        assert!(matches!(read(Path::new("/")), Err(SecretFileError::NotAFile { .. })));
    }

    #[test]
    fn a_file_that_everybody_may_read_is_told() {
        assert!(read_bytes(b"a", 0o644).expect("a value").world_readable);
        assert!(!read_bytes(b"a", 0o640).expect("a value").world_readable);
    }
}
