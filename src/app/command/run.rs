//! `mintgate run`: the gateway, the console and the mail worker in one process.

use std::process::ExitCode;

use super::ConfigArgument;
use crate::app::{log, serving};

/// Returns once a signal has ended the server; 1 with one message when it cannot start.
pub(super) fn run(config: &ConfigArgument) -> anyhow::Result<ExitCode> {
    let start_up = super::load_start_up(config)?;
    let (journal, _farewell) = log::start(&start_up.log)?;
    serving::serve(start_up, journal)
}
