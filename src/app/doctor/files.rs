//! Files with secrets that others on this machine can read.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Line;
use crate::config::{Routes, StartUp, VaultKey};
use crate::store::StoreAt;

const TOPIC: &str = "secrets in files";

pub(super) fn look(start_up: &StartUp, routes: &Routes) -> Line {
    let keys = routes.files.iter().filter(|file| is_private_key(file)).cloned();
    let exposed: Vec<String> = keys
        .chain(variable_files())
        .chain(own_files(start_up))
        .filter(|path| is_exposed(path))
        .map(|path| format!("`{}`", path.display()))
        .collect();
    match exposed.is_empty() {
        true => Line::ok(TOPIC, "Nobody else on this machine can read them."),
        false => {
            let found = format!("Every user of this machine can read {}.", exposed.join(", "));
            Line::problem(TOPIC, found, "Make them 0600, owned by the user mintgate runs as.")
        }
    }
}

/// Files that variables name (`NAME_FILE`).
fn variable_files() -> impl Iterator<Item = PathBuf> {
    let ours = |name: &str| {
        ["MINTGATE_", "MICROSOFT_", "EXCHANGE_", "GOOGLE_"].iter().any(|start| name.starts_with(start))
    };
    let named = std::env::vars_os().filter_map(move |(name, value)| {
        let name = name.to_str()?.to_owned();
        (ours(&name) && name.ends_with("_FILE")).then(|| PathBuf::from(value))
    });
    named.filter(|path| !path.starts_with("/run/secrets"))
}

/// The store's file, the keys, and what was made in the data folder.
fn own_files(start_up: &StartUp) -> Vec<PathBuf> {
    let mut files = start_up.previous_keys.clone();
    files.push(start_up.data_dir.join("self-signed.key"));
    match &start_up.vault {
        VaultKey::File(path) => files.push(path.clone()),
        VaultKey::MadeIn(folder) => files.push(folder.join("vault.key")),
    }
    if let StoreAt::Sqlite(path) = &start_up.store {
        files.push(path.clone());
    }
    files.retain(|path| !path.starts_with("/run/secrets"));
    files
}

fn is_private_key(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.windows(12).any(|part| part == b"PRIVATE KEY-"))
}

/// A file that is not there, or that we cannot look at, tells nobody anything.
fn is_exposed(path: &Path) -> bool {
    path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o004 != 0)
}
