//! `plugin: contentSecurityPolicy`: the desk's pages run no script but the desk's own.
//!
//! The desk's pages carry a small inline script, which a strict policy has to name by its hash. So a page is
//! read before the browser sees its head, without anybody's session: nothing that a user wrote can be in it,
//! and whatever inline script it has is the desk's. An answer that brings a policy keeps it.
//! Source of the policy: it was tried with the desk's web client; every page works under it.

mod console_link;
mod page;
mod scripts;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::Method;
use http::header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, RANGE};
use moka::sync::Cache;
use serde::Deserialize;

use self::console_link::ConsoleLink;
use self::page::Page;
use crate::base::secret::sha256;
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::session_shield::DeskSide;
use crate::middleware::{Decision, Middleware, Verdict};
use crate::web::answer::{Answer, wants_page};
use crate::web::exchange::Exchange;
use crate::web::head::{RequestHead, ResponseHead};
use crate::web::own::is_own;
use crate::web::path::is_at_or_below;

/// The YAML key, as the registry names it.
pub const KEY: &str = "plugin.contentSecurityPolicy";

/// Pages that are remembered by their content.
const MOST_PAGES: u64 = 512;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// False leaves the desk's pages without a policy.
    enabled: bool,
    /// False leaves the desk's admin pages without a way to the console.
    console_link: bool,
}

impl Default for Spec {
    fn default() -> Self {
        Self { enabled: true, console_link: true }
    }
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        if !self.enabled {
            let message =
                "the policy is off: a script that gets into a ticket runs in every reader's browser";
            return Ok(Compiled { runs: Arc::new(Off), warnings: vec![SpecError::whole(message)] });
        }
        let desk = parts.shield.desk.clone();
        let link = self.console_link.then(|| Arc::new(ConsoleLink::new()));
        Ok(Compiled::clean(ContentSecurityPolicy { desk, policies: Arc::new(Policies::new()), link }))
    }
}

/// `enabled: false`.
struct Off;

impl Middleware for Off {}

struct ContentSecurityPolicy {
    desk: Arc<DeskSide>,
    policies: Arc<Policies>,
    link: Option<Arc<ConsoleLink>>,
}

impl Middleware for ContentSecurityPolicy {
    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let path = exchange.path.text(head.uri().path());
        if self.link.as_ref().is_some_and(|link| link.path == path) {
            return Verdict::answer(ConsoleLink::script());
        }
        if *head.method() != Method::GET || !is_page(path) || !asks_for_a_page(head.map()) {
            return Verdict::pass();
        }
        let page = Page {
            desk: self.desk.clone(),
            policies: self.policies.clone(),
            link: self.link.clone(),
            exchange: exchange.clone(),
        };
        Verdict::Now(Decision::PassTo { service: Arc::new(page), authorization: None })
    }

    fn response(&self, _exchange: &Exchange, _request: &dyn RequestHead, response: &mut dyn ResponseHead) {
        if is_document(response.map()) && !response.map().contains_key(CONTENT_SECURITY_POLICY) {
            response.insert(CONTENT_SECURITY_POLICY, self.policies.latest());
        }
    }
}

/// Whether a page of the desk may be at the canonical `path`.
fn is_page(path: &str) -> bool {
    path != "/sw.js" && !is_own(path) && !["/api", "/_next"].iter().any(|base| is_at_or_below(path, base))
}

/// A browser that is going to show what it gets, all of it.
fn asks_for_a_page(headers: &HeaderMap) -> bool {
    wants_page(headers) && !headers.contains_key(RANGE) && !headers.contains_key(CONTENT_LENGTH)
}

fn media_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// What a browser can show and run scripts in: HTML, and XML with it (SVG pictures too).
fn is_document(headers: &HeaderMap) -> bool {
    let kind = media_type(headers).split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    kind == "text/html" || kind.ends_with("xml")
}

/// What is known of a page.
#[derive(Clone)]
struct Known {
    policy: HeaderValue,
    /// Where a script of ours may be named.
    place: Option<usize>,
}

/// What is known of pages by what is in them.
struct Policies {
    known: Cache<[u8; 32], Known>,
    /// Of the page that was read last: for one that could not be read, the desk's script is the same.
    latest: ArcSwapOption<HeaderValue>,
}

impl Policies {
    fn new() -> Self {
        Self { known: Cache::new(MOST_PAGES), latest: ArcSwapOption::empty() }
    }

    fn latest(&self) -> HeaderValue {
        self.latest.load().as_deref().cloned().unwrap_or_else(|| policy(&[]))
    }

