//! What is Google's own: its registration, its one scope for mail, and where its errors are put right.

use url::Url;

use crate::base::secret::SecretString;
use crate::oauth::advice::Place;

/// Where Google's metadata and sign-in page are.
pub const AUTHORITY: &str = "https://accounts.google.com";

/// IMAP and SMTP (Google, "Gmail IMAP, POP and SMTP: OAuth 2.0 mechanism"); there is no narrower one.
pub const MAIL_SCOPE: &str = "https://mail.google.com/";

/// The OAuth client of a Google Cloud project.
#[derive(Debug, Clone)]
pub struct GoogleApp {
    pub client_id: String,
    pub client_secret: SecretString,
    /// [`AUTHORITY`].
    pub authority: Url,
}

/// Where at Google that is put right which at Microsoft is put right at `place`.
pub(super) fn place_of(place: Place) -> Option<Place> {
    match place {
        Place::EntraAuthentication | Place::EntraSecrets | Place::EntraOverview => Some(Place::GoogleClients),
        Place::EntraPermissions => Some(Place::GoogleConsentScreen),
        Place::EntraConsent => Some(Place::SignIn),
        Place::EntraUsers | Place::EntraSignInLogs | Place::EntraAccounts => Some(Place::GoogleAdmin),
        Place::ExchangeMailboxes | Place::MicrosoftErrors => None,
        place => Some(place),
    }
}
