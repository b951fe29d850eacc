//! A private PostgreSQL for this test run: made on first use, gone when the run ends, however it ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use mintgate::store::{PostgresUrl, StoreAt};

use super::skip::skip;

/// Listens on a socket in its own folder only. `cat` ends when the test process does.
const SCRIPT: &str = r#"
set -e
"$0/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >/dev/null
"$0/pg_ctl" -D "$1/data" -l "$1/log" -w start >/dev/null \
    -o "-k $1 -c listen_addresses='' -c fsync=off -c max_connections=200"
echo ready
cat >/dev/null || true
"$0/pg_ctl" -D "$1/data" -m immediate stop >/dev/null
rm -rf "$1"
"#;

struct Server {
    programs: PathBuf,
    folder: PathBuf,
    _keeper: Child,
}

/// An empty database, or `None` (with the reason printed) where PostgreSQL is not installed.
pub fn database() -> Option<StoreAt> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Some(server) = SERVER.get_or_init(start) else {
        skip("no PostgreSQL in /usr/lib/postgresql");
        return None;
    };
    let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let folder = server.folder.to_str().expect("a plain path");
    let made = Command::new(server.programs.join("createdb"))
        .args(["-U", "postgres", "-h", folder, &name])
        .status()
        .expect("createdb runs");
    assert!(made.success(), "createdb {name}");
    Some(StoreAt::Postgres(PostgresUrl(format!("postgres://postgres@localhost/{name}?host={folder}"))))
}

fn start() -> Option<Server> {
    let programs = programs()?;
    // Short: a socket's path may have 107 bytes.
    let folder = tempfile::Builder::new().prefix("mintgate-pg").tempdir().expect("a folder").keep();
    let mut command = as_ordinary_user(&folder);
    command.args(["sh", "-c", SCRIPT]).arg(&programs).arg(&folder);
    let mut keeper =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the server's script starts");
    let mut line = String::new();
    let output = keeper.stdout.take().expect("piped");
    BufReader::new(output).read_line(&mut line).expect("the script speaks");
    assert_eq!(line, "ready\n", "PostgreSQL starts; see its messages above");
    Some(Server { programs, folder, _keeper: keeper })
}

/// PostgreSQL refuses to run as root.
fn as_ordinary_user(folder: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new("env");
    }
    let given = Command::new("chown").arg("postgres:").arg(folder).status().expect("chown runs");
    assert!(given.success(), "chown of {}", folder.display());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).current_dir(folder);
    command
}

/// The folder of the newest installed version's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions
        .flatten()
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("initdb").exists())
        .max()
        .map(|(_, programs)| programs)
}
