//! `http.routers`: which request goes where, and what happens on its way.
//!
//! A router that leads to the desk is guarded whatever its YAML says; an option forgotten in a file
//! must not open the admin pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::{Named, Tree, by_name};
use super::middlewares::{Middlewares, One, local};
use super::services::{DESK_SERVICE, Services};
use crate::config::problem::{Findings, Origin, Problem, suggestion};
use crate::config::section::{At, Foreign, Section, Shape};
use crate::config::{EntryPoint, NamedMiddleware, Router, StartUp};
use crate::middleware::registry::Place;
use crate::middleware::{
    Middleware, admin_only, content_security_policy, graph_token, login_brake, session_shield,
};
use crate::rule::Rule;

const ROUTER: Shape = Shape {
    keys: &["entryPoints", "rule", "service", "middlewares", "priority", "tls"],
    foreign: &[
        ("ruleSyntax", Foreign::Refused("rules have the v3 syntax; leave it out")),
        ("observability", Foreign::Ignored("every router is logged and counted")),
        ("parentRefs", Foreign::Refused("it is not supported")),
    ],
};

const ROUTER_TLS: Shape = Shape {
    keys: &[],
    foreign: &[
        (
            "certResolver",
            Foreign::Refused("name certificate files under `tls.certificates`, and write `tls: {}` here"),
        ),
        ("domains", Foreign::Refused("a certificate's own names count; write `tls: {}`")),
        ("options", Foreign::Refused("TLS options are not supported yet; write `tls: {}`")),
    ],
};

/// The highest priority Traefik leaves to operators.
const MAX_PRIORITY: i64 = i64::MAX - 1000;

/// What routers are compiled against.
struct Surroundings<'s> {
    start_up: &'s StartUp,
    middlewares: &'s Middlewares,
    findings: &'s Findings,
}

/// A router without what its entry points add.
struct Draft<'t> {
    name: &'t str,
    rule: At<&'t str>,
    priority: i64,
    entry_points: Vec<&'t EntryPoint>,
    /// `tls:` is there.
    tls: bool,
    middlewares: Vec<One>,
    service: usize,
    desk: bool,
    /// The service is Microsoft Graph and nothing else.
    graph: bool,
    /// Where its middlewares are named.
    origin: Origin,
}

