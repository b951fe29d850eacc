//! The authorization code flow as states: [`Start`] → [`Pending`] → [`Parked`] → [`Exchange`].
//!
//! A state that was used is gone. Does not store and does not call: the console seals what it keeps,
//! and [`Exchange::redeem`] is given the way to call.

use std::sync::Arc;
use std::time::Duration;

use oauth2::PkceCodeChallenge;
use oauth2::PkceCodeVerifier;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use crate::base::clock::Timestamp;
use crate::base::id::{random_token, short_id};
use crate::base::secret::{ExposeSecret, SecretString, equal_in_constant_time, sha256};
use crate::oauth::app::{App, Vendor};
use crate::oauth::callback::{Answer, Callback};
use crate::oauth::grant::{Grant, GrantError, redeem};
use crate::oauth::provider::Endpoints;
use crate::oauth::source::Resource;
use crate::web::call::HttpCall;

/// How long an admin has to sign in at the provider.
pub const FLOW_LIFETIME: Duration = Duration::from_secs(600);

/// How long a parked answer waits for the browser to come back with its session.
pub const PARKED_LIFETIME: Duration = Duration::from_secs(60);

/// Why a callback or a completion does not fit its flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    #[error("the flow has expired")]
    Expired,
    #[error("the callback's state is not the flow's")]
    OtherState,
    #[error("the callback names another issuer than the flow's provider")]
    OtherIssuer,
    #[error("the session is not the one that started the flow")]
    OtherSession,
    #[error("a stored flow cannot be understood")]
    Garbled,
}

/// Whose sign-in a flow waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// Whoever signs in brings the own mailbox.
    Anybody,
    /// The account of this address; nobody else's is accepted.
    Owner(String),
    /// Anybody who may open the shared mailbox of this address.
    Member(String),
}

/// What an admin's wish to connect is made of.
pub struct Start {
    /// Exactly as registered at the provider.
    pub redirect_uri: Url,
    pub wanted: Wanted,
    /// What the mailbox is opened by.
    pub resource: Resource,
    /// [`crate::web::local::Admin::session`] of the admin who started.
    pub session: [u8; 32],
}

/// A flow whose browser is at the provider.
#[derive(Serialize, Deserialize)]
pub struct Pending {
    /// Shown in URLs; not a secret.
    pub id: String,
    #[serde(default)]
    pub vendor: Vendor,
    #[serde(default)]
    resource: Resource,
    state: String,
    verifier: String,
    nonce: String,
    redirect_uri: Url,
    endpoints: Endpoints,
    pub wanted: Wanted,
    session: [u8; 32],
    started_at: i64,
}

/// What the provider decided, waiting for the browser that started the flow.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Code(String),
    Refused { error: String, code: Option<u32> },
}

/// A provider's answer that belongs to its flow, for [`PARKED_LIFETIME`].
#[derive(Serialize, Deserialize)]
pub struct Parked {
    decision: Decision,
    parked_at: i64,
}

/// What came of a flow whose browser is back.
pub enum Outcome {
    Exchange(Box<Exchange>),
    /// See [`crate::oauth::advice`].
    Refused {
        vendor: Vendor,
        resource: Resource,
        wanted: Wanted,
        error: String,
        code: Option<u32>,
    },
}

/// A code that may be redeemed once.
pub struct Exchange {
    code: SecretString,
    verifier: SecretString,
    redirect_uri: Url,
    pub vendor: Vendor,
    pub resource: Resource,
    pub endpoints: Endpoints,
    /// What the id_token's `nonce` must be.
    pub nonce: SecretString,
    pub wanted: Wanted,
}

impl Start {
    /// Makes the flow and the provider's URL that begins it. 256 random bits each in state, nonce and
    /// verifier; PKCE is always S256.
    pub fn begin(self, app: &App, endpoints: Endpoints, now: Timestamp) -> (Pending, Url) {
        let pending = Pending {
            id: short_id(),
            vendor: app.vendor(),
            resource: self.resource,
            state: random_token(),
            verifier: random_token(),
            nonce: random_token(),
            redirect_uri: self.redirect_uri,
            endpoints,
            wanted: self.wanted,
            session: self.session,
            started_at: now.0,
        };
        let url = pending.authorize_url(app);
        (pending, url)
    }
}

impl Pending {
    /// SHA-256 of the state; what the flow is looked up by.
    pub fn state_hash(&self) -> [u8; 32] {
        sha256(self.state.as_bytes())
    }

    pub fn expires_at(&self) -> Timestamp {
        Timestamp(self.started_at) + FLOW_LIFETIME
    }

    /// The bytes to seal.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).expect("a flow is plain JSON"))
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FlowError> {
        serde_json::from_slice(bytes).map_err(|_| FlowError::Garbled)
    }

