//! The registrations of an installation, and what differs between identity providers, a row for each.
//!
//! Knows names, places and scopes; calls nobody and stores nothing.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::base::secret::SecretString;
use crate::oauth::advice::{Advice, advise};
use crate::oauth::flow::Wanted;
use crate::oauth::google::{self, GoogleApp};
use crate::oauth::granted::as_asked;
use crate::oauth::provider::{GRAPH_SCOPES, MAIL_SCOPES, MicrosoftApp, SHARED_SCOPES, SIGN_IN_SCOPES, below};
use crate::oauth::source::Resource;

/// Who runs an identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    #[default]
    Microsoft,
    Google,
}

/// What differs between providers.
struct Row {
    name: &'static str,
    /// Needed to sign in and to know who did.
    sign_in: &'static [&'static str],
    graph: &'static [&'static str],
    mail: &'static [&'static str],
    /// Further parameters of every authorization request.
    extras: &'static [(&'static str, &'static str)],
    /// `prompt` where one account is wanted.
    prompt_one: Option<&'static str>,
    /// `prompt` where several may sign in: the browser's present account must not be taken unasked.
    prompt_any: &'static str,
    /// A refresh names its scopes; otherwise it gets what was granted (RFC 6749, section 6).
    refresh_scopes: bool,
    /// The provider's own authority, and the only other hosts that its endpoints lie on.
    authority: &'static str,
    hosts: &'static [&'static str],
}

const MICROSOFT: Row = Row {
    name: "Microsoft",
    sign_in: &SIGN_IN_SCOPES,
    graph: &GRAPH_SCOPES,
    mail: &MAIL_SCOPES,
    extras: &[],
    prompt_one: None,
    prompt_any: "select_account",
    refresh_scopes: true,
    authority: "https://login.microsoftonline.com",
    hosts: &[],
};

/// Google, "Using OAuth 2.0 for Web Server Applications": a refresh token comes with `access_type=offline`,
/// and after the first time only where consent is asked for again.
const GOOGLE: Row = Row {
    name: "Google",
    sign_in: &["openid", "email"],
    graph: &[],
    mail: &[google::MAIL_SCOPE],
    extras: &[("access_type", "offline")],
    prompt_one: Some("consent"),
    prompt_any: "select_account consent",
    refresh_scopes: false,
    authority: google::AUTHORITY,
    hosts: &["oauth2.googleapis.com", "www.googleapis.com", "openidconnect.googleapis.com"],
};

impl Vendor {
    pub const ALL: [Self; 2] = [Self::Microsoft, Self::Google];

    /// In paths, names of records and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Microsoft => "microsoft",
            Self::Google => "google",
        }
    }

    fn row(self) -> &'static Row {
        match self {
            Self::Microsoft => &MICROSOFT,
            Self::Google => &GOOGLE,
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The permissions of one resource; tokens of two cannot be asked for at once (AADSTS28002).
    pub fn scopes(self, resource: Resource) -> &'static [&'static str] {
        match resource {
            Resource::Graph => self.row().graph,
            Resource::Mail => self.row().mail,
        }
    }

    /// What to do about an OAuth `error`, with Microsoft's number where there is one.
    pub fn advise(self, error: &str, code: Option<u32>) -> Advice {
        let advice = advise(error, code);
        match self {
            Self::Microsoft => advice,
            Self::Google => Advice { place: advice.place.and_then(google::place_of), ..advice },
        }
    }

    /// The scopes a sign-in asks for.
    pub(crate) fn asked(self, resource: Resource, wanted: &Wanted) -> Vec<&'static str> {
        let is_shared = resource == Resource::Graph && matches!(wanted, Wanted::Member(_));
        let shared: &[&str] = if is_shared { &SHARED_SCOPES } else { &[] };
        self.scopes(resource).iter().chain(shared).chain(self.row().sign_in).copied().collect()
    }

    /// Parameters of the authorization request that are the provider's own, or the wanted account's.
    pub(crate) fn extras<'w>(self, wanted: &'w Wanted) -> Vec<(&'static str, &'w str)> {
        let row = self.row();
        let mut extras: Vec<(&'static str, &'w str)> = row.extras.to_vec();
        match wanted {
            Wanted::Owner(address) => {
                extras.push(("login_hint", address));
                extras.extend(row.prompt_one.map(|prompt| ("prompt", prompt)));
            }
            Wanted::Anybody | Wanted::Member(_) => extras.push(("prompt", row.prompt_any)),
        }
        extras
    }

    /// The scopes a refresh asks for: what was `granted`, or everything where that is not known. Asking for
    /// more than was granted would be refused as a whole (AADSTS65001). Empty: none is named.
    pub fn refreshed(self, resource: Resource, granted: Option<&[String]>) -> Vec<String> {
        if !self.row().refresh_scopes {
            return Vec::new();
        }
        let known = self.scopes(resource);
        let mut scopes = match granted {
            Some(granted) if !granted.is_empty() => as_asked(granted, known),
            _ => known.iter().map(|&scope| scope.to_owned()).collect(),
        };
        scopes.push("offline_access".to_owned());
        scopes
    }
}

