//! A private Dovecot (IMAP and submission) on free ports, gone when its value is or the test run ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::routing::post;
use http::StatusCode;
use mintgate::base::clock::Timestamp;
use mintgate::mailbox::settings::{Security, Server};
use mintgate::net::Egress;
use mintgate::net::dial::Dialer;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::process::{eventually, free_port};
use super::skip::skip;

pub const USER: &str = "help@desk.example";
pub const PASSWORD: &str = "open sesame";
/// The one token that the provider calls active.
pub const TOKEN: &str = "a-good-token";
/// A dead one whose owner the provider still names.
pub const TOLD_DEAD: &str = "told-dead";
/// One about which the provider cannot be asked.
pub const NOT_JUDGED: &str = "not-judged";

/// `cat` ends when the test process does.
const SCRIPT: &str = r#"
/usr/sbin/dovecot -F -c "$0" &
cat >/dev/null || true
kill $!
wait
"#;

pub struct Dovecot {
    folder: tempfile::TempDir,
    certificate: String,
    imap: u16,
    imaps: u16,
    submission: u16,
    _keeper: Child,
}

/// How one Dovecot differs from another.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Ways to sign in.
    pub mechanisms: &'static str,
    /// What it says it can by IMAP; everything it can where it is `None`.
    pub capability: Option<&'static str>,
}

impl Default for Kind {
    fn default() -> Self {
        Self { mechanisms: "plain login xoauth2 oauthbearer", capability: None }
    }
}

impl Dovecot {
    /// `relay` gets what is submitted. `None` (with the reason printed) where Dovecot is not installed.
    pub async fn start(relay: u16) -> Option<Self> {
        Self::start_as(Kind::default(), relay).await
    }

    pub async fn start_as(kind: Kind, relay: u16) -> Option<Self> {
        Self::made(kind, &oauth2(introspection().await), relay).await
    }

    /// Asks about tokens as `oauth2` says, in the words of Dovecot's own configuration.
    pub async fn start_asking(oauth2: &str, relay: u16) -> Option<Self> {
        Self::made(Kind::default(), oauth2, relay).await
    }