    /// For a page with this body.
    fn of(&self, body: &[u8]) -> Known {
        let known = self.known.get_with(sha256(body), || Known {
            policy: policy(&scripts::hashes(body)),
            place: console_link::place(body),
        });
        if self.latest.load().as_deref() != Some(&known.policy) {
            self.latest.store(Some(Arc::new(known.policy.clone())));
        }
        known
    }

    /// Gives the page its policy, and the way to the console.
    fn finish(&self, page: &mut Answer, link: Option<&ConsoleLink>) {
        let known = self.of(page.body());
        if !page.headers().contains_key(CONTENT_SECURITY_POLICY) {
            page.headers_mut().insert(CONTENT_SECURITY_POLICY, known.policy);
        }
        if let Some(link) = link {
            link.put_into(page, known.place);
        }
    }
}

/// `hashes` are `'sha256-…'` sources of the page's own inline scripts.
fn policy(hashes: &[String]) -> HeaderValue {
    let scripts: String = hashes.iter().map(|hash| format!(" {hash}")).collect();
    let text = format!(
        "default-src 'self'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; \
         object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&text).expect("words and base64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::middleware::scene::{compile, compiled, exchange, get, now, told, upstream};

    const HTML: (&str, &str) = ("accept", "text/html,*/*;q=0.8");

    fn is_read(path: &str, headers: &[(&str, &str)]) -> bool {
        let middleware = compiled("plugin: {contentSecurityPolicy: {}}");
        let decision = now(middleware.request(&exchange("192.0.2.1", path), &mut get(path, headers)));
        matches!(decision, Decision::PassTo { .. })
    }

    #[test]
    fn pages_that_a_browser_shows_are_read_and_nothing_else_is() {
        for path in ["/", "/issues", "/auth/login", "/admin/smtp", "/admin/exchanges", "/apis"] {
            assert!(is_read(path, &[HTML]), "{path}");
        }
        for path in ["/api/v1/x", "/_next/static/a.js", "/sw.js", "/admin/exchange", "/admin/exchange/x"] {
            assert!(!is_read(path, &[HTML]), "{path}");
        }
        assert!(!is_read("/", &[("accept", "*/*")]));
        assert!(!is_read("/", &[HTML, ("range", "bytes=0-1")]));
        assert!(!is_read("/", &[HTML, ("content-length", "1")]));
    }

    fn given(headers: &[(&str, &str)]) -> Option<String> {
        let middleware = compiled("plugin: {contentSecurityPolicy: {}}");
        let mut response = upstream(headers);
        middleware.response(&exchange("192.0.2.1", "/"), &get("/", &[]), &mut response);
        let policy = response.headers().get(CONTENT_SECURITY_POLICY);
        policy.map(|policy| policy.to_str().expect("text").to_owned())
    }

    #[test]
    fn a_document_that_was_not_read_runs_no_inline_script_at_all() {
        for kind in ["text/html; charset=utf-8", "TEXT/HTML", "image/svg+xml", "application/xhtml+xml"] {
            let policy = given(&[("content-type", kind)]).expect(kind);
            assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"));
        }
        for kind in ["application/json", "image/png", "text/css", ""] {
            assert_eq!(given(&[("content-type", kind)]), None, "{kind}");
        }
    }

    #[test]
    fn a_policy_that_is_there_stays() {
        let headers = [("content-type", "text/html"), ("content-security-policy", "default-src 'none'")];
        assert_eq!(given(&headers).as_deref(), Some("default-src 'none'"));
    }

    #[test]
    fn what_was_learned_of_one_page_holds_for_one_that_cannot_be_read() {
        let policies = Policies::new();
        let read = policies.of(b"<script>theme()</script>").policy;
        assert!(read.to_str().expect("text").contains("script-src 'self' 'sha256-"));
        assert_eq!(policies.latest(), read);
        assert_eq!(policies.of(b"<p>none</p>").policy, policy(&[]));
        assert_eq!(policies.latest(), policy(&[]));
    }

    #[test]
    fn off_is_off_and_is_warned_of() {
        let off = compile("plugin: {contentSecurityPolicy: {enabled: false}}").expect("it can work");
        assert!(told(&off.warnings[0]).contains("policy is off"));
        let mut response = upstream(&[("content-type", "text/html")]);
        off.runs.response(&exchange("192.0.2.1", "/"), &get("/", &[]), &mut response);
        assert!(!response.headers().contains_key(CONTENT_SECURITY_POLICY));
    }
}
