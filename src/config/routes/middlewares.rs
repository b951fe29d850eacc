//! `http.middlewares`: read by the registry, compiled, chains unfolded.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::{Named, Tree, by_name};
use super::pick::{Step, pick};
use crate::config::NamedMiddleware;
use crate::config::problem::{Findings, Origin, Problem, Source, suggestion};
use crate::config::tree::{self, Node, Value};
use crate::middleware::registry::{MiddlewareSpec, Parts, Place, SpecError};

/// Middlewares by name.
pub struct Middlewares {
    entries: BTreeMap<String, Entry>,
    /// What every router to the desk gets before its own: hardened cookies, the brake on sign-ins, shielded sessions, the guard of
    /// the admin pages.
    pub before: Vec<One>,
    /// What it gets after its own, so that an answer's headers are set before an operator changes them.
    pub after: Vec<One>,
}

enum Entry {
    /// It was told what is wrong with it.
    Broken,
    Chain(Vec<String>),
    One(One),
}

/// A compiled middleware and the YAML key that made it.
#[derive(Clone)]
pub struct One {
    pub key: &'static str,
    pub named: NamedMiddleware,
}

impl Middlewares {
    /// What stands behind the names, chains unfolded. `unknown` is called with each name that is not
    /// there and a suggestion.
    pub fn unfold<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
        unknown: &mut dyn FnMut(&str, Option<String>),
    ) -> Vec<One> {
        let mut unfolded = Vec::new();
        for name in names {
            self.unfold_one(name, &mut Vec::new(), &mut unfolded, unknown);
        }
        unfolded
    }

    fn unfold_one(
        &self,
        name: &str,
        above: &mut Vec<String>,
        unfolded: &mut Vec<One>,
        unknown: &mut dyn FnMut(&str, Option<String>),
    ) {
        let name = local(name);
        match self.entries.get(name) {
            None => unknown(name, suggestion(name, &self.names())),
            Some(Entry::Broken) => {}
            Some(Entry::One(one)) => unfolded.push(one.clone()),
            // A circle was told where the chain is defined.
            Some(Entry::Chain(_)) if above.iter().any(|outer| outer == name) => {}
            Some(Entry::Chain(members)) => {
                above.push(name.to_owned());
                for member in members {
                    // An unknown member was told where the chain is defined.
                    self.unfold_one(member, above, unfolded, &mut |_, _| {});
                }
                above.pop();
            }
        }
    }

    fn names(&self) -> Vec<&str> {
        self.entries.keys().map(String::as_str).collect()
    }

    /// The circle that `name` is part of: `a → b → a`. Only the first of its names by the alphabet
    /// tells it.
    fn circle(&self, name: &str) -> Option<String> {
        let mut path = Vec::new();
        let told_here = self.leads_to(name, name, &mut path) && path.iter().all(|member| name <= *member);
        told_here.then(|| format!("{name} → {}", path.join(" → ")))
    }

    fn leads_to<'s>(&'s self, from: &str, target: &str, path: &mut Vec<&'s str>) -> bool {
        let Some(Entry::Chain(members)) = self.entries.get(from) else { return false };
        for member in members.iter().map(|member| local(member)) {
            if path.contains(&member) {
                continue;
            }
            path.push(member);
            if member == target || self.leads_to(member, target, path) {
                return true;
            }
            path.pop();
        }
        false
    }
}

/// `name@file` is `name`: there is one provider.
pub fn local(name: &str) -> &str {
    name.strip_suffix("@file").unwrap_or(name)
}

