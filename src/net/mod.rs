//! The only way out: one HTTP client, DNS and the rules on who may be called.
//!
//! Knows nothing of what is called for. No other module names reqwest.

pub mod dial;
pub mod egress;
pub mod names;
pub mod reach;
mod resolve;
pub mod shown;
pub mod stranger;

pub use egress::{Egress, EgressError, PROVIDERS};

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use url::Url;

use crate::web::call::{BodyStream, CallError, HttpCall};

use egress::plain_host;
use resolve::{PrivateAddress, Resolver};

/// Pieces of a body that wait for a slow reader before the connection is left to wait instead.
const PIECES_AHEAD: usize = 8;

/// Below the 5 s after which Node.js closes a connection that nothing is sent on.
const IDLE: Duration = Duration::from_secs(4);

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands: name, TCP and TLS.
    pub connect: Duration,
    /// Until the last byte of the body.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(30) }
    }
}

/// The client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("`{proxy}` is not the URL of a proxy, such as http://proxy.example:3128")]
    Proxy { proxy: String },
    #[error("the HTTP client cannot be set up; are the system's CA certificates installed?")]
    Client { source: Box<dyn Error + Send + Sync> },
}

/// Calls other servers, on its own runtime: callers may live on any other.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    runtime: Handle,
    egress: Arc<Egress>,
    timeouts: Timeouts,
}

impl Client {
    /// A client that connects directly, whatever the environment says about proxies.
    pub fn new(runtime: Handle, egress: Egress, timeouts: Timeouts) -> Result<Self, NetError> {
        Self::build(runtime, egress, timeouts, None, None)
    }

    /// A client that also trusts the certificates in `pem`, such as a self-signed one.
    pub fn trusting(
        pem: &[u8],
        runtime: Handle,
        egress: Egress,
        timeouts: Timeouts,
    ) -> Result<Self, NetError> {
        let certificates = reqwest::Certificate::from_pem_bundle(pem);
        let certificates = certificates.map_err(|error| NetError::Client { source: Box::new(error) })?;
        Self::build(runtime, egress, timeouts, None, Some(certificates))
    }

    /// A client whose https calls go through the HTTP proxy at `proxy` (what `HTTPS_PROXY` names),
    /// those to hosts that the operator trusts excepted. Addresses behind a proxy are the proxy's to
    /// check; names are checked here.
    pub fn behind_proxy(
        runtime: Handle,
        egress: Egress,
        timeouts: Timeouts,
        proxy: &str,
    ) -> Result<Self, NetError> {
        let wrong = || NetError::Proxy { proxy: without_password(proxy) };
        let url = Url::parse(proxy).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong());
        }
        Self::build(runtime, egress, timeouts, Some(url), None)
    }

    fn build(
        runtime: Handle,
        egress: Egress,
        timeouts: Timeouts,
        proxy: Option<Url>,
        trusted: Option<Vec<reqwest::Certificate>>,
    ) -> Result<Self, NetError> {
        let egress = Arc::new(egress);
        let resolver = Resolver { egress: egress.clone(), proxy: proxy.as_ref().and_then(plain_host) };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("mintgate/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            .pool_idle_timeout(IDLE)
            .dns_resolver(resolver);
        if let Some(proxy) = proxy {
            let rules = egress.clone();
            builder = builder.proxy(reqwest::Proxy::custom(move |url| {
                let direct = plain_host(url).is_some_and(|host| rules.is_trusted(&host));
                (url.scheme() == "https" && !direct).then(|| proxy.clone())
            }));
        }
        if let Some(certificates) = trusted {
            builder = builder.tls_certs_merge(certificates);
        }
        let http = builder.build().map_err(|error| NetError::Client { source: Box::new(error) })?;
        Ok(Self { http, runtime, egress, timeouts })
    }

    /// Checks the URL in the very form in which it is then called.
    fn permitted(&self, uri: &Uri) -> Result<(Url, String), CallError> {
        let forbidden = |host: &str, reason| CallError::Forbidden { host: host.to_owned(), reason };
        let stated = uri.host().unwrap_or_default();
        let url = Url::parse(&uri.to_string()).map_err(|_| forbidden(stated, "its URL is not absolute"))?;
        let host = plain_host(&url).ok_or_else(|| forbidden(stated, "its URL has no host"))?;
        match self.egress.check(&url) {
            Ok(()) => Ok((url, host)),
            Err(reason) => Err(forbidden(&host, reason)),
        }
    }
}

