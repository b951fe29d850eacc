//! What IMAP and SMTP share: a connection that is guarded against its server, what is said before TLS,
//! and how one signs in. Knows neither protocol's mail commands.

pub(super) mod access;
pub(super) mod limited;
pub(super) mod lines;

use std::fmt::Debug;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use self::limited::Limited;
use crate::mailbox::MailboxError;
use crate::web::call::CallError;

/// How long one command may take, its answer included.
pub(super) const COMMAND: Duration = Duration::from_secs(30);

/// A connection with or without TLS.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug> Duplex for T {}

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
    let silent = |_| MailboxError::Call(CallError::Timeout { host: host.to_owned(), after: COMMAND });
    tokio::time::timeout(COMMAND, future).await.map_err(silent)
}
