//! A connection that refuses to hear more than one command's answer may have: in all, in one line, and
//! in one literal (RFC 9051, section 4.3) before memory is set aside for it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A hundred thousand UIDs fit.
const LONGEST_LINE: usize = 1 << 20;

/// The server sends more than it was asked for.
#[derive(Debug, thiserror::Error)]
pub(in crate::mailbox) enum Excess {
    #[error("the answer is longer than what was asked for may be")]
    Answer,
    #[error("a line of the answer has no end")]
    Line,
    #[error("a part of the answer is announced to be larger than what was asked for")]
    Literal,
}

#[derive(Debug)]
pub(in crate::mailbox) struct Limited<S> {
    inner: S,
    /// Bytes that may still come.
    left: u64,
    /// Bytes that have come in all.
    heard: Arc<AtomicU64>,
    scan: Scan,
}

impl<S> Limited<S> {
    pub(in crate::mailbox) fn new(inner: S, allowed: u64) -> Self {
        Self { inner, left: allowed, heard: Arc::default(), scan: Scan::default() }
    }

    /// Sets how much may come until the next call.
    pub(in crate::mailbox) fn allow(&mut self, bytes: u64) {
        self.left = bytes;
    }

    /// Goes up with every byte that comes.
    pub(in crate::mailbox) fn heard(&self) -> Arc<AtomicU64> {
        self.heard.clone()
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Excess> {
        self.heard.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or(Excess::Answer)?;
        bytes.iter().try_for_each(|&byte| self.scan.take(byte, self.left))
    }
}

/// Where in an answer the connection is.
#[derive(Debug, Default)]
struct Scan {
    /// Bytes of a literal that are still to come; they are not looked at.
    literal: u64,
    length: usize,
    /// The first bytes of the line.
    start: [u8; 4],
    announced: Announced,
}

/// How much of `{123}` CR LF has been seen at the end of a line.
#[derive(Debug, Default, Clone, Copy)]
enum Announced {
    #[default]
    No,
    Digits(u64),
    Closed(u64),
}

impl Scan {
    fn take(&mut self, byte: u8, left: u64) -> Result<(), Excess> {
        if self.literal > 0 {
            self.literal -= 1;
            return Ok(());
        }
        if let Some(place) = self.start.get_mut(self.length) {
            *place = byte.to_ascii_uppercase();
        }
        self.length += 1;
        if self.length > LONGEST_LINE {
            return Err(Excess::Line);
        }
        self.announced = match (self.announced, byte) {
            (_, b'{') => Announced::Digits(0),
            (Announced::Digits(so_far), b'0'..=b'9') => {
                Announced::Digits(so_far.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
            }
            (Announced::Digits(size), b'+') => Announced::Digits(size),
            (Announced::Digits(size), b'}') => Announced::Closed(size),
            (Announced::Closed(size), b'\r') => Announced::Closed(size),
            (Announced::Closed(size), b'\n') => return self.end_with(size, left),
            _ => Announced::No,
        };
        if byte == b'\n' {
            self.length = 0;
        }
        Ok(())
    }

    fn end_with(&mut self, size: u64, left: u64) -> Result<(), Excess> {
        let may_announce = self.length > 4 && self.is_data();
        self.announced = Announced::No;
        self.length = 0;
        match may_announce {
            true if size > left => Err(Excess::Literal),
            true => {
                self.literal = size;
                Ok(())
            }
            false => Ok(()),
        }
    }

    /// A line that goes on after a literal counts as data, too. In a status line braces are only text.
    fn is_data(&self) -> bool {
        !matches!(
            &self.start,
            [b'*', b' ', b'O', b'K']
                | [b'*', b' ', b'N', b'O']
                | [b'*', b' ', b'B', b'A' | b'Y']
                | [b'*', b' ', b'P', b'R']
                | [b'+', ..]
        )
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Limited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let room = buffer.remaining();
        std::task::ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        if room > 0 && buffer.filled().len() == before {
            // Said as an error: to the library, the end between two lines looks like the end of an answer.
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let taken = self.take(&buffer.filled()[before..]);
        Poll::Ready(taken.map_err(io::Error::other))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Limited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(allowed: u64, answer: &[u8]) -> Result<(), Excess> {
        Limited::new((), allowed).take(answer)
    }

    #[test]
    fn a_literal_within_what_was_asked_for_is_taken_and_its_content_not_looked_at() {
        let answer = b"* 1 FETCH (UID 1 BODY[] {16}\r\n{999999999999}\r\n UID 2)\r\nA1 OK\r\n";
        assert!(heard(1_000, answer).is_ok());
    }

    #[test]
    fn a_literal_that_is_too_large_is_refused_before_it_comes() {
        for announced in ["{4000000000}", "{4000000000+}", "{99999999999999999999999}"] {
            let answer = format!("* 1 FETCH (BODY[] {announced}\r\n");
            assert!(matches!(heard(1_000, answer.as_bytes()), Err(Excess::Literal)), "{announced}");
        }
        let second = b"* 1 FETCH (BODY[] {2}\r\nab X {4000000000}\r\n";
        assert!(matches!(heard(1_000, second), Err(Excess::Literal)));
    }

    #[test]
    fn braces_in_a_status_line_do_not_hide_what_comes_after() {
        let answer = b"* OK hello {50}\r\n* 1 FETCH (BODY[] {4000000000}\r\n";
        assert!(matches!(heard(1_000, answer), Err(Excess::Literal)));
    }

    #[test]
    fn an_answer_without_an_end_is_refused() {
        assert!(matches!(heard(10, b"* OK 4567890"), Err(Excess::Answer)));
        let line = vec![b'x'; LONGEST_LINE + 1];
        assert!(matches!(heard(1 << 30, &line), Err(Excess::Line)));
    }
}
