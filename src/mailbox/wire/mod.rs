//! What IMAP and SMTP share: a connection that is guarded against its server, what is said before TLS,
//! and how one signs in. Knows neither protocol's mail commands.

pub(super) mod access;
pub(super) mod limited;
pub(super) mod lines;

use std::fmt::Debug;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;

use self::limited::Limited;
use crate::mailbox::MailboxError;
use crate::web::call::CallError;

/// How long one command may take, its answer included.
pub(super) const COMMAND: Duration = Duration::from_secs(30);

/// Bytes a second that a connection brings at least. Twenty-five megabytes over a slow line take minutes,
/// and a mail that could never be fetched would hold up every later one.
const SLOWEST: u64 = 32 * 1024;

/// A connection with or without TLS.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug> Duplex for T {}

/// A connection as it stands before anybody signs in.
pub(super) enum Opened {
    Encrypted(Box<TlsStream<TcpStream>>),
    Plain(TcpStream),
}

impl Opened {
    pub(super) fn stream(self) -> Box<dyn Duplex> {
        match self {
            Self::Encrypted(stream) => stream,
            Self::Plain(stream) => Box::new(stream),
        }
    }
}

/// A connection that takes no more than it was allowed to.
pub(super) type Link = Limited<Box<dyn Duplex>>;

/// The connection ended, or what came over it was refused.
pub(super) fn broken<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    host: &str,
    source: E,
) -> MailboxError {
    MailboxError::Call(CallError::Broken { host: host.to_owned(), source: source.into() })
}

/// Waits for one command.
pub(super) async fn timed<T>(host: &str, future: impl Future<Output = T>) -> Result<T, MailboxError> {
    timeout(COMMAND, future).await.map_err(|_| silent(host, COMMAND))
}

/// Waits for one command whose answer may have `bytes`: for as long as more of it comes, within the time that
/// a slow line takes for that many. `heard` counts what comes.
pub(super) async fn timed_by_size<T>(
    host: &str,
    heard: &AtomicU64,
    bytes: u64,
    future: impl Future<Output = T>,
) -> Result<T, MailboxError> {
    let longest = COMMAND + Duration::from_secs(bytes / SLOWEST);
    let end = Instant::now() + longest;
    let mut future = pin!(future);
    loop {
        let before = heard.load(Ordering::Relaxed);
        match timeout(COMMAND, &mut future).await {
            Ok(done) => return Ok(done),
            Err(_) if heard.load(Ordering::Relaxed) > before && Instant::now() < end => {}
            Err(_) => return Err(silent(host, longest)),
        }
    }
}

fn silent(host: &str, after: Duration) -> MailboxError {
    MailboxError::Call(CallError::Timeout { host: host.to_owned(), after })
}
