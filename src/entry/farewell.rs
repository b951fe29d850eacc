//! The end of a connection whose client may still be sending.
//!
//! Closing a socket with unread bytes in it resets the connection, and the reset may overtake the
//! answer; so the answer is written, our side is closed, and what still comes is thrown away for a
//! short while (RFC 9112 section 9.6).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufWriter};
use tokio::time::timeout;

use super::raw_head::Refusal;
use super::transport::Transport;

const LONGEST: Duration = Duration::from_secs(2);
const MOST_DISCARDED: usize = 256 * 1024;

/// Answers a refused head and closes.
pub async fn refuse(mut connection: BufWriter<Transport>, refusal: Refusal) {
    let answer = answer(refusal);
    let said = timeout(LONGEST, async {
        connection.write_all(&answer).await?;
        close(&mut connection).await
    });
    if let Ok(Err(error)) = said.await {
        tracing::debug!(%error, status = refusal.status, "a refused client was gone before its answer");
    }
}

/// Closes our side and waits, not for long, until the client has closed its own.
pub async fn close(connection: &mut BufWriter<Transport>) -> io::Result<()> {
    connection.shutdown().await?;
    discard(connection).await
}

/// Reads what nobody wants, up to a cap, until the client closes.
pub async fn discard(connection: &mut BufWriter<Transport>) -> io::Result<()> {
    let mut scratch = [0; 4096];
    let mut discarded = 0;
    while discarded < MOST_DISCARDED {
        match connection.read(&mut scratch).await? {
            0 => return Ok(()),
            count => discarded += count,
        }
    }
    Ok(())
}

/// [`discard`] with its time limit.
pub async fn linger(connection: &mut BufWriter<Transport>) {
    if let Ok(Err(error)) = timeout(LONGEST, discard(connection)).await {
        tracing::debug!(%error, "a client was gone before it had sent everything");
    }
}

fn answer(refusal: Refusal) -> Vec<u8> {
    let status = http::StatusCode::from_u16(refusal.status).unwrap_or(http::StatusCode::BAD_REQUEST);
    let reason = refusal.reason;
    format!(
        "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{reason}\n",
        status.as_str(),
        status.canonical_reason().unwrap_or_default(),
        reason.len() + 1,
    )
    .into_bytes()
}
