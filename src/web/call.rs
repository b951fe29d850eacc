//! Calling another HTTP server, as a trait: `net` implements it, everyone else only knows this.

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::{Request, Response};

/// A response body as it arrives.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, CallError>> + Send>>;

/// Why a call brought no usable response. HTTP error statuses are responses, not errors.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("calling {host} is not allowed: {reason}")]
    Forbidden { host: String, reason: &'static str },
    #[error("{host} did not answer within {} s", .after.as_secs())]
    Timeout { host: String, after: Duration },
    #[error("{host} cannot be reached")]
    Unreachable { host: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{host} offers no encrypted connection that can be trusted")]
    Insecure { host: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{host} broke off its answer")]
    Broken { host: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{host} answered more than {limit} bytes")]
    TooLarge { host: String, limit: usize },
}

/// Makes HTTP calls. Redirects are never followed; every call has a timeout; hosts outside the
/// caller's egress rules are refused.
#[async_trait]
pub trait HttpCall: Send + Sync {
    /// Sends `request` (absolute URI) and returns the head as soon as it is there.
    async fn open(&self, request: Request<Bytes>) -> Result<Response<BodyStream>, CallError>;

    /// Sends `request` and reads the whole body, `limit` bytes at most.
    async fn call(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>, CallError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let (head, mut stream) = self.open(request).await?.into_parts();
        let mut body = BytesMut::new();
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            if body.len() + piece.len() > limit {
                return Err(CallError::TooLarge { host, limit });
            }
            body.extend_from_slice(&piece);
        }
        Ok(Response::from_parts(head, body.freeze()))
    }
}
