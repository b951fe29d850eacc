//! Facts of Microsoft's identity platform that the console and the token keeper rely on.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mintgate::base::clock::{ManualClock, Timestamp};
use mintgate::base::secret::{ExposeSecret, sha256};
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::sandbox::identity::{Problem, Registration, Rotation};
use mintgate::sandbox::{MAILBOX, Options, Sandbox};
use serde_json::{Value, json};
use url::Url;

use super::client::{Client, Reply};

const CALLBACK: &str = "https://desk.localhost:8443/admin/exchange/callback";
const VERIFIER: &str = "a-verifier-of-43-characters-or-more-0123456789";
const SCOPES: &str = "openid profile offline_access User.Read Mail.ReadWrite Mail.Send";

struct Fixture {
    sandbox: Sandbox,
    clock: Arc<ManualClock>,
    app: Registration,
    browser: Client,
}

impl Fixture {
    async fn start() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp(1_795_219_200_000)));
        let options = Options::on_free_ports(vec![CALLBACK.to_owned()]);
        let sandbox = Sandbox::start_with_clock(options, clock.clone()).await.expect("a sandbox");
        let app = sandbox.identity.app();
        let browser = Client::to(sandbox.identity.address());
        Self { sandbox, clock, app, browser }
    }

    fn path(&self, end: &str) -> String {
        format!("/{}/oauth2/v2.0/{end}", self.app.tenant)
    }

    fn request(&self) -> Vec<(&str, String)> {
        vec![
            ("client_id", self.app.client_id.clone()),
            ("response_type", "code".to_owned()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("scope", SCOPES.to_owned()),
            ("state", "s1".to_owned()),
            ("nonce", "n1".to_owned()),
            ("code_challenge", URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()))),
            ("code_challenge_method", "S256".to_owned()),
        ]
    }

    /// The request with one parameter changed.
    fn request_with(&self, name: &str, value: &str) -> String {
        let mut pairs = self.request();
        pairs.retain(|(key, _)| *key != name);
        pairs.push((name, value.to_owned()));
        query(&pairs)
    }

    async fn decide(&self, decision: &str) -> Url {
        let form =
            [("request", query(&self.request())), ("account", MAILBOX.into()), ("decision", decision.into())];
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = self.browser.form(&self.path("authorize"), &form).await;
        assert_eq!(reply.status, 302, "{}", reply.text());
        Url::parse(reply.header("location").expect("a location")).expect("a URL")
    }

    async fn code(&self) -> String {
        parameter(&self.decide("accept").await, "code").expect("a code")
    }

    async fn token(&self, pairs: &[(&str, &str)]) -> Reply {
        let own = [
            ("client_id", self.app.client_id.as_str()),
            ("client_secret", self.app.client_secret.expose_secret()),
        ];
        self.browser.form(&self.path("token"), &[pairs, &own].concat()).await
    }

    async fn redeem(&self, code: &str, verifier: &str) -> Reply {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        self.token(&form).await
    }

    async fn signed_in(&self) -> Value {
        let reply = self.redeem(&self.code().await, VERIFIER).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    async fn refresh(&self, token: &Value) -> Reply {
        let token = token["refresh_token"].as_str().expect("a refresh token");
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }
}

fn query(pairs: &[(&str, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The error's name and its AADSTS number.
fn problem(reply: &Reply) -> (u16, String, u64) {
    let body = reply.json();
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned();
    let number = body["error_codes"][0].as_u64().expect("a number");
    let told = format!("AADSTS{number}: ");
    assert!(
        text("error_description").starts_with(&told) && text("error_description").contains(&text("trace_id"))
    );
    assert!(text("timestamp").ends_with('Z') && !text("correlation_id").is_empty());
    (reply.status, text("error"), number)
}

fn expected(status: u16, error: &str, number: u64) -> (u16, String, u64) {
    (status, error.to_owned(), number)
}

#[tokio::test]
async fn a_sign_in_brings_tokens_that_graph_takes() {
    let fixture = Fixture::start().await;
    let page =
        fixture.browser.get(&format!("{}?{}", fixture.path("authorize"), query(&fixture.request()))).await;
    assert!(page.text().contains(MAILBOX) && page.text().contains("https://graph.microsoft.com/Mail.Send"));

    let back = fixture.decide("accept").await;
    assert_eq!(parameter(&back, "state").as_deref(), Some("s1"));
    assert_eq!(parameter(&back, "iss"), None);
    let tokens = fixture.redeem(&parameter(&back, "code").unwrap(), VERIFIER).await.json();
    assert_eq!(tokens["scope"], "User.Read Mail.ReadWrite Mail.Send openid profile");
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3599)));
    let graph = Client::to(fixture.sandbox.graph.address()).bearer(tokens["access_token"].as_str().unwrap());
    assert_eq!(graph.get("/v1.0/me").await.json()["userPrincipalName"], MAILBOX);
    fixture.clock.advance(Duration::from_secs(3599));
    assert_eq!(graph.get("/v1.0/me").await.status, 401);
}