    /// Takes the provider's answer. The flow itself stays stored until [`Pending::complete`].
    pub fn accept(&self, callback: Callback, now: Timestamp) -> Result<Parked, FlowError> {
        if now >= self.expires_at() {
            return Err(FlowError::Expired);
        }
        if !equal_in_constant_time(callback.state.expose_secret().as_bytes(), self.state.as_bytes()) {
            return Err(FlowError::OtherState);
        }
        // RFC 9207, section 2.4: an issuer that is named must be the expected one.
        if callback.issuer.is_some_and(|issuer| issuer != self.endpoints.issuer) {
            return Err(FlowError::OtherIssuer);
        }
        let decision = match callback.answer {
            Answer::Code(code) => Decision::Code(code.expose_secret().to_owned()),
            Answer::Error { error, code } => Decision::Refused { error, code },
        };
        Ok(Parked { decision, parked_at: now.0 })
    }

    /// The browser is back with its session: the flow ends here, whatever comes of it.
    pub fn complete(self, parked: Parked, session: &[u8; 32], now: Timestamp) -> Result<Outcome, FlowError> {
        if !equal_in_constant_time(session, &self.session) {
            return Err(FlowError::OtherSession);
        }
        if now >= Timestamp(parked.parked_at) + PARKED_LIFETIME {
            return Err(FlowError::Expired);
        }
        Ok(match parked.decision {
            Decision::Code(code) => Outcome::Exchange(Box::new(Exchange {
                code: SecretString::from(code),
                verifier: SecretString::from(self.verifier),
                redirect_uri: self.redirect_uri,
                vendor: self.vendor,
                resource: self.resource,
                endpoints: self.endpoints,
                nonce: SecretString::from(self.nonce),
                wanted: self.wanted,
            })),
            Decision::Refused { error, code } => Outcome::Refused {
                vendor: self.vendor,
                resource: self.resource,
                wanted: self.wanted,
                error,
                code,
            },
        })
    }

    fn authorize_url(&self, app: &App) -> Url {
        let verifier = PkceCodeVerifier::new(self.verifier.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let scopes = self.vendor.asked(self.resource, &self.wanted);
        let mut url = self.endpoints.authorize.clone();
        url.query_pairs_mut()
            .append_pair("client_id", app.client_id())
            .append_pair("response_type", "code")
            .append_pair("response_mode", "query")
            .append_pair("redirect_uri", self.redirect_uri.as_str())
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", challenge.method().as_str());
        url.query_pairs_mut().extend_pairs(self.vendor.extras(&self.wanted));
        url
    }
}

impl Parked {
    /// The bytes to seal.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).expect("a parked answer is plain JSON"))
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FlowError> {
        serde_json::from_slice(bytes).map_err(|_| FlowError::Garbled)
    }
}

impl Exchange {
    /// Redeems the code; it is spent whatever the answer is.
    pub async fn redeem(
        self,
        http: &Arc<dyn HttpCall>,
        app: &App,
        now: Timestamp,
    ) -> Result<Grant, GrantError> {
        redeem(http, app, &self.endpoints.token, &self.code, &self.verifier, &self.redirect_uri, now).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::oauth::google::GoogleApp;
    use crate::oauth::provider::{MicrosoftApp, SHARED_SCOPES};

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const SESSION: [u8; 32] = [7; 32];

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    fn begin(wanted: Wanted) -> (Pending, HashMap<String, String>) {
        begin_at(&microsoft(), Resource::Graph, wanted)
    }

    fn microsoft() -> App {
        App::Microsoft(MicrosoftApp {
            client_id: "app-id".into(),
            client_secret: "canary".into(),
            secret_expires: None,
            tenant: "contoso.example".into(),
            authority: url("https://login.example"),
            graph: url("https://graph.example"),
        })
    }

    fn begin_at(app: &App, resource: Resource, wanted: Wanted) -> (Pending, HashMap<String, String>) {
        let endpoints = Endpoints {
            authorize: url("https://login.example/1/authorize"),
            token: url("https://login.example/1/token"),
            keys: url("https://login.example/1/keys"),
            revoke: None,
            issuer: "https://login.example/1/v2.0".into(),
        };
        let start = Start {
            redirect_uri: url("https://desk.example.com/admin/exchange/callback"),
            wanted,
            resource,
            session: SESSION,
        };
        let (pending, url) = start.begin(app, endpoints, NOW);
        (pending, url.query_pairs().into_owned().collect())
    }

    fn callback(query: &HashMap<String, String>, more: &str) -> Callback {
        Callback::parse(&format!("state={}&{more}", query["state"])).expect("a callback")
    }

    #[test]
    fn the_provider_sees_a_challenge_and_never_the_verifier() {
        let (pending, query) = begin(Wanted::Anybody);
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["redirect_uri"], "https://desk.example.com/admin/exchange/callback");
        assert_eq!(query["prompt"], "select_account");
        assert!(query["scope"].split(' ').any(|scope| scope == "offline_access"));
        assert!(!query.values().any(|value| value.contains(&pending.verifier) || value == "canary"));
        assert!((43..=128).contains(&pending.verifier.len()));
    }

