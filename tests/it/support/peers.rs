//! Where `scripts/peers.sh` puts other people's programs, and how one of them is started.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use super::skip::skip;

fn home() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"));
    std::env::var_os("MINTGATE_PEERS").map_or_else(|| target.join("peers"), PathBuf::from)
}

/// A program of the Python peers; `None`, and said so, where it is not installed.
pub fn python_program(name: &str) -> Option<PathBuf> {
    let python = home().join("python");
    let program = python.join("bin").join(name);
    if python.join("installed").is_file() && program.exists() {
        return Some(program);
    }
    skip(&format!("{name} is not installed (scripts/peers.sh installs it)"));
    None
}

/// The folder that holds the npm package `package` and a Node to run it; `None`, and said so, where they
/// are not installed.
pub fn folder_with(package: &str) -> Option<PathBuf> {
    let folder = home();
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
