//! The whole way of sign-ins, tokens and mails with the log at its loudest; afterwards no secret lies anywhere
//! but sealed, in no form.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::Method;
use mintgate::base::clock::{Clock, SystemClock};
use mintgate::base::id::{hex, random_token};
use mintgate::base::secret::{ExposeSecret, SecretString};
use mintgate::desk::Bot;
use mintgate::oauth::google::GoogleApp;
use mintgate::oauth::provider::MicrosoftApp;
use mintgate::sandbox::desk::{ADMIN, BOT};
use mintgate::sandbox::{CUSTOMER, MAILBOX};
use mintgate::store::seal::{Sealer, SealingKey};
use mintgate::store::{self, PostgresUrl, SealedPlace, StoreAt};
use mintgate::token::vault::Vault;
use url::form_urlencoded;

use crate::story::{Pair, Story};
use crate::support::installation::url;
use crate::support::process::Process;
use crate::support::program::MINTGATE;
use crate::support::sign_in::{between, form};

const GOOGLE_ID: &str = "1234-abc.apps.googleusercontent.com";

/// Parts of a secret this long tell it; what is shorter is looked for as a whole.
const PART: usize = 16;

/// A secret and every form in which it could lie around.
struct Canary {
    name: String,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    fn new(name: impl Into<String>, secret: &[u8]) -> Self {
        let mut forms =
            vec![secret.to_vec(), hex(secret).into_bytes(), hex(secret).to_uppercase().into_bytes()];
        // Within a longer text base64 looks different at each of three offsets; the last letters depend on what
        // follows.
        for skipped in 0..3 {
            let rest = secret.get(skipped..).unwrap_or_default();
            let whole = &rest[..rest.len() / 3 * 3];
            forms.push(STANDARD_NO_PAD.encode(whole).into_bytes());
            forms.push(URL_SAFE_NO_PAD.encode(whole).into_bytes());
        }
        forms.push(STANDARD.encode(secret).into_bytes());
        forms.push(form_urlencoded::byte_serialize(secret).collect::<String>().into_bytes());
        forms.extend(secret.windows(PART).map(<[u8]>::to_vec));
        forms.retain(|form| form.len() >= PART.min(secret.len()));
        forms.sort();
        forms.dedup();
        Self { name: name.into(), forms }
    }

    fn is_in(&self, haystack: &[u8]) -> bool {
        self.forms.iter().any(|form| contains(haystack, form))
    }
}

/// Whether `needle` is part of `haystack`, found by its first byte.
fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return false };
    let mut from = haystack;
    while let Some(at) = from.iter().position(|byte| byte == first) {
        from = &from[at + 1..];
        if from.starts_with(rest) {
            return true;
        }
    }
    false
}

#[test]
fn every_form_of_a_secret_is_found_inside_other_text() {
    let secret = b"hunter2-and-a-half/of+it=";
    let canary = Canary::new("a secret", secret);
    for lead in ["", "x", "xy"] {
        let inside = [lead.as_bytes(), secret, b"tail"].concat();
        for text in [STANDARD.encode(&inside), URL_SAFE_NO_PAD.encode(&inside), hex(&inside)] {
            assert!(canary.is_in(format!("log: {text} end").as_bytes()), "{text}");
        }
    }
    assert!(canary.is_in(b"part nter2-and-a-half/ of it"));
    assert!(canary.is_in(b"q=hunter2-and-a-half%2Fof%2Bit%3D&x=1"));
    assert!(!canary.is_in(b"hunter2 and something else altogether"));
}

/// Moves the start-up file's secrets into private files that variables name.
fn secrets_to_files(config: &Path, client_secret: &str) -> Vec<(&'static str, PathBuf)> {
    let folder = config.parent().expect("a folder");
    let text = fs::read_to_string(config).expect("read");
    let text = text
        .replace(&format!(", password: {}", BOT.1), "")
        .replace(&format!("  clientSecret: {client_secret}\n"), "")
        .replace("web: { address", "web: { asDefault: true, address")
        .replace("ping: {", "metrics: { prometheus: { entryPoint: web } }\naccessLog: {}\nping: {");
    assert!(!text.contains(client_secret) && !text.contains("password"), "{text}");
    fs::write(config, text).expect("written");
    let secrets = [("MICROSOFT_CLIENT_SECRET_FILE", client_secret), ("MINTGATE_BOT_PASSWORD_FILE", BOT.1)];
    secrets
        .map(|(name, secret)| {
            let path = folder.join(format!("{name}.secret"));
            fs::write(&path, secret).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode is set");
            (name, path)
        })
        .to_vec()
}

