//! The start-up file and the environment, read once. One file per group of sections.

mod desk;
mod entry_points;
mod google;
mod mail;
mod mail_policy;
mod microsoft;
mod observe;
mod origins;
mod slips;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::environment::{Environment, Variables};
use super::problem::{Findings, Origin, Problem, Problems, Source};
use super::section::{At, Foreign, Section, Shape};
use super::{RuleFiles, StartUp, tree, value};
use crate::oauth::locations::Locations;

const ROOT: Shape = Shape {
    keys: &[
        "entryPoints",
        "providers",
        "http",
        "tls",
        "accessLog",
        "ping",
        "metrics",
        "log",
        "desk",
        "store",
        "vault",
        "mail",
        "files",
        "console",
        "microsoft",
        "google",
        "egress",
        "dataDir",
    ],
    foreign: &[
        ("global", Foreign::Ignored("nothing is reported to anybody and no version is looked up")),
        ("api", Foreign::Refused("there is no dashboard; leave `api` out")),
        (
            "certificatesResolvers",
            Foreign::Refused("name certificate files under `tls.certificates` in a rule file"),
        ),
        ("tracing", Foreign::Refused("traces are not supported yet; leave `tracing` out")),
        ("serversTransport", Foreign::Refused("connections to servers have fixed limits; leave it out")),
        ("tcpServersTransport", Foreign::Refused("only HTTP is served")),
        ("experimental", Foreign::Refused("plugins are built in: use them under `plugin:` of a middleware")),
        ("hostResolver", Foreign::Refused("the system's resolver is used")),
        ("core", Foreign::Refused("rules have the v3 syntax only")),
        ("spiffe", Foreign::Refused("it is not supported")),
        ("ocsp", Foreign::Refused("it is not supported")),
        ("tcp", Foreign::Refused("only HTTP is served")),
        ("udp", Foreign::Refused("only HTTP is served")),
    ],
};

const PROVIDERS: Shape = Shape {
    keys: &["file"],
    foreign: &[
        (
            "docker",
            Foreign::Refused("labels are not read; write routers in a rule file under `providers.file`"),
        ),
        (
            "swarm",
            Foreign::Refused("labels are not read; write routers in a rule file under `providers.file`"),
        ),
        ("providersThrottleDuration", Foreign::Ignored("changes are taken after 200 ms of quiet")),
        ("precedence", Foreign::Refused("there is one provider, `file`")),
        ("kubernetesIngress", Foreign::Refused("there is one provider, `file`")),
        ("kubernetesIngressNGINX", Foreign::Refused("there is one provider, `file`")),
        ("knative", Foreign::Refused("there is one provider, `file`")),
        ("kubernetesCRD", Foreign::Refused("there is one provider, `file`")),
        ("kubernetesGateway", Foreign::Refused("there is one provider, `file`")),
        ("http", Foreign::Refused("there is one provider, `file`")),
        ("consul", Foreign::Refused("there is one provider, `file`")),
        ("consulCatalog", Foreign::Refused("there is one provider, `file`")),
        ("etcd", Foreign::Refused("there is one provider, `file`")),
        ("redis", Foreign::Refused("there is one provider, `file`")),
        ("nomad", Foreign::Refused("there is one provider, `file`")),
        ("ecs", Foreign::Refused("there is one provider, `file`")),
        ("rest", Foreign::Refused("there is one provider, `file`")),
        ("zooKeeper", Foreign::Refused("there is one provider, `file`")),
        ("plugin", Foreign::Refused("there is one provider, `file`")),
    ],
};

const FILE: Shape = Shape {
    keys: &["filename", "directory", "watch"],
    foreign: &[("debugLogGeneratedTemplate", Foreign::Refused("files are plain YAML, not templates"))],
};

const EGRESS: Shape = Shape { keys: &["allow"], foreign: &[] };

impl StartUp {
    /// Reads the start-up file and the environment. Without `path` the file is the one that
    /// `MINTGATE_CONFIG` names. Relative paths in the file are relative to the working directory, as in
    /// Traefik.
    ///
    /// # Errors
    /// Everything that is wrong with the file and the variables, at once.
    pub fn load(path: Option<&Path>, environment: &Environment) -> Result<Self, Problems> {
        let path = start_up_file(path, environment)?;
        Self::parse(&tree::read_source(&path)?, environment)
    }

