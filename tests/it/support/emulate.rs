//! Somebody else's Entra ID: `emulate` 0.8.0 from npm, as a process of its own.

use std::time::Duration;

use async_trait::async_trait;
use mintgate::oauth::provider::MicrosoftApp;
use mintgate::web::call::HttpCall;
use tokio::net::TcpStream;
use tokio::process::Child;
use url::Url;

use super::installation::url;
use super::peers::{folder_with, node};
use super::provider::{ACCOUNT, Provider};
use super::sign_in::{post_for_redirect, query_of};

/// The tenant of its accounts.
const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A running provider with one app and two accounts; it ends when this is dropped.
pub struct Emulate {
    _process: Child,
    _folder: tempfile::TempDir,
    url: Url,
}

const SEED: &str = r#"
microsoft:
  users:
    - { email: tickets@peer.example, name: Tickets }
    - { email: other@peer.example, name: Other }
  oauth_clients:
    - client_id: peer-app
      client_secret: peer-secret
      name: Mint
      redirect_uris: ["REDIRECT"]
"#;

impl Emulate {
    /// `None`, and said so, where it is not installed.
    pub async fn start() -> Option<Self> {
        Self::start_for(super::installation::CALLBACK_URL).await
    }

    /// The same, for an app at another address.
    pub async fn start_for(redirect: &str) -> Option<Self> {
        let peers = folder_with("emulate")?;
        let folder = tempfile::tempdir().expect("a folder");
        let seed = folder.path().join("seed.yaml");
        std::fs::write(&seed, SEED.replace("REDIRECT", redirect)).expect("written");
        let port = free_port();
        let process = node(&peers)
            .arg(peers.join("node_modules/emulate/dist/index.js"))
            .args(["start", "--service", "microsoft", "--port", &port.to_string(), "--seed"])
            .arg(&seed)
            .current_dir(folder.path())
            .spawn()
            .expect("node starts");
        wait_for(port).await;
        Some(Self { _process: process, _folder: folder, url: url(&format!("http://localhost:{port}")) })
    }
}

#[async_trait]
impl Provider for Emulate {
    fn app(&self) -> MicrosoftApp {
        MicrosoftApp {
            client_id: "peer-app".to_owned(),
            client_secret: "peer-secret".into(),
            tenant: TENANT.to_owned(),
            authority: self.url.clone(),
            graph: self.url.clone(),
        }
    }

    /// Its page lists the accounts; choosing one posts the request's parameters back to it.
    async fn sign_in(&self, http: &dyn HttpCall, authorize: &Url) -> Url {
        let mut action = authorize.clone();
        action.set_path("/oauth2/v2.0/authorize/callback");
        action.set_query(None);
        let query = query_of(authorize);
        let mut fields: Vec<(&str, &str)> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
        fields.push(("email", ACCOUNT));
        post_for_redirect(http, &action, &fields).await
    }
}

/// It has to be told its port.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    listener.local_addr().expect("an address").port()
}

async fn wait_for(port: u16) {
    for _ in 0..300 {
        if TcpStream::connect(("localhost", port)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("emulate did not listen on port {port} within 30 s");
}
