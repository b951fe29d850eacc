//! One generation of the compiled rules. A request takes one table and keeps it to its end.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Method};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::certificates::Certificates;
use super::metrics::{Metrics, Series};
use super::upstream::{Service, UpstreamTimeouts};
use crate::config::{NamedMiddleware, Router, Routes};
use crate::rule::{Rule, Subject};

/// Routers, services and certificates that belong together.
pub struct Table {
    /// 1 for the table of the start.
    pub generation: u64,
    pub certificates: Certificates,
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
}

/// A compiled router.
pub struct Route {
    pub name: Arc<str>,
    pub middlewares: Vec<NamedMiddleware>,
    pub service: usize,
    pub desk: bool,
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
        }
        Self { generation, certificates, candidates, routes: compiled.into(), services, service_series }
    }

    /// The router that answers, if any.
    ///
    /// A router of the desk is asked about the canonical path, because the desk itself reads many
    /// spellings as one; every other router about the path as Traefik reads it.
    pub fn route(&self, entry_point: usize, tls: bool, query: &Query<'_>) -> Option<usize> {
        let host = host(query.authority);
        let candidates = self.candidates.get(entry_point)?;
        let candidates = if tls { &candidates.tls } else { &candidates.plain };
        let subject = |path| Subject {
            method: query.method,
            host: &host,
            path,
            query: query.query,
            headers: query.headers,
            peer: query.peer,
        };
        candidates.iter().copied().find(|&index| {
            let route = &self.routes[index];
            let path = query.canonical.filter(|_| route.desk).unwrap_or(query.path);
            route.rule.matches(&subject(path))
        })
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

impl Candidates {
    fn add(&mut self, tls: bool, route: usize) {
        if tls { &mut self.tls } else { &mut self.plain }.push(route);
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
    fn only_the_desks_routers_see_the_canonical_path() {
        let table = table(vec![
            router("desk", "PathPrefix(`/admin`)", 2, true),
            router("other", "PathPrefix(`/admin`)", 1, false),
        ]);
        assert_eq!(found(&table, 1, false, "/de/admin", Some("/admin")), "desk");
        assert_eq!(found(&table, 1, false, "/admin", Some("/x")), "other");
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
