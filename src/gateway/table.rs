//! One generation of the compiled rules. A request takes one table and keeps it to its end.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Method};
use ipnet::IpNet;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::certificates::Certificates;
use super::metrics::{Metrics, Series};
use super::upstream::{Service, UpstreamTimeouts};
use crate::config::{NamedMiddleware, Router, Routes};
use crate::rule::{Rule, Subject};
use crate::web::client_address::is_completed;

/// Routers, services and certificates that belong together.
pub struct Table {
    /// 1 for the table of the start.
    pub generation: u64,
    pub certificates: Certificates,
    /// Something looks at headers that are only there when they were completed ([`is_completed`]).
    pub reads_forwarding: bool,
    /// In the order of the gateway's entry points.
    candidates: Box<[Candidates]>,
    routes: Box<[Route]>,
    services: Box<[Service]>,
    service_series: Box<[Series]>,
}

/// Routes by where they can be asked, highest priority first.
#[derive(Default)]
struct Candidates {
    plain: Vec<usize>,
    tls: Vec<usize>,
    /// The union of the routers' address lists, where every request is TLS's and meets one.
    admitted: Option<Box<[IpNet]>>,
}

/// A compiled router.
pub struct Route {
    pub name: Arc<str>,
    pub middlewares: Vec<NamedMiddleware>,
    pub service: usize,
    pub desk: bool,
    /// Something decides by the path, so a path that two readers could read in two ways is refused.
    pub strict: bool,
    pub upgrade: bool,
    pub series: Series,
    rule: Rule,
    priority: i64,
}

/// What is asked of a table.
pub struct Query<'a> {
    pub method: &'a Method,
    /// The authority the client named, port and all.
    pub authority: &'a str,
    /// The path as rules see it ([`crate::web::path::routing_path`]), and its canonical form where it has one.
    pub path: &'a str,
    pub canonical: Option<&'a str>,
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    pub peer: IpAddr,
}

impl<'a> Query<'a> {
    fn subject(&self, host: &'a str) -> Subject<'a> {
        Subject {
            method: self.method,
            host,
            path: self.path,
            query: self.query,
            headers: self.headers,
            peer: self.peer,
        }
    }
}

/// What the tables of one gateway share.
pub struct Frame<'a> {
    pub entry_points: &'a [Arc<str>],
    pub metrics: &'a Metrics,
    pub timeouts: &'a UpstreamTimeouts,
    pub default_certificate: Option<Arc<CertifiedKey>>,
}

impl Table {
    pub fn new(generation: u64, routes: Routes, frame: &Frame<'_>) -> Self {
        let certificates = Certificates::new(&routes.certificates, frame.default_certificate.clone());
        let service_series =
            routes.services.iter().map(|service| frame.metrics.service(&service.name)).collect();
        let services: Box<[_]> =
            routes.services.into_iter().map(|service| Service::new(service, frame.timeouts)).collect();
        let mut candidates: Box<[Candidates]> =
            frame.entry_points.iter().map(|_| Candidates::default()).collect();
        let mut compiled = Vec::with_capacity(routes.routers.len());
        for router in routes.routers {
            for (entry_point, candidates) in frame.entry_points.iter().zip(&mut candidates) {
                if router.entry_points.iter().any(|name| **name == **entry_point) {
                    candidates.add(router.tls, compiled.len());
                }
            }
            let service = services.get(router.service).map_or("", |service| &*service.name);
            let series = frame.metrics.router(&router.name, service);
            compiled.push(Route::new(router, series));
        }
        for candidates in &mut candidates {
            candidates.sort(&compiled);
            candidates.admitted = candidates.union(&compiled);
        }
        let reads_forwarding = compiled.iter().any(Route::reads_forwarding);
        let routes = compiled.into();
        Self { generation, certificates, reads_forwarding, candidates, routes, services, service_series }
    }

    /// The router that answers, if any.
    ///
    /// Every router is asked about the path as Traefik reads it, a strict one about its canonical form
    /// too, because the desk reads many spellings as one.
    pub fn route(&self, entry_point: usize, tls: bool, query: &Query<'_>) -> Option<usize> {
        let host = host(query.authority);
        let subject = query.subject(&host);
        self.candidates(entry_point, tls).iter().copied().find(|&index| {
            let route = &self.routes[index];
            match query.canonical.filter(|_| route.strict) {
                Some(canonical) => route.rule.matches_either(&subject, canonical),
                None => route.rule.matches(&subject),
            }
        })
    }

    /// Whether the host is nobody's: every router there names its hosts, and none names this one.
    pub fn is_misdirected(&self, entry_point: usize, tls: bool, query: &Query<'_>) -> bool {
        let host = host(query.authority);
        let subject = query.subject(&host);
        let candidates = self.candidates(entry_point, tls);
        let accepts = |&index: &usize| self.routes[index].rule.could_accept_host(&subject);
        !candidates.is_empty() && !candidates.iter().any(accepts)
    }

