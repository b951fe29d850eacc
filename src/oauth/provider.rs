//! What is Microsoft's own, and what every provider has: endpoints and the way back.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::base::secret::SecretString;

/// The one path that providers send the browser back to; `state` tells the flows apart.
pub const CALLBACK_PATH: &str = "/admin/exchange/callback";

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

    #[test]
    fn a_tenant_cannot_leave_its_place_in_the_path() {
        let app = MicrosoftApp {
            client_id: "app".into(),
            client_secret: "secret".into(),
            tenant: "../x?y".into(),
            authority: url("https://login.example"),
            graph: url("https://graph.example/"),
        };
        assert_eq!(
            app.metadata_url().as_str(),
            "https://login.example/..%2Fx%3Fy/v2.0/.well-known/openid-configuration"
        );
        assert_eq!(app.me_url().as_str(), "https://graph.example/v1.0/me");
    }

    #[test]
    fn the_redirect_uri_is_the_callback_path_and_nothing_else() {
        let made = redirect_uri(&url("https://desk.example.com:8443/?a#b"));
        assert_eq!(made.as_str(), "https://desk.example.com:8443/admin/exchange/callback");
    }
}
