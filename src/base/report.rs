//! An error with all its sources in one line, for logs and status pages.

use std::error::Error;
use std::fmt;

/// Displays `error: source: source of the source`.
pub struct Report<'a>(pub &'a (dyn Error + 'a));

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("file `{path}` cannot be read")]
    struct Unreadable {
        path: &'static str,
        source: std::io::Error,
    }

    #[test]
    fn every_source_is_told_once() {
        let error = Unreadable { path: "key", source: std::io::Error::other("no such file") };
        assert_eq!(Report(&error).to_string(), "file `key` cannot be read: no such file");
    }
}
