//! The console on a port of its own, for a browser: what stands before it, the admin guard among it, is
//! played. Its pages, policies and forms are the console's.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use http::{Request, Response};
use mintgate::base::clock::ManualClock;
use mintgate::console::{Console, Parts};
use mintgate::oauth::provider::redirect_uri;
use mintgate::web::local::{Admin, LocalService, Origin};
use tokio::net::TcpListener;

use super::installation::{Installation, url};

/// A console that browsers reach; it ends with the test.
pub struct Stage {
    /// `http://desk.localhost:PORT`.
    pub origin: String,
    front: Arc<Front>,
}

struct Front {
    console: Console,
    admin: Mutex<Admin>,
    /// Pages do not go on by themselves.
    still: AtomicBool,
}

/// An address that a console will have.
pub struct Place {
    listener: TcpListener,
    pub origin: String,
}

impl Place {
    pub async fn take() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let origin = format!("http://desk.localhost:{}", listener.local_addr().expect("an address").port());
        Self { listener, origin }
    }

    /// Where providers send the browser back to.
    pub fn redirect_uri(&self) -> String {
        redirect_uri(&url(&self.origin)).into()
    }
}

impl Stage {
    /// The installation's console, changed by `change`, at an address of its own.
    pub async fn start(installation: &Installation, change: impl FnOnce(Parts) -> Parts) -> Self {
        Self::start_at(Place::take().await, installation, change)
    }

    /// The same at a place that is known before; the sandbox's registration knows it too.
    pub fn start_at(place: Place, installation: &Installation, change: impl FnOnce(Parts) -> Parts) -> Self {
        installation.sandbox.identity.allow_redirect(&place.redirect_uri());
        let Place { listener, origin } = place;
        let parts = Parts { public_url: Some(url(&origin)), ..installation.console_parts() };
        let console = Console::new(change(parts));
        tokio::spawn(tick(Arc::clone(&installation.clock)));
        let front = Arc::new(Front {
            console,
            admin: Mutex::new(admin("u1", "Ada Admin", 1)),
            still: AtomicBool::new(false),
        });
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&front));
        tokio::spawn(axum::serve(listener, routes).into_future());
        Self { origin, front }
    }

    /// Whoever opens a page from now on reads `language`.
    pub fn speak(&self, language: &str) {
        language.clone_into(&mut self.front.admin.lock().expect("no test panicked").language);
    }

    /// Another administrator is in front of the browser from now on.
    pub fn admit(&self, name: &str, session: u8) {
        *self.front.admin.lock().expect("no test panicked") = admin(name, name, session);
    }

    /// Whether pages that go on by themselves stay, so that they can be looked at.
    pub fn hold_still(&self, still: bool) {
        self.front.still.store(still, Ordering::SeqCst);
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// Lets the installation's clock go on, as a browser expects of one.
async fn tick(clock: Arc<ManualClock>) {
    let step = Duration::from_millis(100);
    let mut each = tokio::time::interval(step);
    loop {
        each.tick().await;
        clock.advance(step);
    }
}

fn admin(user_id: &str, name: &str, session: u8) -> Admin {
    Admin {
        user_id: user_id.to_owned(),
        email: "admin@desk.example".to_owned(),
        name: name.to_owned(),
        language: "en".to_owned(),
        session: [session; 32],
    }
}

async fn answer(State(front): State<Arc<Front>>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a small body");
    let mut request = Request::from_parts(head, body);
    let admin = front.admin.lock().expect("no test panicked").clone();
    request.extensions_mut().insert(Origin { client: IpAddr::V4(Ipv4Addr::LOCALHOST) });
    request.extensions_mut().insert(Arc::new(admin));
    let answer = front.console.answer(request).await;
    if !front.still.load(Ordering::SeqCst) {
        return answer.map(Body::from);
    }
    // As long as what it stands for: the length is in the head.
    answer.map(|body| match std::str::from_utf8(&body) {
        Ok(text) => Body::from(
            text.replace("http-equiv=\"refresh\"", "data-equiv=\"refresh\"")
                .replace("data-again", "data-still"),
        ),
        Err(_) => Body::from(body),
    })
}
