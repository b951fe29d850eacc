//! `mintgate check`: reads everything `run` would read, serves nothing.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::ConfigArgument;
use crate::app::installation;
use crate::app::registered::Origin;
use crate::config::{Routes, StartUp};
use crate::oauth::app::Vendor;
use crate::store;

/// A store that does not answer is none of the configuration's faults.
const PATIENCE: Duration = Duration::from_secs(5);

/// Exit code 0 when `run` would start with it, 1 with every problem on standard error otherwise.
pub(super) fn run(config: &ConfigArgument) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let parts = installation::middleware_parts(&start_up, runtime.handle())?;
    let routes = Routes::load(&start_up, &parts, installation::now())?;
    installation::check_keys(&start_up)?;
    for warning in start_up.warnings.iter().chain(&routes.warnings) {
        eprintln!("warning: {warning}");
    }
    println!("OK: {} routers, {} services", routes.routers.len(), routes.services.len());
    for (vendor, origin) in runtime.block_on(entered(&start_up)) {
        println!("app registration at {}: {origin}", vendor.name());
    }
    Ok(ExitCode::SUCCESS)
}

/// What was entered in the console, where store and key are there to tell.
async fn entered(start_up: &StartUp) -> Vec<(Vendor, Origin)> {
    match tokio::time::timeout(PATIENCE, read(start_up)).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

async fn read(start_up: &StartUp) -> anyhow::Result<Vec<(Vendor, Origin)>> {
    let sealer = Arc::new(installation::present_sealer(start_up)?);
    let store = store::open_beside(&start_up.store).await?;
    let registrations = installation::registrations(start_up, &store, &sealer);
    let mut found = Vec::new();
    for vendor in Vendor::ALL {
        let origin = Origin::of(&registrations, vendor).await?;
        found.extend(origin.filter(|origin| *origin != Origin::Configured).map(|origin| (vendor, origin)));
    }
    Ok(found)
}
