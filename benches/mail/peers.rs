//! The other side: a desk, and a mailbox with as many mails as one likes, each in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mintgate::base::clock::{Clock, SystemClock};
use mintgate::sandbox::grants::Grants;
use mintgate::sandbox::{desk as sandbox_desk, graph as sandbox_graph};
use serde_json::{Value, json};

use crate::many_mails::many_mails;

pub const ADDRESS: &str = "tickets@desk.example";
pub const SCOPES: [&str; 2] = ["Mail.ReadWrite", "Mail.Send"];

/// A peer that ends with its handle.
pub struct Peer {
    process: Child,
    /// How it is reached.
    pub place: Value,
}

impl Peer {
    pub fn start(role: &[&str]) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let output = process.stdout.as_mut().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("it tells where it is");
        Self { process, place: serde_json::from_str(&line).expect("JSON") }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

pub async fn desk() {
    let desk = sandbox_desk::start(([127, 0, 0, 1], 0).into()).await.expect("a port");
    until_the_end(json!({ "url": desk.url() })).await;
}

pub async fn graph(mails: u32, bytes: usize) {
    let graph = sandbox_graph::start(([127, 0, 0, 1], 0).into(), Grants::default()).await.expect("a port");
    graph.add_mailbox(ADDRESS, "Support");
    for number in 1..=mails {
        graph.deliver(ADDRESS, &mail(number, bytes)).expect("the mailbox");
    }
    let day = Duration::from_secs(24 * 3600);
    let token = graph.grants.issue(ADDRESS, &SCOPES, SystemClock.now() + day);
    until_the_end(json!({ "url": graph.url(), "token": token })).await;
}

pub async fn imap(mails: u32, bytes: usize) {
    let port = many_mails(mails, Arc::new(move |number| mail(number, bytes))).await;
    until_the_end(json!({ "port": port })).await;
}

async fn until_the_end(place: Value) {
    println!("{place}");
    let waiting = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    waiting.await.expect("it waits").expect("standard input");
}

/// A customer's mail: some text, and a file that makes it as large as it is to be.
fn mail(number: u32, bytes: usize) -> Vec<u8> {
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\r\n";
    let file = line.repeat(bytes.div_ceil(line.len()));
    format!(
        "From: Customer {number} <c{number}@customer.example>\r\nTo: {ADDRESS}\r\nSubject: Printer {number} smokes\r\n\
         Message-ID: <q{number}@customer.example>\r\nDate: Sat, 21 Nov 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Hello,\r\n\r\nprinter {number} is on fire. Please call me.\r\n\r\n--x\r\nContent-Type: image/png\r\n\
         Content-Disposition: attachment; filename=photo.png\r\nContent-Transfer-Encoding: base64\r\n\r\n{file}--x--\r\n"
    )
    .into_bytes()
}
