//! Where `scripts/peers.sh` puts other people's identity providers, and how one of them is started.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use super::skip::skip;

/// The folder that holds the npm package `package` and a Node to run it; `None`, and said so, where they
/// are not installed.
pub fn folder_with(package: &str) -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"));
    let folder = std::env::var_os("MINTGATE_PEERS").map_or_else(|| target.join("peers"), PathBuf::from);
    let modules = folder.join("node_modules");
    if modules.join(package).is_dir() && modules.join(".bin/node").exists() {
        return Some(folder);
    }
    skip(&format!("{package} is not installed (scripts/peers.sh installs it)"));
    None
}

/// The peers' own Node; a process that it starts ends with the test.
pub fn node(folder: &std::path::Path) -> Command {
    let mut command = Command::new(folder.join("node_modules/.bin/node"));
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).kill_on_drop(true);
    command
}