    #[test]
    fn for_a_shared_mailbox_a_member_chooses_the_account() {
        let (_, query) = begin(Wanted::Member("support@example.com".to_owned()));
        assert_eq!(query["prompt"], "select_account");
        assert!(!query.contains_key("login_hint"), "nobody signs in as the mailbox itself");
        for scope in SHARED_SCOPES {
            assert!(query["scope"].split(' ').any(|asked| asked == scope), "{scope}");
        }
    }

    #[test]
    fn a_flow_remembers_its_provider_and_what_opens_the_mailbox() {
        let authority = url("https://accounts.example");
        let app =
            App::Google(GoogleApp { client_id: "app".into(), client_secret: "canary".into(), authority });
        let (pending, query) = begin_at(&app, Resource::Mail, Wanted::Anybody);
        assert_eq!(
            (query["access_type"].as_str(), query["prompt"].as_str()),
            ("offline", "select_account consent")
        );
        assert_eq!(query["scope"], "https://mail.google.com/ openid email");
        let parked = pending.accept(callback(&query, "code=abc"), NOW).expect("accepted");
        let pending = Pending::from_bytes(&pending.to_bytes()).expect("a flow");
        let outcome = pending.complete(parked, &SESSION, NOW).expect("complete");
        let Outcome::Exchange(exchange) = outcome else { panic!("an exchange") };
        assert_eq!((exchange.vendor, exchange.resource), (Vendor::Google, Resource::Mail));
    }

    #[test]
    fn two_flows_share_nothing_secret() {
        let ((one, first), (two, second)) =
            (begin(Wanted::Anybody), begin(Wanted::Owner("t@example.com".to_owned())));
        for name in ["state", "nonce", "code_challenge"] {
            assert_ne!(first[name], second[name]);
        }
        assert_ne!(one.id, two.id);
        assert_eq!(second["login_hint"], "t@example.com");
    }

    #[test]
    fn the_session_that_started_gets_the_code() {
        let (pending, query) = begin(Wanted::Anybody);
        let parked = pending.accept(callback(&query, "code=abc"), NOW).expect("accepted");
        let (pending, parked) = (
            Pending::from_bytes(&pending.to_bytes()).expect("a flow"),
            Parked::from_bytes(&parked.to_bytes()).expect("an answer"),
        );
        let outcome = pending.complete(parked, &SESSION, NOW).expect("complete");
        let Outcome::Exchange(exchange) = outcome else { panic!("an exchange") };
        assert_eq!(exchange.code.expose_secret(), "abc");
        assert_eq!(exchange.nonce.expose_secret(), query["nonce"]);
    }

    #[test]
    fn another_session_is_refused() {
        let (pending, query) = begin(Wanted::Anybody);
        let parked = pending.accept(callback(&query, "code=abc"), NOW).expect("accepted");
        assert_eq!(pending.complete(parked, &[8; 32], NOW).err(), Some(FlowError::OtherSession));
    }

    #[test]
    fn a_state_of_another_flow_is_refused() {
        let ((pending, _), (_, other)) = (begin(Wanted::Anybody), begin(Wanted::Anybody));
        assert_eq!(pending.accept(callback(&other, "code=abc"), NOW).err(), Some(FlowError::OtherState));
    }

    #[test]
    fn an_issuer_that_is_named_must_be_the_providers() {
        let (pending, query) = begin(Wanted::Anybody);
        let right = callback(&query, "code=abc&iss=https://login.example/1/v2.0");
        assert!(pending.accept(right, NOW).is_ok());
        let wrong = callback(&query, "code=abc&iss=https://evil.example");
        assert_eq!(pending.accept(wrong, NOW).err(), Some(FlowError::OtherIssuer));
    }

    #[test]
    fn a_flow_ends_after_ten_minutes_and_a_parked_code_after_one() {
        let (pending, query) = begin(Wanted::Anybody);
        let late = NOW + Duration::from_secs(600);
        assert_eq!(pending.accept(callback(&query, "code=abc"), late).err(), Some(FlowError::Expired));
        let parked = pending.accept(callback(&query, "code=abc"), NOW).expect("accepted");
        let late = NOW + Duration::from_secs(60);
        assert_eq!(pending.complete(parked, &SESSION, late).err(), Some(FlowError::Expired));
    }
}
