//! Where the provider's endpoints are, by its own OpenID Connect metadata.
//!
//! The metadata is not trusted to lead away: every endpoint must be on the authority's own origin.

use serde::Deserialize;
use url::Url;

use crate::oauth::http::{EndpointError, get_json};
use crate::oauth::provider::{Endpoints, MicrosoftApp};
use crate::web::call::HttpCall;

/// Why the endpoints are not known.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    #[error("the metadata of tenant `{tenant}` cannot be read")]
    Unreadable { tenant: String, source: EndpointError },
    #[error("the provider's metadata names a {what} on another origin than the authority's")]
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
    /// Microsoft supports S256 and leaves this out.
    code_challenge_methods_supported: Option<Vec<String>>,
}

/// Asks the tenant of `app` for its endpoints.
pub async fn discover(http: &dyn HttpCall, app: &MicrosoftApp) -> Result<Endpoints, DiscoveryError> {
    let metadata = get_json(http, &app.metadata_url(), None).await;
    let metadata =
        metadata.map_err(|source| DiscoveryError::Unreadable { tenant: app.tenant.clone(), source })?;
    check(metadata, app)
}

fn check(metadata: Metadata, app: &MicrosoftApp) -> Result<Endpoints, DiscoveryError> {
    let endpoints = [
        ("sign-in page", &metadata.authorization_endpoint),
        ("token endpoint", &metadata.token_endpoint),
        ("key set", &metadata.jwks_uri),
    ];
    for (what, url) in endpoints {
        if !app.is_at_authority(url) {
            return Err(DiscoveryError::Elsewhere { what });
        }
    }
    let methods = &metadata.code_challenge_methods_supported;
    if methods.as_ref().is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
        return Err(DiscoveryError::NoPkce);
    }
    Ok(Endpoints {
        authorize: metadata.authorization_endpoint,
        token: metadata.token_endpoint,
        keys: metadata.jwks_uri,
        issuer: metadata.issuer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> MicrosoftApp {
        MicrosoftApp {
            client_id: "app".into(),
            client_secret: "secret".into(),
            tenant: "contoso.example".into(),
            authority: Url::parse("https://login.example").expect("a URL"),
            graph: Url::parse("https://graph.example").expect("a URL"),
        }
    }

    fn metadata(token: &str, methods: Option<&[&str]>) -> Metadata {
        let url = |text: &str| Url::parse(text).expect("a URL");
        Metadata {
            issuer: "https://login.example/1/v2.0".into(),
            authorization_endpoint: url("https://login.example/1/authorize"),
            token_endpoint: url(token),
            jwks_uri: url("https://login.example/1/keys"),
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
}
