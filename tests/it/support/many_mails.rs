//! An IMAP server whose inbox has as many mails as one likes: none is kept, each is written when it is asked
//! for. It takes any password and understands what a reader of mail says.

use std::ops::RangeInclusive;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the mail with a UID is.
pub type Write = Arc<dyn Fn(u32) -> Vec<u8> + Send + Sync>;

/// Listens on this machine for as long as the runtime lives; the port.
pub async fn many_mails(count: u32, write: Write) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let inbox = Arc::new(Inbox { count, write });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let inbox = inbox.clone();
            tokio::spawn(async move { inbox.serve(stream).await });
        }
    });
    port
}

struct Inbox {
    count: u32,
    write: Write,
}

impl Inbox {
    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"* OK ready\r\n").await?;
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let (tag, command) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
            if command.starts_with("AUTHENTICATE") {
                stream.write_all(b"+ \r\n").await?;
                stream.read_line(&mut String::new()).await?;
            }
            let mut answer = self.answer(command);
            answer.extend(format!("{tag} OK done\r\n").into_bytes());
            stream.write_all(&answer).await?;
            line.clear();
        }
        Ok(())
    }

    fn answer(&self, command: &str) -> Vec<u8> {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["CAPABILITY"] => b"* CAPABILITY IMAP4rev1 AUTH=PLAIN UIDPLUS MOVE\r\n".to_vec(),
            ["SELECT" | "EXAMINE", _] => {
                let (count, next) = (self.count, self.count + 1);
                format!("* {count} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT {next}] x\r\n")
                    .into_bytes()
            }
            ["UID", "SEARCH", "UID", range, ..] | ["UID", "SEARCH", range, ..] => self.search(&span(range)),
            ["UID", "FETCH", set, ..] => {
                let whole = command.contains("BODY.PEEK");
                set.split(',').flat_map(span).flat_map(|uid| self.fetch(uid, whole)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn search(&self, range: &RangeInclusive<u32>) -> Vec<u8> {
        let found = (*range.start()..=(*range.end()).min(self.count)).map(|uid| format!(" {uid}"));
        format!("* SEARCH{}\r\n", found.collect::<String>()).into_bytes()
    }

    fn fetch(&self, uid: u32, whole: bool) -> Vec<u8> {
        let mut told =
            format!("* {uid} FETCH (UID {uid} INTERNALDATE \"21-Nov-2026 00:00:00 +0000\"").into_bytes();
        if whole {
            let mail = (self.write)(uid);
            told.extend(format!(" BODY[]<0> {{{}}}\r\n", mail.len()).into_bytes());
            told.extend(mail);
        }
        told.extend(b")\r\n");
        told
    }
}

/// `7` or `7:9`.
fn span(text: &str) -> RangeInclusive<u32> {
    let (from, to) = text.split_once(':').unwrap_or((text, text));
    from.parse().expect("a number")..=to.parse().expect("a number")
}
