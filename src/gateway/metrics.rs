//! What the gateway counts, under the names Traefik uses, so that existing dashboards keep working.
//!
//! Source: Traefik's documentation, "Metrics overview". Labels never hold anything a client chose freely.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::Method;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::durations::Durations;

type Labels = Vec<(&'static str, String)>;

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "EXTENSION_METHOD"];
/// Codes whose handles are kept at hand; others are looked up.
const USUAL: [u16; 16] = [200, 201, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 502, 504];

/// Everything registered once.
#[derive(Debug, Default)]
pub struct Metrics {
    entry_points: Families,
    routers: Families,
    services: Families,
    open: Family<Labels, Gauge>,
    pub reloads: Counter,
    /// Seconds since 1970 of the last reload that took effect.
    pub reloaded_at: Gauge<f64, AtomicU64>,
    /// 1, or 0 after a reload that was refused.
    pub reload_good: Gauge,
    refused: Family<Labels, Counter>,
    pub lost_log_lines: Counter,
}

#[derive(Debug, Clone, Default)]
struct Families {
    requests: Family<Labels, Counter>,
    durations: Family<Labels, Durations>,
}

impl Families {
    fn register(&self, registry: &mut Registry, what: &str) {
        registry.register(format!("traefik_{what}_requests"), "Requests answered", self.requests.clone());
        registry.register(
            format!("traefik_{what}_request_duration_seconds"),
            "From a request's head to the end of its answer",
            self.durations.clone(),
        );
    }
}

impl Metrics {
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        metrics.entry_points.register(registry, "entrypoint");
        metrics.routers.register(registry, "router");
        metrics.services.register(registry, "service");
        registry.register("traefik_open_connections", "Client connections open now", metrics.open.clone());
        registry.register("traefik_config_reloads", "Rule files read again", metrics.reloads.clone());
        registry.register(
            "traefik_config_last_reload_success",
            "When rules took effect last, in seconds since 1970",
            metrics.reloaded_at.clone(),
        );
        registry.register(
            "mintgate_config_last_reload_successful",
            "Whether the last reload took effect",
            metrics.reload_good.clone(),
        );
        registry.register(
            "mintgate_connections_refused",
            "Connections closed without an answer, by reason",
            metrics.refused.clone(),
        );
        registry.register(
            "mintgate_access_log_lines_lost",
            "Access log lines dropped because writing was too slow",
            metrics.lost_log_lines.clone(),
        );
        metrics
    }

    pub fn entry_point(&self, name: &str) -> Series {
        Series::new(&self.entry_points, vec![("entrypoint", name.to_owned())])
    }

    pub fn router(&self, name: &str, service: &str) -> Series {
        let labels = vec![("router", name.to_owned()), ("service", service.to_owned())];
        Series::new(&self.routers, labels)
    }

    pub fn service(&self, name: &str) -> Series {
        Series::new(&self.services, vec![("service", name.to_owned())])
    }

    pub fn connection_refused(&self, entry_point: &str, why: &'static str) {
        let labels = vec![("entrypoint", entry_point.to_owned()), ("reason", why.to_owned())];
        self.refused.get_or_create_owned(&labels).inc();
    }

    pub fn open_connections(&self, entry_point: &str) -> Gauge {
        let labels = vec![("entrypoint", entry_point.to_owned()), ("protocol", "TCP".to_owned())];
        self.open.get_or_create_owned(&labels)
    }
}

/// The counters of one entry point, router or service.
#[derive(Debug)]
pub struct Series {
    families: Families,
    labels: Labels,
    usual: [[OnceLock<Cell>; METHODS.len()]; USUAL.len()],
}

#[derive(Debug, Clone)]
struct Cell {
    requests: Counter,
    durations: Durations,
}

impl Series {
    fn new(families: &Families, labels: Labels) -> Self {
        Self { families: families.clone(), labels, usual: Default::default() }
    }

    /// Counts one answered request. Takes a lock only for what was never, or is seldom, seen.
    pub fn count(&self, method: &Method, code: u16, upgraded: bool, duration: Duration) {
        let method = METHODS.iter().position(|known| method == known).unwrap_or(METHODS.len() - 1);
        let usual = USUAL.iter().position(|&usual| usual == code).filter(|_| !upgraded);
        let cell = match usual {
            Some(place) => self.usual[place][method].get_or_init(|| self.cell(method, code, upgraded)),
            None => &self.cell(method, code, upgraded),
        };
        cell.requests.inc();
        cell.durations.observe(duration);
    }

    fn cell(&self, method: usize, code: u16, upgraded: bool) -> Cell {
        let protocol = if upgraded { "websocket" } else { "http" };
        let mut labels = vec![
            ("code", code.to_string()),
            ("method", METHODS[method].to_owned()),
            ("protocol", protocol.to_owned()),
        ];
        labels.extend(self.labels.iter().cloned());
        Cell {
            requests: self.families.requests.get_or_create_owned(&labels),
            durations: self.families.durations.get_or_create_owned(&labels),
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn the_names_and_labels_are_traefiks() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let web = metrics.entry_point("web");
        web.count(&Method::GET, 200, false, Duration::from_millis(5));
        web.count(&Method::GET, 200, false, Duration::from_millis(5));
        web.count(&Method::from_bytes(b"BREW").expect("a token"), 418, false, Duration::ZERO);
        metrics.router("helpdesk@file", "desk@file").count(&Method::POST, 101, true, Duration::ZERO);
        let mut text = String::new();
        encode(&mut text, &registry).expect("text takes everything");
        for line in [
            "traefik_entrypoint_requests_total{code=\"200\",method=\"GET\",protocol=\"http\",entrypoint=\"web\"} 2",
            "traefik_entrypoint_requests_total{code=\"418\",method=\"EXTENSION_METHOD\",protocol=\"http\",entrypoint=\"web\"} 1",
            "traefik_router_requests_total{code=\"101\",method=\"POST\",protocol=\"websocket\",router=\"helpdesk@file\",service=\"desk@file\"} 1",
            "traefik_entrypoint_request_duration_seconds_count{code=\"200\",",
            "traefik_config_reloads_total 0",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
