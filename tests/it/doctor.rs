//! `mintgate doctor` in front of a sandbox: each fault is told under its own topic, and a sound one is not.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::process::Command;

use mintgate::sandbox::fault::{Effect, Fault};

use crate::support::program::{MINTGATE, Scene};

/// What the doctor says.
struct Report {
    code: i32,
    lines: Vec<Value>,
}

impl Report {
    /// The states of `topic`'s lines.
    fn states(&self, topic: &str) -> Vec<&str> {
        let lines = self.lines.iter().filter(|line| line["topic"] == topic);
        lines.map(|line| line["state"].as_str().expect("a word")).collect()
    }

    fn found(&self, topic: &str) -> &str {
        let line = self.lines.iter().find(|line| line["topic"] == topic).expect(topic);
        line["found"].as_str().expect("a sentence")
    }
}

async fn ask(scene: &Scene, more: &[&str]) -> Output {
    let command = Command::new(MINTGATE).arg("doctor").args(more).arg("--config").arg(&scene.config).output();
    command.await.expect("it starts")
}

async fn doctor(scene: &Scene) -> Report {
    let output = ask(scene, &["--json"]).await;
    let lines = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    Report { code: output.status.code().expect("an exit code"), lines }
}

/// Adds to the scene's start-up file.
fn configure(scene: &Scene, more: &str) {
    let text = fs::read_to_string(&scene.config).expect("read");
    fs::write(&scene.config, format!("{text}{more}\n")).expect("written");
}

/// Calls the sandbox's desk as its administrator.
async fn as_admin(scene: &Scene, method: &str, path: &str, body: Value) {
    let desk = scene.sandbox.desk.url();
    let call = async |method: &str, path: &str, token: &str, body: &Value| -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("{desk}{path}"))
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(Bytes::from(body.to_string())).expect("a request");
        let answer = scene.http.call(request, 1 << 20).await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        serde_json::from_slice(answer.body()).expect("JSON")
    };
    let sign_in = json!({"email": "admin@admin.com", "password": "1234"});
    let token =
        call("POST", "/api/v1/auth/login", "", &sign_in).await["token"].as_str().expect("a token").to_owned();
    call(method, path, &token, &body).await;
}

#[tokio::test]
async fn a_default_password_is_a_problem_and_a_changed_one_is_not() {
    let scene = Scene::start().await;

    let before = doctor(&scene).await;
    // What the desk says to a password that is no longer the one.
    let refusal = Effect::RefuseBefore { status: 401, retry_after: None };
    scene.sandbox.desk.faults.add(Fault::on("POST", "/api/v1/auth/login", refusal));
    let after = doctor(&scene).await;

    assert_eq!((before.states("default admin"), before.code), (vec!["problem"], 1));
    assert_eq!(after.states("default admin"), ["ok"]);
}

#[tokio::test]
async fn a_sound_desk_is_told_as_sound() {
    let scene = Scene::start().await;
    let report = doctor(&scene).await;
    for topic in
        ["desk's API", "desk's clock", "bot", "desk's own SMTP", "desk's e-mail queues", "desk's ports"]
    {
        assert_eq!(report.states(topic), ["ok"], "{topic}");
    }
    for topic in ["identity provider", "provider's clock", "secrets in files", "guide: app registration"] {
        assert_eq!(report.states(topic), ["ok"], "{topic}");
    }
}

#[tokio::test]
async fn a_desk_that_mails_by_itself_is_a_problem() {
    let scene = Scene::start().await;
    let provider =
        json!({"host": "127.0.0.1", "port": "25", "reply": "a@b.example", "username": "u", "password": "p"});
    as_admin(&scene, "PUT", "/api/v1/config/email", provider).await;
    let queue = json!({"name": "q", "username": "u", "password": "p", "hostname": "h", "tls": true, "serviceType": "other"});
    as_admin(&scene, "POST", "/api/v1/email-queue/create", queue).await;

    let report = doctor(&scene).await;

    assert_eq!(report.states("desk's own SMTP"), ["problem"]);
    assert_eq!(report.states("desk's e-mail queues"), ["problem"]);
}

#[tokio::test]
async fn a_desk_port_at_an_outer_address_is_a_problem() {
    let scene = Scene::start().await;
    // Everywhere, as a published container port is.
    let open = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = open.local_addr().expect("an address").port();
    let text = fs::read_to_string(&scene.config).expect("read");
    let desk = format!("desk: {{ apiUrl: \"http://127.0.0.1:{port}\",");
    fs::write(&scene.config, text.replace("desk: {", &desk)).expect("written");
    // Nobody speaks HTTP there.
    drop(std::thread::spawn(move || open.incoming().for_each(drop)));

    let report = doctor(&scene).await;

    let Some(state) = report.states("desk's ports").first().map(|state| (*state).to_owned()) else {
        panic!("no line")
    };
    match state.as_str() {
        "problem" => assert!(report.found("desk's ports").contains(&format!(":{port}"))),
        // A machine with nothing but a loopback has no outside.
        other => assert_eq!(other, "cannot_tell", "{}", report.found("desk's ports")),
    }
    assert_eq!(report.states("desk's API"), ["problem"]);
}

