//! `mintgate sandbox`: only the stand-ins for Microsoft, a mailbox and the desk, for trying `run` against them.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use crate::app::log;
use crate::base::secret::ExposeSecret;
use crate::config::Log;
use crate::sandbox::{MAILBOX, Options, Sandbox};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Port of the identity provider (0 takes a free one)
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    identity_port: u16,
    /// Port of Graph and of the customer's webmail
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    graph_port: u16,
    /// Port of the desk
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    desk_port: u16,
    /// Redirect URI that the app registration allows; may be given several times
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
}

/// Prints one line of JSON with the addresses and the app registration, then serves until it is ended.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let _log = log::start(&Log { level: "warn".to_owned(), json: false })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let on = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let sandbox = Sandbox::start(Options {
        identity: on(arguments.identity_port),
        graph: on(arguments.graph_port),
        desk: on(arguments.desk_port),
        redirect_uris: arguments.redirect_uris.clone(),
    });
    let sandbox = sandbox.await.context("the sandbox cannot start")?;
    let app = sandbox.identity.app();
    let addresses = json!({
        "identity": sandbox.identity.url(),
        "graph": sandbox.graph.url(),
        "desk": sandbox.desk.url(),
        "webmail": sandbox.webmail_url(),
        "mailbox": MAILBOX,
        "clientId": app.client_id,
        // Made anew at every start; it opens nothing but this sandbox.
        "clientSecret": app.client_secret.expose_secret(),
        "tenantId": app.tenant,
    });
    println!("{addresses}");
    tokio::signal::ctrl_c().await?;
    Ok(())
}
