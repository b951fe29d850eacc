//! Where the provider's endpoints are, by its own OpenID Connect metadata.
//!
//! The metadata is not trusted to lead away: every endpoint must be the provider's own.

use serde::Deserialize;
use url::Url;

use crate::oauth::app::App;
use crate::oauth::http::{EndpointError, get_json};
use crate::oauth::provider::Endpoints;
use crate::web::call::HttpCall;

/// Why the endpoints are not known.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    #[error("the metadata at `{url}` cannot be read")]
    Unreadable { url: String, source: EndpointError },
    #[error("the provider's metadata names a {what} that is not its own")]
    Elsewhere { what: &'static str },
    #[error("the provider does not support PKCE with S256")]
    NoPkce,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    revocation_endpoint: Option<Url>,
    /// Microsoft supports S256 and leaves this out.
    code_challenge_methods_supported: Option<Vec<String>>,
}

/// Asks the provider of `app` for its endpoints.
pub async fn discover(http: &dyn HttpCall, app: &App) -> Result<Endpoints, DiscoveryError> {
    let url = app.metadata_url();
    let metadata = get_json(http, &url, None).await;
    let metadata = metadata.map_err(|source| DiscoveryError::Unreadable { url: url.into(), source })?;
    check(metadata, app)
}

fn check(metadata: Metadata, app: &App) -> Result<Endpoints, DiscoveryError> {
    let endpoints = [
        ("sign-in page", Some(&metadata.authorization_endpoint)),
        ("token endpoint", Some(&metadata.token_endpoint)),
        ("key set", Some(&metadata.jwks_uri)),
        ("revocation endpoint", metadata.revocation_endpoint.as_ref()),
    ];
    for (what, url) in endpoints {
        if url.is_some_and(|url| !app.owns(url)) {
            return Err(DiscoveryError::Elsewhere { what });
        }
    }
    if !app.may_issue(&metadata.issuer) {
        return Err(DiscoveryError::Elsewhere { what: "issuer" });
    }
    let methods = &metadata.code_challenge_methods_supported;
    if methods.as_ref().is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
        return Err(DiscoveryError::NoPkce);
    }
    Ok(Endpoints {
        authorize: metadata.authorization_endpoint,
        token: metadata.token_endpoint,
        keys: metadata.jwks_uri,
        revoke: metadata.revocation_endpoint,
        issuer: metadata.issuer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::google::GoogleApp;
    use crate::oauth::provider::MicrosoftApp;

    fn app() -> App {
        App::Microsoft(MicrosoftApp {
            client_id: "app".into(),
            client_secret: "secret".into(),
            secret_expires: None,
            tenant: "contoso.example".into(),
            authority: Url::parse("https://login.example").expect("a URL"),
            graph: Url::parse("https://graph.example").expect("a URL"),
        })
    }

    fn metadata(token: &str, methods: Option<&[&str]>) -> Metadata {
        let url = |text: &str| Url::parse(text).expect("a URL");
        Metadata {
            issuer: "https://login.example/1/v2.0".into(),
            authorization_endpoint: url("https://login.example/1/authorize"),
            token_endpoint: url(token),
            jwks_uri: url("https://login.example/1/keys"),
            revocation_endpoint: None,
            code_challenge_methods_supported: methods
                .map(|methods| methods.iter().map(|&method| method.to_owned()).collect()),
        }
    }

    #[test]
    fn endpoints_on_the_authority_are_taken() {
        let endpoints = check(metadata("https://login.example/1/token", None), &app()).expect("taken");
        assert_eq!(endpoints.token.as_str(), "https://login.example/1/token");
    }

    #[test]
    fn a_token_endpoint_elsewhere_never_sees_the_secret() {
        for token in
            ["https://evil.example/token", "http://login.example/token", "https://login.example:444/t"]
        {
            let refused = check(metadata(token, None), &app());
            assert!(matches!(refused, Err(DiscoveryError::Elsewhere { what: "token endpoint" })), "{token}");
        }
    }

    #[test]
    fn a_provider_without_s256_is_refused() {
        let refused = check(metadata("https://login.example/1/token", Some(&["plain"])), &app());
        assert!(matches!(refused, Err(DiscoveryError::NoPkce)));
    }

    /// As https://accounts.google.com/.well-known/openid-configuration answers.
    const GOOGLES: &str = r#"{"issuer":"https://accounts.google.com",
        "authorization_endpoint":"https://accounts.google.com/o/oauth2/v2/auth",
        "token_endpoint":"https://oauth2.googleapis.com/token",
        "userinfo_endpoint":"https://openidconnect.googleapis.com/v1/userinfo",
        "revocation_endpoint":"https://oauth2.googleapis.com/revoke",
        "jwks_uri":"https://www.googleapis.com/oauth2/v3/certs",
        "code_challenge_methods_supported":["plain","S256"]}"#;

    fn googles(from: &str, to: &str) -> Result<Endpoints, DiscoveryError> {
        let authority = Url::parse("https://accounts.google.com").expect("a URL");
        let app = GoogleApp { client_id: "app".into(), client_secret: "secret".into(), authority };
        let metadata = serde_json::from_str(&GOOGLES.replace(from, to)).expect("metadata");
        check(metadata, &App::Google(app))
    }

    #[test]
    fn googles_endpoints_on_three_hosts_are_taken() {
        let endpoints = googles("", "").expect("taken");
        assert_eq!(endpoints.revoke.expect("one").as_str(), "https://oauth2.googleapis.com/revoke");
    }

    #[test]
    fn googles_metadata_leads_nowhere_else() {
        for (from, to, expected) in [
            ("oauth2.googleapis.com/token", "evil.example/token", "token endpoint"),
            ("www.googleapis.com", "storage.googleapis.com", "key set"),
            ("oauth2.googleapis.com/revoke", "evil.example/revoke", "revocation endpoint"),
            ("\"https://accounts.google.com\"", "\"https://evil.example\"", "issuer"),
        ] {
            let refused = googles(from, to);
            assert!(
                matches!(refused, Err(DiscoveryError::Elsewhere { what }) if what == expected),
                "{expected}"
            );
        }
    }
}
