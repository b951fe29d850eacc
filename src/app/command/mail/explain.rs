//! `mintgate mail explain`: what would become of these raw mails, one line of JSON each or as a page.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::shown::Shown;
use crate::base::report::Report;
use crate::mail::read::{Limits, ReadError, read_guarded};

#[derive(Debug, clap::Args)]
pub(in crate::app) struct Arguments {
    /// Files of one raw mail each, folders of such files, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One line of JSON for each mail
    #[arg(long)]
    json: bool,
}

/// Why a mail cannot be explained.
#[derive(Debug, thiserror::Error)]
enum ExplainError {
    #[error("the file cannot be read")]
    File { source: std::io::Error },
    #[error("the mail cannot be understood")]
    Mail { source: ReadError },
}

/// Exit code 0 when every mail was understood, 1 when one could not be read.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let mut all_understood = true;
    for argument in &arguments.files {
        for file in files(argument) {
            let shown = explain(&file);
            all_understood &= shown.is_understood();
            match write(&mut out, &shown, arguments.json) {
                // Whoever reads has seen enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                written => written?,
            }
        }
    }
    out.flush()?;
    Ok(if all_understood { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write(out: &mut impl Write, shown: &Shown, json: bool) -> std::io::Result<()> {
    if json { writeln!(out, "{}", shown.json()) } else { writeln!(out, "{shown}") }
}

/// The file itself, or what lies in and below the folder, in the order of the names.
fn files(argument: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(argument) else { return vec![argument.to_owned()] };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    // A link could lead back to where it lies.
    paths.retain(|path| !path.is_symlink());
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn explain(file: &Path) -> Shown {
    let name = file.display().to_string();
    match read(file) {
        Ok(message) => Shown::understood(name, &message),
        Err(error) => Shown::refused(name, Report(&error).to_string()),
    }
}

fn read(file: &Path) -> Result<crate::mail::Message, ExplainError> {
    let limits = Limits::default();
    let raw = bytes(file, limits.bytes).map_err(|source| ExplainError::File { source })?;
    read_guarded(&raw, &limits).map_err(|source| ExplainError::Mail { source })
}

/// One byte more than is accepted at most, so that a larger mail is refused as too large.
fn bytes(file: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    let most = limit as u64 + 1;
    if file == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut raw)?;
    } else {
        File::open(file)?.take(most).read_to_end(&mut raw)?;
    }
    Ok(raw)
}
