//! The command line: what cannot work is refused at once, with one message that says what and where.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;
use tokio::time::timeout;

use crate::support::program::{MINTGATE, PATIENCE};

/// A folder with a start-up file that works, until a test breaks it.
struct Scene {
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
}

/// A rule file with one router `desk` and one middleware `m`.
fn rules(rule: &str, middleware: &str) -> String {
    format!(
        "http:\n  \
           routers: {{ desk: {{ rule: '{rule}', service: desk, middlewares: [m] }} }}\n  \
           services: {{ desk: {{ loadBalancer: {{ servers: [ {{ url: 'http://127.0.0.1:3000' }} ] }} }} }}\n  \
           middlewares: {{ m: {middleware} }}\n"
    )
}

const EVERYTHING: &str = "PathPrefix(`/`)";
const GOOD: &str = "{ ipAllowList: { sourceRange: [10.0.0.0/8] } }";

impl Scene {
    fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().expect("a folder"), environment: Vec::new() };
        scene.write("rules/rules.yml", &rules(EVERYTHING, GOOD));
        scene.start_up(0, "");
        scene
    }

    /// A scene with these rules.
    fn ruled(rule: &str, middleware: &str) -> Self {
        let scene = Self::new();
        scene.write("rules/rules.yml", &rules(rule, middleware));
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Writes the start-up file: an entry point at `port`, and `more`.
    fn start_up(&self, port: u16, more: &str) {
        let (data, rules) = (self.path("data"), self.path("rules"));
        let text = format!(
            "entryPoints: {{ web: {{ address: '127.0.0.1:{port}' }} }}\n\
             providers: {{ file: {{ directory: '{}' }} }}\n\
             dataDir: '{}'\n\
             desk: {{ url: 'http://127.0.0.1:3000' }}\n\
             mail: {{ enabled: false }}\n\
             {more}\n",
            rules.display(),
            data.display(),
        );
        self.write("mintgate.yml", &text);
    }

    async fn ask(&self, command: &str) -> Output {
        let asked = Command::new(MINTGATE)
            .args([command, "--config"])
            .arg(self.path("mintgate.yml"))
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        timeout(PATIENCE, asked).await.expect("it ends").expect("it starts")
    }

    /// `check` and `run` both end with exit code 1, nothing on standard output, and each of `parts` on
    /// standard error, whose last line is complete.
    async fn is_refused(&self, parts: &[&str]) {
        for command in ["check", "run"] {
            self.is_refused_by(command, parts).await;
        }
    }

    async fn is_refused_by(&self, command: &str, parts: &[&str]) {
        let output = self.ask(command).await;
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{command}: {told}");
        let count = told.matches("error: ").count() + told.matches("mintgate: ").count();
        assert_eq!(count, 1, "{command} says it once: {told}");
        assert!(told.ends_with('\n') && !told.contains("panicked"), "{command}: {told}");
        for part in parts {
            assert!(told.contains(part), "{command} does not say `{part}`: {told}");
        }
    }
}

#[tokio::test]
async fn what_works_is_accepted_and_counted() {
    let output = Scene::new().ask("check").await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).expect("text"), "OK: 1 routers, 1 services\n");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let scene = Scene::new();
    scene.start_up(port, "");
    scene.is_refused_by("run", &[&format!("port {port} of entry point `web` is taken")]).await;
}

#[tokio::test]
async fn a_key_file_that_is_not_there_is_named_with_its_place() {
    let scene = Scene::new();
    let key = scene.path("none.key");
    scene.start_up(0, &format!("vault: {{ keyFile: '{}' }}", key.display()));
    scene.is_refused(&["none.key` is not there", "mintgate.yml:6:19"]).await;
}

#[tokio::test]
async fn a_key_file_that_everybody_may_read_is_refused() {
    let scene = Scene::new();
    let key = scene.write("vault.key", "whatever");
    make_readable(&key);
    scene.start_up(0, &format!("vault: {{ keyFile: '{}' }}", key.display()));
    scene.is_refused(&["vault.key` can be read by every user", "make it 0600"]).await;
}

fn make_readable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("its mode is set");
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused() {
    let scene = Scene::new();
    let [one, other] = ["one", "other"].map(|name| {
        let made = rcgen::generate_simple_self_signed([format!("{name}.example")]).expect("a certificate");
        let certificate = scene.write(&format!("{name}.crt"), &made.cert.pem());
        let key = scene.write(&format!("{name}.key"), &made.signing_key.serialize_pem());
        (certificate, key)
    });
    let text = format!(
        "tls: {{ certificates: [ {{ certFile: '{}', keyFile: '{}' }} ] }}\n",
        one.0.display(),
        other.1.display()
    );
    scene.write("rules/rules.yml", &text);
    scene.is_refused(&["the key does not belong to the certificate", "rules.yml:1:24"]).await;
}

