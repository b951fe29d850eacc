//! `tls.certificates`: PEM files by path.

use std::path::PathBuf;

use super::document::Tree;
use crate::base::clock::Timestamp;
use crate::base::report::Report;
use crate::config::problem::Findings;
use crate::config::section::{Foreign, Section, Shape};
use crate::config::{Certificate, certificate};

const CERTIFICATE: Shape =
    Shape { keys: &["certFile", "keyFile"], foreign: &[("stores", Foreign::Ignored("there is one store"))] };

/// All certificates in the files' order, and the files they were read from.
pub fn read(trees: &[Tree<'_>], findings: &Findings, now: Timestamp) -> (Vec<Certificate>, Vec<PathBuf>) {
    let (mut certificates, mut files) = (Vec::new(), Vec::new());
    for section in trees
        .iter()
        .filter_map(|tree| tree.tls)
        .flat_map(|tls| tls.section_list("certificates", &CERTIFICATE))
    {
        let Some((certificate, key)) = pair(&section) else { continue };
        match certificate::read(&certificate, &key) {
            Ok(read) => {
                if let Some(warning) = read.warning(now) {
                    section.warn(section.place, &warning);
                }
                tell_shared_names(findings, &certificates, &read.certificate);
                certificates.push(read.certificate);
            }
            Err(error) => section.problem(section.place, Report(&error).to_string(), None),
        }
        files.extend([certificate, key]);
    }
    (certificates, files)
}

fn pair(section: &Section<'_>) -> Option<(PathBuf, PathBuf)> {
    let [certificate, key] = ["certFile", "keyFile"].map(|name| {
        if section.key_place(name).is_none() {
            section.problem(section.place, format!("the certificate has no `{name}`"), None);
        }
        section.text(name).map(|path| PathBuf::from(path.value))
    });
    Some((certificate?, key?))
}

fn tell_shared_names(findings: &Findings, known: &[Certificate], new: &Certificate) {
    for name in &new.names {
        if known.iter().any(|certificate| certificate.names.contains(name)) {
            findings.warn(format!("several certificates are for `{name}`; the first one is used"));
        }
    }
}
