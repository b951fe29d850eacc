//! `mintgate demo`: the gateway with a sandbox behind it, in one process, on loopback only.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use serde_json::json;
use url::Url;

use crate::app::{certificate, log, serving};
use crate::config::environment::Environment;
use crate::config::{Log, StartUp};
use crate::net::{Client, Egress, Timeouts};
use crate::oauth::provider::redirect_uri;
use crate::sandbox::{MAILBOX, Options, Sandbox};
use crate::web::call::HttpCall;

mod browser;
mod settings;
mod story;

/// Seeded in the sandbox's desk: e-mail and password.
const ADMIN: (&str, &str) = ("admin@admin.com", "1234");
const AGENT: (&str, &str) = ("agent@desk.localhost", "agent");

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Play the story by itself, print each step and its time, and exit: 0 when every step worked
    #[arg(long)]
    once: bool,
    /// Folder for the store, the vault key and the certificate; the store of an earlier demo is removed
    #[arg(long, value_name = "FOLDER", default_value = "data/demo")]
    data: PathBuf,
    /// Plain HTTP port; it redirects to HTTPS (0 takes a free one)
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    http_port: u16,
    /// HTTPS port (0 takes a free one)
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    https_port: u16,
    /// Write the addresses to this file, as JSON, once everything serves
    #[arg(long, value_name = "FILE")]
    addresses: Option<PathBuf>,
}

/// What the story needs of the running demo.
struct World {
    sandbox: Sandbox,
    /// `https://desk.localhost:8443`.
    public: Url,
    /// Trusts the demo's own certificate.
    http: Arc<dyn HttpCall>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // What is to be said here stands in the demo's own words below, audit records included.
    let (journal, _farewell) = log::start(&Log { level: "error,audit=off".to_owned(), json: false })?;
    prepare(&arguments.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let held = (hold(arguments.http_port)?, hold(arguments.https_port)?);
    let ports = (held.0.port, held.1.port);
    let public = Url::parse(&settings::public_url(ports.1))?;
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let sandbox = runtime.block_on(Sandbox::start(Options {
        identity: anywhere,
        graph: anywhere,
        desk: anywhere,
        redirect_uris: vec![redirect_uri(&public).into()],
    }));
    let sandbox = sandbox.context("the sandbox cannot start")?;
    let start_up = settings(&arguments.data, ports, &sandbox)?;
    drop(held);
    let running = serving::start(start_up, journal)?;

    let pem = std::fs::read(certificate::path(&arguments.data))?;
    let egress = Egress::only([public.as_str(), &sandbox.identity.url()])?;
    let http = Client::trusting(&pem, runtime.handle().clone(), egress, Timeouts::default())?;
    let world = World { sandbox, public, http: Arc::new(http) };
    if arguments.once {
        let told = runtime.block_on(story::play(&world));
        running.stop()?;
        told.context("the story broke off")?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(file) = &arguments.addresses {
        write_addresses(&world, file)?;
    }
    tell(&world, ports.0, &arguments.data.join(settings::FILE));
    running.wait()
}

/// A port for an entry point; a free one is kept from others until the gateway takes it.
struct Held {
    port: u16,
    _listener: Option<TcpListener>,
}

fn hold(wanted: u16) -> anyhow::Result<Held> {
    if wanted != 0 {
        return Ok(Held { port: wanted, _listener: None });
    }
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(Held { port: listener.local_addr()?.port(), _listener: Some(listener) })
}

/// The sandbox forgets everything between runs, so the store must too; key and certificate stay.
fn prepare(data: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(data).with_context(|| format!("`{}` cannot be made", data.display()))?;
    for suffix in ["", "-wal", "-shm"] {
        let file = data.join(format!("mintgate.db{suffix}"));
        if file.exists() {
            std::fs::remove_file(&file).with_context(|| format!("`{}` cannot be removed", file.display()))?;
        }
    }
    Ok(())
}

fn settings(data: &Path, ports: (u16, u16), sandbox: &Sandbox) -> anyhow::Result<StartUp> {
    let file = data.join(settings::FILE);
    std::fs::write(&file, settings::start_up_file(data, ports, sandbox))?;
    StartUp::load(Some(&file), &Environment::default()).context("the demo's own start-up file is refused")
}

fn write_addresses(world: &World, file: &Path) -> anyhow::Result<()> {
    let addresses = json!({
        "public": world.public.origin().ascii_serialization(),
        "webmail": world.sandbox.webmail_url(),
        "identity": world.sandbox.identity.url(),
        "graph": world.sandbox.graph.url(),
        "desk": world.sandbox.desk.url(),
    });
    // Renamed into place: whoever waits for the file never reads half of it.
    let unfinished = file.with_extension("unfinished");
    std::fs::write(&unfinished, addresses.to_string())
        .and_then(|()| std::fs::rename(&unfinished, file))
        .with_context(|| format!("`{}` cannot be written", file.display()))
}

fn tell(world: &World, http: u16, file: &Path) {
    println!(
        "\
mintgate demo: no data leaves this machine.

  The helpdesk     {public}   (also http://desk.localhost:{http})
                   The certificate is self-signed: your browser warns once.
  Its mail page    {public}/admin/exchange
  A customer       {webmail}

1. Open the helpdesk and sign in as {admin} with the password {password}.
2. Open the mail page, choose Connect, pick {MAILBOX} and accept.
3. Open the customer's page and write to {MAILBOX}. A few seconds later it is a ticket.
4. Answer the ticket with a public comment. The customer's page shows the answer; reply to it there.

The start-up file is {file}. Stop with Ctrl-C.",
        public = world.public.as_str().trim_end_matches('/'),
        webmail = world.sandbox.webmail_url(),
        admin = ADMIN.0,
        password = ADMIN.1,
        file = file.display(),
    );
}
