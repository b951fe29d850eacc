//! Which requests the guard asks about, in every spelling, and what it answers.

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
        ("GET", "/api/tickets/email-settings/"),
        ("GET", "/api/tickets/email-settings/oauth/google/callback/"),
    ] {
        assert_eq!(guard.status(method, path, &admin).await, 200);
        calls.push(guard.desk.calls());
    }
    assert_eq!(calls, [1, 1, 1, 2, 3, 3, 3, 4]);
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
    let problems = problems("plugin:\n  adminOnly:\n    paths:\n      - reports\n      - /a//b\n      - /\n");
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[2].starts_with("6:9 guarding `/`"), "{problems:?}");
}

#[tokio::test]
async fn a_refused_reader_is_told_in_the_browsers_language() {
    let agent = ("authorization", "Bearer agent");
    for (header, language, title) in [
        (None, "de-AT,de;q=0.9,en;q=0.1", "Bitte anmelden"),
        (Some(agent), "de", "Nicht erlaubt"),
        (Some(agent), "en, de", "Not allowed"),
        (Some(agent), "tr", "Not allowed"),
    ] {
        let headers: Vec<_> = [BROWSER, ("accept-language", language)].into_iter().chain(header).collect();
        let decision = guard(Scripted::desk()).decides(get("/admin/exchange", &headers)).await;
        let Decision::Answer(answer) = decision else { panic!("{language} passed") };
        let page = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(page.contains(&format!("<title>{title}</title>")), "{language}: {page}");
        let tag = if language.starts_with("de") { "de" } else { "en" };
        assert!(page.contains(&format!("<html lang=\"{tag}\">")), "{page}");
    }
}
