//! The module ladder: a module uses only lower rungs, and modules of one rung do not know each other.

use std::fs;
use std::path::{Path, PathBuf};

const RUNGS: &[&[&str]] = &[
    &["base"],
    &["web"],
    &["rule", "oauth", "mail"],
    &["store", "net"],
    &["token", "mailbox", "desk"],
    &["middleware"],
    &["config"],
    &["entry", "gateway", "worker", "console", "files"],
    &["sandbox"],
    &["app"],
];

/// Crates that only these modules may name.
const FENCED: &[(&str, &[&str])] = &[
    ("pingora", &["entry", "gateway", "app"]),
    ("reqwest", &["net"]),
    ("sqlx", &["store"]),
    ("anyhow", &["app"]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
    files
}

fn rung(module: &str) -> Option<usize> {
    RUNGS.iter().position(|rung| rung.contains(&module))
}

/// Code lines: comments and doc comments may name any module.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.split("//").next().unwrap_or("")));
    lines.filter(|(_, line)| !line.trim().is_empty())
}

/// Names behind `path` in `line`, such as `web` behind `crate::`.
fn names_behind<'l>(line: &'l str, path: &str) -> Vec<&'l str> {
    let ends = |rest: &'l str| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("");
    line.match_indices(path)
        .filter(|(at, _)| !line[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$'))
        .map(|(at, found)| ends(&line[at + found.len()..]))
        .filter(|name| !name.is_empty())
        .collect()
}

fn check_module(module: &str, breaches: &mut Vec<String>) {
    let own_rung = rung(module).unwrap_or_else(|| panic!("`{module}` stands on no rung"));
    for file in rust_files(&source().join(module)) {
        let text = fs::read_to_string(&file).expect("readable source");
        for (at, line) in code(&text) {
            for used in names_behind(line, "crate::") {
                let allowed = used == module || rung(used).is_some_and(|rung| rung < own_rung);
                if !allowed {
                    breaches.push(format!("{}:{at}: `{module}` uses `{used}`", file.display()));
                }
            }
            for (library, homes) in FENCED {
                let named =
                    line.contains(&format!("{library}::")) || line.contains(&format!("use {library};"));
                if named && !homes.contains(&module) {
                    breaches.push(format!("{}:{at}: `{module}` names `{library}`", file.display()));
                }
            }
        }
    }
}

#[test]
fn every_module_uses_only_lower_rungs() {
    let mut breaches = Vec::new();
    for module in RUNGS.iter().flat_map(|rung| rung.iter()) {
        check_module(module, &mut breaches);
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn every_module_stands_on_a_rung() {
    let text = fs::read_to_string(source().join("lib.rs")).expect("readable lib.rs");
    let modules: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(modules.len() >= 15, "lib.rs names its modules one a line");
    for module in modules {
        assert!(rung(module).is_some(), "`{module}` stands on no rung");
    }
}

#[test]
fn no_file_is_two_files() {
    for file in rust_files(&source()) {
        let lines = fs::read_to_string(&file).expect("readable source").lines().count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for file in rust_files(&source()) {
        let text = fs::read_to_string(&file).expect("readable source");
        assert!(text.starts_with("//!"), "{} has no `//!` line", file.display());
    }
}

#[test]
fn the_check_sees_a_breach() {
    assert_eq!(names_behind("use crate::worker::Worker;", "crate::"), ["worker"]);
    assert_eq!(names_behind("let a = crate::base::id::hex(crate::web::x());", "crate::"), ["base", "web"]);
    assert!(names_behind("my_crate::x", "crate::").is_empty());
}
