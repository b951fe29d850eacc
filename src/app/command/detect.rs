//! `mintgate detect`: what is known about the mailbox of an address, without signing in anywhere.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use crate::mailbox::detect::detector::Directory;
use crate::mailbox::detect::{Detection, Detector, Way};
use crate::mailbox::settings::{Security, Server};
use crate::net::names::Names;
use crate::net::reach::{Inside, Reach};
use crate::net::stranger::Strangers;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The mailbox's address, such as support@example.com
    address: String,
    /// Ask nobody: answer from the built-in table alone
    #[arg(long, conflicts_with_all = ["resolver", "allow", "ask_thunderbird"])]
    offline: bool,
    /// The name server to ask instead of the machine's own
    #[arg(long, value_name = "IP:PORT")]
    resolver: Option<SocketAddr>,
    /// A private network that may be connected to: 10.0.0.0/8, or one port of it: 10.0.0.5@1993
    #[arg(long, value_name = "NETWORK")]
    allow: Vec<Inside>,
    /// Ask Thunderbird's directory too; it learns the domain
    #[arg(long)]
    ask_thunderbird: bool,
    /// Answer in JSON; docs/detection.md tells its shape
    #[arg(long)]
    json: bool,
}

/// Exit code 0 when a way to read the mailbox was found, 1 otherwise.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let detector = {
        // The resolver looks for its runtime when it is made.
        let _entered = runtime.enter();
        detector(arguments, runtime.handle())?
    };
    let detection = runtime.block_on(detector.detect(&arguments.address))?;
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(&detection)?),
        false => print!("{}", told(&detection)),
    }
    Ok(if detection.sign_in.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn detector(arguments: &Arguments, runtime: &tokio::runtime::Handle) -> anyhow::Result<Detector> {
    if arguments.offline {
        return Ok(Detector::offline());
    }
    let names = arguments.resolver.map_or_else(Names::system, Names::at).context("no name server")?;
    let strangers = Strangers::new(names, Reach::with(arguments.allow.clone()), Vec::new())?;
    let directory = if arguments.ask_thunderbird { Directory::Thunderbird } else { Directory::None };
    Ok(Detector::new(runtime.clone(), Arc::new(strangers), directory))
}

/// The answer for people, a line for each thing.
fn told(detection: &Detection) -> String {
    let mut lines = vec![match &detection.provider {
        Some(provider) => format!("provider    {} ({:?})", provider.name, detection.confidence),
        None => format!("provider    unknown ({:?})", detection.confidence),
    }];
    lines.extend(detection.gateway.iter().map(|gateway| format!("filter      {gateway}")));
    lines.extend(detection.incoming.iter().map(|server| format!("incoming    {}", told_server(server))));
    lines.extend(detection.outgoing.iter().map(|server| format!("outgoing    {}", told_server(server))));
    lines.extend(detection.sign_in.iter().map(|way| format!("sign in     {}", told_way(way))));
    lines.extend(detection.password_refused.iter().map(|reason| format!("no password {reason}")));
    lines.extend(detection.warnings.iter().map(|warning| format!("note        {warning}")));
    let steps = detection.evidence.iter();
    lines
        .extend(steps.map(|step| {
            format!("evidence    {}: {} ({} ms)", step.step, step.result, step.took.as_millis())
        }));
    lines.join("\n") + "\n"
}

fn told_server(server: &Server) -> String {
    let security = match server.security {
        Security::Tls => "TLS",
        Security::StartTls => "STARTTLS",
        Security::None => "no encryption",
    };
    format!("{}:{} ({security}), user {}", server.host, server.port, server.user)
}

fn told_way(way: &Way) -> String {
    match way {
        Way::OAuth { vendor } => format!("with {vendor:?}"),
        Way::Password { note, .. } => match note {
            Some(note) => format!("with a password: {note}"),
            None => "with a password".to_owned(),
        },
    }
}
