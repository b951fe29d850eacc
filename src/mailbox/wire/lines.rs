//! The lines before TLS and before signing in, read byte by byte: whatever a stranger slips in behind the
//! last plain line is then part of the TLS handshake, which it breaks (the attack of CVE-2011-0411 and
//! the "NO STARTTLS" paper of 2021).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::mailbox::MailboxError;
use crate::mailbox::wire::{broken, timed};

const LONGEST_LINE: usize = 8 * 1024;
const MOST_LINES: usize = 100;

/// Who is spoken to, for errors.
pub(in crate::mailbox) struct Lines<'s, S: ?Sized> {
    pub(in crate::mailbox) host: &'s str,
    pub(in crate::mailbox) stream: &'s mut S,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + ?Sized> Lines<'_, S> {
    /// The next line without its end.
    pub(in crate::mailbox) async fn line(&mut self) -> Result<String, MailboxError> {
        let read = timed(self.host, read_line(self.stream)).await?;
        read.map_err(|error| broken(self.host, error))
    }

    pub(in crate::mailbox) async fn say(&mut self, line: &str) -> Result<(), MailboxError> {
        let bytes = format!("{line}\r\n");
        let said = timed(self.host, async {
            self.stream.write_all(bytes.as_bytes()).await?;
            self.stream.flush().await
        });
        said.await?.map_err(|error| broken(self.host, error))
    }

    /// Lines up to the one that `is_last`, which is among them.
    pub(in crate::mailbox) async fn until(
        &mut self,
        is_last: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, MailboxError> {
        let mut lines = Vec::new();
        while lines.len() < MOST_LINES {
            lines.push(self.line().await?);
            if lines.last().is_some_and(|line| is_last(line)) {
                return Ok(lines);
            }
        }
        Err(broken(self.host, io::Error::other("the server does not come to an end")))
    }
}

async fn read_line<S: AsyncRead + Unpin + ?Sized>(stream: &mut S) -> io::Result<String> {
    let mut line = Vec::new();
    while line.len() < LONGEST_LINE {
        match stream.read_u8().await? {
            b'\n' => {
                line.pop_if(|byte| *byte == b'\r');
                return String::from_utf8(line).map_err(|_| io::Error::other("a line is not UTF-8"));
            }
            byte => line.push(byte),
        }
    }
    Err(io::Error::other("a line of the greeting has no end"))
}
