//! A small upstream on std sockets: a thread per connection, one closure per request.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One request as it arrived.
pub struct Request<'a> {
    /// Request line and header lines, as sent.
    pub lines: Vec<String>,
    pub reader: &'a mut BufReader<TcpStream>,
    pub writer: TcpStream,
}

/// A listening upstream. Its threads end with their connections.
#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Upstream {
    pub fn new(answer: impl Fn(&mut Request<'_>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(AtomicUsize::new(0));
        let (answer, counted) = (Arc::new(answer), requests.clone());
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (answer, counted) = (answer.clone(), counted.clone());
                std::thread::spawn(move || serve(stream, &*answer, &counted));
            }
        });
        Self { address, requests }
    }

    /// Answers every request with its own head as the body.
    pub fn echo() -> Self {
        Self::new(|request| {
            request.drain();
            let body = request.lines.join("\n");
            request.reply("", body.as_bytes());
        })
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&mut Request<'_>), counted: &AtomicUsize) {
    stream.set_nodelay(true).expect("an open socket");
    let writer = stream.try_clone().expect("a clone");
    let mut reader = BufReader::new(stream);
    while let Some(lines) = head(&mut reader) {
        counted.fetch_add(1, Ordering::SeqCst);
        let writer = writer.try_clone().expect("a clone");
        answer(&mut Request { lines, reader: &mut reader, writer });
    }
}

fn head(reader: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => return Some(lines),
            line => lines.push(line.to_owned()),
        }
    }
}

impl Request<'_> {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.lines.iter().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Reads the body piece by piece.
    pub fn each_piece(&mut self, mut take: impl FnMut(&[u8])) {
        if self.header("transfer-encoding").is_some() {
            loop {
                let mut size = String::new();
                self.reader.read_line(&mut size).expect("a chunk size");
                let size = u64::from_str_radix(size.trim(), 16).expect("a chunk size");
                self.take(size, &mut take);
                self.reader.read_line(&mut String::new()).expect("a line end");
                if size == 0 {
                    return;
                }
            }
        }
        let length = self.header("content-length").map_or(0, |text| text.parse().expect("a length"));
        self.take(length, &mut take);
    }

    fn take(&mut self, mut left: u64, take: &mut impl FnMut(&[u8])) {
        let mut piece = [0; 16 * 1024];
        while left > 0 {
            let most = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let count = self.reader.read(&mut piece[..most]).expect("the body arrives");
            assert!(count > 0, "the body ends early");
            take(&piece[..count]);
            left -= count as u64;
        }
    }

    pub fn drain(&mut self) {
        self.each_piece(|_| {});
    }

    /// A 200 with these further lines, each ended by CR LF.
    pub fn reply(&mut self, lines: &str, body: &[u8]) {
        let head = format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: {}\r\n\r\n", body.len());
        self.write(head);
        self.write(body);
    }

    /// A client that is gone is not this server's business.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.writer.write_all(bytes.as_ref()).is_ok()
    }
}
