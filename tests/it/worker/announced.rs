//! Graph calls when mail arrives: the running worker, its hooks on a socket, and the sandbox's Graph that makes
//! the calls.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use mintgate::base::clock::Clock;
use mintgate::sandbox::graph::subscription::Telling;
use mintgate::store::InboundState;
use mintgate::web::local::LocalService;
use mintgate::worker::Hooks;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::mails::question;
use super::scene::{ADDRESS, Scene, id};
use crate::support::process::eventually;

const HOUR: Duration = Duration::from_secs(3600);

/// A worker that works until it is stopped, and where Graph reaches it.
pub struct Working {
    pub scene: Scene,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
    server: JoinHandle<()>,
}

type Door = Arc<OnceLock<Hooks>>;

async fn hear(State(door): State<Door>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    let hooks = door.get().expect("the worker stands");
    hooks.answer(Request::from_parts(head, body)).await.map(Body::from)
}

impl Working {
    /// The worker runs and Graph has promised to call.
    pub async fn announced() -> Self {
        let working = Self::over(Scene::new().await).await;
        // Graph knows of its promise a moment before the worker does.
        eventually("the promise", async || {
            let kept = working.scene.subscriptions.read(&id()).await.expect("the vault");
            kept.and_then(|kept| kept.id)
        })
        .await;
        working
    }

    async fn over(mut scene: Scene) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        scene.told_at = Some(origin.parse().expect("a URL"));
        let (door, worker) = (Door::default(), scene.worker());
        door.set(Hooks::new(worker.clone())).ok().expect("set once");
        let routes = Router::new().fallback(hear).with_state(door);
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(worker.run(stopped));
        Self { scene, stop, running, server }
    }

    pub async fn end(self) -> Scene {
        self.stop.send(true).expect("the worker listens");
        let ended = tokio::time::timeout(Duration::from_secs(20), self.running).await;
        ended.expect("it ends").expect("it does not die");
        self.server.abort();
        self.scene
    }

    fn counted(&self, outcome: &str) -> u32 {
        let (mut registry, mut text) = (Registry::default(), String::new());
        self.scene.meters.register(&mut registry);
        encode(&mut text, &registry).expect("text takes everything");
        let start = format!("mintgate_mail_announcements_total{{outcome=\"{outcome}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&start));
        line.map_or(0, |count| count.parse().expect("a number"))
    }

    async fn tickets(&self, count: usize) {
        self.scene.until(|| self.scene.desk.tickets().len() == count).await;
    }
}

#[tokio::test]
async fn mail_is_a_ticket_without_waiting_for_a_poll() {
    let working = Working::announced().await;
    for number in 1..=3 {
        working.scene.deliver(&question(number));
        working.tickets(number as usize).await;
    }
    working.end().await;
}

#[tokio::test]
async fn late_and_repeated_notifications_make_one_ticket() {
    let working = Working::announced().await;
    working.scene.graph.set_telling(Telling { repeats: 4, milliseconds_late: 50, ..Telling::default() });
    working.scene.deliver(&question(1));
    working.scene.until(|| working.counted("rung") == 5).await;
    working.tickets(1).await;
    let scene = working.end().await;
    scene.pass().await;
    assert_eq!((scene.desk.tickets().len(), scene.count(InboundState::Done).await), (1, 1));
}

#[tokio::test]
async fn whoever_does_not_know_the_secret_rings_no_bell() {
    let working = Working::announced().await;
    working.scene.graph.set_telling(Telling { wrong_state: true, ..Telling::default() });
    working.scene.deliver(&question(1));
    working.scene.until(|| working.counted("unbelieved") == 1).await;
    let orders = working.scene.store.hints("order:").await.expect("the store");
    assert_eq!((orders.len(), working.counted("rung")), (0, 0));
    let scene = working.end().await;
    scene.pass().await;
    assert_eq!(scene.desk.tickets().len(), 1);
}

#[tokio::test]
async fn a_subscription_is_renewed_before_it_ends() {
    let working = Working::announced().await;
    let made = working.scene.graph.subscriptions().remove(0);
    working.scene.clock.advance(40 * HOUR);
    working.scene.wake.ring();
    let renewed = || working.scene.graph.subscriptions()[0].clone();
    working.scene.until(|| renewed().expires_at > made.expires_at).await;
    assert_eq!(renewed().id, made.id);
    working.end().await;
}

