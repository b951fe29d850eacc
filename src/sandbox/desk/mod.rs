//! A desk that answers as Peppermint was recorded answering, with a small web client for people.
//!
//! It keeps Peppermint's mistakes too: whoever works with this desk has to work around them. It never
//! mails anybody and never calls a webhook.

mod gate;
mod pages;
mod people;
mod refusal;
mod routes;
mod session;
mod settings;
mod ticket;
mod token;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::base::clock::{Clock, SystemClock, Timestamp};
use crate::web::answer::Answer;

use super::call::{Call, empty, json as json_answer, redirect};
use super::fault::Faults;
use super::lock;
use super::server::{Part, Server};

use refusal::Refusal;
use world::World;

pub use world::{Comment, Notification, Ticket};

/// The default admin, as a new Peppermint has it.
pub const ADMIN: (&str, &str) = ("admin@admin.com", "1234");
/// An agent who is no admin.
pub const AGENT: (&str, &str) = ("agent@desk.localhost", "agent");
/// The user for a mail worker; no admin.
pub const BOT: (&str, &str) = ("mail-worker@desk.localhost", "mail-worker");

/// A running desk; it ends when this is dropped.
pub struct Desk {
    server: Server,
    state: Arc<State>,
    pub faults: Faults,
}

/// Starts a desk on `address` by the machine's clock.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(address: SocketAddr) -> io::Result<Desk> {
    start_with_clock(address, Arc::new(SystemClock)).await
}

/// Starts a desk whose sessions and rows are dated by `clock`.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start_with_clock(address: SocketAddr, clock: Arc<dyn Clock>) -> io::Result<Desk> {
    let world = Mutex::new(World::seeded(clock.now()));
    let state = Arc::new(State { world, clock });
    let faults = Faults::default();
    let server = Server::start(address, state.clone(), faults.clone()).await?;
    Ok(Desk { server, state, faults })
}

impl Desk {
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Every ticket, oldest first.
    pub fn tickets(&self) -> Vec<Ticket> {
        lock(&self.state.world).tickets.clone()
    }

    /// A ticket's comments, oldest first.
    pub fn comments(&self, ticket: &str) -> Vec<Comment> {
        let world = lock(&self.state.world);
        world.comments.iter().filter(|comment| comment.ticket_id == ticket).cloned().collect()
    }

    /// Removes a ticket with its comments.
    pub fn remove_ticket(&self, ticket: &str) {
        let mut world = lock(&self.state.world);
        world.tickets.retain(|one| one.id != ticket);
        world.comments.retain(|one| one.ticket_id != ticket);
    }

    /// A desk user's id.
    pub fn user_id(&self, email: &str) -> Option<String> {
        lock(&self.state.world).user_by_email(email).map(|user| user.id.clone())
    }

    /// Makes a user an admin, or no longer one.
    pub fn set_admin(&self, email: &str, is_admin: bool) {
        let mut world = lock(&self.state.world);
        if let Some(user) = world.users.iter_mut().find(|user| user.email == email) {
            user.is_admin = is_admin;
        }
    }

    /// From now on ticket pages show the HTML that a ticket holds, scripts and all: what a flaw in a real desk
    /// would do.
    pub fn show_html_of_tickets(&self) {
        lock(&self.state.world).careless = true;
    }

    /// Ends every session of every user; their tokens stay well signed.
    pub fn end_sessions(&self) {
        lock(&self.state.world).sessions.clear();
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        lock(&self.state.world).sessions.len()
    }

    /// A well signed token of a user without a session, good until `expires_at`.
    pub fn token_without_session(&self, email: &str, expires_at: Timestamp) -> String {
        let world = lock(&self.state.world);
        let id = world.user_by_email(email).map_or("nobody", |user| user.id.as_str());
        world.signer.sign(id, self.state.clock.now(), expires_at)
    }
}

struct State {
    world: Mutex<World>,
    clock: Arc<dyn Clock>,
}

impl Part for State {
    fn answer(&self, call: &Call) -> Answer {
        if call.path.starts_with("/_control/") {
            return self.control(call);
        }
        if let Some(target) = normalised(call) {
            return redirect(StatusCode::PERMANENT_REDIRECT, &target);
        }
        let path = gate::plain_path(&call.path);
        match gate::below_api(&path) {
            Some(segments) => cors(self.api(call, segments)),
            None => pages::answer(call, &path, lock(&self.world).careless),
        }
    }

    fn refuse(&self, _call: &Call, status: StatusCode) -> Answer {
        cors(refusal_answer(&Refusal::fastify(status, None, "Something went wrong")))
    }
}

impl State {
    fn api(&self, call: &Call, segments: Vec<String>) -> Answer {
        if call.method == Method::OPTIONS {
            return preflight();
        }
        let mut world = lock(&self.world);
        let passed = gate::pass(call, segments, &world, self.clock.now());
        match passed.and_then(|passed| routes::answer(&mut world, &passed)) {
            Ok(body) => json_answer(StatusCode::OK, &body),
            Err(refusal) => refusal_answer(&refusal),
        }
    }

    /// The same controls as [`Desk`] has, for tests in another process.
    fn control(&self, call: &Call) -> Answer {
        let mut world = lock(&self.world);
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/_control/state") => {
                let state = json!({
                    "tickets": world.tickets,
                    "comments": world.comments,
                    "notifications": world.notifications,
                    "sessions": world.sessions.len(),
                    "users": world.users.iter().map(shown).collect::<Vec<Value>>(),
                });
                json_answer(StatusCode::OK, &state)
            }
            ("DELETE", "/_control/sessions") => {
                world.sessions.clear();
                empty(StatusCode::NO_CONTENT)
            }
            ("DELETE", "/_control/state") => {
                *world = World::seeded(self.clock.now());
                empty(StatusCode::NO_CONTENT)
            }
            _ => empty(StatusCode::NOT_FOUND),
        }
    }
}

fn shown(user: &world::User) -> Value {
    json!({"id": user.id, "email": user.email, "isAdmin": user.is_admin})
}

/// Where the web client sends a path with empty segments or a slash at its end.
fn normalised(call: &Call) -> Option<String> {
    let mut path = call.path.clone();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    if path.len() > 1 {
        path.truncate(path.trim_end_matches('/').len().max(1));
    }
    if path == call.path {
        return None;
    }
    Some(match &call.query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    })
}

fn refusal_answer(refusal: &Refusal) -> Answer {
    json_answer(refusal.status, &refusal.body)
}

fn cors(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer
}

fn preflight() -> Answer {
    let mut answer = empty(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    let methods = HeaderValue::from_static("GET, POST, PUT, DELETE");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    let names = HeaderValue::from_static("Content-Type, Authorization, Accept");
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    answer
}
