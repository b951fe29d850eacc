//! App registrations through the whole program: the real guard before the pages, and what commands tell of one
//! that was entered there.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use mintgate::base::secret::ExposeSecret;
use mintgate::sandbox::desk::{ADMIN, AGENT};
use serde_json::{Value, json};

use super::ask;
use crate::support::program::{Program, Scene};
use crate::support::sign_in::{between, form};

const APPS: &str = "/admin/exchange/apps";
const MICROSOFT: &str = "/admin/exchange/apps/microsoft";

/// A running program whose configuration says where Microsoft is, and names no app there.
struct Running {
    scene: Scene,
    _program: Program,
}

impl Running {
    async fn start() -> Self {
        let scene = Scene::start().await;
        let text = std::fs::read_to_string(&scene.config).expect("the start-up file");
        let names_the_app = ["clientId:", "clientSecret:", "tenantId:"];
        let rest = text.lines().filter(|line| !names_the_app.iter().any(|key| line.trim().starts_with(key)));
        std::fs::write(&scene.config, rest.collect::<Vec<_>>().join("\n") + "\n").expect("written");
        let program = scene.start_program().await;
        Self { scene, _program: program }
    }

    /// What a command tells, standard output and errors.
    async fn told(&self, words: &[&str]) -> String {
        let output = ask(self.scene.config.parent().expect("a folder"), words).await;
        String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
    }

    async fn visitor(&self, user: (&str, &str)) -> Visitor<'_> {
        let mut visitor = self.stranger();
        let body = json!({"email": user.0, "password": user.1}).to_string();
        let answer = visitor.send(Method::POST, "/api/v1/auth/login", "application/json", body).await;
        let reply: Value = serde_json::from_slice(answer.body()).expect("JSON");
        let handle = reply["token"].as_str().expect("a handle");
        let line = answer.headers().get(SET_COOKIE).expect("a cookie").to_str().expect("text");
        let pair = line.split(';').next().expect("a pair");
        visitor.cookies = format!("session={handle}; {pair}");
        visitor.bearer = format!("Bearer {handle}");
        visitor
    }

    fn stranger(&self) -> Visitor<'_> {
        Visitor { scene: &self.scene, cookies: String::new(), bearer: String::new() }
    }
}

/// Somebody's browser.
struct Visitor<'r> {
    scene: &'r Scene,
    cookies: String,
    bearer: String,
}

impl Visitor<'_> {
    async fn send(&self, method: Method, path: &str, kind: &str, body: String) -> Response<Bytes> {
        let url = self.scene.public.join(path).expect("a URL");
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header("user-agent", "a browser")
            .header(ORIGIN, self.scene.public.origin().ascii_serialization())
            .header(CONTENT_TYPE, kind);
        if !self.cookies.is_empty() {
            request = request.header(COOKIE, &self.cookies).header(AUTHORIZATION, &self.bearer);
        }
        let request = request.body(Bytes::from(body)).expect("a request");
        self.scene.http.call(request, 1 << 20).await.expect("an answer")
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.send(Method::GET, path, "text/plain", String::new()).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}: {answer:?}");
        String::from_utf8(answer.body().to_vec()).expect("text")
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response<Bytes> {
        self.send(Method::POST, path, "application/x-www-form-urlencoded", form(fields)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_enters_a_registration_and_commands_tell_of_it() {
    let running = Running::start().await;
    let app = running.scene.sandbox.identity.app();
    let secret = app.client_secret.expose_secret();
    let admin = running.visitor(ADMIN).await;
    let page = admin.page(MICROSOFT).await;
    // Even with an administrator's own form nobody else gets anywhere.
    let token = between(&page, "name=\"token\" value=\"", "\"").expect("a form");
    let fields = [
        ("token", token),
        ("seen", ""),
        ("tenant", &app.tenant),
        ("client_id", &app.client_id),
        ("client_secret", secret),
    ];
    let (agent, stranger) = (running.visitor(AGENT).await, running.stranger());
    for (who, expected) in [(&agent, StatusCode::FORBIDDEN), (&stranger, StatusCode::UNAUTHORIZED)] {
        for path in [APPS, MICROSOFT, "/admin/exchange/apps/microsoft/remove", "/api/v1/exchange/connections"]
        {
            let answer = who.send(Method::GET, path, "text/plain", String::new()).await;
            assert_eq!(answer.status(), expected, "{path}");
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            assert!(!text.contains("name=\"client_id\""), "{path}: {text}");
        }
        for path in
            [MICROSOFT, "/admin/exchange/apps/microsoft/test", "/admin/exchange/apps/microsoft/remove"]
        {
            assert_eq!(who.post(path, &fields).await.status(), expected, "{path}");
        }
        let named = json!({"tenantId": app.tenant, "clientId": app.client_id, "clientSecret": secret});
        let by_the_api = who
            .send(Method::POST, "/api/v1/exchange/connections", "application/json", named.to_string())
            .await;
        assert_eq!(by_the_api.status(), expected);
    }
    assert!(!running.told(&["check"]).await.contains("app registration at"), "nothing was changed");

    let entered = admin.post(MICROSOFT, &fields).await;
    assert_eq!(entered.status(), StatusCode::SEE_OTHER, "{entered:?}");

    let checked = running.told(&["check"]).await;
    assert!(
        checked.contains("app registration at Microsoft: It was entered in the console at "),
        "{checked}"
    );
    let examined = running.told(&["doctor"]).await;
    let line = examined.lines().find(|line| line.contains("registration at Microsoft"));
    let line = line.unwrap_or_else(|| panic!("{examined}"));
    assert!(line.starts_with("ok") && line.contains("It was entered in the console at "), "{line}");
    assert!(!checked.contains(secret) && !examined.contains(secret), "a secret is told");
}
