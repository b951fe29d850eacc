//! Slips that show in a registration's values before anybody is called.
//!
//! Knows the shapes that Microsoft and Google give their values; a stand-in for either may use others.

use uuid::Uuid;

use crate::base::clock::Timestamp;
use crate::base::secret::ExposeSecret;
use crate::oauth::app::App;
use crate::oauth::google::GoogleApp;
use crate::oauth::provider::MicrosoftApp;

/// Where Microsoft itself signs people in, national clouds included (Microsoft Entra, "National clouds").
const MICROSOFT: [&str; 4] = [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
];
const GOOGLE: &str = "accounts.google.com";

/// Client ids at Google end so ("Setting up OAuth 2.0").
const GOOGLE_ID: &str = ".apps.googleusercontent.com";
/// Client secrets at Google begin so, but for those of the first years.
const GOOGLE_SECRET: &str = "GOCSPX-";

/// A value that is another one, or of another shape than the provider's. The texts repeat no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Slip {
    #[error("the client secret is a GUID: that is its Secret ID; copy the Value beside it")]
    SecretId,
    #[error("the client secret does not look like Microsoft's, which have about 40 characters and a `~`")]
    SecretShape,
    #[error("the client id is no GUID: copy the Application (client) ID of the app registration")]
    ClientId,
    #[error("the client id does not end in `.apps.googleusercontent.com`, as Google's do")]
    GoogleClientId,
    #[error("the client id begins with `GOCSPX-`: that is the client secret")]
    GoogleSecretAsId,
    #[error("the client secret ends in `.apps.googleusercontent.com`: that is the client id")]
    GoogleIdAsSecret,
}

/// The value that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    ClientId,
    ClientSecret,
}

impl Slip {
    /// Message key.
    pub fn key(self) -> &'static str {
        match self {
            Self::SecretId => "slip-secret-id",
            Self::SecretShape => "slip-secret-shape",
            Self::ClientId => "slip-client-id",
            Self::GoogleClientId => "slip-google-client-id",
            Self::GoogleSecretAsId => "slip-google-secret-as-id",
            Self::GoogleIdAsSecret => "slip-google-id-as-secret",
        }
    }

    pub fn field(self) -> Field {
        match self {
            Self::ClientId | Self::GoogleClientId | Self::GoogleSecretAsId => Field::ClientId,
            Self::SecretId | Self::SecretShape | Self::GoogleIdAsSecret => Field::ClientSecret,
        }
    }

    /// Whether no sign-in can succeed. The shape of secrets is nowhere promised.
    pub fn is_certain(self) -> bool {
        self != Self::SecretShape
    }
}

/// What is no tenant of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TenantSlip {
    #[error("is not a tenant's id or domain")]
    Shape,
    #[error("is no tenant of yours: give its id or domain")]
    Shared,
}

/// A directory's id or domain, or `consumers` for personal accounts. The other shared ones would let the
/// mailboxes of any organisation in.
pub fn read_tenant(text: &str) -> Result<String, TenantSlip> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    match text {
        "" => Err(TenantSlip::Shape),
        _ if !plain => Err(TenantSlip::Shape),
        "common" | "organizations" => Err(TenantSlip::Shared),
        _ => Ok(text.to_owned()),
    }
}

/// The day on which a secret ends, at its beginning in UTC; `None` where it is not written as `2027-05-01`.
pub fn read_day(text: &str) -> Option<Timestamp> {
    (text.len() == 10).then(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"))).flatten()
}

/// What is wrong with the values of `app`, as far as it shows; nothing where the provider is a stand-in.
pub fn slips(app: &App) -> Vec<Slip> {
    let host = app.authority().host_str().unwrap_or_default();
    match app {
        App::Microsoft(app) if MICROSOFT.contains(&host) => of_microsoft(app),
        App::Google(app) if host == GOOGLE => of_google(app),
        App::Microsoft(_) | App::Google(_) => Vec::new(),
    }
}

fn of_microsoft(app: &MicrosoftApp) -> Vec<Slip> {
    let secret = app.client_secret.expose_secret();
    let id = (!is_guid(&app.client_id)).then_some(Slip::ClientId);
    let secret = match (is_guid(secret), (30..=60).contains(&secret.len()) && secret.contains('~')) {
        (true, _) => Some(Slip::SecretId),
        (false, false) => Some(Slip::SecretShape),
        (false, true) => None,
    };
    id.into_iter().chain(secret).collect()
}

fn of_google(app: &GoogleApp) -> Vec<Slip> {
    let id = if app.client_id.starts_with(GOOGLE_SECRET) {
        Some(Slip::GoogleSecretAsId)
    } else {
        (!app.client_id.ends_with(GOOGLE_ID)).then_some(Slip::GoogleClientId)
    };
    let swapped = app.client_secret.expose_secret().ends_with(GOOGLE_ID);
    id.into_iter().chain(swapped.then_some(Slip::GoogleIdAsSecret)).collect()
}

/// As the provider's pages write it: 36 characters with hyphens.
fn is_guid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    const GUID: &str = "11111111-2222-3333-4444-555555555555";
    const SECRET: &str = "abc8Q~0123456789012345678901234567890123";
    const ID: &str = "1234-abc.apps.googleusercontent.com";

    fn microsoft(client_id: &str, secret: &str, authority: &str) -> Vec<Slip> {
        slips(&App::Microsoft(MicrosoftApp {
            client_id: client_id.into(),
            client_secret: secret.into(),
            secret_expires: None,
            tenant: "contoso.example".into(),
            authority: Url::parse(authority).expect("a URL"),
            graph: Url::parse("https://graph.microsoft.com").expect("a URL"),
        }))
    }

    fn google(client_id: &str, secret: &str) -> Vec<Slip> {
        let authority = Url::parse("https://accounts.google.com").expect("a URL");
        slips(&App::Google(GoogleApp {
            client_id: client_id.into(),
            client_secret: secret.into(),
            authority,
        }))
    }

    #[test]
    fn a_value_in_anothers_place_is_known_by_its_shape() {
        let real = "https://login.microsoftonline.com";
        for (id, secret, expected) in [
            (GUID, SECRET, &[][..]),
            (GUID, GUID, &[Slip::SecretId]),
            (GUID, "hunter2", &[Slip::SecretShape]),
            ("my app", SECRET, &[Slip::ClientId]),
            (SECRET, GUID, &[Slip::ClientId, Slip::SecretId]),
        ] {
            assert_eq!(microsoft(id, secret, real), expected, "{id} {secret}");
        }
        for (id, secret, expected) in [
            (ID, "GOCSPX-abc", &[][..]),
            (ID, "an-old-secret-of-24-chars", &[]),
            ("1234-abc", "GOCSPX-abc", &[Slip::GoogleClientId]),
            ("GOCSPX-abc", ID, &[Slip::GoogleSecretAsId, Slip::GoogleIdAsSecret]),
        ] {
            assert_eq!(google(id, secret), expected, "{id} {secret}");
        }
    }

    #[test]
    fn a_stand_in_may_have_values_of_any_shape() {
        assert_eq!(microsoft("app", "secret", "http://127.0.0.1:9999"), []);
        assert_ne!(microsoft("app", "secret", "https://login.microsoftonline.us"), []);
    }

    #[test]
    fn a_slip_never_repeats_a_value() {
        for slip in microsoft(SECRET, GUID, "https://login.microsoftonline.com") {
            let told = slip.to_string();
            assert!(!told.contains(SECRET) && !told.contains(GUID), "{told}");
        }
    }
}
