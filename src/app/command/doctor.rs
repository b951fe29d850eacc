//! `mintgate doctor`: what is still open, line by line.

use std::process::ExitCode;

use super::ConfigArgument;
use crate::app::doctor::{State, examine};
use crate::app::installation;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// One JSON array instead of text
    #[arg(long)]
    json: bool,
}

/// Exit code 1 when a line says that something must be put right.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(&arguments.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let lines = runtime.block_on(examine(&start_up, installation::now()))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        lines.iter().for_each(|line| println!("{line}"));
    }
    let fine = lines.iter().all(|line| line.state != State::Problem);
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