#[tokio::test]
async fn an_id_token_holds_against_the_published_key() {
    let fixture = Fixture::start().await;
    let metadata = fixture
        .browser
        .get(&format!("/{}/v2.0/.well-known/openid-configuration", fixture.app.tenant))
        .await
        .json();
    let keys = Url::parse(metadata["jwks_uri"].as_str().unwrap()).unwrap();
    let keys: jsonwebtoken::jwk::JwkSet =
        serde_json::from_value(fixture.browser.get(keys.path()).await.json()).unwrap();
    let token = fixture.signed_in().await["id_token"].as_str().unwrap().to_owned();

    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.validate_exp = false;
    validation.set_audience(&[&fixture.app.client_id]);
    validation.set_issuer(&[metadata["issuer"].as_str().unwrap()]);
    let key = jsonwebtoken::DecodingKey::from_jwk(&keys.keys[0]).unwrap();
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap().claims;
    assert_eq!((&claims["nonce"], &claims["preferred_username"]), (&json!("n1"), &json!(MAILBOX)));
    assert_eq!(claims["tid"], fixture.app.tenant);
}

#[tokio::test]
async fn an_unknown_address_or_app_is_never_redirected_to() {
    let fixture = Fixture::start().await;
    for (name, value, number) in [
        ("redirect_uri", "https://desk.localhost:8443/admin/exchange/callback/", "50011"),
        ("client_id", "x", "700016"),
    ] {
        let page = fixture
            .browser
            .get(&format!("{}?{}", fixture.path("authorize"), fixture.request_with(name, value)))
            .await;
        assert_eq!((page.status, page.header("location")), (400, None));
        assert!(page.text().contains(&format!("AADSTS{number}")), "{}", page.text());
    }
    let common =
        fixture.browser.get(&format!("/common/oauth2/v2.0/authorize?{}", query(&fixture.request()))).await;
    assert!(common.text().contains("AADSTS50194"));
}

#[tokio::test]
async fn the_app_is_told_what_it_asked_wrongly() {
    let fixture = Fixture::start().await;
    for (name, value, error) in [
        ("scope", "Mail.Raed", "invalid_scope"),
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("prompt", "none", "login_required"),
    ] {
        let reply = fixture
            .browser
            .get(&format!("{}?{}", fixture.path("authorize"), fixture.request_with(name, value)))
            .await;
        let back = Url::parse(reply.header("location").unwrap()).unwrap();
        assert_eq!(parameter(&back, "error").as_deref(), Some(error));
        assert_eq!(parameter(&back, "state").as_deref(), Some("s1"));
    }
    let cancelled = fixture.decide("cancel").await;
    assert_eq!(parameter(&cancelled, "error").as_deref(), Some("access_denied"));
    fixture.sandbox.identity.change(|settings| settings.consent = false);
    let refused = fixture.decide("accept").await;
    assert!(parameter(&refused, "error_description").unwrap().starts_with("AADSTS65001: "));
}

#[tokio::test]
async fn a_code_is_good_once_for_ten_minutes_with_its_verifier() {
    let fixture = Fixture::start().await;
    let code = fixture.code().await;
    let wrong = fixture.redeem(&code, "another-verifier-of-43-characters-or-more-01234").await;
    assert_eq!(problem(&wrong), expected(400, "invalid_grant", 50_148));
    let without = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
    assert_eq!(problem(&fixture.token(&without).await), expected(400, "invalid_grant", 50_148));
    assert_eq!(fixture.redeem(&code, VERIFIER).await.status, 200);
    assert_eq!(problem(&fixture.redeem(&code, VERIFIER).await), expected(400, "invalid_grant", 54_005));

    let late = fixture.code().await;
    fixture.clock.advance(Duration::from_secs(600));
    assert_eq!(problem(&fixture.redeem(&late, VERIFIER).await), expected(400, "invalid_grant", 70_008));
    assert_eq!(problem(&fixture.redeem("1.x", VERIFIER).await), expected(400, "invalid_grant", 70_000));
}

#[tokio::test]
async fn a_client_without_its_secret_gets_nothing() {
    let fixture = Fixture::start().await;
    let code = fixture.code().await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", fixture.app.client_id.as_str()),
    ];
    let path = fixture.path("token");
    assert_eq!(
        problem(&fixture.browser.form(&path, &form).await),
        expected(401, "invalid_client", 7_000_218)
    );
    let wrong = [&form[..], &[("client_secret", "the-id-of-the-secret")]].concat();
    assert_eq!(
        problem(&fixture.browser.form(&path, &wrong).await),
        expected(401, "invalid_client", 7_000_215)
    );
    assert_eq!(fixture.redeem(&code, VERIFIER).await.status, 200, "the code was not used up");
}