#[tokio::test]
async fn a_bot_that_cannot_sign_in_and_a_desk_that_is_down_are_problems() {
    let scene = Scene::start().await;
    let text = fs::read_to_string(&scene.config).expect("read");
    fs::write(&scene.config, text.replace("password: ", "password: wrong-")).expect("written");
    assert_eq!(doctor(&scene).await.states("bot"), ["problem"]);

    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    fs::write(&scene.config, text.replace(&scene.sandbox.desk.url(), &format!("http://127.0.0.1:{closed}")))
        .expect("written");
    let report = doctor(&scene).await;
    assert_eq!(report.states("desk's API"), ["problem"]);
    assert_eq!(report.states("default admin"), ["cannot_tell"]);
    assert_eq!(report.states("desk's own SMTP"), ["cannot_tell"]);
}

#[tokio::test]
async fn a_provider_that_does_not_know_the_tenant_is_a_problem() {
    let scene = Scene::start().await;
    let text = fs::read_to_string(&scene.config).expect("read");
    fs::write(&scene.config, text.replace("tenantId: ", "tenantId: no-")).expect("written");
    let report = doctor(&scene).await;
    assert_eq!(report.states("identity provider"), ["problem"]);
    assert_eq!(report.states("guide: app registration"), ["problem"]);
}

#[tokio::test]
async fn a_google_that_cannot_be_asked_is_a_problem_of_its_own() {
    let scene = Scene::start().await;
    let text = fs::read_to_string(&scene.config).expect("read");
    let google = "google: { clientId: a, clientSecret: b, authorityUrl: \"http://127.0.0.1:9\" }\n";
    fs::write(&scene.config, format!("{text}{google}")).expect("written");
    let report = doctor(&scene).await;
    assert_eq!(report.states("identity provider Google"), ["problem"]);
    assert_eq!(report.states("identity provider"), ["ok"], "the other one answers");
}

#[tokio::test]
async fn what_the_configuration_leaves_open_is_told() {
    let scene = Scene::start().await;
    let report = doctor(&scene).await;
    assert_eq!(report.states("allow-list"), ["warning"]);
    assert_eq!(report.states("certificate"), ["warning"], "no TLS");
    assert_eq!(report.states("redirect URI"), ["problem"], "not https");
    assert_eq!(report.states("guide: monitoring"), ["warning"]);

    configure(
        &scene,
        "http:\n  routers: { desk: { rule: 'PathPrefix(`/`)', service: 'desk@internal', middlewares: [office] } }\n  \
         middlewares: { office: { ipAllowList: { sourceRange: [127.0.0.0/8] } } }",
    );
    assert_eq!(doctor(&scene).await.states("allow-list"), ["ok"]);
}

#[tokio::test]
async fn a_secret_that_others_can_read_is_a_problem() {
    let scene = Scene::start().await;
    let data = scene.config.parent().expect("a folder");
    let store = data.join("mintgate.db");
    scene.start_program().await.kill();
    assert_eq!(doctor(&scene).await.states("secrets in files"), ["ok"]);

    fs::set_permissions(&store, fs::Permissions::from_mode(0o644)).expect("its mode is set");
    let report = doctor(&scene).await;

    assert_eq!(report.states("secrets in files"), ["problem"]);
    assert!(report.found("secrets in files").contains("mintgate.db"));
}

#[tokio::test]
async fn the_vault_is_looked_at_beside_a_running_gateway() {
    let scene = Scene::start().await;
    assert_eq!(doctor(&scene).await.states("store"), ["cannot_tell"], "there is none yet");
    let _program = scene.start_program().await;

    let report = doctor(&scene).await;

    assert_eq!((report.states("store"), report.states("vault")), (vec!["ok"], vec!["ok"]));
    assert_eq!(report.states("vault's key"), ["warning"], "it lies beside the store");
    assert_eq!(report.states("guide: OAuth connection"), ["warning"], "nothing is connected");
    assert_eq!(report.states("guide: test email"), ["warning"]);
}

#[tokio::test]
async fn the_guides_checklist_has_its_twelve_answers_in_its_order() {
    let scene = Scene::start().await;
    let report = doctor(&scene).await;
    let topics = report.lines.iter().map(|line| line["topic"].as_str().expect("text"));
    let guide: Vec<&str> = topics.filter_map(|topic| topic.strip_prefix("guide: ")).collect();
    let expected = [
        "app registration",
        "API permissions",
        "service account",
        "distribution group",
        "environment variables",
        "Docker Compose",
        "backup",
        "deployed and running",
        "OAuth connection",
        "test email",
        "reply",
        "monitoring",
    ];
    assert_eq!(guide, expected);
}

#[tokio::test]
async fn people_get_text_without_any_secret() {
    let scene = Scene::start().await;
    let output = ask(&scene, &[]).await;
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("problem      default admin: ") && text.contains("\n             → "), "{text}");
    let config = fs::read_to_string(&scene.config).expect("read");
    let secret =
        config.lines().find_map(|line| line.trim().strip_prefix("clientSecret: ")).expect("a secret");
    assert!(!text.contains(secret) && output.stderr.is_empty(), "{:?}", output.stderr);
}
