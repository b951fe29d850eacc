//! What a token endpoint gives or refuses: the two token requests and their answers.
//!
//! Does not decide what a refusal means; that is `refresh` and `advice`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType};
use oauth2::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, EndpointNotSet, EndpointSet, PkceCodeVerifier,
    RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse,
    TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::base::clock::Timestamp;
use crate::base::secret::{ExposeSecret, SecretString};
use crate::oauth::app::App;
use crate::oauth::granted::short_names;
use crate::oauth::http::{Endpoint, EndpointError};
use crate::oauth::source::AccessToken;
use crate::web::call::HttpCall;

/// A lifetime that is not told (RFC 6749, section 5.1, only recommends it) is taken to be short.
const UNTOLD_LIFETIME: Duration = Duration::from_secs(600);

/// What the token endpoint gave.
#[derive(Debug)]
pub struct Grant {
    pub access: AccessToken,
    pub lifetime: Duration,
    /// `None`: the one used goes on being valid.
    pub refresh: Option<SecretString>,
    pub id_token: Option<SecretString>,
}

/// An OAuth error of the token endpoint. Only fields that are safe to show and to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// RFC 6749, section 5.2: `invalid_grant`, …; empty when it was no plain word.
    pub error: String,
    /// Microsoft's first `AADSTS` number; chooses wording, never a decision.
    pub code: Option<u32>,
    /// What Microsoft's support asks for.
    pub trace_id: Option<String>,
    pub correlation_id: Option<String>,
    pub timestamp: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        match self.code {
            Some(code) => write!(f, " (AADSTS{code})"),
            None => Ok(()),
        }
    }
}

impl Refusal {
    /// One line to copy for Microsoft's support.
    pub fn reference(&self) -> String {
        let mut line = self.to_string();
        let details =
            [("trace", &self.trace_id), ("correlation", &self.correlation_id), ("at", &self.timestamp)];
        for (name, detail) in details {
            if let Some(text) = detail {
                line.push_str(&format!(", {name} {text}"));
            }
        }
        line
    }
}

