//! Somebody else's Entra ID and Google: `emulate` 0.8.0 from npm, as a process of its own.

use std::time::Duration;

use async_trait::async_trait;
use mintgate::oauth::app::App;
use mintgate::oauth::google::GoogleApp;
use mintgate::oauth::provider::MicrosoftApp;
use mintgate::web::call::HttpCall;
use tokio::net::TcpStream;
use tokio::process::Child;
use url::Url;

use super::installation::{CALLBACK_URL, url};
use super::peers::{folder_with, node};
use super::provider::{ACCOUNT, Provider};
use super::sign_in::{post_for_redirect, query_of};

/// The tenant of its accounts.
const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What it stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Microsoft,
    Google,
}

/// A running provider with one app and two accounts; it ends when this is dropped.
pub struct Emulate {
    _process: Child,
    _folder: tempfile::TempDir,
    url: Url,
    service: Service,
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
google:
  users:
    - { email: tickets@peer.example, name: Tickets, email_verified: true }
    - { email: other@peer.example, name: Other, email_verified: true }
  oauth_clients:
    - client_id: peer-app
      client_secret: peer-secret
      name: Mint
      redirect_uris: ["REDIRECT"]
"#;

impl Emulate {
    /// `None`, and said so, where it is not installed.
    pub async fn start() -> Option<Self> {
        Self::start_for(CALLBACK_URL).await
    }

    /// The same, for an app at another address.
    pub async fn start_for(redirect: &str) -> Option<Self> {
        Self::start_as(Service::Microsoft, redirect).await
    }

    /// Its Google signs id_tokens with a secret of its own, so that nobody can sign in; the rest works.
    pub async fn google() -> Option<Self> {
        Self::start_as(Service::Google, CALLBACK_URL).await
    }

    async fn start_as(service: Service, redirect: &str) -> Option<Self> {
        let peers = folder_with("emulate")?;
        let folder = tempfile::tempdir().expect("a folder");
        let seed = folder.path().join("seed.yaml");
        std::fs::write(&seed, SEED.replace("REDIRECT", redirect)).expect("written");
        let port = free_port();
        let name = if service == Service::Google { "google" } else { "microsoft" };
        let process = node(&peers)
            .arg(peers.join("node_modules/emulate/dist/index.js"))
            .args(["start", "--service", name, "--port", &port.to_string(), "--seed"])
            .arg(&seed)
            .current_dir(folder.path())
            .spawn()
            .expect("node starts");
        wait_for(port).await;
        let url = url(&format!("http://localhost:{port}"));
        Some(Self { _process: process, _folder: folder, url, service })
    }
}

#[async_trait]
impl Provider for Emulate {
    fn app(&self) -> App {
        let (client_id, client_secret) = ("peer-app".to_owned(), "peer-secret".into());
        let authority = self.url.clone();
        match self.service {
            Service::Google => App::Google(GoogleApp { client_id, client_secret, authority }),
            Service::Microsoft => App::Microsoft(MicrosoftApp {
                client_id,
                client_secret,
                secret_expires: None,
                tenant: TENANT.to_owned(),
                graph: authority.clone(),
                authority,
            }),
        }
    }

    /// Its page lists the accounts; choosing one posts the request's parameters back to it.
    async fn sign_in(&self, http: &dyn HttpCall, authorize: &Url) -> Url {
        let mut action = authorize.clone();
        action.set_path(match self.service {
            Service::Microsoft => "/oauth2/v2.0/authorize/callback",
            Service::Google => "/o/oauth2/v2/auth/callback",
        });
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
