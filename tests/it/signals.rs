//! What the running program does when it is told something by a signal.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use mintgate::sandbox::fault::{Effect, Fault};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::gateway::tls::any::Anything;
use crate::support::process::eventually;
use crate::support::program::{MINTGATE, PATIENCE, Scene};

impl Scene {
    async fn status_of(&self, path: &str) -> Option<StatusCode> {
        let url = self.public.join(path).expect("a URL");
        let request = Request::get(url.as_str()).body(Bytes::new()).expect("a request");
        self.http.call(request, 1 << 20).await.ok().map(|answer| answer.status())
    }

    /// Waits until the desk has the call whose answer is held back.
    async fn until_the_desk_is_asked(&self) {
        while self.sandbox.desk.faults.met() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_request_is_finished_after_sigterm_and_the_program_ends_well() {
    let scene = Scene::start().await;
    let mut program = scene.start_program().await;
    scene.sandbox.desk.faults.add(Fault::anywhere("/auth/login", Effect::Slow { milliseconds: 1500 }));
    let asked = tokio::spawn({
        let (http, url) = (scene.http.clone(), scene.public.join("/auth/login").expect("a URL"));
        async move {
            let request = Request::get(url.as_str()).body(Bytes::new()).expect("a request");
            http.call(request, 1 << 20).await.map(|answer| answer.status())
        }
    });
    scene.until_the_desk_is_asked().await;
    program.signal(Signal::TERM);
    assert_eq!(asked.await.expect("a task").expect("an answer"), StatusCode::OK);
    assert!(program.ended().await.success());
    assert_eq!(scene.status_of("/ping").await, None, "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigint_ends_the_program_without_waiting_for_a_request_that_never_ends() {
    let scene = Scene::start().await;
    let mut program = scene.start_program().await;
    scene.sandbox.desk.faults.add(Fault::anywhere("/auth/login", Effect::Slow { milliseconds: 600_000 }));
    let (http, url) = (scene.http.clone(), scene.public.join("/auth/login").expect("a URL"));
    let asked = tokio::spawn(async move {
        let request = Request::get(url.as_str()).body(Bytes::new()).expect("a request");
        http.call(request, 1 << 20).await.map(|answer| answer.status())
    });
    scene.until_the_desk_is_asked().await;
    program.signal(Signal::INT);
    assert!(program.ended().await.success());
    assert!(asked.await.expect("a task").is_err(), "the request was cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_reads_the_rules_again() {
    let scene = Scene::start().await;
    let rules = scene.config.with_file_name("rules.yml");
    std::fs::write(&rules, rules_for("127.0.0.1")).expect("written");
    let start_up = std::fs::read_to_string(&scene.config).expect("the start-up file");
    let unwatched = format!("providers: {{ file: {{ filename: \"{}\", watch: false }} }}\n", rules.display());
    std::fs::write(&scene.config, start_up + &unwatched).expect("written");
    let program = scene.start_program().await;
    assert_eq!(scene.status_of("/auth/login").await, Some(StatusCode::OK));

    std::fs::write(&rules, rules_for("192.0.2.1")).expect("written");
    program.signal(Signal::HUP);
    let begun = Instant::now();
    while scene.status_of("/auth/login").await != Some(StatusCode::FORBIDDEN) {
        assert!(begun.elapsed() < PATIENCE, "the old rules stay");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_while_it_starts_does_not_end_the_program() {
    let scene = Scene::start().await;
    let program = scene.spawn_program();
    // The key is made long before anything is served.
    eventually("a vault key", async || scene.config.with_file_name("vault.key").exists().then_some(())).await;
    program.signal(Signal::HUP);
    scene.until_it_answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_while_it_starts_ends_the_program_well() {
    let scene = Scene::start().await;
    let mut program = scene.spawn_program();
    eventually("a vault key", async || scene.config.with_file_name("vault.key").exists().then_some(())).await;
    program.signal(Signal::TERM);
    assert!(program.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn sigusr1_opens_the_access_log_anew() {
    let scene = Scene::start().await;
    let log = scene.config.with_file_name("access.log");
    let moved = scene.config.with_file_name("access.log.1");
    let start_up = std::fs::read_to_string(&scene.config).expect("the start-up file");
    let setting = format!("accessLog: {{ filePath: \"{}\" }}\n", log.display());
    std::fs::write(&scene.config, start_up + &setting).expect("written");
    let program = scene.start_program().await;
    assert_eq!(scene.status_of("/auth/login?before").await, Some(StatusCode::OK));
    eventually("a line", async || std::fs::metadata(&log).is_ok_and(|file| file.len() > 0).then_some(()))
        .await;

    std::fs::rename(&log, &moved).expect("moved");
    program.signal(Signal::USR1);
    eventually("a new file", async || log.exists().then_some(())).await;
    assert_eq!(scene.status_of("/sw.js").await, Some(StatusCode::OK));
    let line = async || std::fs::read_to_string(&log).ok().filter(|text| text.contains("/sw.js"));
    eventually("a line in the new file", line).await;
    assert!(!std::fs::read_to_string(&moved).expect("the old file").contains("/sw.js"));
}

/// The status line's worth of a handshake with the entry point that also speaks plain HTTP.
async fn handshake(scene: &Scene) -> bool {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth();
    let port = scene.public.port().expect("a port of its own");
    let socket = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    let name = ServerName::try_from("desk.localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, socket).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_every_reload_a_handshake_finds_a_certificate() {
    let scene = Scene::start().await;
    let folder = scene.config.parent().expect("a folder").to_owned();
    let made = rcgen::generate_simple_self_signed(["desk.localhost".to_owned()]).expect("a certificate");
    std::fs::write(folder.join("desk.crt"), made.cert.pem()).expect("written");
    std::fs::write(folder.join("desk.key"), made.signing_key.serialize_pem()).expect("written");
    let rules = folder.join("rules.yml");
    let own = format!(
        "tls: {{ certificates: [{{ certFile: \"{0}/desk.crt\", keyFile: \"{0}/desk.key\" }}] }}\n",
        folder.display()
    );
    let plain = rules_for("127.0.0.1");
    let by_tls = plain.replace("desk: { rule", "desk: { tls: {}, rule");
    std::fs::write(&rules, &plain).expect("written");
    let start_up = std::fs::read_to_string(&scene.config).expect("the start-up file");
    let unwatched = format!("providers: {{ file: {{ filename: \"{}\", watch: false }} }}\n", rules.display());
    std::fs::write(&scene.config, start_up + &unwatched).expect("written");
    let program = scene.start_program().await;
    assert!(!handshake(&scene).await, "nothing speaks TLS yet");
    // From nothing to TLS, to a certificate of its own, and back without one.
    for text in [by_tls.clone(), by_tls.clone() + &own, by_tls] {
        std::fs::write(&rules, &text).expect("written");
        program.signal(Signal::HUP);
        eventually("a handshake", async || handshake(&scene).await.then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_holds_up_neither_requests_nor_the_end() {
    let scene = Scene::start().await;
    let mut command = Command::new(MINTGATE);
    let command = command.args(["run", "--config"]).arg(&scene.config).env("RUST_LOG", "debug");
    let mut program = command.stdout(Stdio::piped()).spawn().expect("the program starts");
    scene.until_it_answers().await;
    // Several lines each: far more than a pipe holds.
    for _ in 0..600 {
        assert_eq!(scene.status_of("/admin/exchange").await, Some(StatusCode::UNAUTHORIZED));
    }
    assert_eq!(scene.status_of("/ping").await, Some(StatusCode::OK));
    let pid = i32::try_from(program.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, Signal::TERM).expect("it is running");
    let ended = tokio::task::spawn_blocking(move || program.wait());
    let ended = tokio::time::timeout(PATIENCE, ended).await.expect("it ends").expect("a task");
    assert!(ended.expect("a child").success());
}

fn rules_for(client: &str) -> String {
    format!(
        "http:
  routers: {{ desk: {{ rule: \"PathPrefix(`/`)\", service: desk@internal, middlewares: [some] }} }}
  middlewares: {{ some: {{ ipAllowList: {{ sourceRange: [\"{client}\"] }} }} }}
"
    )
}
