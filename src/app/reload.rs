//! Rules that changed are put in place while requests run; rules that are wrong change nothing.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::{certificate, installation};
use crate::base::wake::Wake;
use crate::config::watch::{Pace, Watch};
use crate::config::{Routes, StartUp};
use crate::gateway::Gateway;
use crate::middleware::registry::Parts;

pub(super) struct Reload {
    start_up: Arc<StartUp>,
    parts: Arc<Parts>,
    gateway: Arc<Gateway>,
    /// The watcher, while files are watched. Also keeps two reloads apart.
    watch: Mutex<Option<Watch>>,
}

impl Reload {
    pub(super) fn new(start_up: Arc<StartUp>, parts: Arc<Parts>, gateway: Arc<Gateway>) -> Self {
        Self { start_up, parts, gateway, watch: Mutex::new(None) }
    }

    /// Reads the rules again, whole: all of them or none.
    pub(super) fn now(&self) {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let routes = match Routes::load(&self.start_up, &self.parts, installation::now()) {
            Ok(routes) => routes,
            Err(problems) => {
                self.gateway.reload_refused();
                error!("the rules changed and are wrong; the present ones stay\n{problems}");
                return;
            }
        };
        match certificate::default(&self.start_up, &routes) {
            Ok(certificate) => {
                for warning in &routes.warnings {
                    warn!("{warning}");
                }
                if let Some(watch) = &*watch {
                    watch.follow(self.paths(&routes.files));
                }
                self.gateway.replace(routes, certificate);
                info!(generation = self.gateway.generation(), "the rules were read again");
            }
            Err(problem) => {
                self.gateway.reload_refused();
                error!(
                    "the rules changed and there is no certificate for them; the present ones stay: {problem:#}"
                );
            }
        }
    }

    /// Reloads whenever a file of the rules changes (`files` are those of the present ones), until `resting`
    /// says true.
    pub(super) fn watch(
        self: Arc<Self>,
        files: &[PathBuf],
        control: &Handle,
        mut resting: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        if !self.start_up.rules.watch {
            return Ok(());
        }
        let changed = Wake::new();
        let watch = Watch::start(self.paths(files), Pace::default(), changed.clone());
        let watch = watch.context("the rule files cannot be watched")?;
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
        control.spawn(async move {
            loop {
                tokio::select! {
                    () = changed.rung() => {}
                    _ = resting.wait_for(|&resting| resting) => return,
                }
                let reload = self.clone();
                if tokio::task::spawn_blocking(move || reload.now()).await.is_err() {
                    error!("reading the rules again broke down; the present ones stay");
                }
            }
        });
        Ok(())
    }

    fn paths(&self, files: &[PathBuf]) -> Vec<PathBuf> {
        let rules = &self.start_up.rules;
        rules.at.iter().chain(&rules.inline).chain(files).cloned().collect()
    }
}