/// A registration at a provider.
#[derive(Debug, Clone)]
pub enum App {
    Microsoft(MicrosoftApp),
    Google(GoogleApp),
}

impl App {
    pub fn vendor(&self) -> Vendor {
        match self {
            Self::Microsoft(_) => Vendor::Microsoft,
            Self::Google(_) => Vendor::Google,
        }
    }

    pub fn client_id(&self) -> &str {
        match self {
            Self::Microsoft(app) => &app.client_id,
            Self::Google(app) => &app.client_id,
        }
    }

    pub fn client_secret(&self) -> &SecretString {
        match self {
            Self::Microsoft(app) => &app.client_secret,
            Self::Google(app) => &app.client_secret,
        }
    }

    /// Where sign-ins begin.
    pub fn authority(&self) -> &Url {
        match self {
            Self::Microsoft(app) => &app.authority,
            Self::Google(app) => &app.authority,
        }
    }

    /// The provider's OpenID Connect metadata.
    pub fn metadata_url(&self) -> Url {
        match self {
            Self::Microsoft(app) => app.metadata_url(),
            Self::Google(app) => below(&app.authority, &[".well-known", "openid-configuration"]),
        }
    }

    /// Whether `url` is the provider's own, and so may see codes, tokens and the client secret: on the
    /// authority's origin, or on a host that the real provider is known to use.
    pub fn owns(&self, url: &Url) -> bool {
        let (row, authority) = (self.vendor().row(), self.authority());
        let is_real = authority.origin().ascii_serialization() == row.authority;
        let is_known = url.scheme() == "https"
            && url.port_or_known_default() == Some(443)
            && url.host_str().is_some_and(|host| row.hosts.contains(&host));
        url.origin() == authority.origin() || (is_real && is_known)
    }

    /// Whether metadata of this app's place may call itself `issuer` (OpenID Connect Discovery 1.0, section
    /// 4.3). Microsoft's holds the tenant's id where a domain was asked for, so it is compared in the token.
    pub fn may_issue(&self, issuer: &str) -> bool {
        match self {
            Self::Microsoft(_) => true,
            Self::Google(app) => app.authority.as_str().trim_end_matches('/') == issuer.trim_end_matches('/'),
        }
    }
}

/// The registrations of an installation, one at each provider at most.
#[derive(Debug, Clone, Default)]
pub struct Apps {
    apps: Vec<App>,
}

impl Apps {
    pub fn new(microsoft: Option<MicrosoftApp>, google: Option<GoogleApp>) -> Self {
        let apps = microsoft.map(App::Microsoft).into_iter().chain(google.map(App::Google));
        Self { apps: apps.collect() }
    }

    pub fn of(&self, vendor: Vendor) -> Option<&App> {
        self.apps.iter().find(|app| app.vendor() == vendor)
    }

