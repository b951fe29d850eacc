//! What the gateway remembers about one request between pingora's phases.

use std::sync::Arc;
use std::time::Instant;

use http::header::HeaderValue;
use pingora::http::RequestHeader;

use super::request_id::RequestId;
use super::table::{Route, Table};
use super::tap::Tap;
use super::upstream::Service;
use crate::base::clock::Timestamp;
use crate::middleware::{Around, Held};
use crate::web::client_address;
use crate::web::exchange::Exchange;
use crate::web::local::{Admin, LocalService};

/// One request. Its table is the only one it ever sees.
pub struct Context {
    pub table: Arc<Table>,
    pub started: Instant,
    pub at: Timestamp,
    pub id: Option<RequestId>,
    pub exchange: Option<Exchange>,
    pub route: Option<usize>,
    /// How many of the route's middlewares let the request pass; these see the answer.
    pub passed: usize,
    pub admin: Option<Arc<Admin>>,
    /// The Authorization line that the service gets, whatever the client's `Connection:` line names.
    pub authorization: Option<HeaderValue>,
    /// Asked in place of the service.
    pub instead: Option<Arc<dyn LocalService>>,
    /// Makes the service that is asked around whoever would be.
    pub around: Option<Around>,
    /// Dropped with the request, whatever becomes of it.
    pub held: Vec<Held>,
    /// The upstream was asked.
    pub forwarded: bool,
    /// Reads which ticket the request writes to.
    pub tap: Option<Tap>,
    /// The request may become a tunnel.
    pub upgrading: bool,
    pub server: usize,
    pub tries: u32,
}

impl Context {
    pub fn new(table: Arc<Table>, at: Timestamp) -> Self {
        Self {
            table,
            started: Instant::now(),
            at,
            id: None,
            exchange: None,
            route: None,
            passed: 0,
            admin: None,
            authorization: None,
            instead: None,
            around: None,
            held: Vec::new(),
            forwarded: false,
            tap: None,
            upgrading: false,
            server: 0,
            tries: 0,
        }
    }

    pub fn route(&self) -> Option<&Route> {
        self.route.map(|index| self.table.at(index))
    }

    pub fn service(&self) -> Option<&Service> {
        self.table.service(self.route()?)
    }
}

/// The authority a request names, empty where it names none.
pub fn authority(head: &RequestHeader) -> &str {
    client_address::authority(&head.uri, &head.headers).unwrap_or("")
}
