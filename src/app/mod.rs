//! Wires everything together and is the command line. One file per command in `command/`.

use std::process::ExitCode;

use clap::Parser;

use crate::base::report::Report;
use crate::config::problem::Problems;

mod certificate;
mod command;
mod console;
mod doctor;
mod installation;
mod lines;
mod log;
mod mailboxes;
mod process;
mod reload;
pub mod serve;
mod serving;
mod supervise;

/// The gateway in front of a Peppermint helpdesk.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: command::Command,
}

const EXAMPLES: &str = "\
Try it:        mintgate demo
Check a file:  mintgate check --config config/mintgate.yml
Serve:         mintgate run --config config/mintgate.yml";

/// Exit codes: 0 done, 1 refused or failed, 2 the command line cannot be read.
pub fn main() -> ExitCode {
    process::harden();
    serve::install_cryptography();
    match CommandLine::parse().command.run() {
        Ok(code) => code,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

/// A configuration's problems are told as they are: each says where it lies.
fn tell(error: &anyhow::Error) {
    match error.downcast_ref::<Problems>() {
        Some(problems) => eprintln!("{problems}"),
        None => eprintln!("mintgate: {}", Report(error.as_ref())),
    }
}
