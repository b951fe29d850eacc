//! `plugin: adminOnly`: admin work is for helpdesk admins.
//!
//! On the router it stands at, it guards `/admin/exchange` and below (the OAuth callback excepted), the
//! desk's own admin work, which the desk itself lets any signed-in user do (`table`), and the rows listed
//! in YAML. Who is an admin is the desk's word (`desk::admin`); what lies behind a path is not known here.

mod table;

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_yaml::Spanned;

use self::table::{DESK, Row};
use crate::base::audit::{Audit, Event, Outcome, Record};
use crate::desk::admin::{Admins, Standing};
use crate::desk::caller::Caller;
use crate::middleware::registry::{Compiled, Parts, Spec as Checked, SpecError};
use crate::middleware::{Decision, Middleware, Verdict};
use crate::web::answer::{Answer, Link, page, short, wants_page};
use crate::web::exchange::Exchange;
use crate::web::head::{Headers, RequestHead};
use crate::web::path::is_at_or_below;

/// The YAML key, as the registry names it.
pub const KEY: &str = "plugin.adminOnly";

/// Where the console lives.
const CONSOLE: &str = "/admin/exchange";
/// The provider's redirect comes from another site, without any Strict cookie: no session can be asked
/// for. Byte for byte, by GET.
const CALLBACK: &str = "/admin/exchange/callback";
/// Ends a connection attempt; as grave as any change.
const COMPLETE: &str = "/admin/exchange/complete";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Further rows, beside the desk's.
    paths: Vec<Spanned<String>>,
    /// Rows in place of the desk's default table.
    desk_paths: Option<Vec<Spanned<String>>>,
}

struct AdminOnly {
    admins: Arc<Admins>,
    audit: Audit,
    rows: Vec<Row>,
}

