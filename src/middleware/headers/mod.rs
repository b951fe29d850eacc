//! `headers`: headers added, changed and removed on the way in and out, and the browser's security
//! headers.
//!
//! Traefik's order holds: security headers first, then the custom ones, which win, then CORS. `spec.rs`
//! reads the YAML, `security.rs` and `cors.rs` are what their names say.

mod cors;
mod security;
mod spec;

pub use spec::Spec;

use http::header::{HeaderName, HeaderValue};

use crate::middleware::{Middleware, Verdict};
use crate::web::exchange::Exchange;
use crate::web::head::{Headers as HeaderLines, RequestHead, ResponseHead};

/// What is done with one name: replaced by a value, or removed.
type Change = (HeaderName, Option<HeaderValue>);

struct Headers {
    request: Vec<Change>,
    /// The service's alone: whoever decides here goes by the host that the client asked for.
    host: Option<Change>,
    response: Vec<Change>,
    security: security::Security,
    cors: Option<cors::Cors>,
}

fn apply<H: HeaderLines + ?Sized>(changes: &[Change], headers: &mut H) {
    for (name, value) in changes {
        match value {
            Some(value) => headers.insert(name.clone(), value.clone()),
            None => headers.remove(name),
        }
    }
}

impl Middleware for Headers {
    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        if let Some(answer) = self.security.refusal(exchange, head) {
            return Verdict::answer(answer);
        }
        if let Some(answer) = self.cors.as_ref().and_then(|cors| cors.preflight(head)) {
            return Verdict::answer(answer);
        }
        apply(&self.request, head);
        Verdict::pass()
    }

    // Once more: what the gateway says for a proxy has been written in between.
    fn forward(&self, _exchange: &Exchange, headers: &mut dyn HeaderLines) {
        apply(&self.request, headers);
        apply(self.host.as_slice(), headers);
    }

    fn response(&self, exchange: &Exchange, request: &dyn RequestHead, response: &mut dyn ResponseHead) {
        self.security.respond(exchange, request, response);
        apply(&self.response, response);
        if let Some(cors) = &self.cors {
            cors.respond(request, response);
        }
    }
}

#[cfg(test)]
mod tests;
