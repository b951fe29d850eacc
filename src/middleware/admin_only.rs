//! `plugin: adminOnly`: admin work is for helpdesk admins.
//!
//! On the router it stands at, it guards mintgate's own pages and JSON (the OAuth callback excepted), the
//! desk's own admin work, which the desk itself lets any signed-in user do, and the prefixes listed in
//! YAML. Who is an admin is the desk's word (`desk::admin`); what lies behind a path is not known here.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::base::audit::{Audit, Event, Outcome, Record};
use crate::desk::admin::{Admins, Standing};
use crate::desk::caller::Caller;
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Decision, Middleware, Verdict};
use crate::web::answer::{Answer, Link, page, short, wants_page};
use crate::web::exchange::Exchange;
use crate::web::head::{Headers, RequestHead};
use crate::web::own::{CONSOLE, is_api};
use crate::web::path::{canonical, is_at_or_below};

/// The YAML key, as the registry names it.
pub const KEY: &str = "plugin.adminOnly";

/// The provider's redirect comes from another site, without any Strict cookie: no session can be asked
/// for. Byte for byte, by GET.
const CALLBACK: &str = "/admin/exchange/callback";
/// Ends a connection attempt; as grave as any change.
const COMPLETE: &str = "/admin/exchange/complete";

/// What the desk's own admin pages call and no agent's page does. The desk checks the role in few of
/// them (observed: mail provider, queues, webhooks, roles, server log open to every signed-in user).
const DESK_ADMIN_WORK: [&str; 10] = [
    "/api/v1/admin",
    "/api/v1/auth/admin",
    "/api/v1/config",
    "/api/v1/data/logs",
    "/api/v1/email-queue",
    "/api/v1/email-queues",
    "/api/v1/role",
    "/api/v1/roles",
    "/api/v1/webhook",
    "/api/v1/webhooks",
];
/// Deleting below this path deletes a user; every other method there is an agent's own business.
const DESK_USERS: &str = "/api/v1/auth/user";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    /// Further path prefixes, on segment boundaries.
    paths: Vec<Spanned<String>>,
}

struct AdminOnly {
    admins: Arc<Admins>,
    audit: Audit,
    paths: Vec<String>,
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let mut errors = Vec::new();
        let mut paths = Vec::new();
        for given in &self.paths {
            match canonical(&given.value, &[]) {
                Err(error) => errors.push(SpecError::at(given, error.to_string()).hint("/reports")),
                Ok(_) if given.value == "/" => {
                    let message = "guarding `/` would guard the sign-in page too";
                    errors.push(SpecError::at(given, message).hint("list the paths below it"));
                }
                Ok(path) => paths.push(path.text(&given.value).to_owned()),
            }
        }
        if errors.is_empty() {
            let (admins, audit) = (Arc::clone(&parts.admins), parts.audit.clone());
            Ok(Compiled::clean(AdminOnly { admins, audit, paths }))
        } else {
            Err(errors)
        }
    }
}

/// How old the desk's word may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Fresh,
    Recent,
}

impl AdminOnly {
    /// What a request for `path` (canonical; `raw` as sent) needs; `None` when everybody may.
    fn needs(&self, method: &Method, raw: &str, path: &str) -> Option<Word> {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if is_at_or_below(path, CONSOLE) {
            return match () {
                () if *method == Method::GET && raw == CALLBACK => None,
                () if reads && path != COMPLETE => Some(Word::Recent),
                () => Some(Word::Fresh),
            };
        }
        if is_api(path) {
            return Some(if reads { Word::Recent } else { Word::Fresh });
        }
        let guarded = DESK_ADMIN_WORK.iter().any(|base| is_at_or_below(path, base))
            || self.paths.iter().any(|base| is_at_or_below(path, base))
            || (*method == Method::DELETE && is_at_or_below(path, DESK_USERS));
        guarded.then_some(Word::Recent)
    }
}

impl Middleware for AdminOnly {
    fn decides_by_path(&self) -> bool {
        true
    }

    fn request(&self, exchange: &Exchange, head: &mut dyn RequestHead) -> Verdict {
        let raw = head.uri().path();
        let path = exchange.path.text(raw);
        let Some(word) = self.needs(head.method(), raw, path) else { return Verdict::pass() };
        let audience = Audience::of(head, path);
        let watcher = Watcher { audit: self.audit.clone(), client: exchange.client };
        let caller = match Caller::of(head.map(), exchange.client) {
            Ok(caller) => caller,
            Err(reason) => {
                tracing::debug!(client = %exchange.client, ?reason, "admin work refused: no usable session");
                return Verdict::Now(watcher.decide(Standing::Anonymous, &audience));
            }
        };
        if word == Word::Recent
            && let Some(standing) = self.admins.known(&caller)
        {
            return Verdict::Now(watcher.decide(standing, &audience));
        }
        let admins = Arc::clone(&self.admins);
        Verdict::Later(Box::pin(async move {
            let standing = match word {
                Word::Fresh => admins.fresh(&caller).await,
                Word::Recent => admins.recent(&caller).await,
            };
            watcher.decide(standing, &audience)
        }))
    }
}