#[async_trait]
impl HttpCall for Client {
    async fn open(&self, request: Request<Bytes>) -> Result<Response<BodyStream>, CallError> {
        let (url, host) = self.permitted(request.uri())?;
        let (parts, body) = request.into_parts();
        let mut outgoing = reqwest::Request::new(parts.method, url);
        *outgoing.headers_mut() = parts.headers;
        *outgoing.body_mut() = (!body.is_empty()).then(|| body.into());
        let (send_head, head) = oneshot::channel();
        let (pieces, body) = mpsc::channel(PIECES_AHEAD);
        let call = Call { host: host.clone(), timeouts: self.timeouts, pieces };
        let task = self.runtime.spawn(call.run(self.http.clone(), outgoing, send_head));
        let task = AbortOnDrop(task.abort_handle());
        let given_up = |_| CallError::Broken { host: host.clone(), source: Box::new(GivenUp) };
        let head = head.await.map_err(given_up)??;
        Ok(head.map(|()| stream(host, body, task)))
    }
}

/// One call, as a task on the client's runtime.
struct Call {
    host: String,
    timeouts: Timeouts,
    pieces: mpsc::Sender<Piece>,
}

/// What the task tells the reader. The end is told too: a task that was lost is no complete body.
enum Piece {
    Bytes(Bytes),
    End,
    Failed(CallError),
}

/// The client's runtime ended before the body did.
#[derive(Debug, thiserror::Error)]
#[error("the call was given up")]
struct GivenUp;

impl Call {
    async fn run(
        self,
        http: reqwest::Client,
        request: reqwest::Request,
        head: oneshot::Sender<Result<Response<()>, CallError>>,
    ) {
        let mut response = match http.execute(request).await {
            Ok(response) => response,
            Err(error) => {
                // Nobody waits any more: then nobody misses the error either.
                drop(head.send(Err(self.told(error))));
                return;
            }
        };
        let mut front = Response::new(());
        *front.status_mut() = response.status();
        *front.headers_mut() = std::mem::take(response.headers_mut());
        if head.send(Ok(front)).is_err() {
            return;
        }
        loop {
            let piece = match response.chunk().await {
                Ok(Some(bytes)) => Piece::Bytes(bytes),
                Ok(None) => Piece::End,
                Err(error) => Piece::Failed(self.told(error)),
            };
            let more = matches!(piece, Piece::Bytes(_));
            if self.pieces.send(piece).await.is_err() || !more {
                return;
            }
        }
    }

    /// The error as callers know it. The URL is taken out: its query may hold a secret.
    fn told(&self, error: reqwest::Error) -> CallError {
        let host = self.host.clone();
        let error = error.without_url();
        if is_caused_by::<PrivateAddress>(&error) {
            return CallError::Forbidden { host, reason: "its address is not public" };
        }
        match (error.is_timeout(), error.is_connect()) {
            (true, true) => CallError::Timeout { host, after: self.timeouts.connect },
            (true, false) => CallError::Timeout { host, after: self.timeouts.total },
            (false, true) => CallError::Unreachable { host, source: Box::new(error) },
            (false, false) => CallError::Broken { host, source: Box::new(error) },
        }
    }
}

/// Ends the call when its reader goes away, so that no connection is read for nobody.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn stream(host: String, pieces: mpsc::Receiver<Piece>, task: AbortOnDrop) -> BodyStream {
    Box::pin(futures_util::stream::unfold(Some((host, pieces, task)), async |open| {
        let (host, mut pieces, task) = open?;
        match pieces.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some((host, pieces, task)))),
            Some(Piece::End) => None,
            Some(Piece::Failed(error)) => Some((Err(error), None)),
            None => Some((Err(CallError::Broken { host, source: Box::new(GivenUp) }), None)),
        }
    }))
}

fn is_caused_by<E: Error + 'static>(error: &dyn Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<E>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn without_password(proxy: &str) -> String {
    proxy.rsplit_once('@').map_or(proxy, |(_, rest)| rest).to_owned()
}
