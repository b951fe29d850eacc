//! The link by which a tenant's administrator agrees to an app's permissions for everybody (Microsoft identity
//! platform, "Admin consent", v2.0).
//!
//! Belongs to no flow and changes nothing here; who made the link is for the caller to know by its `state`.

use url::Url;

use crate::oauth::app::{App, Vendor};
use crate::oauth::flow::Wanted;
use crate::oauth::provider::{MicrosoftApp, below};
use crate::oauth::source::Resource;

/// Personal accounts have no administrator.
pub const PERSONAL: &str = "consumers";

/// The link for `app`; `None` where nobody can agree for others.
pub fn admin_consent_url(
    app: &MicrosoftApp,
    resource: Resource,
    wanted: &Wanted,
    redirect_uri: &Url,
    state: &str,
) -> Option<Url> {
    if app.tenant == PERSONAL {
        return None;
    }
    let scopes = Vendor::Microsoft.asked(resource, wanted);
    let graph = app.graph.as_str().trim_end_matches('/');
    // Names without their resource are Graph's of the worldwide cloud.
    let full = |scope: &str| match scope.starts_with(|first: char| first.is_ascii_uppercase()) {
        true => format!("{graph}/{scope}"),
        false => scope.to_owned(),
    };
    let scopes: Vec<String> = scopes.into_iter().map(full).collect();
    let mut url = below(&app.authority, &[&app.tenant, "v2.0", "adminconsent"]);
    url.query_pairs_mut()
        .append_pair("client_id", &app.client_id)
        .append_pair("scope", &scopes.join(" "))
        .append_pair("redirect_uri", redirect_uri.as_str())
        .append_pair("state", state);
    Some(url)
}

/// Whether the app signs in personal accounts (outlook.com, hotmail.com, live.com, msn.com) and no others.
pub fn is_personal(app: &App) -> bool {
    matches!(app, App::Microsoft(app) if app.tenant == PERSONAL)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    fn link(tenant: &str, resource: Resource, wanted: &Wanted) -> Option<Url> {
        let app = MicrosoftApp {
            client_id: "app-id".into(),
            client_secret: "canary".into(),
            secret_expires: None,
            tenant: tenant.into(),
            authority: url("https://login.example"),
            graph: url("https://graph.example"),
        };
        admin_consent_url(&app, resource, wanted, &url("https://desk.example/admin/exchange/callback"), "s1")
    }

    #[test]
    fn the_link_asks_for_what_a_sign_in_asks_for() {
        let made = link("contoso.example", Resource::Graph, &Wanted::Anybody).expect("a link");
        assert!(made.as_str().starts_with("https://login.example/contoso.example/v2.0/adminconsent?"));
        let query: HashMap<String, String> = made.query_pairs().into_owned().collect();
        let scopes: Vec<&str> = query["scope"].split(' ').collect();
        assert_eq!(scopes[..2], ["https://graph.example/User.Read", "https://graph.example/Mail.ReadWrite"]);
        assert!(scopes.contains(&"offline_access") && !query["scope"].contains("Shared"), "{scopes:?}");
        assert_eq!((query["client_id"].as_str(), query["state"].as_str()), ("app-id", "s1"));
        assert!(!made.as_str().contains("canary"));
    }

    #[test]
    fn shared_mailboxes_and_mail_servers_have_permissions_of_their_own() {
        let member = Wanted::Member("support@example.com".to_owned());
        let shared = link("t", Resource::Graph, &member).expect("a link");
        assert!(shared.as_str().contains("Mail.Send.Shared"), "{shared}");
        let servers = link("t", Resource::Mail, &Wanted::Anybody).expect("a link");
        assert!(servers.as_str().contains("IMAP.AccessAsUser.All"), "{servers}");
        assert!(!servers.as_str().contains("graph.example"), "{servers}");
    }

    #[test]
    fn personal_accounts_have_no_administrator() {
        assert_eq!(link("consumers", Resource::Graph, &Wanted::Anybody), None);
    }
}
