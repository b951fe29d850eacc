//! The identity providers as rows.

use url::Url;

use crate::base::secret::SecretString;

/// The app registration at Microsoft.
#[derive(Debug, Clone)]
pub struct MicrosoftApp {
    pub client_id: String,
    pub client_secret: SecretString,
    /// A tenant's id or domain.
    pub tenant: String,
    /// `https://login.microsoftonline.com`, or a national cloud's.
    pub authority: Url,
    /// `https://graph.microsoft.com`, or a national cloud's.
    pub graph: Url,
}
