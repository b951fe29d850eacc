//! `mintgate vault`: whether everything sealed opens, and moving it to another key.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::ConfigArgument;
use crate::app::installation;
use crate::config::StartUp;
use crate::store::seal::{Sealer, SealingKey};
use crate::store::{self, Store};
use crate::token::upkeep::{Census, census, rekey};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Open everything that is sealed, change nothing, and say which keys are in use
    Check(ConfigArgument),
    /// Seal everything with the active key that an earlier key still opens
    Rekey(ConfigArgument),
    /// Make a new key file, readable by its owner alone
    MakeKey {
        /// A file that is not there yet
        file: PathBuf,
    },
}

/// Exit code 0 when everything opens, 1 otherwise.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &arguments.act {
        Act::Check(config) => runtime.block_on(check(config)),
        Act::Rekey(config) => runtime.block_on(move_to_active(config)),
        Act::MakeKey { file } => {
            SealingKey::make(file)?;
            println!(
                "OK: {}; keep a copy elsewhere, without it a backup of the store is worth nothing",
                file.display()
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn check(config: &ConfigArgument) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(config)?;
    let sealer = Arc::new(installation::present_sealer(&start_up)?);
    let store = store::open_beside(&start_up.store).await?;
    let census = census(&store, &sealer, installation::now()).await?;
    tell(&census, &sealer.active_key_id());
    Ok(if census.closed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn move_to_active(config: &ConfigArgument) -> anyhow::Result<ExitCode> {
    let (start_up, store, sealer) = open(config).await?;
    let moved = rekey(&store, &sealer, installation::now()).await?;
    println!("OK: {moved} field(s) sealed anew with key {}", sealer.active_key_id());
    if !start_up.previous_keys.is_empty() {
        println!(
            "No field needs an earlier key now: take `vault.previousKeyFiles` out and restart every gateway."
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A SQLite store that a gateway has open is refused.
async fn open(config: &ConfigArgument) -> anyhow::Result<(StartUp, Arc<dyn Store>, Arc<Sealer>)> {
    let start_up = super::load_start_up(config)?;
    let sealer = Arc::new(installation::present_sealer(&start_up)?);
    let store = store::open(&start_up.store).await?;
    Ok((start_up, store, sealer))
}

fn tell(census: &Census, active: &str) {
    for (key, fields) in &census.opened {
        let which = if key == active { "active" } else { "earlier; `mintgate vault rekey` moves them" };
        println!("key {key}: {fields} field(s) ({which})");
    }
    if !census.opened.contains_key(active) {
        println!("key {active}: 0 fields (active)");
    }
    for (place, reason) in &census.closed {
        println!("does not open: {place}: {reason}");
    }
    match census.closed.len() {
        0 => println!("OK: everything opens"),
        count => println!("{count} field(s) do not open"),
    }
}
