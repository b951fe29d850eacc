//! The commands.

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::StartUp;
use crate::config::environment::Environment;

mod check;
mod demo;
mod detect;
mod doctor;
mod healthcheck;
mod import;
mod mail;
mod mailbox;
mod queue;
mod run;
mod sandbox;
mod vault;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve: gateway, console and mail worker in one process
    Run(ConfigArgument),
    /// Read the configuration, say what is wrong with it, and exit
    Check(ConfigArgument),
    /// Show the whole story on this machine, with a sandbox instead of Microsoft and Peppermint
    Demo(demo::Arguments),
    /// Start only the stand-ins for Microsoft, a mailbox and the desk
    Sandbox(sandbox::Arguments),
    /// Say what is still open: ports, passwords, clocks, files, the set-up guide's checklist
    Doctor(doctor::Arguments),
    /// Look after the sealed vault and its keys
    Vault(vault::Arguments),
    /// List, try, look into and forget connected mailboxes
    Mailbox(mailbox::Arguments),
    /// Mails that wait or were put aside: list, show, try again, leave
    Queue(queue::Arguments),
    /// Take in what is older than the connection
    Import(import::Arguments),
    /// Find out how the mailbox of an address is read, without signing in
    Detect(detect::Arguments),
    /// Ask a running gateway whether it is well (for container health checks)
    Healthcheck(ConfigArgument),
    /// Look at mails without touching anything
    #[command(subcommand)]
    Mail(mail::Command),
}

impl Command {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Run(config) => run::run(&config),
            Self::Check(config) => check::run(&config),
            Self::Demo(arguments) => demo::run(&arguments),
            Self::Sandbox(arguments) => sandbox::run(&arguments),
            Self::Doctor(arguments) => doctor::run(&arguments),
            Self::Vault(arguments) => vault::run(&arguments),
            Self::Mailbox(arguments) => mailbox::run(&arguments),
            Self::Queue(arguments) => queue::run(&arguments),
            Self::Import(arguments) => import::run(&arguments),
            Self::Detect(arguments) => detect::run(&arguments),
            Self::Healthcheck(config) => healthcheck::run(&config),
            Self::Mail(command) => command.run(),
        }
    }
}

/// Where the start-up file is; the same for every command that reads it.
#[derive(Debug, clap::Args)]
pub(super) struct ConfigArgument {
    /// The start-up file; see docs/configuration.md
    #[arg(long, short, value_name = "FILE", env = "MINTGATE_CONFIG")]
    pub(super) config: Option<std::path::PathBuf>,
}

/// How a command tells what it found.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Form {
    /// Tell it as JSON, for programs
    #[arg(long)]
    json: bool,
}

impl Form {
    fn tell(self, json: &serde_json::Value, text: impl FnOnce()) {
        if self.json {
            println!("{json}");
        } else {
            text();
        }
    }
}

/// Reads the start-up file and the environment.
fn load_start_up(argument: &ConfigArgument) -> anyhow::Result<StartUp> {
    let environment = Environment::of_process();
    Ok(StartUp::load(argument.config.as_deref(), &environment)?)
}
