//! `mintgate mail`: looks at mails without touching anything.

use std::process::ExitCode;

use clap::Subcommand;

mod explain;
mod shown;

#[derive(Debug, Subcommand)]
pub(in crate::app) enum Command {
    /// Say what mintgate makes of raw mails; needs no configuration, no store and no network
    Explain(explain::Arguments),
}

impl Command {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Explain(arguments) => explain::run(&arguments),
        }
    }
}