pub fn read(trees: &[Tree<'_>], findings: &Findings, parts: &Parts) -> Middlewares {
    let mut all = Vec::new();
    for tree in trees {
        let specs = specs(tree);
        let nodes = tree.http.iter().flat_map(|http| http.named("middlewares"));
        all.extend(nodes.map(|(name, node)| {
            let spec = specs.get(&name.text).cloned().unwrap_or_else(|| spec(tree.source, &name.text));
            Named { name, source: tree.source, value: (node, spec) }
        }));
    }
    let objects = by_name(findings, all);
    let guards = |keys: &[&'static str]| -> Vec<One> {
        keys.iter().filter_map(|key| findings.told(guard(key, parts))).collect()
    };
    let before = guards(&["hardenCookies", "loginBrake", "sessionShield", "adminOnly"]);
    let after = guards(&["secureHeaders", "contentSecurityPolicy"]);
    let mut middlewares = Middlewares { entries: BTreeMap::new(), before, after };
    for (name, object) in &objects {
        let (node, spec) = &object.value;
        let compiled =
            spec.clone().and_then(|spec| compile(object.source, (name, node), &spec, parts, findings));
        let entry = compiled.unwrap_or_else(|problems| {
            problems.into_iter().for_each(|problem| findings.problem(problem));
            Entry::Broken
        });
        middlewares.entries.insert((*name).to_owned(), entry);
    }
    for object in objects.values() {
        tell_wrong_members(&middlewares, object.name.text.as_str(), object, findings);
    }
    middlewares
}

type Specs = BTreeMap<String, Result<MiddlewareSpec, Vec<Problem>>>;

/// All specs of a file in one pass; none when one of them is broken, to be read one by one then.
fn specs(tree: &Tree<'_>) -> Specs {
    let has_any = tree.http.is_some_and(|http| http.named("middlewares").next().is_some());
    let read = has_any.then(|| {
        pick::<BTreeMap<String, MiddlewareSpec>>(tree.source, &[Step::Key("http"), Step::Key("middlewares")])
    });
    match read {
        Some(Ok(Some(specs))) => specs.into_iter().map(|(name, spec)| (name, Ok(spec))).collect(),
        _ => Specs::new(),
    }
}

/// The spec of one middleware alone, so that every broken one of a file is told.
fn spec(source: &Arc<Source>, name: &str) -> Result<MiddlewareSpec, Vec<Problem>> {
    match pick(source, &[Step::Key("http"), Step::Key("middlewares"), Step::Name(name)]) {
        Ok(Some(spec)) => Ok(spec),
        Ok(None) => {
            let origin = Origin::File { source: source.clone(), place: None };
            Err(vec![Problem::new(origin, format!("middleware `{name}` cannot be read"))])
        }
        Err(error) => Err(vec![spec_problem(source, name, &error)]),
    }
}

fn spec_problem(source: &Arc<Source>, name: &str, error: &serde_yaml::Error) -> Problem {
    let problem = tree::yaml_problem(source, error);
    match error.without_snippet() {
        serde_yaml::Error::SerdeUnknownField { field, .. } if instead_of(field).is_some() => Problem {
            message: format!("middleware `{name}`: `{field}` is not supported"),
            help: instead_of(field).map(str::to_owned),
            ..problem
        },
        serde_yaml::Error::SerdeUnknownField { field, expected, .. } => Problem {
            message: format!("unknown key `{field}` in middleware `{name}`"),
            help: suggestion(field, expected),
            ..problem
        },
        _ => Problem { message: format!("middleware `{name}`: {}", problem.message), ..problem },
    }
}

/// What to do without a middleware that Traefik has and this does not.
fn instead_of(traefiks: &str) -> Option<&'static str> {
    Some(match traefiks {
        "ipWhiteList" => "`ipAllowList` takes the same keys",
        "contentType" => "leave it out: a type that the service does not tell is never guessed",
        "basicAuth" | "digestAuth" | "forwardAuth" | "passTLSClientCert" => {
            "who may enter is the service's to decide; `ipAllowList` lets networks in"
        }
        "addPrefix" | "stripPrefix" | "stripPrefixRegex" | "replacePath" | "replacePathRegex" => {
            "paths are forwarded as they were matched"
        }
        "redirectRegex" => "`redirectScheme` and an entry point's `http.redirections` lead to HTTPS",
        "buffering" | "circuitBreaker" | "compress" | "encodedCharacters" | "errors" | "grpcWeb"
        | "retry" => "leave it out, or leave it to the service",
        _ => return None,
    })
}

