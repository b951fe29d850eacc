//! Somebody else's Entra ID: `emulate` 0.8.0 from npm, as a process of its own.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use url::Url;

use super::installation::url;

/// The tenant of its accounts.
pub const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A running provider with one app and two accounts; it ends when this is dropped.
pub struct Emulate {
    _process: Child,
    _folder: tempfile::TempDir,
    pub url: Url,
}

const SEED: &str = r#"
microsoft:
  users:
    - { email: tickets@emulate.example, name: Tickets }
    - { email: other@emulate.example, name: Other }
  oauth_clients:
    - client_id: emulate-app
      client_secret: emulate-secret
      name: Mint
      redirect_uris: [https://desk.example.com/admin/exchange/callback]
"#;

impl Emulate {
    /// `None`, and said so, where it is not installed and cannot be.
    pub async fn start() -> Option<Self> {
        let command = installed().await?;
        let folder = tempfile::tempdir().expect("a folder");
        let seed = folder.path().join("seed.yaml");
        std::fs::write(&seed, SEED).expect("written");
        let port = free_port();
        let process = Command::new(command.join("node_modules/.bin/node"))
            .arg(command.join("node_modules/emulate/dist/index.js"))
            .args(["start", "--service", "microsoft", "--port", &port.to_string(), "--seed"])
            .arg(&seed)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        wait_for(port).await;
        Some(Self { _process: process, _folder: folder, url: url(&format!("http://localhost:{port}")) })
    }
}

/// The folder where the peers are installed by npm.
async fn installed() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"));
    let folder = std::env::var_os("MINTGATE_PEERS").map_or_else(|| target.join("peers"), PathBuf::from);
    let is_there = || {
        let modules = folder.join("node_modules");
        modules.join("emulate/dist/index.js").is_file() && modules.join(".bin/node").exists()
    };
    if is_there() {
        return Some(folder);
    }
    let install = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"])
        .arg(&folder)
        .args(["emulate@0.8.0", "node@20"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match install.await {
        Ok(status) if status.success() && is_there() => Some(folder),
        Ok(status) => {
            println!("skipped: npm could not install emulate@0.8.0 ({status})");
            None
        }
        Err(error) => {
            println!("skipped: emulate@0.8.0 is not installed and npm is not there ({error})");
            None
        }
    }
}

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
