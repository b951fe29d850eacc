//! nginx as the upstream: somebody else's reading of HTTP.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::client::Client;
use super::start::{Started, everything_to};
use crate::support::skip::skip;

const NGINX: &str = "/usr/sbin/nginx";
const SIZE: usize = 5 * 1024 * 1024 + 17;

struct Nginx {
    process: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// `None`, and a word why, where nginx is not installed.
    fn start() -> Option<Self> {
        if !Path::new(NGINX).exists() {
            skip(&format!("{NGINX} is not installed"));
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let at = folder.path().display();
        std::fs::write(folder.path().join("file"), content()).expect("written");
        let settings = format!(
            "daemon off; master_process off; worker_processes 1; pid {at}/pid; error_log {at}/error;\n\
             events {{ worker_connections 64; }}\n\
             http {{ access_log off; client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f;\n\
             uwsgi_temp_path {at}/u; scgi_temp_path {at}/s; keepalive_timeout 1s;\n\
             server {{ listen 127.0.0.1:{port}; root {at}; location /echo {{ return 200 $request_uri; }} }} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, settings).expect("written");
        let process = Command::new(NGINX)
            .args([Path::new("-p"), folder.path(), Path::new("-c"), &file])
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut nginx = Self { process, address, _folder: folder };
        while TcpStream::connect(address).is_err() {
            assert!(nginx.process.try_wait().expect("asked").is_none(), "nginx ended");
            std::thread::yield_now();
        }
        Some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.process.kill().expect("nginx runs");
        self.process.wait().expect("nginx ends");
    }
}

fn content() -> Vec<u8> {
    (0..SIZE).map(|place| (place % 253) as u8).collect()
}

#[test]
fn files_ranges_and_conditions_pass_unchanged() {
    let Some(nginx) = Nginx::start() else { return };
    let gateway = Started::new(everything_to(nginx.address));
    let mut client = Client::to(gateway.address);
    let whole = client.ask("GET /file", &[]);
    assert!(whole.body == content(), "the file differs");
    let part = client.ask("GET /file", &["Range: bytes=1000-1999"]);
    assert_eq!((part.status, &*part.body), (206, &content()[1000..2000]));
    let head = client.ask("HEAD /file", &[]);
    assert_eq!(head.header("content-length"), Some(SIZE.to_string().as_str()));
    let known = format!("If-None-Match: {}", whole.header("etag").expect("an etag"));
    assert_eq!(client.ask("GET /file", &[&known]).status, 304);
    assert_eq!(client.ask("GET /missing", &[]).status, 404);
    assert_eq!(client.ask("GET /echo/a%20b;b?c=%2F", &[]).text(), "/echo/a%20b;b?c=%2F");
}