/// Tells the audit of refusals to one client.
struct Watcher {
    audit: Audit,
    client: IpAddr,
}

impl Watcher {
    fn decide(&self, standing: Standing, audience: &Audience) -> Decision {
        let why = match standing {
            Standing::Admin(_) => None,
            Standing::Anonymous => Some("admin work without a session"),
            Standing::NotAdmin => Some("admin work by somebody else"),
            Standing::DeskDown => Some("admin work while the desk is silent"),
        };
        if let Some(why) = why {
            self.audit.record(Record::new(Event::Refusal, Outcome::Refused, why).from(self.client));
        }
        decide(standing, audience)
    }
}

/// Who reads a refusal.
enum Audience {
    Browser,
    /// With the canonical path, which tells the desk's client from others.
    Program(String),
}

impl Audience {
    fn of(head: &dyn RequestHead, path: &str) -> Self {
        let headers: &dyn Headers = head;
        let navigates = *head.method() == Method::GET && wants_page(headers.map());
        if navigates { Self::Browser } else { Self::Program(path.to_owned()) }
    }

    fn answer(&self, status: StatusCode, title: &'static str, sentence: &'static str, link: Link) -> Answer {
        match self {
            Self::Browser => page(status, title, sentence, Some(link)),
            Self::Program(path) => short(status, path, sentence),
        }
    }
}

