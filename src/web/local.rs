//! Answers that mintgate gives itself instead of an upstream.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

/// Somebody the desk has just called an administrator. Only the admin guard makes one; the console
/// takes it from the request's extensions as its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    pub user_id: String,
    pub email: String,
    pub name: String,
    /// The desk's language tag for this user, such as `en`.
    pub language: String,
    /// Keyed hash of the desk session; binds an OAuth flow to the browser that started it.
    pub session: [u8; 32],
}

/// Where a local request comes from; in the request's extensions beside `Arc<Admin>`.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    pub client: IpAddr,
}

/// In an answer's extensions: the service has nothing to say, and the upstream is to be asked as if the
/// service were not there. Only for requests without a body.
#[derive(Debug, Clone, Copy)]
pub struct Unanswered;

/// A service inside the process, such as the console.
///
/// The request carries [`Origin`] and, past the admin guard, `Arc<Admin>` as extensions.
#[async_trait]
pub trait LocalService: Send + Sync {
    async fn answer(&self, request: http::Request<Bytes>) -> http::Response<Bytes>;
}

/// The proof in a request's extensions, if the guard put one there.
pub fn admin(extensions: &http::Extensions) -> Option<&Arc<Admin>> {
    extensions.get::<Arc<Admin>>()
}
