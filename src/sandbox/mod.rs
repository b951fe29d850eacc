//! Our own stand-ins for other people's servers: the desk, Microsoft's identity platform, Graph mail and
//! a customer's webmail. Real HTTP on loopback, for the demo and the tests.
//!
//! State lives in memory and ends with the process. Nothing here knows the gateway, the worker or the
//! console: they meet only over HTTP.

pub mod call;
pub mod desk;
pub mod fault;
pub mod grants;
pub mod graph;
pub mod identity;
mod mime;
pub mod server;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::clock::{Clock, SystemClock, Timestamp};

use desk::Desk;
use grants::Grants;
use graph::Graph;
use identity::Identity;

/// The mailbox that customers write to; its owner can sign in.
pub const MAILBOX: &str = "tickets@demo.example";
/// Another account of the same directory, with a mailbox of its own.
pub const OTHER_MAILBOX: &str = "other@demo.example";
/// Somebody outside, with nothing but the webmail.
pub const CUSTOMER: &str = "customer@example.net";

/// Where the servers listen; port 0 takes a free one.
#[derive(Debug, Clone)]
pub struct Options {
    pub identity: SocketAddr,
    pub graph: SocketAddr,
    pub desk: SocketAddr,
    /// Redirect URIs of the app registration, byte for byte.
    pub redirect_uris: Vec<String>,
}

impl Options {
    /// Every server on a free port of the loopback.
    pub fn on_free_ports(redirect_uris: Vec<String>) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { identity: free, graph: free, desk: free, redirect_uris }
    }
}

/// All servers, with accounts and mailboxes in place; they end when this is dropped.
pub struct Sandbox {
    pub identity: Identity,
    pub graph: Graph,
    pub desk: Desk,
}

impl Sandbox {
    /// Starts them by the machine's clock.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        Self::start_with_clock(options, Arc::new(SystemClock)).await
    }

    /// Starts them by `clock`.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub async fn start_with_clock(options: Options, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let grants = Grants::default();
        let identity = identity::start_with_clock(options.identity, grants.clone(), clock.clone()).await?;
        let graph = graph::start_with_clock(options.graph, grants, clock.clone()).await?;
        let desk = desk::start_with_clock(options.desk, clock).await?;
        for (address, name) in [(MAILBOX, "Tickets"), (OTHER_MAILBOX, "Olivia Other")] {
            identity.add_account(address, name);
            graph.add_mailbox(address, name);
        }
        for uri in &options.redirect_uris {
            identity.allow_redirect(uri);
        }
        Ok(Self { identity, graph, desk })
    }

    /// The customer's webmail page.
    pub fn webmail_url(&self) -> String {
        format!("{}/webmail?as={CUSTOMER}", self.graph.url())
    }
}

/// The state behind `mutex`. A part that panicked half way is still the part the others see.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// RFC 3339 in UTC with milliseconds, as JavaScript writes it.
fn with_millis(moment: Timestamp) -> String {
    let whole = moment.rfc3339();
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), moment.0.rem_euclid(1000))
}
