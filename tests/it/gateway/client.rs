//! A client that sends exactly the bytes it is told to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than anything under test may take; a test that runs into it fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Client {
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Header lines as they came.
    pub lines: Vec<String>,
    pub body: Vec<u8>,
}

impl Client {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the gateway listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        Self { stream: BufReader::new(stream) }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).expect("the gateway reads");
    }

    /// Sends `METHOD target` with a good `Host` and the given further lines.
    pub fn ask(&mut self, request: &str, lines: &[&str]) -> Response {
        let mut head = format!("{request} HTTP/1.1\r\nHost: desk.example\r\n");
        for line in lines {
            head.push_str(line);
            head.push_str("\r\n");
        }
        self.send(head + "\r\n");
        self.response(request.starts_with("HEAD"))
    }

    /// The next final answer; interim ones are skipped.
    pub fn response(&mut self, bodiless: bool) -> Response {
        loop {
            let mut response = self.head();
            if response.status == 101 || response.status >= 200 {
                response.body = self.body(&response, bodiless);
                return response;
            }
        }
    }

    pub fn head(&mut self) -> Response {
        let status_line = self.line();
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let status = status.unwrap_or_else(|| panic!("no status line: {status_line:?}"));
        Response { status, lines, body: Vec::new() }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("an answer in time");
        line.trim_end_matches("\r\n").to_owned()
    }

    fn body(&mut self, response: &Response, bodiless: bool) -> Vec<u8> {
        if bodiless || matches!(response.status, 101 | 204 | 304) {
            return Vec::new();
        }
        if response.header("transfer-encoding") == Some("chunked") {
            return self.chunks();
        }
        match response.header("content-length") {
            Some(length) => self.exactly(length.parse().expect("a length")),
            None => self.rest(),
        }
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(&self.line(), 16).expect("a chunk size");
            body.extend(self.exactly(size));
            self.line();
            if size == 0 {
                return body;
            }
        }
    }

    pub fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).expect("the whole answer in time");
        bytes
    }

    /// Everything until the gateway closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).expect("the gateway closes in time, and not by a reset");
        bytes
    }
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).into_iter().next()
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = |line: &'_ String| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.len())
        };
        self.lines
            .iter()
            .filter_map(|line| named(line).map(|length| line[line.len() - length..].trim()))
            .collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }
}

/// Sends `bytes` on a connection of their own and returns everything until it is closed.
pub fn raw(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut client = Client::to(address);
    client.send(bytes);
    String::from_utf8_lossy(&client.rest()).into_owned()
}