/// Enters a client at Google on its page; its secret.
async fn enter_google_client(story: &Story, admin: &Pair) -> String {
    const PATH: &str = "/admin/exchange/apps/google";
    let page = story.console(Method::GET, PATH, Some(admin), "").await;
    let token = between(&page, "name=\"token\" value=\"", "\"").expect("a form").to_owned();
    let secret = format!("GOCSPX-{}", random_token());
    let fields = [
        ("token", token.as_str()),
        ("seen", ""),
        ("google_client_id", GOOGLE_ID),
        ("google_client_secret", &secret),
    ];
    story.console(Method::POST, PATH, Some(admin), &form(&fields)).await;
    secret
}

/// What the vault of a stopped program holds, opened with its key.
async fn sealed_secrets(folder: &Path) -> Vec<Canary> {
    let key = SealingKey::read(&folder.join("vault.key")).expect("a key");
    let store = store::open(&StoreAt::Sqlite(folder.join("mintgate.db"))).await.expect("a store");
    let vault = Vault::new(store.clone(), Arc::new(Sealer::new(key)));
    let mailboxes = store.mailboxes().await.expect("listed");
    let record = vault.read(&mailboxes[0].id).await.expect("read").expect("tokens").record;
    let mut found = vec![Canary::new("refresh token", record.refresh.expose_secret().as_bytes())];
    for kept in &record.access {
        found.push(Canary::new("access token", kept.token.secret.expose_secret().as_bytes()));
    }
    for field in store.sealed_fields(SystemClock.now()).await.expect("listed") {
        match &field.place {
            SealedPlace::Session { id, expires_at } => {
                let token =
                    vault.open(&hex(id), "desk session", expires_at.0, &field.sealed).await.expect("opens");
                // Head and claims of every token of the desk are alike; the signature is what counts.
                let signature = token.rsplit(|byte| *byte == b'.').next().expect("a signature");
                found.push(Canary::new("desk token", signature));
            }
            SealedPlace::Record { name, version } if name == "install/secret" => {
                let secret = vault.open(name, "secret", *version, &field.sealed).await.expect("opens");
                found.push(Canary::new("install secret", &secret));
            }
            _ => {}
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_anywhere_but_sealed() {
    let story = Story::begin().await;
    let client_secret = story.scene.sandbox.identity.app().client_secret;
    let folder = story.scene.config.parent().expect("a folder");
    let output = tempfile::tempdir().expect("a folder");
    let log = output.path().join("log");
    let mut command = Command::new(MINTGATE);
    command.args(["run", "--config"]).arg(&story.scene.config).env("RUST_LOG", "trace,h2=trace,hyper=trace");
    command.envs(secrets_to_files(&story.scene.config, client_secret.expose_secret()));
    let file = File::create(&log).expect("a log");
    let mut program = command
        .stdout(file.try_clone().expect("a log"))
        .stderr(file)
        .stdin(Stdio::null())
        .spawn()
        .expect("it starts");
    story.scene.until_it_answers().await;

    story.connect_mailbox().await;
    story.scene.sandbox.graph.customer_writes(CUSTOMER, MAILBOX, "A question", "Please help.", None);
    story.wait_for_tickets(1).await;
    story.answer_new_tickets().await;
    story.wait_for_answers(1).await;
    let admin = story.sign_in(ADMIN).await;
    let entered = enter_google_client(&story, &admin).await;
    let apps_page = story.console(Method::GET, "/admin/exchange/apps", Some(&admin), "").await;
    assert!(apps_page.contains(GOOGLE_ID), "{apps_page}");
    let page = story.console(Method::GET, "/admin/exchange", Some(&admin), "").await;
    let log_page = story.console(Method::GET, "/admin/exchange/log", Some(&admin), "").await;
    let events_page = story.console(Method::GET, "/admin/exchange/events", Some(&admin), "").await;
    let diagnostics = story.console(Method::GET, "/admin/exchange/diagnostics.txt", Some(&admin), "").await;
    assert!(log_page.contains("a mail is stored") && diagnostics.contains("last log lines"), "{log_page}");
    assert!(
        diagnostics.contains("== mintgate doctor") && diagnostics.contains("desk's API"),
        "{diagnostics}"
    );
    let metrics = story.console(Method::GET, "/metrics", None, "").await;
    let process = PathBuf::from(format!("/proc/{}", program.id()));
    let of_process = ["environ", "cmdline"].map(|name| fs::read(process.join(name)).unwrap_or_default());
    program.kill().expect("it was running");
    program.wait().expect("it has ended");

    let key_file = fs::read_to_string(folder.join("vault.key")).expect("a key");
    let cookie = admin.cookie.split('=').nth(1).expect("a value");
    let mut canaries = vec![
        Canary::new("client secret", client_secret.expose_secret().as_bytes()),
        Canary::new("entered client secret", entered.as_bytes()),
        Canary::new("vault key in base64", key_file.trim().as_bytes()),
        Canary::new("vault key", &STANDARD.decode(key_file.trim()).expect("base64")),
        Canary::new("session cookie", cookie.as_bytes()),
        Canary::new("handle", admin.handle.as_bytes()),
    ];
    let stored = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
    let database = ["mintgate.db", "mintgate.db-wal", "mintgate.db-shm"].map(stored).concat();
    canaries.extend(sealed_secrets(folder).await);
    let logged = fs::read(&log).expect("a log");
    assert!(canaries.len() >= 10, "{} canaries", canaries.len());
    assert!(contains(&logged, b"TRACE") && contains(&logged, b"oauth_complete"), "the log is loud");
    assert!(database.len() > 4096);
    let [environment, command_line] = of_process;
    let places: [(&str, &[u8]); 10] = [
        ("log", &logged),
        ("page of the registrations", apps_page.as_bytes()),
        ("console page", page.as_bytes()),
        ("log page", log_page.as_bytes()),
        ("events page", events_page.as_bytes()),
        ("diagnostics", diagnostics.as_bytes()),
        ("metrics", metrics.as_bytes()),
        ("store", &database),
        ("environment", &environment),
        ("command line", &command_line),
    ];
    let leaks: Vec<String> = places
        .iter()
        .flat_map(|(place, text)| {
            let found = canaries.iter().filter(|canary| canary.is_in(text));
            found.map(move |canary| format!("{} in the {place}", canary.name))
        })
        .collect();
    assert_eq!(leaks, [""; 0]);
}

#[test]
fn a_panic_that_prints_what_it_holds_prints_no_secret() {
    const SECRET: &str = "a canary that sings to everybody";
    let app = MicrosoftApp {
        client_id: "app".into(),
        client_secret: SecretString::from(SECRET),
        secret_expires: None,
        tenant: "contoso.example".into(),
        authority: url("https://login.example"),
        graph: url("https://graph.example"),
    };
    let client_secret = SecretString::from(SECRET);
    let google =
        GoogleApp { client_id: "app".into(), client_secret, authority: url("https://login.example") };
    let bot = Bot { email: "bot@desk.example".into(), password: SecretString::from(SECRET) };
    let database = PostgresUrl(format!("postgres://user:{SECRET}@host/db"));

    let panicked = std::thread::spawn(move || panic!("{app:?} {google:?} {bot:?} {database:?}"))
        .join()
        .expect_err("a panic");

    let said = panicked.downcast_ref::<String>().expect("a message");
    assert!(said.contains("contoso.example") && said.contains("bot@desk.example"), "{said}");
    assert!(!Canary::new("secret", SECRET.as_bytes()).is_in(said.as_bytes()), "{said}");
}

#[test]
fn a_process_that_dies_leaves_no_memory_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("output");
    let mut command = Command::new(MINTGATE);
    let sandbox = Process::start(command.arg("sandbox"), &output);
    let file = format!("/proc/{}/limits", sandbox.id());

    // Set first thing; the process may just have started.
    let limits = || fs::read_to_string(&file).expect("limits");
    let core =
        || limits().lines().find(|line| line.starts_with("Max core file size")).expect("a line").to_owned();
    let begun = std::time::Instant::now();
    let closed = || core().split_whitespace().skip(4).take(2).all(|limit| limit == "0");
    while !closed() {
        assert!(begun.elapsed().as_secs() < 20, "{}", core());
        std::thread::yield_now();
    }
}
