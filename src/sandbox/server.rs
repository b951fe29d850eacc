//! Serving a part over HTTP: reading requests whole, the fault switches, connections that can be cut.
//!
//! Knows no route but `/_control/faults`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use futures_util::future::{BoxFuture, ready};
use futures_util::stream;
use http::header::{CONTENT_LENGTH, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::web::answer::Answer;

use super::call::{Call, empty, typed};
use super::fault::{Effect, Fault, Faults};
use super::wire::{Door, Peer};

/// More than any of the servers takes; each part has its own, smaller limit.
const LARGEST_BODY: usize = 40 * 1024 * 1024;

/// What a server does with a call. Answers are made at once, so that state changes are atomic.
pub(super) trait Part: Send + Sync + 'static {
    /// Answers a call, or one below `/_control/`.
    fn answer(&self, call: &Call) -> Answer;
    /// `status` in the words of the server that this part stands in for.
    fn refuse(&self, call: &Call, status: StatusCode) -> Answer;
    /// What has to be asked of others before the call can be answered.
    fn ask_first<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, ()> {
        Box::pin(ready(()))
    }
    /// Lets a call in, or refuses it.
    fn enter(&self, _call: &Call) -> Entry {
        Entry::Free
    }
}

/// Whether a call may come in.
pub(super) enum Entry {
    Free,
    /// Dropped when the call has ended.
    Counted(Arc<()>),
    Refused(Answer),
}

/// A running server. It ends when this is dropped: nobody gets in, and whoever is in gets no answer.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
    ended: Arc<AtomicBool>,
}

impl Server {
    /// Binds `address` (port 0 takes a free one) and serves `part`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub(super) async fn start(address: SocketAddr, part: Arc<dyn Part>, faults: Faults) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let routes =
            Router::new().fallback(handle).layer(Extension(Served { part, faults, ended: ended.clone() }));
        let service = routes.into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(Door(listener), service);
        let task = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "a sandbox server ended");
            }
        });
        Ok(Self { address, task, ended })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        self.task.abort();
    }
}

#[derive(Clone)]
struct Served {
    part: Arc<dyn Part>,
    faults: Faults,
    ended: Arc<AtomicBool>,
}

async fn handle(
    ConnectInfo(peer): ConnectInfo<Peer>,
    Extension(served): Extension<Served>,
    request: Request<Body>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return whole(empty(StatusCode::PAYLOAD_TOO_LARGE));
    };
    if served.ended.load(Ordering::SeqCst) {
        return cut(&peer);
    }
    let call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers,
        peer: peer.address.ip(),
        body,
    };
    if call.path == "/_control/faults" {
        return whole(switch(&served.faults, &call));
    }
    if call.path.starts_with("/_control/") {
        return whole(served.part.answer(&call));
    }
    let _inside = match served.part.enter(&call) {
        Entry::Free => None,
        Entry::Counted(inside) => Some(inside),
        Entry::Refused(refusal) => return whole(refusal),
    };
    served.part.ask_first(&call).await;
    match served.faults.strike(call.method.as_str(), &call.path) {
        None => whole(served.part.answer(&call)),
        Some(effect) => struck(effect, served.part, call, &peer).await,
    }
}

async fn struck(effect: Effect, part: Arc<dyn Part>, call: Call, peer: &Peer) -> Response<Body> {
    match effect {
        Effect::Slow { milliseconds } => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            whole(part.answer(&call))
        }
        Effect::RefuseBefore { status, retry_after } => refuse(&*part, &call, status, retry_after.as_deref()),
        Effect::RefuseAfter { status, retry_after } => {
            part.answer(&call);
            refuse(&*part, &call, status, retry_after.as_deref())
        }
        Effect::CutBefore => cut(peer),
        Effect::CutAfter => {
            part.answer(&call);
            cut(peer)
        }
        Effect::ApplyLate { milliseconds } => {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                part.answer(&call);
            });
            cut(peer)
        }
        Effect::Truncate => truncated(part.answer(&call)),
        Effect::Drip { bytes, milliseconds } => dripped(part.answer(&call), bytes, milliseconds),
    }
}

fn refuse(part: &dyn Part, call: &Call, status: u16, retry_after: Option<&str>) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = part.refuse(call, status);
    if let Some(Ok(value)) = retry_after.map(HeaderValue::from_str) {
        answer.headers_mut().insert(RETRY_AFTER, value);
    }
    whole(answer)
}

fn whole(answer: Answer) -> Response<Body> {
    answer.map(Body::from)
}

fn truncated(answer: Answer) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let half = body.slice(..body.len() / 2);
    let pieces = [Ok(half), Err(io::Error::other("half way"))];
    Response::from_parts(head, Body::from_stream(stream::iter(pieces)))
}

fn dripped(answer: Answer, size: usize, milliseconds: u64) -> Response<Body> {
    let (head, body) = answer.into_parts();
    let pieces = stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        let piece = rest.split_to(size.clamp(1, rest.len()));
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        Some((Ok::<Bytes, io::Error>(piece), rest))
    });
    Response::from_parts(head, Body::from_stream(pieces))
}

/// Ends the connection; the empty answer only makes the server write, which fails.
fn cut(peer: &Peer) -> Response<Body> {
    peer.cut();
    whole(empty(StatusCode::OK))
}

/// `POST` adds a [`Fault`], `DELETE` clears them all.
fn switch(faults: &Faults, call: &Call) -> Answer {
    if call.method == Method::DELETE {
        faults.clear();
        return empty(StatusCode::NO_CONTENT);
    }
    match serde_json::from_slice::<Fault>(&call.body) {
        Ok(fault) => {
            faults.add(fault);
            empty(StatusCode::NO_CONTENT)
        }
        Err(error) => typed(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", format!("{error}\n")),
    }
}