#[tokio::test]
async fn an_old_refresh_token_works_until_the_new_one_was_used() {
    let fixture = Fixture::start().await;
    let first = fixture.signed_in().await;
    let second = fixture.refresh(&first).await.json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(fixture.refresh(&first).await.status, 200, "the answer may have been lost");
    assert_eq!(fixture.refresh(&second).await.status, 200);
    assert_eq!(problem(&fixture.refresh(&first).await), expected(400, "invalid_grant", 70_000));

    fixture.sandbox.identity.change(|settings| settings.rotation = Rotation::RetireAtOnce);
    assert_eq!(fixture.refresh(&second).await.status, 200);
    assert_eq!(fixture.refresh(&second).await.status, 400);
}

#[tokio::test]
async fn a_revoked_grant_is_dead_and_says_why() {
    let fixture = Fixture::start().await;
    let tokens = fixture.signed_in().await;
    fixture.sandbox.identity.revoke(MAILBOX);
    assert_eq!(problem(&fixture.refresh(&tokens).await), expected(400, "invalid_grant", 50_173));
    let graph = Client::to(fixture.sandbox.graph.address()).bearer(tokens["access_token"].as_str().unwrap());
    assert_eq!(graph.get("/v1.0/me").await.status, 200, "access tokens live on");
    fixture.sandbox.identity.end_access_tokens(MAILBOX);
    assert_eq!(graph.get("/v1.0/me").await.status, 401);
}

#[tokio::test]
async fn less_may_be_granted_than_was_asked_for() {
    let fixture = Fixture::start().await;
    fixture.sandbox.identity.change(|settings| {
        settings.granted = Some(vec!["User.Read".into(), "Mail.Read".into(), "Mail.Send".into()]);
        settings.full_scope_names = true;
    });
    let tokens = fixture.signed_in().await;
    let told = tokens["scope"].as_str().unwrap();
    assert!(told.contains("https://graph.microsoft.com/Mail.Read ") && !told.contains("ReadWrite"), "{told}");
    let graph = Client::to(fixture.sandbox.graph.address()).bearer(tokens["access_token"].as_str().unwrap());
    assert_eq!(graph.get("/v1.0/me/messages").await.status, 200);
    assert_eq!(graph.send("POST", "/v1.0/me/messages", &json!({})).await.status, 403);
}

#[tokio::test]
async fn the_token_endpoint_fails_as_it_is_told() {
    let fixture = Fixture::start().await;
    let tokens = fixture.signed_in().await;
    let control = &fixture.browser;
    let busy = json!({"path": "*/oauth2/v2.0/token", "effect": {"refuse_before": {"status": 429, "retry_after": "5"}}, "times": 1});
    control.send("POST", "/_control/faults", &busy).await;
    let refused = fixture.refresh(&tokens).await;
    assert_eq!(
        (refused.header("retry-after"), problem(&refused)),
        (Some("5"), expected(429, "temporarily_unavailable", 90_033))
    );

    fixture.sandbox.identity.force_error(Problem::new(50_076, "interaction_required", "Use MFA."), 1);
    assert_eq!(problem(&fixture.refresh(&tokens).await), expected(400, "interaction_required", 50_076));

    let given = fixture.sandbox.identity.tokens_given();
    let lost = Fault::on("POST", &fixture.path("token"), Effect::CutAfter).times(1);
    fixture.sandbox.identity.faults.add(lost);
    let form = [("client_id", fixture.app.client_id.as_str())];
    assert!(
        control
            .call("POST", &fixture.path("token"), "application/x-www-form-urlencoded", b"x=1")
            .await
            .is_err()
    );
    assert_eq!(problem(&control.form(&fixture.path("token"), &form).await).1, "invalid_client");
    assert_eq!(fixture.sandbox.identity.tokens_given(), given);
    assert_eq!(fixture.refresh(&tokens).await.status, 200);
}

#[tokio::test]
async fn another_process_learns_the_app_and_turns_the_switches() {
    let fixture = Fixture::start().await;
    let app = fixture.browser.get("/_control/app").await.json();
    assert_eq!(
        (&app["clientId"], &app["redirectUris"][0]),
        (&json!(fixture.app.client_id), &json!(CALLBACK))
    );
    let wanted = json!({"accessLifetimeSeconds": 60, "rotation": "retireAtOnce"});
    assert_eq!(fixture.browser.send("PATCH", "/_control/settings", &wanted).await.status, 204);
    assert_eq!(fixture.signed_in().await["expires_in"], 60);
    assert_eq!(
        fixture.browser.send("PATCH", "/_control/settings", &json!({"konsent": true})).await.status,
        400
    );
}