/// Why there is no grant.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    #[error("the token endpoint refused: {0}")]
    Refused(Refusal),
    #[error("the token endpoint gave no answer")]
    Endpoint(#[source] EndpointError),
    /// The text names no value of the answer: it may hold tokens.
    #[error("the token endpoint's answer cannot be understood: {what}")]
    Garbled { what: &'static str },
    #[error("the token endpoint is not the provider's own")]
    ForeignEndpoint,
}

/// Redeems an authorization code (RFC 6749, section 4.1.3; RFC 7636, section 4.5). `redirect_uri` must
/// be byte-equal to the one of the authorization request.
pub async fn redeem(
    http: &Arc<dyn HttpCall>,
    app: &App,
    token_url: &Url,
    code: &SecretString,
    verifier: &SecretString,
    redirect_uri: &Url,
    now: Timestamp,
) -> Result<Grant, GrantError> {
    let client = client(app, token_url)?.set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
    let answer = client
        .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
        .request_async(&Endpoint(Arc::clone(http)))
        .await;
    grant(answer, &[], now)
}

/// Asks for a new access token (RFC 6749, section 6). `scopes` must not go beyond what was granted.
pub async fn refresh(
    http: &Arc<dyn HttpCall>,
    app: &App,
    token_url: &Url,
    token: &SecretString,
    scopes: &[String],
    now: Timestamp,
) -> Result<Grant, GrantError> {
    let client = client(app, token_url)?;
    let answer = client
        .exchange_refresh_token(&RefreshToken::new(token.expose_secret().to_owned()))
        .add_scopes(scopes.iter().cloned().map(Scope::new))
        .request_async(&Endpoint(Arc::clone(http)))
        .await;
    grant(answer, scopes, now)
}

/// Asks for a token of the app's own (RFC 6749, section 4.4), which acts for nobody. It says that the provider takes
/// id and secret, and is dropped here.
pub async fn own_token(
    http: &Arc<dyn HttpCall>,
    app: &App,
    token_url: &Url,
    scope: String,
    now: Timestamp,
) -> Result<(), GrantError> {
    let client = client(app, token_url)?;
    let asked = client.exchange_client_credentials().add_scope(Scope::new(scope));
    let answer = asked.request_async(&Endpoint(Arc::clone(http))).await;
    grant(answer, &[], now).map(drop)
}

type Answer = StandardTokenResponse<Extra, BasicTokenType>;

type Client = oauth2::Client<
    ErrorBody,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

fn client(app: &App, token_url: &Url) -> Result<Client, GrantError> {
    if !app.owns(token_url) {
        return Err(GrantError::ForeignEndpoint);
    }
    let client = oauth2::Client::new(ClientId::new(app.client_id().to_owned()))
        .set_client_secret(ClientSecret::new(app.client_secret().expose_secret().to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(TokenUrl::from_url(token_url.clone()));
    Ok(client)
}

fn grant(
    answer: Result<Answer, RequestTokenError<EndpointError, ErrorBody>>,
    asked: &[String],
    now: Timestamp,
) -> Result<Grant, GrantError> {
    let answer = answer.map_err(|error| match error {
        RequestTokenError::ServerResponse(body) => GrantError::Refused(body.refusal()),
        RequestTokenError::Request(source) => GrantError::Endpoint(source),
        RequestTokenError::Parse(..) => GrantError::Garbled { what: "a token or an error" },
        RequestTokenError::Other(_) => GrantError::Garbled { what: "an answer with a body" },
    })?;
    if *answer.token_type() != BasicTokenType::Bearer {
        return Err(GrantError::Garbled { what: "a token of type bearer" });
    }
    let lifetime = answer.expires_in().unwrap_or(UNTOLD_LIFETIME);
    // Left out means as asked (RFC 6749, section 5.1).
    let scopes = match answer.scopes() {
        Some(scopes) => short_names(scopes.iter().map(|scope| scope.as_str())),
        None => short_names(asked.iter().map(String::as_str)),
    };
    Ok(Grant {
        access: AccessToken {
            secret: SecretString::from(answer.access_token().secret().as_str()),
            expires_at: now + lifetime,
            scopes,
        },
        lifetime,
        refresh: answer.refresh_token().map(|token| SecretString::from(token.secret().as_str())),
        id_token: answer.extra_fields().id_token.as_deref().map(SecretString::from),
    })
}

#[derive(Serialize, Deserialize)]
struct Extra {
    id_token: Option<String>,
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extra(…)")
    }
}

impl oauth2::ExtraTokenFields for Extra {}

/// The error answer as Entra ID shapes it. `error_description` is left unread: it may quote input.
#[derive(Debug, Serialize, Deserialize)]
struct ErrorBody {
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    trace_id: Option<String>,
    correlation_id: Option<String>,
    timestamp: Option<String>,
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an OAuth error")
    }
}

impl oauth2::ErrorResponse for ErrorBody {}

impl ErrorBody {
    fn refusal(self) -> Refusal {
        Refusal {
            error: plain_word(&self.error).unwrap_or_default().to_owned(),
            code: self.error_codes.first().copied(),
            trace_id: self.trace_id.filter(|text| is_identifier(text)),
            correlation_id: self.correlation_id.filter(|text| is_identifier(text)),
            timestamp: self.timestamp.filter(|text| is_identifier(text)),
        }
    }
}

/// `text` if it is an OAuth error code: lower-case letters, digits and underscores, 64 at most.
pub fn plain_word(text: &str) -> Option<&str> {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then_some(text)
}

fn is_identifier(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b' ' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn read(json: &str) -> Result<Grant, GrantError> {
        let answer: Answer = serde_json::from_str(json).expect("an answer");
        grant(Ok(answer), &["Mail.Send".to_owned()], NOW)
    }

    #[test]
    fn a_bearer_token_is_taken_in_any_letter_case() {
        for kind in ["Bearer", "bearer", "BEARER"] {
            let grant = read(&format!(r#"{{"access_token":"a","token_type":"{kind}","expires_in":60}}"#));
            let grant = grant.expect("a grant");
            assert_eq!(grant.access.expires_at, Timestamp(1_060_000));
            assert_eq!(grant.access.scopes, ["mail.send"]);
            assert!(grant.refresh.is_none());
        }
    }

    #[test]
    fn a_token_of_another_type_is_refused() {
        let refused = read(r#"{"access_token":"a","token_type":"mac"}"#);
        assert!(matches!(refused, Err(GrantError::Garbled { .. })));
    }

    #[test]
    fn only_plain_parts_of_a_refusal_are_kept() {
        let body: ErrorBody = serde_json::from_str(
            r#"{"error":"invalid_grant","error_description":"<b>x</b>","error_codes":[70008],
                "trace_id":"0a1b-2c","correlation_id":"<script>","timestamp":"2026-11-21 01:02:03Z"}"#,
        )
        .expect("a body");
        let refusal = body.refusal();
        assert_eq!(refusal.to_string(), "invalid_grant (AADSTS70008)");
        assert_eq!(refusal.trace_id.as_deref(), Some("0a1b-2c"));
        assert_eq!(refusal.correlation_id, None);
    }

    #[test]
    fn a_grant_does_not_show_its_secrets() {
        let grant = read(
            r#"{"access_token":"canary-a","token_type":"bearer","refresh_token":"canary-r","id_token":"canary-i"}"#,
        );
        assert!(!format!("{grant:?}").contains("canary"));
    }
}
