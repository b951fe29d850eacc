//! `http.services`: where requests go.

use std::collections::BTreeMap;

use url::Url;

use super::document::{Named, Tree, by_name};
use crate::config::problem::Findings;
use crate::config::section::{Foreign, Section, Shape};
use crate::config::{Desk, Server, Service, value};

/// The desk as a service, made of `desk.url`; always there.
pub const DESK_SERVICE: &str = "desk@internal";

const NOT_YET: Foreign = Foreign::Refused("only `loadBalancer` is supported yet");

const SERVICE: Shape = Shape {
    keys: &["loadBalancer"],
    foreign: &[
        ("weighted", NOT_YET),
        ("mirroring", NOT_YET),
        ("failover", NOT_YET),
        ("highestRandomWeight", NOT_YET),
        ("middlewares", Foreign::Refused("name middlewares at the router")),
    ],
};

const LOAD_BALANCER: Shape = Shape {
    keys: &["servers", "passHostHeader"],
    foreign: &[
        ("sticky", Foreign::Refused("leave it out: servers take turns")),
        ("strategy", Foreign::Refused("leave it out: servers take turns")),
        ("healthCheck", Foreign::Refused("leave it out: servers are asked as requests come")),
        ("passiveHealthCheck", Foreign::Refused("leave it out: servers are asked as requests come")),
        ("serversTransport", Foreign::Refused("leave it out: connections to servers have fixed limits")),
        ("responseForwarding", Foreign::Ignored("bytes are passed on as they come")),
    ],
};

const SERVER: Shape = Shape {
    keys: &["url"],
    foreign: &[
        ("weight", Foreign::Refused("leave it out: servers take turns")),
        ("preservePath", Foreign::Ignored("the path is forwarded as it came")),
    ],
};

/// Services by name; a broken one keeps its name, so that routers are not told that it is missing.
pub struct Services {
    list: Vec<Service>,
    index: BTreeMap<String, Option<usize>>,
    desk: [Server; 2],
}

impl Services {
    /// Index of the service, `Ok(None)` for one that is there and broken.
    ///
    /// # Errors
    /// The names there are.
    pub fn find(&mut self, name: &str) -> Result<Option<usize>, Vec<&str>> {
        if name == DESK_SERVICE && !self.index.contains_key(name) {
            let service =
                Service { name: name.to_owned(), servers: vec![self.desk[0].clone()], pass_host: true };
            self.list.push(service);
            self.index.insert(name.to_owned(), Some(self.list.len() - 1));
        }
        match self.index.get(name) {
            Some(index) => Ok(*index),
            None => Err(self.index.keys().map(String::as_str).chain([DESK_SERVICE]).collect()),
        }
    }

    /// Whether one of the service's servers is the desk, its web client or its API.
    pub fn is_desk(&self, index: usize) -> bool {
        self.list[index].servers.iter().any(|server| self.desk.iter().any(|desk| is_same(server, desk)))
    }

    /// Whether every server of the service is `graph` and is called by that name: a name that the client
    /// chooses might lead to somebody else behind the same door.
    pub fn is_graph(&self, index: usize, graph: &Url) -> bool {
        let (service, graph) = (&self.list[index], value::server_of(graph));
        let is_it = |server: &Server| {
            (server.scheme, &server.host, server.port) == (graph.scheme, &graph.host, graph.port)
        };
        !service.pass_host && service.servers.iter().all(is_it)
    }

    pub fn into_list(self) -> Vec<Service> {
        self.list
    }
}

/// Two names of one machine's loopback are the same server: the guard may not depend on the spelling.
fn is_same(server: &Server, desk: &Server) -> bool {
    let plain = |host: &str| {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let loopback =
            host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        if loopback { "localhost".to_owned() } else { host }
    };
    server.port == desk.port && plain(&server.host) == plain(&desk.host)
}

pub fn read(trees: &[Tree<'_>], findings: &Findings, desk: &Desk) -> Services {
    let mut all = Vec::new();
    for tree in trees {
        let sections = tree.http.iter().flat_map(|http| http.named_sections("services", &SERVICE));
        all.extend(sections.map(|(name, section)| Named { name, source: tree.source, value: section }));
    }
    let desk = [value::server_of(&desk.url), value::server_of(&desk.api_url)];
    let mut services = Services { list: Vec::new(), index: BTreeMap::new(), desk };
    for (name, object) in by_name(findings, all) {
        let index = service(name, &object.value).map(|service| {
            services.list.push(service);
            services.list.len() - 1
        });
        services.index.insert(name.to_owned(), index);
    }
    services
}

fn service(name: &str, section: &Section<'_>) -> Option<Service> {
    let Some(balancer) = section.section("loadBalancer", &LOAD_BALANCER) else {
        if section.is_empty() {
            section.problem(section.place, format!("service `{name}` has no `loadBalancer`"), None);
        }
        return None;
    };
    let entries = balancer.section_list("servers", &SERVER);
    if entries.is_empty() {
        let place = balancer.key_place("servers").unwrap_or(balancer.place);
        let help = "for example `servers: [{url: \"http://127.0.0.1:3000\"}]`";
        balancer.problem(place, format!("service `{name}` has no servers"), Some(help.into()));
    }
    let pass_host = balancer.flag("passHostHeader").is_none_or(|flag| flag.value);
    let mut servers = Vec::new();
    for entry in &entries {
        if entry.key_place("url").is_none() {
            entry.problem(entry.place, "a server has no `url`", None);
        }
        servers.extend(entry.parsed("url", value::server).map(|server| server.value));
    }
    (!servers.is_empty()).then(|| Service { name: name.to_owned(), servers, pass_host })
}
