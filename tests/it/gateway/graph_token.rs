//! Programs that call Graph through the gateway, with the token of a mailbox that is connected.

use std::sync::Arc;
use std::time::Duration;

use mintgate::base::id::MailboxId;
use mintgate::config::{NamedMiddleware, Service};
use mintgate::middleware::graph_token::Tokens;
use mintgate::middleware::registry::Parts;
use mintgate::sandbox::fault::{Effect, Fault};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::runtime::Runtime;

use super::client::{Client, Response};
use super::start::{Started, router, routes, service};
use crate::support::installation::{Installation, MAILBOX, OTHER_MAILBOX};
use crate::support::shield;
use crate::support::sign_in::Browser;

const HERE: &str = "plugin: {graphToken: {mailbox: ID, allow: [127.0.0.1]}}";
const ELSEWHERE: &str = "plugin: {graphToken: {mailbox: ID, allow: [10.0.0.0/8]}}";
/// Graph shows a mailbox to nobody but its owner.
const OWN: &str = "GET /v1.0/users/tickets@demo.example/messages";
const HOUR: Duration = Duration::from_secs(3600);

/// A connected mailbox and a gateway whose one router leads to Graph.
struct Scene {
    gateway: Started,
    installation: Installation,
    runtime: Runtime,
}

impl Scene {
    fn new(yaml: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let installation = runtime.block_on(connected());
        let tokens = Tokens::default();
        let (keeper, store) = (installation.keeper.clone(), installation.store.clone());
        tokens.open(keeper, store, runtime.handle().clone());
        let parts = Parts {
            clock: installation.clock.clone(),
            graph_tokens: Arc::new(tokens),
            audit: installation.audit.clone(),
            ..shield::parts()
        };
        let mut graph = router("PathPrefix(`/v1.0/`)");
        let id = runtime.block_on(mailbox(&installation));
        let runs = shield::middleware_of(&yaml.replace("ID", id.as_str()), &parts);
        graph.middlewares = vec![NamedMiddleware { name: "token".into(), runs }];
        let address = installation.sandbox.graph.address();
        let services = vec![Service { pass_host: false, ..service(&[address]) }];
        Self { gateway: Started::new(routes(vec![graph], services)), installation, runtime }
    }

    fn ask(&self, lines: &[&str]) -> Response {
        Client::to(self.gateway.address).ask(OWN, lines)
    }

    fn audited(&self, event: &str, outcome: &str) -> bool {
        let (mut registry, mut text) = (Registry::default(), String::new());
        self.installation.audit.register(&mut registry);
        encode(&mut text, &registry).expect("text takes everything");
        text.contains(&format!("mintgate_audit_total{{event=\"{event}\",outcome=\"{outcome}\"}}"))
    }

    /// How often the provider was asked for a token.
    fn tokens_given(&self) -> u32 {
        self.installation.sandbox.identity.tokens_given()
    }
}

/// The one that is connected.
async fn mailbox(installation: &Installation) -> MailboxId {
    installation.store.mailboxes().await.expect("read").remove(0).id
}

async fn connected() -> Installation {
    let installation = Installation::start().await;
    let console = installation.console();
    let page = Browser::admin(&console, 1).connect(&*installation.http, MAILBOX).await;
    assert_eq!(page.location(), "/admin/exchange", "{}", page.text());
    installation
}

#[test]
fn a_program_from_a_listed_network_reads_the_mailbox_without_a_token_of_its_own() {
    for yaml in [HERE, "plugin: {graphToken: {mailbox: Tickets@Demo.Example, allow: [127.0.0.0/8]}}"] {
        let scene = Scene::new(yaml);

        let answers = [scene.ask(&[]), scene.ask(&[])];

        assert_eq!(answers.map(|answer| answer.status), [200, 200], "{yaml}");
        assert_eq!(scene.tokens_given(), 1);
    }
}

#[test]
fn from_elsewhere_nothing_reaches_graph() {
    let scene = Scene::new(ELSEWHERE);
    let own = scene.installation.sandbox.graph.token(MAILBOX, &["Mail.Read"]);

    let answer = scene.ask(&[&format!("Authorization: Bearer {own}")]);

    assert_eq!((answer.status, answer.text().as_str()), (403, "This address is not allowed here.\n"));
    assert!(scene.audited("refusal", "refused"));
}

#[test]
fn a_browsers_page_sends_no_mail() {
    let scene = Scene::new(HERE);

    let answer = Client::to(scene.gateway.address)
        .ask("POST /v1.0/me/sendMail", &["Origin: https://evil.example", "Content-Length: 0"]);

    assert_eq!(answer.status, 403);
}

#[test]
fn a_foreign_authorization_is_dropped_whatever_the_connection_line_names() {
    let scene = Scene::new(HERE);
    let other = scene.installation.sandbox.graph.token(OTHER_MAILBOX, &["Mail.Read"]);
    let foreign = format!("Authorization: Bearer {other}");

    for lines in [
        &[&*foreign][..],
        &["authorization: Basic dTpw", &foreign],
        &[&foreign, "Connection: Authorization"],
        &["Connection: Authorization"],
    ] {
        assert_eq!(scene.ask(lines).status, 200, "{} lines", lines.len());
    }
}

#[test]
fn a_dead_grant_is_503_and_an_audit_record() {
    let scene = Scene::new(HERE);
    assert_eq!(scene.ask(&[]).status, 200);
    scene.installation.sandbox.identity.revoke(MAILBOX);
    scene.installation.clock.advance(HOUR);

    let answer = scene.ask(&[]);

    assert_eq!(answer.status, 503);
    assert_eq!(answer.text(), "The mailbox behind this route has to be connected again.\n");
    assert_eq!(answer.header("retry-after"), Some("30"));
    assert!(scene.audited("graph_token", "failure"));
}

#[test]
fn a_throttled_provider_is_503_until_it_may_be_asked_again() {
    let scene = Scene::new(HERE);
    let effect = Effect::RefuseBefore { status: 429, retry_after: Some("120".to_owned()) };
    scene.installation.sandbox.identity.faults.add(Fault::on("POST", "*/oauth2/v2.0/token", effect));
    scene.installation.clock.advance(HOUR);

    let answer = scene.ask(&[]);

    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("120")));
    assert!(!scene.audited("graph_token", "failure"), "the grant lives");
}

#[test]
fn a_disconnected_mailbox_is_not_used_any_more() {
    let scene = Scene::new(HERE);
    assert_eq!(scene.ask(&[]).status, 200);
    let mailbox = scene.runtime.block_on(mailbox(&scene.installation));
    scene.runtime.block_on(scene.installation.keeper.disconnect(&mailbox)).expect("disconnected");
    scene.installation.clock.advance(Duration::from_secs(10));

    let answer = scene.ask(&[]);

    assert_eq!(answer.status, 503);
    assert_eq!(answer.text(), "The mailbox behind this route is not connected.\n");
}

#[test]
fn a_401_of_graph_is_passed_on_and_the_next_request_has_another_token() {
    let scene = Scene::new(HERE);
    assert_eq!(scene.ask(&[]).status, 200);
    scene.installation.sandbox.identity.end_access_tokens(MAILBOX);

    let answers = [scene.ask(&[]), scene.ask(&[]), scene.ask(&[])];

    assert_eq!(answers.map(|answer| answer.status), [401, 200, 200]);
    assert_eq!(scene.tokens_given(), 2);
}