    async fn made(kind: Kind, oauth2: &str, relay: u16) -> Option<Self> {
        if !Path::new("/usr/sbin/dovecot").exists() || !Path::new("/usr/lib/dovecot/submission").exists() {
            skip("no Dovecot in /usr/sbin");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("mintgate-dc").tempdir().expect("a folder");
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (imap, imaps, submission) = (free_port(), free_port(), free_port());
        let at = |name: &str| folder.path().join(name);
        fs::write(at("cert.pem"), key.cert.pem()).expect("written");
        fs::write(at("key.pem"), key.signing_key.serialize_pem()).expect("written");
        fs::write(at("users"), format!("{USER}:{{PLAIN}}{PASSWORD}\n")).expect("written");
        fs::write(at("oauth2.conf"), oauth2).expect("written");
        let user = if rustix::process::geteuid().is_root() { "nobody".to_owned() } else { own_name() };
        let ports = [imap, imaps, submission, relay];
        fs::write(at("dovecot.conf"), configuration(folder.path(), &user, ports, kind)).expect("written");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("readable");
        let mut command = as_user(&user, folder.path());
        command.args(["sh", "-c", SCRIPT]).arg(at("dovecot.conf"));
        let keeper = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the script starts");
        let certificate = key.cert.pem();
        let dovecot = Self { folder, certificate, imap, imaps, submission, _keeper: keeper };
        for port in [imap, imaps, submission] {
            wait_for(port).await;
        }
        if kind.mechanisms.contains("plain") {
            dovecot.say(&["SELECT INBOX"]).await;
        }
        Some(dovecot)
    }

    pub fn dialer(&self) -> Arc<Dialer> {
        let egress = Egress::default().allow(["127.0.0.1", "localhost"]).expect("rules");
        Arc::new(Dialer::trusting(self.certificate.as_bytes(), egress).expect("a dialer"))
    }

    pub fn incoming(&self, security: Security) -> Server {
        let port = if security == Security::Tls { self.imaps } else { self.imap };
        Server::new("localhost", port, security, USER)
    }

    /// Where IMAP and submission are spoken without TLS first.
    pub fn ports(&self) -> [u16; 2] {
        [self.imap, self.submission]
    }

    pub fn outgoing(&self) -> Server {
        Server::new("localhost", self.submission, Security::StartTls, USER)
    }

    /// Puts mails into the inbox, as a delivery agent does.
    pub fn deliver(&self, mails: &[impl AsRef<[u8]>]) {
        for (number, mail) in mails.iter().enumerate() {
            self.put(number, mail.as_ref(), None);
        }
    }

    /// Puts a mail into the inbox that is received at `at`.
    pub fn deliver_at(&self, mail: &[u8], at: Timestamp) {
        self.put(0, mail, Some(at));
    }

    fn put(&self, number: usize, mail: &[u8], at: Option<Timestamp>) {
        let name = format!("{:08}.{}.here", number, mintgate::base::id::short_id());
        let (path, maildir) = (self.maildir().join("tmp").join(&name), self.maildir());
        fs::write(&path, mail).expect("written");
        if let Some(at) = at {
            let file = fs::File::options().write(true).open(&path).expect("opened");
            let since = Duration::from_millis(u64::try_from(at.0).expect("after 1970"));
            file.set_modified(SystemTime::UNIX_EPOCH + since).expect("dated");
        }
        fs::rename(path, maildir.join("new").join(&name)).expect("moved");
    }

    /// Begins a new life of the inbox: every mail gets another name, as after a restored backup.
    pub fn begin_new_life(&self) {
        let list = self.maildir().join("dovecot-uidlist");
        let text = fs::read_to_string(&list).expect("the list of names");
        let validity = text.split_whitespace().find_map(|word| word.strip_prefix('V')).expect("a validity");
        let next: u32 = validity.parse::<u32>().expect("a number") + 1;
        let first =
            text.lines().next().expect("a head").replace(&format!("V{validity}"), &format!("V{next}"));
        let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
        let new = self.maildir().join("tmp").join("uidlist");
        fs::write(&new, format!("{first}\n{rest}")).expect("written");
        fs::rename(new, list).expect("moved");
    }

    fn maildir(&self) -> PathBuf {
        self.folder.path().join("mail").join(USER).join("Maildir")
    }

    /// Signs in, says the commands, and gives all answers.
    pub async fn say(&self, commands: &[&str]) -> String {
        let stream = TcpStream::connect(("127.0.0.1", self.imap)).await.expect("Dovecot listens");
        let mut stream = BufReader::new(stream);
        let mut heard = String::new();
        stream.read_line(&mut heard).await.expect("a greeting");
        let sign_in = format!("LOGIN \"{USER}\" \"{PASSWORD}\"");
        for command in std::iter::once(sign_in.as_str()).chain(commands.iter().copied()) {
            stream.write_all(format!("x {command}\r\n").as_bytes()).await.expect("said");
            let mut line = String::new();
            while !line.starts_with("x ") {
                line.clear();
                assert_ne!(stream.read_line(&mut line).await.expect("an answer"), 0, "{heard}");
                heard.push_str(&line);
            }
            assert!(line.starts_with("x OK"), "{command}: {line}");
        }
        heard
    }
}

async fn wait_for(port: u16) {
    let connects = async || TcpStream::connect(("127.0.0.1", port)).await.ok();
    eventually("Dovecot listens", connects).await;
}

/// RFC 7662: whose token it is, and what for. Of one that is not active nothing more is said (section 2.2), but
/// some providers do.
async fn introspection() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let answer = async |form: String| {
        let token = form.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default();
        let told = |active| serde_json::json!({ "active": active, "username": USER, "scope": "mail" });
        match token {
            TOKEN => (StatusCode::OK, axum::Json(told(true))),
            TOLD_DEAD => (StatusCode::OK, axum::Json(told(false))),
            NOT_JUDGED => (StatusCode::SERVICE_UNAVAILABLE, axum::Json(serde_json::json!({}))),
            _ => (StatusCode::OK, axum::Json(serde_json::json!({ "active": false }))),
        }
    };
    let app = Router::new().route("/introspect", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

fn own_name() -> String {
    let told = Command::new("id").arg("-un").output().expect("id runs").stdout;
    String::from_utf8(told).expect("a name").trim().to_owned()
}

/// Dovecot refuses to handle mail as root.
fn as_user(user: &str, folder: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new("env");
    }
    let given = Command::new("chown").args(["-R", user]).arg(folder).status().expect("chown runs");
    assert!(given.success(), "chown of {}", folder.display());
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", "nogroup", "--clear-groups"]).current_dir(folder);
    command
}

fn oauth2(port: u16) -> String {
    format!(
        "introspection_mode = post\nintrospection_url = http://127.0.0.1:{port}/introspect\n\
         username_attribute = username\nactive_attribute = active\nactive_value = true\nscope = mail\n\
         timeout_msecs = 3000\n"
    )
}

fn configuration(
    folder: &Path,
    user: &str,
    [imap, imaps, submission, relay]: [u16; 4],
    kind: Kind,
) -> String {
    let mechanisms = kind.mechanisms;
    let capability = kind.capability.map(|list| format!("imap_capability = {list}")).unwrap_or_default();
    let here = folder.display();
    let group = if rustix::process::geteuid().is_root() { "nogroup" } else { user };
    format!(
        "base_dir = {here}/run
state_dir = {here}/state
log_path = {here}/log
auth_failure_delay = 0
listen = 127.0.0.1
protocols = imap submission
ssl = yes
ssl_cert = <{here}/cert.pem
ssl_key = <{here}/key.pem
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
auth_mechanisms = {mechanisms}
{capability}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {here}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN username_format=%u {here}/users
}}
userdb {{
  driver = static
  args = allow_all_users=yes uid={user} gid={group} home={here}/mail/%u
}}
mail_location = maildir:~/Maildir
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service submission-login {{
  chroot =
  inet_listener submission {{
    port = {submission}
  }}
}}
service stats {{
  chroot =
}}
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
submission_relay_ssl = no
submission_relay_trusted = yes
hostname = loop.test
"
    )
}