fn compile(
    source: &Arc<Source>,
    (name, node): (&str, &Node),
    spec: &MiddlewareSpec,
    parts: &Parts,
    findings: &Findings,
) -> Result<Entry, Vec<Problem>> {
    if let Some(members) = spec.chain() {
        return Ok(Entry::Chain(members.to_vec()));
    }
    let compiled = spec.compile(parts).map_err(|errors| {
        errors.into_iter().map(|error| value_problem(source, (name, node), error)).collect::<Vec<_>>()
    })?;
    for warning in compiled.warnings {
        let message = format!("middleware `{name}`: {}", warning.message);
        findings.warn_at(source, warning.place.unwrap_or(node.place), &message);
    }
    let named = NamedMiddleware { name: Arc::from(name), runs: compiled.runs };
    Ok(Entry::One(One { key: spec.key(), named }))
}

fn value_problem(source: &Arc<Source>, (name, node): (&str, &Node), error: SpecError) -> Problem {
    let place = error.place.unwrap_or(node.place);
    let origin = Origin::File { source: source.clone(), place: Some(place) };
    Problem { origin, message: format!("middleware `{name}`: {}", error.message), help: error.hint }
}

/// Chains that name what is not there, or themselves, and chains of nothing.
fn tell_wrong_members(
    middlewares: &Middlewares,
    name: &str,
    object: &Named<'_, (&Node, Result<MiddlewareSpec, Vec<Problem>>)>,
    findings: &Findings,
) {
    let Some(Entry::Chain(members)) = middlewares.entries.get(name) else { return };
    let (node, _) = &object.value;
    let problem = |place: Place, message: String| {
        Problem::new(Origin::File { source: object.source.clone(), place: Some(place) }, message)
    };
    if members.is_empty() {
        findings.problem(problem(node.place, format!("chain `{name}` has no members")));
    }
    for member in members.iter().filter(|member| !middlewares.entries.contains_key(local(member))) {
        let place = member_place(node, member).unwrap_or(node.place);
        let unknown = problem(place, format!("there is no middleware `{member}`"));
        findings.problem(Problem { help: suggestion(local(member), &middlewares.names()), ..unknown });
    }
    if let Some(circle) = middlewares.circle(name) {
        findings.problem(problem(node.place, format!("chain `{name}` contains itself: {circle}")));
    }
}

/// Where a chain's member stands: the first text below `node` that is the member's name.
fn member_place(node: &Node, member: &str) -> Option<Place> {
    match &node.value {
        Value::Text(text) => (text == member).then_some(node.place),
        Value::List(items) => items.iter().find_map(|item| member_place(item, member)),
        Value::Map(entries) => entries.iter().find_map(|(_, value)| member_place(value, member)),
        Value::Nothing | Value::Flag(_) => None,
    }
}

/// Reads a middleware that routers to the desk get without asking.
fn guard(key: &'static str, parts: &Parts) -> Result<One, Problem> {
    let refused = |why: String| Problem::new(Origin::Whole, format!("`{key}` cannot be made: {why}"));
    let yaml = format!("plugin: {{{key}: {{}}}}");
    let spec: MiddlewareSpec =
        serde_yaml::from_str(&yaml).map_err(|error| refused(error.without_snippet().to_string()))?;
    let compiled = spec.compile(parts).map_err(|errors| {
        let said: Vec<String> = errors.into_iter().map(|error| error.message).collect();
        refused(said.join("; "))
    })?;
    let named = NamedMiddleware { name: Arc::from(format!("{key}@internal")), runs: compiled.runs };
    Ok(One { key: spec.key(), named })
}
