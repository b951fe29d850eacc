//! The start-up file and the rule files: Traefik v3's shape, ours beside it.
//!
//! Text → tree (values that know their places) → sections (unknown keys refused, all problems at once)
//! → the types of this file, which cannot be wrong. Middlewares' values are their own files' matter.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::sign::CertifiedKey;

use crate::desk::Bot;
use crate::mail::policy::Policy;
use crate::middleware::Middleware;
use crate::net::reach::Inside;
use crate::oauth::google::GoogleApp;
use crate::oauth::locations::Locations;
use crate::oauth::provider::MicrosoftApp;
use crate::store::StoreAt;
use crate::web::client_address::Trusted;
use crate::web::cookie::Hardening;
use crate::web::exchange::Scheme;
use origins::Origins;

pub mod certificate;
pub mod environment;
pub mod origins;
pub mod problem;
mod routes;
mod secret_file;
mod section;
mod start_up;
mod tree;
mod value;
pub mod variables;
pub mod watch;

/// Everything that is read once, at start.
#[derive(Debug)]
pub struct StartUp {
    pub entry_points: Vec<EntryPoint>,
    pub rules: RuleFiles,
    pub access_log: Option<AccessLog>,
    /// Entry point that answers `/ping`.
    pub ping: Option<String>,
    /// Entry point that answers `/metrics`.
    pub metrics: Option<String>,
    pub log: Log,
    pub desk: Desk,
    pub store: StoreAt,
    pub vault: VaultKey,
    /// Files of earlier vault keys, which still open what they sealed; they were there at start.
    pub previous_keys: Vec<PathBuf>,
    pub mail: Mail,
    pub microsoft: Option<MicrosoftApp>,
    pub google: Option<GoogleApp>,
    /// Where the providers are, for registrations that are entered on the console's pages.
    pub locations: Locations,
    pub console: Console,
    /// Hosts besides the providers' own that may be called although they are private (`egress.allow`).
    pub egress_allow: Vec<String>,
    /// Folder of the store, a made vault key and a made certificate.
    pub data_dir: PathBuf,
    /// `EXCHANGE_COOKIE_*`: the attributes of the desk's own cookies.
    pub cookies: Hardening,
    /// Where values that pages show are said.
    pub origins: Origins,
    /// Warnings that do not stop the start.
    pub warnings: Vec<String>,
}

/// A listening address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPoint {
    pub name: String,
    pub address: SocketAddr,
    /// `http.tls` is there: routers of this entry point are TLS routers by default.
    pub tls: bool,
    pub redirect: Option<Redirection>,
    /// Peers whose forwarding headers are believed.
    pub trusted: Trusted,
    /// Every connection has to begin with a PROXY header, and only these peers may connect
    /// (`proxyProtocol`).
    pub proxy_header: Option<Trusted>,
    pub timeouts: EntryTimeouts,
    /// Names of middlewares every router of this entry point gets first.
    pub middlewares: Vec<String>,
    /// Whether routers without `entryPoints` use it.
    pub default: bool,
}

/// `http.redirections.entryPoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirection {
    pub scheme: Scheme,
    /// The target's port; left out of the URL when it is the scheme's own.
    pub port: u16,
    pub permanent: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryTimeouts {
    /// For the whole request head, and for each read of a body.
    pub read: Duration,
    pub write: Option<Duration>,
    /// Between requests on one connection.
    pub idle: Duration,
    /// How long running requests may take after SIGTERM (`lifeCycle.graceTimeOut`, 10 s).
    pub grace: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFiles {
    /// `providers.file`: a file, or a directory with everything below it.
    pub at: Option<PathBuf>,
    /// The start-up file, when it holds rules itself (`http:` or `tls:` in it).
    pub inline: Option<PathBuf>,
    pub watch: bool,
}

impl RuleFiles {
    /// What [`watch::Watch`] has to follow once `routes` were made of these: folders, files, and the
    /// certificates they name.
    pub fn to_watch(&self, routes: &Routes) -> Vec<PathBuf> {
        let named = self.at.iter().chain(&self.inline).cloned();
        let elsewhere = |path: &&PathBuf| !self.at.as_ref().is_some_and(|at| path.starts_with(at));
        named.chain(routes.files.iter().filter(elsewhere).cloned()).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLog {
    pub file: Option<PathBuf>,
    pub json: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub level: String,
    pub json: bool,
}

/// The helpdesk.
#[derive(Debug)]
pub struct Desk {
    /// Origin of the web client, such as `http://127.0.0.1:3000`.
    pub url: url::Url,
    /// Origin of the API where it can be reached directly; otherwise `url`.
    pub api_url: url::Url,
    pub bot: Option<Bot>,
    /// Locale prefixes of the web client.
    pub locales: Vec<Box<str>>,
}

/// Where the vault's key comes from.
#[derive(Debug)]
pub enum VaultKey {
    /// Given by `vault.keyFile` or `MINTGATE_VAULT_KEY_FILE`; it was there at start.
    File(PathBuf),
    /// None was given: made in the data folder on first start, mode 0600, and told.
    MadeIn(PathBuf),
}

/// `mail:` and the documents' variables.
#[derive(Debug, Clone)]
pub struct Mail {
    pub enabled: bool,
    pub poll_interval: Duration,
    /// Requests per minute and mailbox.
    pub rate_limit: u32,
    pub from_address: Option<String>,
    pub from_name: Option<String>,
    pub reply_to: Option<String>,
    pub max_size: usize,
    /// The public URL, where providers are to call below it when mail arrives.
    pub told_at: Option<url::Url>,
    /// Networks inside that mail servers and detection may be called in.
    pub private_networks: Vec<Inside>,
    /// Domain of our Message-IDs; the public URL's host.
    pub message_id_domain: String,
    pub policy: Policy,
}

#[derive(Debug, Clone)]
pub struct Console {
    pub enabled: bool,
    /// Origin the browser uses, such as `https://desk.example.com`; the redirect URI is made of it.
    pub public_url: Option<url::Url>,
}

/// Compiled rules: one generation of the routing table's parts.
pub struct Routes {
    pub routers: Vec<Router>,
    pub services: Vec<Service>,
    pub certificates: Vec<Certificate>,
    /// Every file these were made of, certificates and keys included.
    pub files: Vec<PathBuf>,
    pub warnings: Vec<String>,
}

pub struct Router {
    pub name: String,
    /// Names of entry points.
    pub entry_points: Vec<String>,
    /// Serves TLS only; otherwise plain only.
    pub tls: bool,
    pub rule: crate::rule::Rule,
    pub priority: i64,
    /// Address checks first, then as written, chains unfolded.
    pub middlewares: Vec<NamedMiddleware>,
    /// Index into [`Routes::services`].
    pub service: usize,
    /// The service is the desk: console, guard and cookie hardening apply.
    pub desk: bool,
    /// `plugin: allowUpgrade` is among the middlewares.
    pub upgrade: bool,
}

#[derive(Clone)]
pub struct NamedMiddleware {
    pub name: Arc<str>,
    pub runs: Arc<dyn Middleware>,
}

pub struct Service {
    pub name: String,
    pub servers: Vec<Server>,
    /// The client's Host goes upstream; otherwise the server's own.
    pub pass_host: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub scheme: Scheme,
    pub host: String,
    pub port: u16,
}

/// A certificate and the names it is for, lower case, `*.` allowed.
#[derive(Clone)]
pub struct Certificate {
    pub names: Vec<String>,
    pub key: Arc<CertifiedKey>,
}