    /// The same for a text that was read already.
    ///
    /// # Errors
    /// As [`StartUp::load`].
    pub fn parse(source: &Arc<Source>, environment: &Environment) -> Result<Self, Problems> {
        let tree = tree::parse(source)?;
        let findings = Findings::default();
        let variables = Variables::new(environment, &findings);
        let start_up = Section::open(source, &findings, &tree, &ROOT)
            .and_then(|root| StartUp::read(&Reading { root, variables, findings: &findings }));
        variables.tell_unused();
        let warnings = findings.finish()?;
        // A part that is missing was told as a problem, so that `finish` has returned already.
        start_up
            .map(|start_up| StartUp { warnings, ..start_up })
            .ok_or_else(|| Problem::new(Origin::Path(source.path.clone()), "the file cannot be used").into())
    }

    fn read(reading: &Reading<'_>) -> Option<Self> {
        let root = &reading.root;
        let data_dir = PathBuf::from(root.text("dataDir").map_or("data", |text| text.value));
        let mut entry_points = entry_points::read(root);
        let observed = observe::read(root, &entry_points);
        entry_points::settle_defaults(&mut entry_points, observed.metrics.as_deref());
        let rules = rule_files(root);
        let console = mail::console(reading);
        let mut locations = Locations::default();
        let microsoft = microsoft::microsoft(reading, &mut locations);
        let google = google::google(reading, &mut locations);
        let registered = microsoft.is_some() || google.is_some();
        let store = desk::store(reading, &data_dir);
        let (vault, previous_keys) = desk::vault(reading, &data_dir);
        let desk = desk::desk(reading);
        let mail = mail::mail(reading, &desk, registered, console.public_url.as_ref());
        Some(StartUp {
            entry_points,
            rules,
            access_log: observed.access_log,
            ping: observed.ping,
            metrics: observed.metrics,
            log: observed.log,
            store: store?,
            vault: vault?,
            previous_keys,
            mail,
            microsoft,
            google,
            locations,
            console,
            egress_allow: egress(root),
            cookies: mail::cookies(reading),
            desk: desk?,
            data_dir,
            origins: origins::origins(reading),
            warnings: Vec::new(),
        })
    }
}

/// The file's root, the variables, and where to tell what is wrong.
pub(super) struct Reading<'t> {
    pub root: Section<'t>,
    pub variables: Variables<'t>,
    pub findings: &'t Findings,
}

impl Reading<'_> {
    /// One value that file and environment may both give: the environment wins, and says so when the
    /// file has something else.
    pub fn settle<T: PartialEq>(
        &self,
        key: &str,
        file: Option<At<T>>,
        name: &str,
        variable: Option<T>,
    ) -> Option<T> {
        match (file, variable) {
            (Some(file), Some(value)) => {
                if file.value != value {
                    self.root.warn(file.place, &format!("`{key}` is left out: {name} is set and wins"));
                }
                Some(value)
            }
            (file, variable) => variable.or(file.map(|file| file.value)),
        }
    }

    /// A text that file and environment may both give, each read by `parse`.
    pub fn settle_parsed<T: PartialEq, E: Display>(
        &self,
        (section, key): (Option<&Section<'_>>, &str),
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let file = section.and_then(|section| section.parsed(key, &parse));
        self.settle(key, file, name, self.variables.parsed(name, parse))
    }
}

/// Any text.
pub(super) fn any(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn start_up_file(path: Option<&Path>, environment: &Environment) -> Result<PathBuf, Problems> {
    if let Some(path) = path {
        return Ok(path.to_owned());
    }
    let findings = Findings::default();
    let named = Variables::new(environment, &findings).text("MINTGATE_CONFIG");
    findings.finish()?;
    named.map(PathBuf::from).ok_or_else(|| {
        Problem::new(Origin::Whole, "no start-up file is given")
            .help("use --config FILE or set MINTGATE_CONFIG")
            .into()
    })
}

fn rule_files(root: &Section<'_>) -> RuleFiles {
    let inline = (root.key_place("http").is_some() || root.key_place("tls").is_some())
        .then(|| root.source().path.clone());
    let file = root.section("providers", &PROVIDERS).and_then(|providers| providers.section("file", &FILE));
    let Some(file) = file else { return RuleFiles { at: None, inline, watch: true } };
    let (filename, directory) = (file.text("filename"), file.text("directory"));
    if let (Some(_), Some(directory)) = (filename, directory) {
        let help = "keep one of them; a directory is read with everything below it";
        file.problem(directory.place, "`filename` and `directory` are both given", Some(help.into()));
    } else if filename.is_none() && directory.is_none() {
        file.problem(file.place, "neither `filename` nor `directory` is given", None);
    }
    RuleFiles {
        at: directory.or(filename).map(|path| PathBuf::from(path.value)),
        inline,
        watch: file.flag("watch").is_none_or(|watch| watch.value),
    }
}

fn egress(root: &Section<'_>) -> Vec<String> {
    let Some(section) = root.section("egress", &EGRESS) else { return Vec::new() };
    section.texts("allow").into_iter().filter_map(|host| section.read(host, value::host_name)).collect()
}
