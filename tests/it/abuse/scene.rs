//! The program behind several entry points, in front of a desk and another service that note what they see.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::gateway::upstream::Upstream;
use crate::support::program::{MINTGATE, PATIENCE};

/// Longer than anything may take; a connection that is still open then fails its test.
const LONGEST: Duration = Duration::from_secs(20);

/// Which entry point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// For this machine: the desk as `desk.example`, another service as `app.example`.
    Open,
    /// For a network that this machine is not in.
    Listed,
    /// Behind proxies at loopback and 10.0.0.0/8, for 203.0.113.0/24.
    Proxied,
    /// Behind a balancer at loopback that sends PROXY headers, for 203.0.113.0/24.
    Balanced,
    /// Behind a balancer elsewhere.
    Strange,
    /// As `Open`, over TLS.
    Secure,
    /// As `Listed`, over TLS.
    Closed,
}

const ALL: [(At, &str, &str); 7] = [
    (At::Open, "open", ""),
    (At::Listed, "listed", ""),
    (At::Proxied, "proxied", ", forwardedHeaders: {trustedIPs: [127.0.0.1, 10.0.0.0/8]}"),
    (At::Balanced, "balanced", ", proxyProtocol: {trustedIPs: [127.0.0.1]}"),
    (At::Strange, "strange", ", proxyProtocol: {trustedIPs: [192.0.2.1]}"),
    (At::Secure, "secure", ", http: {tls: {}}"),
    (At::Closed, "closed", ", http: {tls: {}}"),
];

const RULES: &str = "
http:
  routers:
    desk: {rule: Host(`desk.example`), entryPoints: [open, secure], service: desk@internal, middlewares: [here]}
    listed: {rule: Host(`desk.example`), entryPoints: [listed, closed], service: desk@internal, middlewares: [elsewhere]}
    proxied: {rule: Host(`desk.example`), entryPoints: [proxied, balanced, strange], service: desk@internal, middlewares: [clients]}
    app: {rule: Host(`app.example`), entryPoints: [open, secure], service: app}
    sockets: {rule: Host(`app.example`) && PathPrefix(`/socket`), entryPoints: [open], service: app, middlewares: [upgrade]}
  middlewares:
    here: {ipAllowList: {sourceRange: [127.0.0.0/8]}}
    elsewhere: {ipAllowList: {sourceRange: [192.0.2.0/24]}}
    clients: {ipAllowList: {sourceRange: [203.0.113.0/24]}}
    upgrade: {plugin: {allowUpgrade: {}}}
";

/// A head as a service saw it.
#[derive(Debug, Clone)]
pub struct Seen(Vec<String>);

impl Seen {
    pub fn text(&self) -> String {
        self.0.join("\n")
    }
}

pub struct Scene {
    addresses: Vec<SocketAddr>,
    seen: Arc<Mutex<Vec<Seen>>>,
    program: Child,
    _folder: tempfile::TempDir,
}

impl Scene {
    pub fn start() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (desk, app) = (service(&seen), service(&seen));
        let folder = tempfile::tempdir().expect("a folder");
        let addresses = free_addresses();
        let config = folder.path().join("mintgate.yml");
        let data = folder.path().join("data");
        let entry_points: String = ALL
            .iter()
            .zip(&addresses)
            .map(|((_, name, more), address)| format!("  {name}: {{address: \"{address}\"{more}}}\n"))
            .collect();
        let services = format!(
            "  services: {{app: {{loadBalancer: {{servers: [{{url: \"http://{}\"}}]}}}}}}\n",
            app.address
        );
        let text = format!(
            "entryPoints:\n{entry_points}desk: {{url: \"http://{}\"}}\ndataDir: \"{}\"\n\
             mail: {{enabled: false}}\nlog: {{level: error}}\n{RULES}{services}",
            desk.address,
            data.display(),
        );
        std::fs::write(&config, text).expect("written");
        let program =
            Command::new(MINTGATE).args(["run", "--config"]).arg(&config).stdout(Stdio::null()).spawn();
        let scene = Self { addresses, seen, program: program.expect("the program starts"), _folder: folder };
        scene.until_it_listens();
        scene
    }

    fn until_it_listens(&self) {
        let begun = Instant::now();
        while self.addresses.iter().any(|address| TcpStream::connect(address).is_err()) {
            assert!(begun.elapsed() < PATIENCE, "the program does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn address(&self, at: At) -> SocketAddr {
        let place = ALL.iter().position(|(known, ..)| *known == at).expect("every entry point is listed");
        self.addresses[place]
    }

    pub fn connect(&self, at: At) -> TcpStream {
        let stream = TcpStream::connect(self.address(at)).expect("the gateway listens");
        stream.set_read_timeout(Some(LONGEST)).expect("a timeout");
        stream.set_write_timeout(Some(LONGEST)).expect("a timeout");
        stream
    }

    /// Sends the bytes and returns everything until the connection is closed.
    pub fn exchange(&self, at: At, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect(at);
        // Closed by a reset, perhaps before everything was sent: what came before it counts.
        let sent = stream.write_all(bytes);
        let mut answer = Vec::new();
        if let Err(error) = sent.and_then(|()| stream.read_to_end(&mut answer)) {
            let gone = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind());
            assert!(gone, "{error}: {:?}", String::from_utf8_lossy(bytes));
        }
        answer
    }

    /// What the services have seen so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

/// Notes each head before it answers.
fn service(seen: &Arc<Mutex<Vec<Seen>>>) -> Upstream {
    let seen = seen.clone();
    Upstream::new(move |request| {
        seen.lock().expect("not poisoned").push(Seen(request.lines.clone()));
        request.drain();
        request.reply("Content-Type: text/plain\r\n", b"served");
    })
}

/// All are held at once, so that they differ.
fn free_addresses() -> Vec<SocketAddr> {
    let held: Vec<_> = ALL.iter().map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
    held.iter().map(|listener| listener.local_addr().expect("an address")).collect()
}
