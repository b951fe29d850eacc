//! What is Microsoft's own, and what every provider has: endpoints and the way back.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::base::clock::Timestamp;
use crate::base::secret::SecretString;

/// The one path that providers send the browser back to; `state` tells the flows apart.
pub const CALLBACK_PATH: &str = "/admin/exchange/callback";

/// The app registration at Microsoft.
#[derive(Debug, Clone)]
pub struct MicrosoftApp {
    pub client_id: String,
    pub client_secret: SecretString,
    /// When the secret ends, as far as somebody said so; Microsoft tells it nobody but the registration's owner.
    pub secret_expires: Option<Timestamp>,
    /// A tenant's id or domain; `consumers` for personal accounts.
    pub tenant: String,
    /// `https://login.microsoftonline.com`, or a national cloud's.
    pub authority: Url,
    /// `https://graph.microsoft.com`, or a national cloud's.
    pub graph: Url,
}

/// How long before its end a client secret is spoken of.
const SECRET_NOTICE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long a client secret still lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretLife {
    Long,
    /// It ends within thirty days.
    Ending,
    Over,
}

/// Where a provider answers which question; all of them its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    pub authorize: Url,
    pub token: Url,
    /// JSON Web Key Set.
    pub keys: Url,
    /// RFC 7009; Microsoft has none.
    #[serde(default)]
    pub revoke: Option<Url>,
    /// The `iss` of the provider's id_tokens; may hold `{tenantid}`.
    pub issuer: String,
}

/// Needed to sign in and to know who did; the provider does not count them as permissions.
pub const SIGN_IN_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// What the mail worker needs of Microsoft Graph.
pub const GRAPH_SCOPES: [&str; 3] = ["User.Read", "Mail.ReadWrite", "Mail.Send"];

/// What it needs besides in a mailbox that others share with the signed-in user.
pub const SHARED_SCOPES: [&str; 2] = ["Mail.ReadWrite.Shared", "Mail.Send.Shared"];

/// What it needs of the mail servers instead, where mail goes by IMAP and SMTP; a resource of its own.
pub const MAIL_SCOPES: [&str; 2] =
    ["https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send"];

impl MicrosoftApp {
    /// The tenant's OpenID Connect metadata.
    pub fn metadata_url(&self) -> Url {
        below(&self.authority, &[&self.tenant, "v2.0", ".well-known", "openid-configuration"])
    }

    /// When the client secret ends, and how `now` stands to it; `None` where nobody said when.
    pub fn secret_life(&self, now: Timestamp) -> Option<(Timestamp, SecretLife)> {
        let end = self.secret_expires?;
        let life = match end {
            _ if end <= now => SecretLife::Over,
            _ if end <= now + SECRET_NOTICE => SecretLife::Ending,
            _ => SecretLife::Long,
        };
        Some((end, life))
    }

    /// The signed-in user in Microsoft Graph.
    pub fn me_url(&self) -> Url {
        below(&self.graph, &["v1.0", "me"])
    }
}

/// The redirect URI made of the console's public origin.
pub fn redirect_uri(public_url: &Url) -> Url {
    let mut url = public_url.clone();
    url.set_path(CALLBACK_PATH);
    url.set_query(None);
    url.set_fragment(None);
    url
}

pub(super) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.path_segments_mut().expect("an http URL has a path").pop_if_empty().extend(segments);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    fn app(tenant: &str) -> MicrosoftApp {
        MicrosoftApp {
            client_id: "app".into(),
            client_secret: "secret".into(),
            secret_expires: None,
            tenant: tenant.into(),
            authority: url("https://login.example"),
            graph: url("https://graph.example/"),
        }
    }

    #[test]
    fn a_tenant_cannot_leave_its_place_in_the_path() {
        let app = app("../x?y");
        assert_eq!(
            app.metadata_url().as_str(),
            "https://login.example/..%2Fx%3Fy/v2.0/.well-known/openid-configuration"
        );
        assert_eq!(app.me_url().as_str(), "https://graph.example/v1.0/me");
    }

    #[test]
    fn a_secret_is_spoken_of_thirty_days_before_its_end() {
        let end = Timestamp(1_900_000_000_000);
        let app = MicrosoftApp { secret_expires: Some(end), ..app("t") };
        let days = |days: u64| end - Duration::from_secs(days * 86_400);
        for (now, life) in
            [(days(31), SecretLife::Long), (days(30), SecretLife::Ending), (end, SecretLife::Over)]
        {
            assert_eq!(app.secret_life(now), Some((end, life)));
        }
        let untold = MicrosoftApp { secret_expires: None, ..app };
        assert_eq!(untold.secret_life(end), None);
    }

    #[test]
    fn the_redirect_uri_is_the_callback_path_and_nothing_else() {
        let made = redirect_uri(&url("https://desk.example.com:8443/?a#b"));
        assert_eq!(made.as_str(), "https://desk.example.com:8443/admin/exchange/callback");
    }
}
