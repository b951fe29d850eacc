//! Configuration as an operator meets it: files on a disk, variables, and what is said about them.

mod google;
mod problems;
mod registration;
mod routes;
mod start_up;
mod variables;
mod watching;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use mintgate::base::audit::Audit;
use mintgate::base::clock::{ManualClock, Timestamp};
use mintgate::base::secret::HashKey;
use mintgate::config::environment::Environment;
use mintgate::config::{Routes, StartUp};
use mintgate::desk::admin::Admins;
use mintgate::middleware::login_brake::Attempts;
use mintgate::middleware::registry::Parts;
use mintgate::web::call::{BodyStream, CallError, HttpCall};

use crate::support::shield::no_shield;

/// 2026-11-21T00:00:00Z.
const NOW: Timestamp = Timestamp(1_795_219_200_000);

/// The least a start-up file needs.
const LEAST: &str = "entryPoints: {web: {address: \":8080\"}}\ndesk: {url: \"http://127.0.0.1:3000\"}\n";

/// A folder with configuration files; shown texts have `…/` in its place.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, text).expect("written");
        path
    }

    fn shown(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "…/")
    }

    /// The start-up file's parts, or what is shown about it.
    fn start_up(&self, yaml: &str, variables: &[(&str, &str)]) -> Result<StartUp, String> {
        let path = self.write("mintgate.yml", yaml);
        let environment: Environment = variables.iter().copied().collect();
        StartUp::load(Some(&path), &environment).map_err(|problems| self.shown(&problems.to_string()))
    }

    /// The rules of a start-up file that names the folder `rules` of this folder.
    fn routes(&self, start_up: &str) -> Result<Routes, String> {
        let rules = self.path("rules");
        fs::create_dir_all(&rules).expect("a folder");
        let providers = format!("providers: {{file: {{directory: \"{}\"}}}}\n", rules.display());
        self.load(&self.start_up(&format!("{start_up}{providers}"), &[])?)
    }

    fn load(&self, start_up: &StartUp) -> Result<Routes, String> {
        Routes::load(start_up, &parts(), NOW).map_err(|problems| self.shown(&problems.to_string()))
    }
}

/// A desk that nobody asks: configuration is read without a network.
struct NoNetwork;

#[async_trait]
impl HttpCall for NoNetwork {
    async fn open(&self, request: Request<Bytes>) -> Result<Response<BodyStream>, CallError> {
        panic!("configuration called {}", request.uri())
    }
}

fn parts() -> Parts {
    let desk = "http://127.0.0.1:3000".parse().expect("a URL");
    let clock = Arc::new(ManualClock::at(NOW));
    let audit = Audit::new(clock.clone());
    let admins = Admins::new(Arc::new(NoNetwork), &desk, clock.clone(), HashKey::random(), audit.clone());
    let shield = no_shield(Arc::new(NoNetwork), &desk);
    let attempts = Arc::new(Attempts::new(clock.clone()));
    Parts {
        clock,
        attempts,
        admins: Arc::new(admins),
        cookies: Default::default(),
        dropped_cookies: Default::default(),
        graph_tokens: Default::default(),
        shield,
        audit,
    }
}

/// A certificate for `names` and its key, as files.
fn certificate(folder: &Folder, names: &[&str]) -> (PathBuf, PathBuf) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let key = folder.write("desk.key", &made.signing_key.serialize_pem());
    (folder.write("desk.pem", &made.cert.pem()), key)
}

#[test]
fn the_example_configuration_loads() {
    let start_up = StartUp::load(Some(Path::new("config/mintgate.yml")), &Environment::default())
        .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(start_up.warnings, [""; 0]);

    let routes = Routes::load(&start_up, &parts(), NOW).unwrap_or_else(|problems| panic!("{problems}"));

    assert_eq!(routes.warnings, [""; 0]);
    assert_eq!(routes.routers.len(), 1);
    assert!(routes.routers[0].tls && routes.routers[0].desk && !routes.routers[0].upgrade);
    assert!(routes.routers[0].middlewares[0].runs.is_address_check());
}
