//! Who was turned away before routing, or by an address list: counted, logged, and told now and then.

use std::net::IpAddr;
use std::time::Duration;

use http::Method;

use super::Gateway;
use super::log::Line;
use super::proxy::Proxy;
use crate::base::sparing::Sparing;

/// Anybody can have himself refused as often as he likes.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Nor does it take more than to hang up, or a service that is away, for a request to fail.
const FAILED_EVERY: Duration = Duration::from_secs(1);

/// One voice for each kind, so that one cannot silence the others.
#[derive(Debug)]
pub struct Voices {
    connections: Sparing,
    heads: Sparing,
    addresses: Sparing,
    failures: Sparing,
}

impl Voices {
    pub fn new() -> Self {
        let voice = || Sparing::every(TOLD_EVERY);
        Self {
            connections: voice(),
            heads: voice(),
            addresses: voice(),
            failures: Sparing::every(FAILED_EVERY),
        }
    }
}

impl Gateway {
    /// A connection of an entry point was closed without an answer; `why` in one word.
    pub fn connection_refused(&self, entry_point: &str, peer: IpAddr, why: &'static str) {
        self.metrics.connection_refused(entry_point, why);
        if let Some(left_out) = self.voices.connections.speak(self.clock.now()) {
            tracing::warn!(entry_point, %peer, why, left_out, "a connection was closed");
        }
    }

    /// A request was answered before its head was one: no method, host or path of it can be told.
    pub fn request_refused(&self, entry_point: &str, peer: IpAddr, status: u16, reason: &'static str) {
        let now = self.clock.now();
        if let Some(entry) = self.entries.iter().find(|entry| *entry.name == *entry_point) {
            let unread = Method::from_bytes(b"-").expect("a hyphen is a token");
            entry.series.count(&unread, status, false, Duration::ZERO);
        }
        if let Some(left_out) = self.voices.heads.speak(now) {
            tracing::warn!(entry_point, %peer, status, reason, left_out, "a request was refused");
        }
        self.write_access(&Line {
            start: now,
            client_host: Some(peer),
            entry_point_name: entry_point,
            request_method: "-",
            request_host: "-",
            request_path: "-",
            request_protocol: "-",
            downstream_status: status,
            downstream_content_size: 0,
            duration: Duration::ZERO,
            router_name: "-",
            service_name: "-",
            request_id: "-",
        });
    }

    /// One line of the access log, where there is one.
    pub(super) fn write_access(&self, line: &Line<'_>) {
        if self.access_log.as_ref().is_some_and(|log| !log.write(line)) {
            self.metrics.lost_log_lines.inc();
        }
    }

    /// Whether the router of an entry point could let somebody at this address in. Only where nothing but
    /// the peer's own address can count, and every router is TLS's: elsewhere each answers for itself.
    pub fn admits(&self, place: usize, peer: IpAddr) -> bool {
        let Some(entry) = self.entries.get(place) else { return true };
        entry.is_open() || self.table.load().admits(place, peer)
    }
}

impl Proxy {
    /// A request failed on its way; how many others did since that was last told, if it may be told now.
    pub(super) fn failure_to_tell(&self) -> Option<u64> {
        self.gateway.voices.failures.speak(self.gateway.clock.now())
    }

    /// A router's address list refused a client.
    pub(super) fn note_address(&self, router: &str, peer: IpAddr, client: IpAddr) {
        if let Some(left_out) = self.gateway.voices.addresses.speak(self.gateway.clock.now()) {
            tracing::warn!(router, %peer, %client, left_out, "an address is in no allow-list");
        }
    }
}
