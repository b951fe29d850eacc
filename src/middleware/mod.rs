//! What happens to a request between its router and its service: one file per middleware.
//!
//! A middleware's file holds its YAML spec, its compiled form and its tests; `registry.rs` gives it
//! its key. A middleware sees HTTP through `web` and never pingora. One that has to read a reply before the
//! client may see any of it puts a service of its own in the upstream's place ([`Decision::PassTo`]).

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use ipnet::IpNet;

use crate::web::answer::Answer;
use crate::web::exchange::Exchange;
use crate::web::head::{Headers, RequestHead, ResponseHead};
use crate::web::local::{Admin, LocalService};

pub mod admin_only;
pub mod allow_upgrade;
pub mod chain;
pub mod content_security_policy;
pub mod graph_token;
pub mod harden_cookies;
pub mod headers;
pub mod in_flight_req;
pub mod ip_allow_list;
mod ip_strategy;
pub mod login_brake;
pub mod rate_limit;
pub mod redirect_scheme;
pub mod registry;
#[cfg(test)]
mod scene;
pub mod secure_headers;
pub mod session_shield;
mod source;

/// What a request keeps until it is over.
pub type Held = Box<dyn Any + Send + Sync>;

/// Makes the service that is asked in place of another one, and may ask it: the one that a middleware has
/// named, `None` where the router's own would be.
pub type Around = Box<dyn FnOnce(Option<Arc<dyn LocalService>>) -> Arc<dyn LocalService> + Send + Sync>;

/// What a middleware makes of a request.
pub enum Decision {
    /// On to the next middleware.
    Pass,
    /// On to the next, and the desk has just said this is an administrator.
    PassAdmin(Arc<Admin>),
    /// On to the next, and the service, with this as the request's one Authorization line.
    PassAs(HeaderValue),
    /// On to the next; what is held is dropped when the request is over, however it ends.
    PassHolding(Held),
    /// On to the next; at the end of the chain `service` is asked, whole body at once, in place of the
    /// router's, and in place of one that is named later. `authorization` as with [`Decision::PassAs`].
    PassTo { service: Arc<dyn LocalService>, authorization: Option<HeaderValue> },
    /// On to the next; at the end of the chain, what this makes is asked, whole body at once.
    PassAround(Around),
    /// Answered here; nothing further sees the request.
    Answer(Box<Answer>),
}

/// A decision, now or once something that is not cached has been asked.
pub enum Verdict {
    Now(Decision),
    Later(Pin<Box<dyn Future<Output = Decision> + Send>>),
}

impl Verdict {
    pub fn pass() -> Self {
        Self::Now(Decision::Pass)
    }

    pub fn answer(answer: Answer) -> Self {
        Self::Now(Decision::Answer(Box::new(answer)))
    }
}

/// One compiled middleware. Halves that do nothing are left out.
pub trait Middleware: Send + Sync {
    /// Refuses by address alone; such checks run before every other middleware of a router.
    fn is_address_check(&self) -> bool {
        false
    }

    /// The networks outside of which nobody passes, where nothing but the client's own address counts.
    fn admitted(&self) -> Option<&[IpNet]> {
        None
    }

    /// Lets the router's requests leave HTTP by `Upgrade:`.
    fn allows_upgrade(&self) -> bool {
        false
    }

    /// Lets some paths pass and not others, so a path must have one meaning before it is asked.
    fn decides_by_path(&self) -> bool {
        false
    }

    /// The request header by which it tells requests apart.
    fn reads(&self) -> Option<&HeaderName> {
        None
    }

    /// A copy that counts on its own, where Traefik counts for each router alone.
    fn for_router(&self) -> Option<Arc<dyn Middleware>> {
        None
    }

    /// Before the service is asked. Changes to `head` are seen by later middlewares.
    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let _ = (exchange, head);
        Verdict::pass()
    }

    /// Writes what must reach the service whatever the client's `Connection:` line named; runs last,
    /// after hop-by-hop lines were removed.
    fn forward(&self, exchange: &Exchange, headers: &mut dyn Headers) {
        let _ = (exchange, headers);
    }

    /// Before the answer's head goes to the client, proxied or our own. `request` is the head as the
    /// request half left it.
    fn response(&self, exchange: &Exchange, request: &dyn RequestHead, response: &mut dyn ResponseHead) {
        let _ = (exchange, request, response);
    }
}
