//! `mintgate demo` as somebody starts it who wants to look around.

use std::process::Command;

use serde_json::Value;

use super::process::{Process, eventually};

/// A running demo; it ends when this is dropped.
pub struct Demo {
    /// Origin of the helpdesk behind the gateway.
    pub public: String,
    /// The customer's page.
    pub webmail: String,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Demo {
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("mintgate-demo").tempdir().expect("a folder");
        let file = folder.path().join("addresses.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_mintgate"));
        command.args(["demo", "--http-port", "0", "--https-port", "0", "--data"]);
        command.arg(folder.path().join("data")).arg("--addresses").arg(&file);
        let process = Process::start(&mut command, &folder.path().join("output"));
        let addresses = eventually("the demo's addresses", async || std::fs::read(&file).ok()).await;
        let addresses: Value = serde_json::from_slice(&addresses).expect("JSON");
        let address = |name: &str| addresses[name].as_str().expect("an address").to_owned();
        Self { public: address("public"), webmail: address("webmail"), _process: process, _folder: folder }
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.public)
    }
}
