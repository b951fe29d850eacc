//! Graph mail as Microsoft documents it and as its users have seen it behave, and the world around it: mail
//! between mailboxes here, and customers outside with a small webmail.
//!
//! Only what a helpdesk's mail needs: no batches, no upload sessions.

mod compose;
mod control;
mod delta;
mod facts;
mod query;
mod read;
mod refusal;
mod request;
mod shape;
pub mod subscription;
mod tell;
mod transport;
mod webmail;
mod world;
mod write;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{HeaderName, HeaderValue, StatusCode};

use crate::base::clock::{Clock, SystemClock};
use crate::base::id::hex;
use crate::base::secret::sha256;
use crate::web::answer::Answer;

use super::call::Call;
use super::fault::Faults;
use super::grants::Grants;
use super::lock;
use super::server::{Entry, Part, Server};
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use refusal::Refusal;
use request::{Request, Root};
use tell::Teller;
use world::World;

pub use world::Folder;

/// Requests of one mailbox that are worked on at the same time; the next is throttled.
const AT_ONCE: usize = 4;

/// A running Graph; it ends when this is dropped. Its controls are in `control`.
pub struct Graph {
    server: Server,
    state: Arc<State>,
    telling: JoinHandle<()>,
    pub grants: Grants,
    pub faults: Faults,
}

/// Starts Graph on `address`; it accepts the tokens of `grants`.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(address: SocketAddr, grants: Grants) -> io::Result<Graph> {
    start_with_clock(address, grants, Arc::new(SystemClock)).await
}

/// Starts Graph with a clock of its own; mail under way arrives by it.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start_with_clock(
    address: SocketAddr,
    grants: Grants,
    clock: Arc<dyn Clock>,
) -> io::Result<Graph> {
    let state = Arc::new(State {
        world: Mutex::new(World::new()),
        grants: grants.clone(),
        inside: Mutex::default(),
        teller: Teller::new(),
        clock,
    });
    let faults = Faults::default();
    let server = Server::start(address, state.clone(), faults.clone()).await?;
    let telling = tokio::spawn(tell::keep_telling(state.clone()));
    Ok(Graph { server, state, telling, grants, faults })
}

impl Drop for Graph {
    fn drop(&mut self) {
        self.telling.abort();
    }
}

struct State {
    world: Mutex<World>,
    grants: Grants,
    /// Who is inside, by mailbox; each request holds a clone.
    inside: Mutex<HashMap<String, Arc<()>>>,
    teller: Teller,
    clock: Arc<dyn Clock>,
}

impl Part for State {
    fn answer(&self, call: &Call) -> Answer {
        let mut world = lock(&self.world);
        let now = self.clock.now();
        transport::arrive(&mut world, now);
        self.teller.wake.ring();
        if call.path.starts_with("/_control/") {
            return control::answer(&mut world, &self.grants, call, now);
        }
        if call.path == "/webmail" {
            return webmail::answer(&mut world, call, now);
        }
        let outcome = Request::read(call, &self.grants, now).and_then(|request| match request.root {
            Root::Mailbox => route(&mut world, &request),
            Root::Subscriptions => subscription::route(&mut world, &request, &self.teller),
        });
        self.finish(call, outcome)
    }

    fn refuse(&self, call: &Call, status: StatusCode) -> Answer {
        let refusal = match status.as_u16() {
            401 => Refusal::token("Access token has expired or is not yet valid."),
            429 => Refusal::new(status, "ApplicationThrottled", "Application is over its request limit."),
            503 => Refusal::new(status, "serviceNotAvailable", "The service is temporarily unavailable."),
            504 => Refusal::new(status, "ErrorTimeoutExpired", "The operation timed out."),
            _ => Refusal::new(status, "InternalServerError", "The server encountered an error."),
        };
        self.finish(call, Err(refusal))
    }

    fn ask_first<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, ()> {
        Box::pin(self.teller.validate(call))
    }

    fn enter(&self, call: &Call) -> Entry {
        let token = call.header("authorization").and_then(|line| line.strip_prefix("Bearer "));
        let Some(grant) = token.and_then(|token| self.grants.check(token, self.clock.now())) else {
            return Entry::Free;
        };
        let mut inside = lock(&self.inside);
        let all = inside.entry(grant.address).or_default();
        // One of the counted is the map's own.
        if Arc::strong_count(all) > AT_ONCE {
            return Entry::Refused(self.finish(call, Err(Refusal::too_many_at_once())));
        }
        Entry::Counted(all.clone())
    }
}

impl State {
    /// Adds the headers by which Microsoft's support finds a request again.
    fn finish(&self, call: &Call, outcome: Result<Answer, Refusal>) -> Answer {
        let request_id = uuid::Uuid::new_v4().to_string();
        let client_id = call.header("client-request-id").unwrap_or(&request_id).to_owned();
        let mut answer =
            outcome.unwrap_or_else(|refusal| refusal.answer(&request_id, &client_id, self.clock.now()));
        for (name, id) in [("request-id", request_id), ("client-request-id", client_id)] {
            if let Ok(value) = HeaderValue::from_str(&id) {
                answer.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        answer
    }
}

/// A user's object id: the same for an address wherever it is asked for.
pub(super) fn user_id(address: &str) -> String {
    let digest = hex(&sha256(address.to_lowercase().as_bytes())[..16]);
    let part = |from: usize, to: usize| &digest[from..to];
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

fn route(world: &mut World, request: &Request<'_>) -> Result<Answer, Refusal> {
    let keywords = request.keywords();
    let keywords: Vec<&str> = keywords.iter().map(String::as_str).collect();
    let segment = |at: usize| request.segments[at].as_str();
    match (request.call.method.as_str(), keywords.as_slice()) {
        ("GET", []) => read::me(world, request),
        ("GET", ["mailfolders"]) => read::folders(world, request),
        ("GET", ["mailfolders", _]) => read::folder(world, request, segment(1)),
        ("GET", ["mailfolders", _, "messages"]) => read::messages(world, request, Some(segment(1))),
        ("GET", ["mailfolders", _, "messages", "delta" | "delta()" | "microsoft.graph.delta()"]) => {
            read::delta(world, request, segment(1))
        }
        ("GET", ["messages"]) => read::messages(world, request, None),
        ("POST", ["messages"] | ["mailfolders", _, "messages"]) => write::create(world, request),
        ("POST", ["sendmail"]) => write::send_mail(world, request),
        (method, ["messages", _, rest @ ..]) => message_route(world, request, method, segment(1), rest),
        (method, ["mailfolders", _, "messages", _, rest @ ..]) => {
            message_route(world, request, method, segment(3), rest)
        }
        _ => Err(Refusal::no_segment(keywords.last().copied().unwrap_or_default())),
    }
}

fn message_route(
    world: &mut World,
    request: &Request<'_>,
    method: &str,
    id: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    match (method, rest) {
        ("GET", []) => read::message(world, request, id),
        ("GET", ["$value"]) => read::raw(world, request, id),
        ("GET", ["attachments"]) => read::attachments(world, request, id),
        ("PATCH", []) => write::patch(world, request, id),
        ("DELETE", []) => write::delete(world, request, id),
        ("POST", ["move"]) => write::move_to(world, request, id),
        ("POST", ["send"]) => write::send(world, request, id),
        ("POST", ["createreply"]) => write::create_reply(world, request, id, false),
        ("POST", ["createreplyall"]) => write::create_reply(world, request, id, true),
        ("POST", ["attachments"]) => write::attach(world, request, id),
        _ => Err(Refusal::no_segment(rest.last().copied().unwrap_or_default())),
    }
}