#[tokio::test]
async fn an_empty_allow_list_is_refused() {
    let scene = Scene::ruled(EVERYTHING, "{ ipAllowList: { sourceRange: [] } }");
    scene.is_refused(&["middleware `m`: `sourceRange` is missing or empty", "rules.yml:4:"]).await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let scene = Scene::ruled(EVERYTHING, "{ ipAllowList: { sourceRange: [10.0.0.256] } }");
    scene.is_refused(&["10.0.0.256", "rules.yml:4:"]).await;
}

#[tokio::test]
async fn an_unknown_key_is_refused_and_the_nearest_known_one_told() {
    let scene = Scene::new();
    scene.start_up(0, "acessLog: {}");
    scene.is_refused(&["unknown key `acessLog`", "did you mean `accessLog`?", "mintgate.yml:6:1"]).await;
}

#[tokio::test]
async fn an_unknown_middleware_is_refused_and_the_nearest_known_one_told() {
    let scene = Scene::ruled(EVERYTHING, "{ ipAllowLst: { sourceRange: [10.0.0.0/8] } }");
    scene.is_refused(&["unknown key `ipAllowLst` in middleware `m`", "did you mean `ipAllowList`?"]).await;
}

#[tokio::test]
async fn a_middleware_that_nobody_defines_is_refused() {
    let scene = Scene::new();
    scene.write("rules/rules.yml", &rules(EVERYTHING, GOOD).replace("[m]", "[other]"));
    scene.is_refused(&["there is no middleware `other`", "known here: `m`", "rules.yml:2:"]).await;
}

#[tokio::test]
async fn a_rule_that_cannot_be_read_is_refused_at_its_place() {
    let scene = Scene::ruled("PathPrefix(`/`", GOOD);
    scene.is_refused(&["router `desk`: expected `,` or `)`", "rules.yml:2:"]).await;
}

#[tokio::test]
async fn a_secret_that_is_given_twice_is_refused_and_not_shown() {
    let mut scene = Scene::new();
    let file = scene.write("secret", "canary");
    scene.environment = vec![
        ("MICROSOFT_CLIENT_SECRET", "canary".to_owned()),
        ("MICROSOFT_CLIENT_SECRET_FILE", file.display().to_string()),
    ];
    scene.is_refused(&["MICROSOFT_CLIENT_SECRET and MICROSOFT_CLIENT_SECRET_FILE are both set"]).await;
    let told = String::from_utf8(scene.ask("check").await.stderr).expect("text");
    assert!(!told.contains("canary"), "{told}");
}

#[tokio::test]
async fn a_secret_file_that_is_not_there_is_named() {
    let mut scene = Scene::new();
    let file = scene.path("none").display().to_string();
    scene.environment = vec![("MICROSOFT_CLIENT_SECRET_FILE", file.clone())];
    scene.is_refused(&[&format!("`{file}` cannot be read"), "MICROSOFT_CLIENT_SECRET_FILE"]).await;
}

#[tokio::test]
async fn a_public_url_without_tls_is_refused() {
    let scene = Scene::new();
    scene.start_up(0, "console: { publicUrl: 'http://desk.example.com' }");
    scene.is_refused(&["`http://desk.example.com` has to be https", "mintgate.yml:6:23"]).await;
}

#[tokio::test]
async fn a_rules_folder_that_is_not_there_is_named() {
    let scene = Scene::new();
    std::fs::remove_dir_all(scene.path("rules")).expect("removed");
    let folder = scene.path("rules").display().to_string();
    scene.is_refused(&["cannot be read: No such file or directory", &folder]).await;
}

#[tokio::test]
async fn a_start_up_file_that_is_not_there_is_named() {
    let scene = Scene::new();
    let file = scene.path("mintgate.yml");
    std::fs::remove_file(&file).expect("removed");
    scene.is_refused(&["the file cannot be read: No such file", &file.display().to_string()]).await;
}

#[tokio::test]
async fn a_file_that_is_no_yaml_is_refused_at_its_place() {
    let scene = Scene::new();
    scene.write("mintgate.yml", "entryPoints: { web: { address: ':80' }\n");
    scene.is_refused(&["mintgate.yml:1:"]).await;
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_an_error_of_use() {
    let output = Scene::new().ask("sreve").await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