fn decide(standing: Standing, audience: &Audience) -> Decision {
    let answer = match standing {
        Standing::Admin(admin) => return Decision::PassAdmin(admin),
        Standing::Anonymous => {
            let link = Link { href: "/auth/login", label: "Sign in" };
            let sentence = "Sign in to the helpdesk as an administrator first.";
            let mut answer = audience.answer(StatusCode::UNAUTHORIZED, "Please sign in", sentence, link);
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            answer
        }
        Standing::NotAdmin => {
            let link = Link { href: "/", label: "Back to the helpdesk" };
            let sentence = "Only administrators of the helpdesk may do this.";
            audience.answer(StatusCode::FORBIDDEN, "Not allowed", sentence, link)
        }
        Standing::DeskDown => {
            let link = Link { href: CONSOLE, label: "Try again" };
            let sentence =
                "The helpdesk cannot say right now who is an administrator. Try again in a moment.";
            let mut answer =
                audience.answer(StatusCode::SERVICE_UNAVAILABLE, "Helpdesk not reachable", sentence, link);
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            answer
        }
    };
    Decision::Answer(Box::new(answer))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::desk::scripted::{Scripted, unreachable};
    use crate::middleware::registry::MiddlewareSpec;
    use crate::middleware::scene::{compiled, exchange, get, parts, problems};

    const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml");

    struct Guard {
        runs: Arc<dyn Middleware>,
        desk: Arc<Scripted>,
    }

    fn guard(desk: Scripted) -> Guard {
        let desk = Arc::new(desk);
        let spec: MiddlewareSpec = serde_yaml::from_str("plugin: {adminOnly: {}}").expect("a spec");
        let runs = spec.compile(&parts(desk.clone())).expect("compiles").runs;
        Guard { runs, desk }
    }

    impl Guard {
        async fn decides<B: Send>(&self, mut request: Request<B>) -> Decision {
            let exchange = exchange("203.0.113.7", request.uri().path());
            match self.runs.request(&exchange, &mut request) {
                Verdict::Now(decision) => decision,
                Verdict::Later(decision) => decision.await,
            }
        }

        /// The status of a refusal; 200 for a request that passes.
        async fn status(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
            let mut request = get(path, headers);
            *request.method_mut() = method.parse().expect("a method");
            match self.decides(request).await {
                Decision::Answer(answer) => answer.status().as_u16(),
                _ => 200,
            }
        }
    }

    #[tokio::test]
    async fn an_admin_passes_with_his_proof() {
        for header in [("authorization", "Bearer admin"), ("cookie", "a=b; session=admin")] {
            let decision = guard(Scripted::desk()).decides(get("/admin/exchange", &[header])).await;
            let Decision::PassAdmin(admin) = decision else { panic!("refused with {header:?}") };
            assert_eq!(admin.email, "ann@example.com");
        }
    }

    #[tokio::test]
    async fn every_way_to_admin_work_is_guarded() {
        let guard = guard(Scripted::desk());
        for path in [
            "/admin/exchange",
            "/admin/exchange/",
            "/de/admin/exchange/x",
            "/ADMIN/Exchange",
            "/%61dmin/exchange",
            "/admin/exchange;x",
            "/_next/data/b/de/admin/exchange.json",
            "/admin/exchange/callback/",
            "/api/tickets/email-settings/",
            "/API/v1/exchange/connections",
            "/de/api/v1/email-provider/config",
            "/admin/exchange/Callback",
            "/de/admin/exchange/callback",
            "/admin/exchange/callback;x",
            "/api/v1/config/email",
            "/API/v1/email-queues/all",
            "/de/api/v1/webhooks/all",
            "/api/v1/admin/webhook/1/delete",
            "/api/v1/roles/all",
            "/api/v1/data/logs",
        ] {
            assert_eq!(guard.status("GET", path, &[("authorization", "Bearer agent")]).await, 403, "{path}");
            assert_eq!(guard.status("GET", path, &[]).await, 401, "{path}");
        }
        assert_eq!(guard.status("DELETE", "/api/v1/auth/user/7", &[("cookie", "session=agent")]).await, 403);
    }

    #[tokio::test]
    async fn an_agents_own_work_is_not_asked_about() {
        let guard = guard(Scripted::desk());
        for path in [
            "/",
            "/admin",
            "/admin/exchanges",
            "/auth/login",
            "/api/v1/auth/login",
            "/api/v1/auth/profile",
            "/api/v1/auth/user/7/logout",
            "/api/v1/users/all",
            "/api/v1/tickets/all",
            "/api/v1/data/tickets/open",
        ] {
            assert_eq!(guard.status("GET", path, &[]).await, 200, "{path}");
        }
        assert_eq!(guard.desk.calls(), 0);
    }

    #[tokio::test]
    async fn only_a_get_of_exactly_the_callback_needs_no_session() {
        let guard = guard(Scripted::desk());
        assert_eq!(guard.status("GET", "/admin/exchange/callback?code=a&state=b", &[]).await, 200);
        for method in ["HEAD", "POST", "OPTIONS"] {
            assert_eq!(guard.status(method, "/admin/exchange/callback", &[]).await, 401, "{method}");
        }
    }

    #[tokio::test]
    async fn two_sessions_are_none_and_nobody_is_asked() {
        let guard = guard(Scripted::desk());
        let both = [("authorization", "Bearer admin"), ("cookie", "session=other")];
        assert_eq!(guard.status("GET", "/admin/exchange", &both).await, 401);
        assert_eq!(guard.desk.calls(), 0);
    }

    #[tokio::test]
    async fn pages_believe_a_recent_word_and_changes_ask_anew() {
        let guard = guard(Scripted::desk());
        let admin = [("authorization", "Bearer admin")];
        let mut calls = Vec::new();
        for (method, path) in [
            ("GET", "/admin/exchange"),
            ("GET", "/admin/exchange"),
            ("HEAD", "/admin/exchange/x"),
            ("POST", "/admin/exchange/start"),
            ("GET", "/admin/exchange/complete"),
            ("PUT", "/api/v1/config/email"),
        ] {
            assert_eq!(guard.status(method, path, &admin).await, 200);
            calls.push(guard.desk.calls());
        }
        assert_eq!(calls, [1, 1, 1, 2, 3, 3]);
    }

    #[tokio::test]
    async fn a_known_word_is_given_without_waiting() {
        let guard = guard(Scripted::desk());
        let admin = [("authorization", "Bearer admin")];
        guard.status("GET", "/admin/exchange", &admin).await;
        let mut request = get("/admin/exchange", &admin);
        let verdict = guard.runs.request(&exchange("203.0.113.7", "/admin/exchange"), &mut request);
        assert!(matches!(verdict, Verdict::Now(Decision::PassAdmin(_))));
    }

    #[tokio::test]
    async fn a_desk_that_is_down_lets_nobody_in() {
        let guard = guard(Scripted::new(|_| Err(unreachable())));
        let decision = guard.decides(get("/admin/exchange", &[("cookie", "session=admin")])).await;
        let Decision::Answer(answer) = decision else { panic!("let in") };
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[RETRY_AFTER], "5");
    }

    #[tokio::test]
    async fn a_person_gets_a_page_and_a_program_does_not() {
        let guard = guard(Scripted::desk());
        let kind = async |path: &str, headers: &[(&str, &str)]| {
            let Decision::Answer(answer) = guard.decides(get(path, headers)).await else { panic!("let in") };
            answer.headers()["content-type"].to_str().expect("text").to_owned()
        };
        assert_eq!(kind("/admin/exchange", &[BROWSER]).await, "text/html; charset=utf-8");
        assert_eq!(kind("/admin/exchange", &[]).await, "text/plain; charset=utf-8");
        assert_eq!(kind("/de/api/v1/config/email", &[]).await, "application/json");
    }

    #[test]
    fn further_paths_are_guarded_on_segment_boundaries() {
        let guard = compiled("plugin: {adminOnly: {paths: [/Reports]}}");
        let asks = |path: &str| {
            let verdict = guard.request(&exchange("203.0.113.7", path), &mut get(path, &[]));
            !matches!(verdict, Verdict::Now(Decision::Pass))
        };
        assert_eq!([asks("/reports"), asks("/de/reports/1"), asks("/reportsx")], [true, true, false]);
    }

    #[test]
    fn a_path_that_cannot_be_guarded_is_refused_with_its_place() {
        let problems =
            problems("plugin:\n  adminOnly:\n    paths:\n      - reports\n      - /a//b\n      - /\n");
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[2].starts_with("6:9 guarding `/`"), "{problems:?}");
    }
}
