//! Wires everything together and is the command line.

pub mod serve;

use std::process::ExitCode;

pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
