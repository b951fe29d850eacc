//! A certified OpenID provider: `oidc-provider` 9.13.3 from npm, as a process of its own. Stricter than
//! Microsoft: whoever uses a refresh token twice loses the whole grant.

use std::path::Path;
use std::process::Stdio;

use async_trait::async_trait;
use mintgate::oauth::provider::MicrosoftApp;
use mintgate::web::call::HttpCall;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin};
use url::Url;

use super::follow::follow;
use super::installation::url;
use super::peers::{folder_with, node};
use super::provider::Provider;

/// A running provider with one app; it ends when this is dropped.
pub struct OidcProvider {
    _process: Child,
    // It also ends by itself when nobody holds this any more.
    _input: ChildStdin,
    url: Url,
}

impl OidcProvider {
    /// `None`, and said so, where it is not installed.
    pub async fn start() -> Option<Self> {
        let peers = folder_with("oidc-provider")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/oidc_provider.mjs");
        let mut process = node(&peers)
            .arg(script)
            .arg(&peers)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let input = process.stdin.take().expect("piped");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let port = lines.next_line().await.expect("readable").expect("it tells its port");
        Some(Self { _process: process, _input: input, url: url(&format!("http://127.0.0.1:{port}")) })
    }
}

#[async_trait]
impl Provider for OidcProvider {
    fn app(&self) -> MicrosoftApp {
        MicrosoftApp {
            client_id: "peer-app".to_owned(),
            client_secret: "peer-secret".into(),
            tenant: "peer.example".to_owned(),
            authority: self.url.clone(),
            graph: self.url.clone(),
        }
    }

    /// Its pages agree by themselves; the browser only follows.
    async fn sign_in(&self, http: &dyn HttpCall, authorize: &Url) -> Url {
        follow(http, authorize).await
    }
}
