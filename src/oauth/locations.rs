//! Where the providers are for this installation: their own places, a national cloud's, or a stand-in's.
//! The operator's word alone; nobody enters it on a page, since codes and secrets go there.

use url::Url;

use crate::oauth::google;

/// Origins; a registration that is entered here belongs to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locations {
    /// `https://login.microsoftonline.com`, or a national cloud's.
    pub microsoft: Url,
    /// `https://graph.microsoft.com`, or a national cloud's.
    pub graph: Url,
    /// [`google::AUTHORITY`].
    pub google: Url,
}

impl Default for Locations {
    fn default() -> Self {
        let known = |text| Url::parse(text).expect("a constant URL");
        Self {
            microsoft: known("https://login.microsoftonline.com"),
            graph: known("https://graph.microsoft.com"),
            google: known(google::AUTHORITY),
        }
    }
}
