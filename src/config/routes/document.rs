//! Which files hold rules, and their trees.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::RuleFiles;
use crate::config::problem::{Findings, Origin, Problem, Source};
use crate::config::section::{Foreign, Section, Shape};
use crate::config::tree::{self, Key, Node};

/// How deep a rule directory may be; a link to its own parent ends here.
const MAX_DEPTH: usize = 16;

const ROOT: Shape = Shape {
    keys: &["http", "tls"],
    foreign: &[
        ("tcp", Foreign::Refused("only HTTP is served")),
        ("udp", Foreign::Refused("only HTTP is served")),
    ],
};

const HTTP: Shape = Shape {
    keys: &["routers", "services", "middlewares"],
    foreign: &[
        ("serversTransports", Foreign::Refused("leave it out: connections to servers have fixed limits")),
        ("models", Foreign::Refused("it is Traefik's own, internal")),
    ],
};

const TLS: Shape = Shape {
    keys: &["certificates"],
    foreign: &[
        ("options", Foreign::Refused("leave it out: TLS 1.2 and 1.3 with safe ciphers are offered")),
        ("stores", Foreign::Refused("leave it out: the first certificate serves unknown names")),
    ],
};

/// The files that hold rules.
pub struct Documents(Vec<Document>);

struct Document {
    source: Arc<Source>,
    tree: Node,
    /// The start-up file: its other sections were judged at start.
    inline: bool,
}

/// One file's `http:` and `tls:`.
pub struct Tree<'t> {
    pub source: &'t Arc<Source>,
    pub http: Option<Section<'t>>,
    pub tls: Option<Section<'t>>,
}

impl Documents {
    pub fn read(files: &RuleFiles, findings: &Findings) -> Self {
        let mut found = Found::default();
        if let Some(at) = &files.at
            && let Err(problem) = walk(at, &mut found, 0)
        {
            findings.problem(problem);
        }
        for path in &found.left_out {
            findings.warn(format!("`{}` is not read: rules are YAML", path.display()));
        }
        let inline = files.inline.iter().map(|path| (path, true));
        let documents =
            inline.chain(found.rules.iter().map(|path| (path, false))).filter_map(|(path, inline)| {
                let parsed = tree::read_source(path).and_then(|source| {
                    let tree = tree::parse(&source)?;
                    Ok(Document { source, tree, inline })
                });
                findings.told(parsed)
            });
        Self(documents.collect())
    }

    pub fn open<'t>(&'t self, findings: &'t Findings) -> Vec<Tree<'t>> {
        let open = |document: &'t Document| {
            let (source, node) = (&document.source, &document.tree);
            let root = match document.inline {
                true => Section::open_any(source, findings, node)?,
                false => Section::open(source, findings, node, &ROOT)?,
            };
            Some(Tree { source, http: root.section("http", &HTTP), tls: root.section("tls", &TLS) })
        };
        self.0.iter().filter_map(open).collect()
    }

    pub fn paths(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.0.iter().map(|document| document.source.path.clone())
    }
}

/// A named object of some file; `source` is that file.
pub struct Named<'t, T> {
    pub name: &'t Key,
    pub source: &'t Arc<Source>,
    pub value: T,
}

/// The objects of every file by name; a name that is taken already is a problem.
pub fn by_name<'t, T>(findings: &Findings, objects: Vec<Named<'t, T>>) -> BTreeMap<&'t str, Named<'t, T>> {
    let mut known: BTreeMap<&'t str, Named<'t, T>> = BTreeMap::new();
    for object in objects {
        let name = object.name.text.as_str();
        match known.get(name) {
            None => drop(known.insert(name, object)),
            // Twice in one file was told when the file was parsed.
            Some(first) if Arc::ptr_eq(first.source, object.source) => {}
            Some(first) => {
                let origin = Origin::File { source: object.source.clone(), place: Some(object.name.place) };
                let (file, line) = (first.source.path.display(), first.name.place.line);
                let problem = Problem::new(origin, format!("`{name}` is already in another file"));
                findings
                    .problem(problem.help(format!("the first one is at {file}:{line}; rename one of them")));
            }
        }
    }
    known
}

/// What a rule directory holds, sorted.
#[derive(Default)]
struct Found {
    rules: Vec<PathBuf>,
    /// Files that Traefik would read as rules.
    left_out: Vec<PathBuf>,
}

/// Finds the rule files at `path`. In folders, names that start with a dot are left out: that is how
/// Kubernetes keeps the generations of a ConfigMap beside the links to them, and editors their copies.
fn walk(path: &Path, found: &mut Found, depth: usize) -> Result<(), Problem> {
    let refused = |why: String| Problem::new(Origin::Path(path.to_owned()), why);
    let metadata =
        std::fs::metadata(path).map_err(|error| refused(format!("the rules cannot be read: {error}")))?;
    if metadata.is_file() {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yml" | "yaml") => found.rules.push(path.to_owned()),
            // A file that is named itself may have any name.
            _ if depth == 0 => found.rules.push(path.to_owned()),
            Some("toml") => found.left_out.push(path.to_owned()),
            _ => {}
        }
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(refused(format!(
            "the folder is more than {MAX_DEPTH} folders deep; a link may lead in a circle"
        )));
    }
    let entries =
        std::fs::read_dir(path).map_err(|error| refused(format!("the folder cannot be read: {error}")))?;
    let mut children = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| refused(format!("the folder cannot be read: {error}")))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            children.push(entry.path());
        }
    }
    children.sort();
    children.iter().try_for_each(|child| walk(child, found, depth + 1))
}
