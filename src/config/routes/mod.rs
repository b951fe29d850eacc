//! The rule files: routers, services, middlewares and certificates, compiled into [`Routes`].
//!
//! Everything is read before anything is judged, so that names may refer across files.

mod certificates;
mod document;
mod middlewares;
mod pick;
mod routers;
mod services;

use std::path::PathBuf;

use super::problem::{Findings, Problems};
use super::{Certificate, Router, Routes, Service, StartUp};
use crate::base::clock::Timestamp;
use crate::middleware::registry::Parts;
use document::Documents;

impl Routes {
    /// Reads the rule file, or every `*.yml` and `*.yaml` below the rule directory in the order of their
    /// paths, and the start-up file's own `http:` and `tls:`. `now` is for certificates only: one that
    /// has expired is told.
    ///
    /// # Errors
    /// Everything that is wrong with all of them, at once; nothing is served of them then.
    pub fn load(start_up: &StartUp, parts: &Parts, now: Timestamp) -> Result<Self, Problems> {
        let findings = Findings::default();
        let documents = Documents::read(&start_up.rules, &findings);
        let trees = documents.open(&findings);
        let middlewares = middlewares::read(&trees, &findings, parts);
        let mut services = services::read(&trees, &findings, &start_up.desk);
        let (certificates, mut files): (Vec<Certificate>, Vec<PathBuf>) =
            certificates::read(&trees, &findings, now);
        let routers = routers::read(&trees, &findings, start_up, &middlewares, &mut services);
        files.extend(documents.paths());
        Ok(Self {
            routers,
            services: services.into_list(),
            certificates,
            files,
            warnings: findings.finish()?,
        })
    }

    /// The service of a router.
    pub fn service_of(&self, router: &Router) -> &Service {
        &self.services[router.service]
    }
}
