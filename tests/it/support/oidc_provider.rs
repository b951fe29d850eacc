//! A certified OpenID provider: `oidc-provider` 9.13.3 from npm, as a process of its own. Stricter than
//! Microsoft: whoever uses a refresh token twice loses the whole grant.

use std::path::Path;
use std::process::Stdio;

use async_trait::async_trait;
use mintgate::oauth::app::App;
use mintgate::oauth::google::GoogleApp;
use mintgate::oauth::provider::MicrosoftApp;
use mintgate::web::call::HttpCall;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin};
use url::Url;

use super::follow::follow;
use super::installation::{CALLBACK_URL, url};
use super::peers::{folder_with, node};
use super::provider::{ACCOUNT, Provider};

/// What it is made to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Microsoft,
    Google,
    /// Whoever signs in leaves the box about mail unticked.
    GoogleUnticked,
    /// Whoever signs in does not agree.
    GoogleDenied,
}

/// A running provider with one app; it ends when this is dropped.
pub struct OidcProvider {
    _process: Child,
    // It also ends by itself when nobody holds this any more.
    _input: ChildStdin,
    url: Url,
    shape: Shape,
}

impl OidcProvider {
    /// `None`, and said so, where it is not installed.
    pub async fn start() -> Option<Self> {
        Self::start_as(Shape::Microsoft, ACCOUNT, CALLBACK_URL).await
    }

    /// As Google is: one place for everything, an address in the id_token, no rotation, revocation.
    pub async fn google() -> Option<Self> {
        Self::google_for(ACCOUNT).await
    }

    /// The same where `account` signs in.
    pub async fn google_for(account: &str) -> Option<Self> {
        Self::start_as(Shape::Google, account, CALLBACK_URL).await
    }

    pub async fn google_without_mail() -> Option<Self> {
        Self::start_as(Shape::GoogleUnticked, ACCOUNT, CALLBACK_URL).await
    }

    /// Where whoever knows the app's secret asks about tokens (RFC 7662).
    pub fn introspection_url(&self) -> Url {
        self.url.join("/token/introspection").expect("a URL")
    }

    /// The words by which Dovecot asks it about tokens.
    pub fn asking(&self) -> String {
        format!(
            "introspection_mode = post\nintrospection_url = {}\nclient_id = peer-app\n\
             client_secret = peer-secret\nusername_attribute = sub\nactive_attribute = active\n\
             active_value = true\nscope = https://mail.google.com/\ntimeout_msecs = 3000\n",
            self.introspection_url()
        )
    }

    /// Where `account` signs in, for an app whose browsers come back to `redirect`.
    pub async fn start_as(shape: Shape, account: &str, redirect: &str) -> Option<Self> {
        let peers = folder_with("oidc-provider")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/oidc_provider.mjs");
        let mut process = node(&peers)
            .arg(script)
            .arg(&peers)
            .arg(match shape {
                Shape::Microsoft => "microsoft",
                Shape::Google => "google",
                Shape::GoogleUnticked => "google-unticked",
                Shape::GoogleDenied => "google-denied",
            })
            .args([account, redirect])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let input = process.stdin.take().expect("piped");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let port = lines.next_line().await.expect("readable").expect("it tells its port");
        let url = url(&format!("http://127.0.0.1:{port}"));
        Some(Self { _process: process, _input: input, url, shape })
    }
}

#[async_trait]
impl Provider for OidcProvider {
    fn app(&self) -> App {
        let (client_id, client_secret) = ("peer-app".to_owned(), "peer-secret".into());
        let authority = self.url.clone();
        match self.shape {
            Shape::Google | Shape::GoogleUnticked | Shape::GoogleDenied => {
                App::Google(GoogleApp { client_id, client_secret, authority })
            }
            Shape::Microsoft => App::Microsoft(MicrosoftApp {
                client_id,
                client_secret,
                secret_expires: None,
                tenant: "peer.example".to_owned(),
                graph: authority.clone(),
                authority,
            }),
        }
    }

    /// Its pages agree by themselves; the browser only follows.
    async fn sign_in(&self, http: &dyn HttpCall, authorize: &Url) -> Url {
        follow(http, authorize).await
    }
}
