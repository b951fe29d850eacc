//! The program as a process of its own, in front of a sandbox.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use mintgate::base::secret::ExposeSecret;
use mintgate::net::{Client, Egress, Timeouts};
use mintgate::sandbox::desk::BOT;
use mintgate::sandbox::{Options, Sandbox};
use mintgate::web::call::HttpCall;
use rustix::process::{Pid, Signal, kill_process};
use url::Url;

use super::process::free_port;

pub const MINTGATE: &str = env!("CARGO_BIN_EXE_mintgate");
/// Longer than an unresolved call to the desk is waited for before it is repeated.
pub const PATIENCE: Duration = Duration::from_secs(150);

/// A `mintgate run` that dies with its handle, by SIGKILL.
pub struct Program(Child);

impl Program {
    pub fn kill(&mut self) {
        self.0.kill().expect("it was running");
        self.0.wait().expect("it has ended");
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("it is running");
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("a child") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the program does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have been killed before.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A sandbox, and a folder with a start-up file in front of it.
pub struct Scene {
    pub sandbox: Sandbox,
    pub http: Arc<dyn HttpCall>,
    pub public: Url,
    pub config: PathBuf,
    _folder: tempfile::TempDir,
}

impl Scene {
    pub async fn start() -> Self {
        let port = free_port();
        let public = Url::parse(&format!("http://desk.localhost:{port}")).expect("a URL");
        let callback = public.join("/admin/exchange/callback").expect("a URL");
        let options = Options::on_free_ports(vec![callback.to_string()]);
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("mintgate.yml");
        std::fs::write(&config, start_up_file(folder.path(), port, &public, &sandbox)).expect("written");
        let egress = Egress::only([public.as_str(), &sandbox.identity.url(), &sandbox.desk.url()]);
        let runtime = tokio::runtime::Handle::current();
        let http = Client::new(runtime, egress.expect("rules"), Timeouts::default()).expect("a client");
        Self { sandbox, http: Arc::new(http), public, config, _folder: folder }
    }

    /// Starts the program.
    pub fn spawn_program(&self) -> Program {
        run_with(&self.config)
    }

    /// Starts the program and waits until it answers.
    pub async fn start_program(&self) -> Program {
        let program = self.spawn_program();
        self.until_it_answers().await;
        program
    }

    pub async fn until_it_answers(&self) {
        let ping = self.public.join("/ping").expect("a URL");
        let begun = Instant::now();
        loop {
            let answer =
                self.http.call(Request::get(ping.as_str()).body(Bytes::new()).expect("a request"), 100).await;
            if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the gateway does not come up");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Starts the program with another start-up file.
pub fn run_with(config: &Path) -> Program {
    let started = Command::new(MINTGATE).args(["run", "--config"]).arg(config).stdout(Stdio::null()).spawn();
    Program(started.expect("the program starts"))
}

fn start_up_file(folder: &Path, port: u16, public: &Url, sandbox: &Sandbox) -> String {
    let app = sandbox.identity.app();
    format!(
        "\
entryPoints: {{ web: {{ address: \"127.0.0.1:{port}\" }} }}
ping: {{ entryPoint: web }}
log: {{ level: error }}
dataDir: \"{folder}\"
desk: {{ url: \"{desk}\", bot: {{ email: {bot}, password: {password} }} }}
console: {{ publicUrl: \"{public}\" }}
microsoft:
  clientId: {client_id}
  clientSecret: {client_secret}
  tenantId: {tenant}
  authorityUrl: \"{identity}\"
  graphUrl: \"{graph}\"
mail: {{ pollInterval: 1s, rateLimit: 6000 }}
",
        folder = folder.display(),
        public = public.origin().ascii_serialization(),
        desk = sandbox.desk.url(),
        bot = BOT.0,
        password = BOT.1,
        client_id = app.client_id,
        client_secret = app.client_secret.expose_secret(),
        tenant = app.tenant,
        identity = sandbox.identity.url(),
        graph = sandbox.graph.url(),
    )
}
