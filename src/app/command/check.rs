//! `mintgate check`: reads everything `run` would read, serves nothing.

use std::process::ExitCode;

use super::ConfigArgument;
use crate::app::installation;
use crate::config::Routes;

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
    Ok(ExitCode::SUCCESS)
}