    /// Whether what guards the requests of one router is what guards those of the other. A middleware's name
    /// means one thing in one table.
    pub fn guarded_alike(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.routes[one].middlewares, &self.routes[other].middlewares);
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.name == other.name)
    }

    /// Whether a peer at this address could get past the address lists of some router there.
    pub fn admits(&self, entry_point: usize, peer: IpAddr) -> bool {
        let admitted = self.candidates.get(entry_point).and_then(|candidates| candidates.admitted.as_ref());
        admitted.is_none_or(|networks| networks.iter().any(|network| network.contains(&peer)))
    }

    fn candidates(&self, entry_point: usize, tls: bool) -> &[usize] {
        match self.candidates.get(entry_point) {
            Some(candidates) if tls => &candidates.tls,
            Some(candidates) => &candidates.plain,
            None => &[],
        }
    }

    pub fn at(&self, route: usize) -> &Route {
        &self.routes[route]
    }

    pub fn service(&self, route: &Route) -> Option<&Service> {
        self.services.get(route.service)
    }

    pub fn service_series(&self, route: &Route) -> Option<&Series> {
        self.service_series.get(route.service)
    }
}

impl Route {
    fn new(router: Router, series: Series) -> Self {
        Self {
            name: router.name.into(),
            strict: router.desk || router.middlewares.iter().any(|one| one.runs.decides_by_path()),
            middlewares: router.middlewares,
            service: router.service,
            desk: router.desk,
            upgrade: router.upgrade,
            series,
            rule: router.rule,
            priority: router.priority,
        }
    }
}

impl Route {
    fn reads_forwarding(&self) -> bool {
        let mut by_middlewares = self.middlewares.iter().filter_map(|one| one.runs.reads());
        self.rule.reads(is_completed) || by_middlewares.any(is_completed)
    }
}

impl Candidates {
    fn add(&mut self, tls: bool, route: usize) {
        if tls { &mut self.tls } else { &mut self.plain }.push(route);
    }

    fn union(&self, routes: &[Route]) -> Option<Box<[IpNet]>> {
        if !self.plain.is_empty() || self.tls.is_empty() {
            return None;
        }
        // One list of a router is enough: the others can only take away.
        let of_route = |&index: &usize| routes[index].middlewares.iter().find_map(|one| one.runs.admitted());
        let lists: Vec<_> = self.tls.iter().map(of_route).collect::<Option<_>>()?;
        let mut networks = lists.concat();
        networks.sort();
        networks.dedup();
        Some(networks.into())
    }

    /// Equal priorities are settled by name, so that every start decides alike.
    fn sort(&mut self, routes: &[Route]) {
        for list in [&mut self.plain, &mut self.tls] {
            list.sort_by(|&one, &other| {
                let key = |index: usize| (Reverse(routes[index].priority), &routes[index].name);
                key(one).cmp(&key(other))
            });
        }
    }
}

/// The host of an authority as rules compare it: lower case, no port, no trailing dot.
pub fn host(authority: &str) -> Cow<'_, str> {
    let bare = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    };
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    if bare.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(bare.to_ascii_lowercase())
    } else {
        Cow::Borrowed(bare)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use super::*;

    fn router(name: &str, rule: &str, priority: i64, desk: bool) -> Router {
        Router {
            name: name.to_owned(),
            entry_points: vec!["web".to_owned()],
            tls: false,
            rule: Rule::parse(rule).expect("a rule"),
            priority,
            middlewares: Vec::new(),
            service: 0,
            desk,
            upgrade: false,
        }
    }

    fn table(routers: Vec<Router>) -> Table {
        let metrics = Metrics::register(&mut Registry::default());
        let frame = Frame {
            entry_points: &["other".into(), "web".into()],
            metrics: &metrics,
            timeouts: &UpstreamTimeouts::default(),
            default_certificate: None,
        };
        let (services, certificates, files, warnings) = Default::default();
        let routes = Routes { routers, services, certificates, files, warnings };
        Table::new(1, routes, &frame)
    }

    fn found<'t>(
        table: &'t Table,
        entry_point: usize,
        tls: bool,
        path: &str,
        canonical: Option<&str>,
    ) -> &'t str {
        let headers = HeaderMap::new();
        let query = Query {
            method: &Method::GET,
            authority: "Desk.Example.:8080",
            path,
            canonical,
            query: None,
            headers: &headers,
            peer: IpAddr::from([192, 0, 2, 1]),
        };
        table.route(entry_point, tls, &query).map_or("", |index| &table.at(index).name)
    }

    #[test]
    fn the_highest_priority_wins_and_a_tie_goes_by_name() {
        let table = table(vec![
            router("b", "PathPrefix(`/`)", 1, false),
            router("a", "PathPrefix(`/`)", 1, false),
            router("c", "PathPrefix(`/c`) && Host(`desk.example`)", 2, false),
        ]);
        assert_eq!(found(&table, 1, false, "/c", None), "c");
        assert_eq!(found(&table, 1, false, "/", None), "a");
    }

    #[test]
    fn a_router_answers_only_on_its_entry_point_and_only_plain_or_tls() {
        let table = table(vec![router("a", "PathPrefix(`/`)", 1, false)]);
        assert_eq!(found(&table, 1, false, "/", None), "a");
        assert_eq!(found(&table, 0, false, "/", None), "");
        assert_eq!(found(&table, 1, true, "/", None), "");
    }

    #[test]
    fn only_strict_routers_see_the_canonical_path() {
        let table = table(vec![
            router("desk", "PathPrefix(`/admin`)", 2, true),
            router("other", "PathPrefix(`/other`)", 1, false),
        ]);
        assert_eq!(found(&table, 1, false, "/de/admin", Some("/admin")), "desk");
        assert_eq!(found(&table, 1, false, "/de/other", Some("/other")), "");
    }

    #[test]
    fn a_host_is_compared_without_case_port_and_final_dot() {
        for (authority, expected) in [
            ("Desk.Example.:80", "desk.example"),
            ("desk.example", "desk.example"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(host(authority), expected);
        }
    }
}