    pub fn microsoft(&self) -> Option<&MicrosoftApp> {
        self.apps.iter().find_map(|app| match app {
            App::Microsoft(app) => Some(app),
            App::Google(_) => None,
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &App> {
        self.apps.iter()
    }

    /// These, and of `more` those at providers where none of these is.
    pub fn and(&self, more: impl IntoIterator<Item = App>) -> Self {
        let mut all = self.clone();
        for app in more {
            if all.of(app.vendor()).is_none() {
                all.apps.push(app);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::advice::Place;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    fn google(authority: &str) -> App {
        App::Google(GoogleApp {
            client_id: "app".into(),
            client_secret: "secret".into(),
            authority: url(authority),
        })
    }

    #[test]
    fn only_the_real_google_may_answer_on_its_other_hosts() {
        let (real, other) = (google("https://accounts.google.com"), google("https://login.example"));
        for (place, at_real, at_other) in [
            ("https://accounts.google.com/o/oauth2/v2/auth", true, false),
            ("https://oauth2.googleapis.com/token", true, false),
            ("https://www.googleapis.com/oauth2/v3/certs", true, false),
            ("https://openidconnect.googleapis.com/v1/userinfo", true, false),
            ("https://login.example/token", false, true),
            ("http://oauth2.googleapis.com/token", false, false),
            ("https://oauth2.googleapis.com:8443/token", false, false),
            ("https://storage.googleapis.com/token", false, false),
            ("https://oauth2.googleapis.com.evil.example/token", false, false),
        ] {
            assert_eq!((real.owns(&url(place)), other.owns(&url(place))), (at_real, at_other), "{place}");
        }
    }

    #[test]
    fn what_is_configured_wins() {
        let (ours, other) = (google("https://accounts.google.com"), google("https://login.example"));
        let configured = Apps::default().and([ours]);
        let both = configured.and([other]);
        let authority = both.of(Vendor::Google).map(|app| app.authority().as_str().to_owned());
        assert_eq!((both.iter().count(), authority.as_deref()), (1, Some("https://accounts.google.com/")));
    }

    #[test]
    fn google_is_asked_for_lasting_access_each_time() {
        let one = Wanted::Owner("t@example.com".to_owned());
        let extras = Vendor::Google.extras(&one);
        assert!(extras.contains(&("access_type", "offline")) && extras.contains(&("prompt", "consent")));
        assert_eq!(
            Vendor::Google.asked(Resource::Mail, &one),
            ["https://mail.google.com/", "openid", "email"],
            "an unknown scope such as offline_access would be refused"
        );
    }

    #[test]
    fn nobody_is_sent_to_microsoft_about_google() {
        for (error, place) in [
            ("invalid_grant", Some(Place::SignIn)),
            ("invalid_client", Some(Place::GoogleClients)),
            ("invalid_scope", Some(Place::GoogleConsentScreen)),
            ("consent_required", Some(Place::SignIn)),
            ("something_new", None),
        ] {
            assert_eq!(Vendor::Google.advise(error, None).place, place, "{error}");
        }
    }

    #[test]
    fn a_refresh_names_scopes_only_where_the_provider_wants_them() {
        let granted = ["mail.read".to_owned()];
        assert!(Vendor::Google.refreshed(Resource::Mail, Some(&granted)).is_empty());
        let asked = Vendor::Microsoft.refreshed(Resource::Graph, Some(&granted));
        assert_eq!(asked, ["Mail.Read", "offline_access"]);
        let untold = Vendor::Microsoft.refreshed(Resource::Mail, None);
        assert_eq!(untold[..2], MAIL_SCOPES);
    }

    #[test]
    fn scopes_of_mail_servers_are_of_one_resource() {
        let asked = Vendor::Microsoft.asked(Resource::Mail, &Wanted::Anybody);
        let of_outlook = asked.iter().filter(|scope| scope.starts_with("https://outlook.office.com/"));
        assert_eq!(of_outlook.count(), 2);
        assert!(!asked.iter().any(|scope| GRAPH_SCOPES.contains(scope)), "{asked:?}");
    }
}