impl Checked for Spec {
    fn compile(&self, parts: &Parts) -> Result<Compiled, Vec<SpecError>> {
        let mut errors = Vec::new();
        let mut rows = Vec::new();
        for given in self.paths.iter().chain(self.desk_paths.iter().flatten()) {
            match Row::read(&given.value) {
                Ok(row) => rows.push(row),
                Err(error) => errors.push(SpecError::at(given, error.to_string()).hint(error.hint())),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut warnings = Vec::new();
        match &self.desk_paths {
            None => rows.extend(DESK.map(|row| Row::read(row).expect("a test reads every default row"))),
            Some(given) if given.is_empty() => {
                let message =
                    "no path of the desk is admin work: every signed-in user may change its settings";
                warnings.push(SpecError::whole(message));
            }
            Some(_) => {}
        }
        let (admins, audit) = (Arc::clone(&parts.admins), parts.audit.clone());
        Ok(Compiled { runs: Arc::new(AdminOnly { admins, audit, rows }), warnings })
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
        let guarded = self.rows.iter().any(|row| row.covers(method, path));
        guarded.then_some(Word::Recent)
    }
}

impl Middleware for AdminOnly {
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
    use crate::middleware::scene::{compile, compiled, exchange, get, parts, problems};

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

    /// A request of the desk's own admin pages for each row, as the desk's client sends it.
    const ADMIN_WORK: [(&str, &str); 33] = [
        ("DELETE", "/api/v1/admin/webhook/7/delete"),
        ("POST", "/api/v1/auth/admin/reset-password"),
        ("POST", "/api/v1/auth/password-reset"),
        ("POST", "/api/v1/auth/password-reset/code"),
        ("POST", "/api/v1/auth/password-reset/password"),
        ("DELETE", "/api/v1/auth/user/7"),
        ("POST", "/api/v1/auth/user/register"),
        ("POST", "/api/v1/auth/user/register/external"),
        ("PUT", "/api/v1/auth/user/role"),
        ("GET", "/api/v1/config/authentication/check"),
        ("POST", "/api/v1/config/authentication/oidc/update"),
        ("DELETE", "/api/v1/config/authentication"),
        ("GET", "/api/v1/config/email"),
        ("PUT", "/api/v1/config/email"),
        ("DELETE", "/api/v1/config/email"),
        ("GET", "/api/v1/config/email/oauth/gmail"),
        ("PATCH", "/api/v1/config/toggle-roles"),
        ("GET", "/api/v1/data/logs"),
        ("POST", "/api/v1/email-queue/create"),
        ("DELETE", "/api/v1/email-queue/delete"),
        ("GET", "/api/v1/email-queue/oauth/gmail"),
        ("GET", "/api/v1/email-queues/all"),
        ("POST", "/api/v1/role/create"),
        ("PUT", "/api/v1/role/7/update"),
        ("DELETE", "/api/v1/role/7/delete"),
        ("GET", "/api/v1/roles/all"),
        ("GET", "/api/v1/ticket/templates"),
        ("PUT", "/api/v1/ticket/template/7"),
        ("POST", "/api/v1/user/new"),
        ("PUT", "/api/v1/user/reset-password"),
        ("POST", "/api/v1/webhook/create"),
        ("GET", "/api/v1/webhooks/all"),
        ("HEAD", "/api/v1/webhooks/all"),
    ];

    /// Other spellings of a path that the desk reads as the same.
    fn spellings(path: &str) -> Vec<String> {
        let encoded = path.replacen("/v1", "/%761", 1);
        let page = format!("/_next/data/build{path}.json");
        vec![
            path.to_owned(),
            format!("{path}/"),
            format!("/de{path}"),
            path.to_ascii_uppercase(),
            encoded,
            format!("{path};x=1"),
            path.replacen("/api", "/api;a", 1),
            page.clone(),
            page.replace("/build", "/build/de"),
            format!("{path}?x=1"),
        ]
    }

    #[tokio::test]
    async fn each_admin_route_of_the_desk_is_an_admins_in_every_spelling() {
        let guard = guard(Scripted::desk());
        for (method, path) in ADMIN_WORK {
            for path in spellings(path) {
                let mut statuses = Vec::new();
                for token in ["admin", "agent", "nobody"] {
                    let bearer = format!("Bearer {token}");
                    statuses.push(guard.status(method, &path, &[("authorization", &bearer)]).await);
                }
                statuses.push(guard.status(method, &path, &[]).await);
                assert_eq!(statuses, [200, 403, 401, 401], "{method} {path}");
            }
        }
    }

    #[tokio::test]
    async fn every_row_of_the_table_has_a_request_that_needs_it() {
        for left_out in DESK {
            let rows: Vec<&str> = DESK.into_iter().filter(|row| *row != left_out).collect();
            let guard = compiled(&format!("plugin: {{adminOnly: {{deskPaths: {rows:?}}}}}"));
            let passes = |(method, path): &(&str, &str)| {
                let mut request = get(path, &[]);
                *request.method_mut() = method.parse().expect("a method");
                matches!(
                    guard.request(&exchange("203.0.113.7", path), &mut request),
                    Verdict::Now(Decision::Pass)
                )
            };
            assert!(ADMIN_WORK.iter().any(passes), "no request needs the row `{left_out}`");
        }
    }

    #[tokio::test]
    async fn an_operators_table_stands_in_the_desks_place_and_the_console_stays_guarded() {
        let guard = compiled(
            "plugin: {adminOnly: {deskPaths: [DELETE /api/v1/clients, /api/v1/config], paths: [/reports]}}",
        );
        let asks = |method: &str, path: &str| {
            let mut request = get(path, &[]);
            *request.method_mut() = method.parse().expect("a method");
            let verdict = guard.request(&exchange("203.0.113.7", path), &mut request);
            !matches!(verdict, Verdict::Now(Decision::Pass))
        };
        assert!(asks("DELETE", "/api/v1/clients/7/delete-client") && asks("GET", "/api/v1/config/email"));
        assert!(asks("GET", "/reports") && asks("GET", "/admin/exchange"));
        assert!(!asks("GET", "/api/v1/clients/all") && !asks("GET", "/api/v1/webhooks/all"));
    }

    #[test]
    fn a_table_without_rows_is_told() {
        let compiled = compile("plugin: {adminOnly: {deskPaths: []}}").expect("it compiles");
        let [warning] = &compiled.warnings[..] else { panic!("{:?}", compiled.warnings) };
        assert!(warning.message.contains("every signed-in user"), "{}", warning.message);
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