#[tokio::test]
async fn a_subscription_that_ended_or_was_lost_is_made_anew_with_the_same_secret() {
    let working = Working::announced().await;
    let made = working.scene.graph.subscriptions().remove(0);
    working.scene.graph.lose_subscriptions();
    working.scene.clock.advance(40 * HOUR);
    working.scene.wake.ring();
    working.scene.until(|| working.scene.graph.subscriptions().len() == 1).await;
    let again = working.scene.graph.subscriptions().remove(0);
    assert_ne!(again.id, made.id);
    assert_eq!(again.client_state, made.client_state);
    working.scene.clock.advance(80 * HOUR);
    working.scene.wake.ring();
    working.scene.until(|| working.scene.graph.subscriptions().iter().any(|one| one.id != again.id)).await;
    working.end().await;
}

#[tokio::test]
async fn what_graph_says_of_the_subscription_itself_is_followed() {
    let working = Working::announced().await;
    let graph = &working.scene.graph;
    let made = graph.subscriptions().remove(0);
    working.scene.clock.advance(HOUR);
    graph.tell_of_lifecycle("reauthorizationRequired");
    working.scene.until(|| graph.subscriptions()[0].expires_at > made.expires_at).await;
    graph.tell_of_lifecycle("subscriptionRemoved");
    working.scene.until(|| graph.subscriptions().first().is_some_and(|one| one.id != made.id)).await;
    graph.set_telling(Telling { none: true, ..Telling::default() });
    working.scene.deliver(&question(1));
    graph.set_telling(Telling::default());
    graph.tell_of_lifecycle("missed");
    working.tickets(1).await;
    working.end().await;
}

#[tokio::test]
async fn another_life_of_the_worker_keeps_the_subscription() {
    let scene = Working::announced().await.end().await;
    let made = scene.graph.subscriptions().remove(0).id;
    scene.pass().await;
    let kept: Vec<_> = scene.graph.subscriptions().into_iter().map(|one| one.id).collect();
    assert_eq!(kept, [made]);
}

#[tokio::test]
async fn switching_it_off_ends_the_subscription() {
    let mut scene = Working::announced().await.end().await;
    scene.told_at = None;
    scene.pass().await;
    assert_eq!(scene.graph.subscriptions().len(), 0);
    assert!(scene.subscriptions.read(&id()).await.expect("the vault").is_none());
}

#[tokio::test]
async fn where_graph_cannot_call_back_mail_is_looked_for_all_the_same() {
    let mut scene = Scene::new().await;
    // Nobody listens there any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    scene.told_at = Some(format!("http://{}", listener.local_addr().expect("it")).parse().expect("a URL"));
    drop(listener);
    scene.deliver(&question(1));
    scene.pass().await;
    assert_eq!((scene.desk.tickets().len(), scene.graph.subscriptions().len()), (1, 0));
    let kept = scene.subscriptions.read(&id()).await.expect("the vault").expect("a record");
    assert_eq!(kept.try_again_at, scene.clock.now() + HOUR);
}

#[tokio::test]
async fn a_shared_mailbox_is_polled_only() {
    let mut scene = Scene::new().await;
    scene.told_at = Some("http://127.0.0.1:9".parse().expect("a URL"));
    scene.store.set_mailbox_settings(&id(), r#"{"shared":true}"#).await.expect("the store");
    scene.any_pass().await;
    assert!(scene.subscriptions.read(&id()).await.expect("the vault").is_none(), "{ADDRESS}");
}

#[tokio::test]
async fn strange_calls_get_a_short_no() {
    let working = Working::announced().await;
    let origin = working.scene.told_at.clone().expect("an origin");
    let http = crate::desk_user::http_to(origin.as_str().trim_end_matches('/'));
    let own = format!("{origin}mail-hooks/graph/{}", id());
    let call = async |method: &str, url: &str, body: String| {
        let request = http::Request::builder().method(method).uri(url).body(body.into()).expect("a request");
        http.call(request, 10_000).await.expect("an answer").status()
    };
    for (method, url, body, status) in [
        ("POST", &own, "{}".to_owned(), StatusCode::BAD_REQUEST),
        ("POST", &own, "[".repeat(100_000), StatusCode::BAD_REQUEST),
        ("POST", &own, r#"{"value":[]}"#.to_owned(), StatusCode::ACCEPTED),
        ("GET", &own, String::new(), StatusCode::METHOD_NOT_ALLOWED),
        ("POST", &format!("{origin}mail-hooks/graph/nobody"), "{}".to_owned(), StatusCode::NOT_FOUND),
        (
            "POST",
            &format!("{origin}mail-hooks/graph/nobody?validationToken=x"),
            String::new(),
            StatusCode::NOT_FOUND,
        ),
        ("POST", &format!("{origin}mail-hooks"), "{}".to_owned(), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(call(method, url, body).await, status, "{method} {url}");
    }
    assert_eq!((working.counted("garbled"), working.counted("unbelieved")), (2, 1));
    working.end().await;
}
