//! `Set-Cookie` lines of an upstream, rebuilt with the attributes they should have had.

/// The attributes every cookie leaves with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardening {
    pub secure: bool,
    pub http_only: bool,
    pub same_site: cookie::SameSite,
}

impl Default for Hardening {
    fn default() -> Self {
        Self { secure: true, http_only: true, same_site: cookie::SameSite::Strict }
    }
}