pub fn read(
    trees: &[Tree<'_>],
    findings: &Findings,
    start_up: &StartUp,
    middlewares: &Middlewares,
    services: &mut Services,
) -> Vec<Router> {
    let surroundings = Surroundings { start_up, middlewares, findings };
    let mut all = Vec::new();
    for tree in trees {
        let sections = tree.http.iter().flat_map(|http| http.named_sections("routers", &ROUTER));
        all.extend(sections.map(|(name, section)| Named { name, source: tree.source, value: section }));
    }
    let sections = by_name(findings, all);
    let drafts: Vec<Draft<'_>> = sections
        .iter()
        .filter_map(|(name, object)| surroundings.draft(name, &object.value, services))
        .collect();
    let drafts = if sections.is_empty() { surroundings.everything(services) } else { drafts };
    surroundings.tell_missing_desk(&drafts);
    drafts.iter().flat_map(|draft| surroundings.compile(draft)).collect()
}

impl<'s> Surroundings<'s> {
    fn draft<'t>(&self, name: &'t str, section: &Section<'t>, services: &mut Services) -> Option<Draft<'t>>
    where
        's: 't,
    {
        let rule = rule(name, section);
        let priority = section.number("priority", i64::MIN..=MAX_PRIORITY).map_or(0, |number| number.value);
        let entry_points = self.entry_points(section);
        let tls = section.section("tls", &ROUTER_TLS).is_some();
        let middlewares = self.middlewares(section);
        let (rule, service) = (rule, service(name, section, services));
        let service = service?;
        let desk = services.is_desk(service);
        let graph = services.is_graph(service, &self.start_up.locations.graph);
        let place = section.key_place("middlewares").unwrap_or(section.place);
        let origin = Origin::File { source: section.source().clone(), place: Some(place) };
        let rule = rule?;
        Some(Draft { name, rule, priority, entry_points, tls, middlewares, service, desk, graph, origin })
    }

    /// The one router of a configuration without routers: everything to the desk.
    fn everything<'t>(&self, services: &mut Services) -> Vec<Draft<'t>>
    where
        's: 't,
    {
        const RULE: At<&str> = At { place: Place { line: 0, column: 0 }, value: "PathPrefix(`/`)" };
        let Ok(Some(service)) = services.find(DESK_SERVICE) else { return Vec::new() };
        self.findings.warn("no router is given: every request goes to the desk, from every address");
        let entry_points = self.default_entry_points();
        let name = "desk@internal";
        vec![Draft {
            name,
            rule: RULE,
            priority: 0,
            entry_points,
            tls: false,
            middlewares: Vec::new(),
            service,
            desk: true,
            graph: false,
            origin: Origin::Whole,
        }]
    }

    fn default_entry_points(&self) -> Vec<&'s EntryPoint> {
        self.start_up.entry_points.iter().filter(|entry_point| entry_point.default).collect()
    }

    fn entry_points(&self, section: &Section<'_>) -> Vec<&'s EntryPoint> {
        let given = section.texts("entryPoints");
        if given.is_empty() {
            return self.default_entry_points();
        }
        let all = &self.start_up.entry_points;
        let names: Vec<&str> = all.iter().map(|entry_point| entry_point.name.as_str()).collect();
        given
            .into_iter()
            .filter_map(|name| {
                let found = all.iter().find(|entry_point| entry_point.name == name.value);
                if found.is_none() {
                    let message = format!("there is no entry point `{}`", name.value);
                    section.problem(name.place, message, suggestion(name.value, &names));
                }
                found
            })
            .collect()
    }

    fn middlewares(&self, section: &Section<'_>) -> Vec<One> {
        let names = section.texts("middlewares");
        let unfold = |name: At<&str>| {
            self.middlewares.unfold([name.value], &mut |unknown, help| {
                section.problem(name.place, format!("there is no middleware `{unknown}`"), help);
            })
        };
        names.into_iter().flat_map(unfold).collect()
    }

    /// One router for each way its entry points differ: plain or TLS, and the middlewares they add.
    fn compile(&self, draft: &Draft<'_>) -> Vec<Router> {
        let mut own = Own::new();
        let mut groups: BTreeMap<(bool, &[String]), Vec<String>> = BTreeMap::new();
        for entry_point in &draft.entry_points {
            let key = (draft.tls || entry_point.tls, entry_point.middlewares.as_slice());
            groups.entry(key).or_default().push(entry_point.name.clone());
        }
        groups
            .into_iter()
            .filter_map(|((tls, first), names)| self.router(draft, tls, first, names, &mut own))
            .collect()
    }

    fn router(
        &self,
        draft: &Draft<'_>,
        tls: bool,
        first: &[String],
        entry_points: Vec<String>,
        own: &mut Own,
    ) -> Option<Router> {
        let rule = Rule::parse(draft.rule.value).expect("a drafted router's rule was read before");
        let mut chain = self.middlewares.unfold(first.iter().map(String::as_str), &mut |unknown, help| {
            let message = format!("entry point `{}`: there is no middleware `{unknown}`", entry_points[0]);
            self.findings.problem(Problem { help, ..Problem::new(Origin::Whole, message) });
        });
        chain.extend(draft.middlewares.iter().cloned());
        let mut chain = self.guarded(draft, chain);
        // Stable: addresses outside are refused before anything else sees the request.
        chain.sort_by_key(|one| !one.named.runs.is_address_check());
        let priority = if draft.priority == 0 { rule.default_priority() } else { draft.priority };
        Some(Router {
            name: draft.name.to_owned(),
            entry_points,
            tls,
            rule,
            priority,
            upgrade: chain.iter().any(|one| one.named.runs.allows_upgrade()),
            middlewares: chain.into_iter().map(|one| counting_alone(one.named, own)).collect(),
            service: draft.service,
            desk: draft.desk,
        })
    }

    /// A desk behind another name than `desk.url` would be served without a guard.
    fn tell_missing_desk(&self, drafts: &[Draft<'_>]) {
        if !drafts.iter().any(|draft| draft.desk) {
            let url = self.start_up.desk.url.as_str();
            self.findings.warn(format!(
                "no router leads to the desk at {url}: nothing is guarded, and there is no /admin/exchange"
            ));
        }
    }

    /// A middleware that asks the desk itself would answer for somebody else's service; one that gives a
    /// token away would give it to somebody else's.
    fn tell_misplaced(&self, draft: &Draft<'_>, chain: &[One]) {
        for one in chain {
            let (only, help) = match one.key {
                content_security_policy::KEY if !draft.desk => {
                    ("the desk", "write the policy as `contentSecurityPolicy` of `headers`".to_owned())
                }
                login_brake::KEY if !draft.desk => {
                    ("the desk", "limit another service with `rateLimit`".to_owned())
                }
                graph_token::KEY if draft.desk || !draft.graph => ("Microsoft Graph", self.graph_help()),
                _ => continue,
            };
            let message = format!("router `{}`: `{}` is for routers to {only} only", draft.name, one.key);
            self.findings.problem(Problem::new(draft.origin.clone(), message).help(help));
        }
    }

    fn graph_help(&self) -> String {
        let graph = self.start_up.locations.graph.origin().ascii_serialization();
        format!("its service has `passHostHeader: false` and no server but `{graph}`")
    }

    /// Adds what every router to the desk has to have.
    fn guarded(&self, draft: &Draft<'_>, chain: Vec<One>) -> Vec<One> {
        self.tell_misplaced(draft, &chain);
        if !draft.desk {
            return chain;
        }
        let written = draft.rule.place.line > 0;
        let name = draft.name;
        let missing = |guards: &[One]| -> Vec<One> {
            guards.iter().filter(|guard| !has(&chain, guard.key)).cloned().collect()
        };
        let (before, after) = (missing(&self.middlewares.before), missing(&self.middlewares.after));
        if written && !(before.is_empty() && after.is_empty()) {
            let added = before.iter().chain(&after).map(|guard| format!("`{}`", guard.key));
            let added = added.collect::<Vec<_>>().join(", ");
            self.findings.warn(format!("router `{name}` leads to the desk: {added} added"));
        }
        if written && !chain.iter().any(|one| one.named.runs.is_address_check()) {
            self.findings
                .warn(format!("router `{name}` leads to the desk and has no allow-list of addresses"));
        }
        let mut chain: Vec<One> = before.into_iter().chain(chain).chain(after).collect();
        shield_before_guard(&mut chain);
        chain
    }
}

/// A router's own copies of the middlewares that count for each router alone, by name.
type Own = BTreeMap<Arc<str>, Arc<dyn Middleware>>;

fn counting_alone(named: NamedMiddleware, own: &mut Own) -> NamedMiddleware {
    let runs = match own.get(&named.name) {
        Some(runs) => runs.clone(),
        None => {
            let runs = named.runs.for_router().unwrap_or(named.runs);
            own.insert(named.name.clone(), runs.clone());
            runs
        }
    };
    NamedMiddleware { name: named.name, runs }
}

fn has(chain: &[One], key: &str) -> bool {
    chain.iter().any(|one| one.key == key)
}

/// The guard has to see the session that the shield has put into the request.
fn shield_before_guard(chain: &mut Vec<One>) {
    let place = |key: &str| chain.iter().position(|one| one.key == key);
    if let (Some(guard), Some(shield)) = (place(admin_only::KEY), place(session_shield::KEY))
        && guard < shield
    {
        let shield = chain.remove(shield);
        chain.insert(guard, shield);
    }
}

/// The rule's text, once it can be read.
fn rule<'t>(name: &str, section: &Section<'t>) -> Option<At<&'t str>> {
    let Some(text) = section.text("rule") else {
        if section.key_place("rule").is_none() {
            section.problem(section.place, format!("router `{name}` has no `rule`"), None);
        }
        return None;
    };
    let error = match Rule::parse(text.value) {
        Ok(_) => return Some(text),
        Err(error) => error,
    };
    let place = place_within(section, text, error.span.start);
    let help = error.hint.map(|hint| match hint.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => format!("did you mean `{hint}`?"),
        false => format!("expected: {hint}"),
    });
    section.problem(place, format!("router `{name}`: {}", error.message), help);
    None
}

/// Where byte `offset` of a text stands, if the file has the text on one line as it is; otherwise where
/// the text begins.
fn place_within(section: &Section<'_>, text: At<&str>, offset: usize) -> Place {
    let index = usize::try_from(text.place.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let line = section.source().text.lines().nth(index).unwrap_or("");
    let start = usize::try_from(text.place.column.saturating_sub(1)).unwrap_or(0);
    let written: String = line.chars().skip(start).collect();
    let found = written.find(text.value).and_then(|at| written.get(..at + offset));
    let column = found.map_or(0, |before| before.chars().count());
    Place { line: text.place.line, column: text.place.column + column as u64 }
}

fn service(name: &str, section: &Section<'_>, services: &mut Services) -> Option<usize> {
    let Some(text) = section.text("service") else {
        if section.key_place("service").is_none() {
            let help = format!("name one, or `{DESK_SERVICE}` for the desk");
            section.problem(section.place, format!("router `{name}` has no `service`"), Some(help));
        }
        return None;
    };
    let wanted = local(text.value);
    match services.find(wanted) {
        Ok(index) => index,
        Err(names) => {
            let help = suggestion(wanted, &names);
            section.problem(text.place, format!("there is no service `{wanted}`"), help);
            None
        }
    }
}
