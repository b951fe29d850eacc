//! An identity provider that somebody else has written.

use async_trait::async_trait;
use mintgate::oauth::app::App;
use mintgate::web::call::HttpCall;
use url::Url;

/// The account that signs in.
pub const ACCOUNT: &str = "tickets@peer.example";

/// A running provider, and how one signs in there.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The registration it knows.
    fn app(&self) -> App;

    /// Signs in as [`ACCOUNT`] and accepts; where the browser is sent then.
    async fn sign_in(&self, http: &dyn HttpCall, authorize: &Url) -> Url;
}
