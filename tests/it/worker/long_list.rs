//! A desk whose list of tickets is longer than any memory should hold, or ends in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use mintgate::base::secret::SecretString;
use mintgate::desk::{Bot, Desk};
use mintgate::sandbox::desk::BOT;
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::store::OutboxState;
use mintgate::web::call::{BodyStream, CallError, HttpCall};
use mintgate::worker::{Parts, Point, Worker};

use super::mails::question;
use super::scene::{LONG, Scene};
use crate::desk_user::http_to;

const LIST: &str = "/api/v1/tickets/all";
const PIECE: usize = 1 << 20;
/// Old tickets of a piece each.
const PIECES: usize = 129;

/// Bytes of the list that are in memory, and the most there were at a time.
#[derive(Default)]
struct Held {
    now: AtomicUsize,
    most: AtomicUsize,
    lists: AtomicUsize,
}

/// A piece of the list, as long as somebody has it.
struct Piece(Vec<u8>, Arc<Held>);

impl Piece {
    fn held_by(held: &Arc<Held>, bytes: Vec<u8>) -> Bytes {
        let now = held.now.fetch_add(bytes.len(), Ordering::SeqCst) + bytes.len();
        held.most.fetch_max(now, Ordering::SeqCst);
        Bytes::from_owner(Self(bytes, held.clone()))
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.1.now.fetch_sub(self.0.len(), Ordering::SeqCst);
    }
}

/// The way to a desk that has many more tickets than it has.
struct LongList {
    inner: Arc<dyn HttpCall>,
    held: Arc<Held>,
}

#[async_trait]
impl HttpCall for LongList {
    async fn open(&self, request: Request<Bytes>) -> Result<Response<BodyStream>, CallError> {
        let is_list = request.uri().path() == LIST;
        let (head, body) = self.inner.open(request).await?.into_parts();
        if !is_list || !head.status.is_success() {
            return Ok(Response::from_parts(head, body));
        }
        let pieces: Vec<_> = body.collect().await;
        let real = pieces.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
        let opening = b"\"tickets\":[";
        let at =
            real.windows(opening.len()).position(|part| part == opening).expect("a list") + opening.len();
        self.held.lists.fetch_add(1, Ordering::SeqCst);
        let (begin, end) = (real[..at].to_vec(), real[at..].to_vec());
        let held = self.held.clone();
        let old = (0..PIECES).map(move |number| Ok(Piece::held_by(&held, old_ticket(number))));
        let whole =
            stream::iter([Ok(Bytes::from(begin))].into_iter().chain(old).chain([Ok(Bytes::from(end))]));
        Ok(Response::from_parts(head, whole.boxed()))
    }
}

fn old_ticket(number: usize) -> Vec<u8> {
    let text = "it smoked ".repeat(PIECE / 10);
    format!(
        "{{\"id\":\"old-{number}\",\"title\":\"Old\",\"email\":\"old@customer.example\",\"isComplete\":true,\
         \"createdAt\":\"2020-01-01T00:00:00.000Z\",\"detail\":\"{text}\"}},"
    )
    .into_bytes()
}

fn worker(scene: &Scene, held: &Arc<Held>, at: impl Fn(Point) + Send + Sync + 'static) -> Arc<Worker> {
    let url = scene.desk.url();
    let http = LongList { inner: http_to(&url), held: held.clone() };
    let bot = Bot { email: BOT.0.to_owned(), password: SecretString::from(BOT.1) };
    let desk = Desk::new(Arc::new(http), url.parse().expect("a URL"), Some(bot), scene.clock.clone());
    Worker::new(Parts { desk: Arc::new(desk), ..scene.parts("the only one", at) })
}

#[tokio::test]
async fn a_list_of_129_mib_holds_up_no_answer_and_no_mail_and_never_lies_in_memory() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let answered = scene.desk.tickets()[0].id.clone();
    scene.agent_says(&answered, "Use the extinguisher.").await;
    scene.deliver(&question(2));
    let held = Arc::new(Held::default());
    let dying = worker(&scene, &held, |point| assert_ne!(point, Point::DeskAnswered, "it dies here"));
    assert!(tokio::spawn(async move { dying.run_once().await }).await.is_err());

    scene.clock.advance(LONG);
    worker(&scene, &held, |_| {}).run_once().await.expect("a pass");

    let mut titles: Vec<_> = scene.desk.tickets().into_iter().map(|ticket| ticket.title).collect();
    titles.sort();
    assert_eq!(titles, ["Printer 1 smokes", "Printer 2 smokes"], "what had been opened was found");
    scene.clock.advance(LONG);
    assert_eq!(scene.sent().len(), 1);
    assert!(held.lists.load(Ordering::SeqCst) >= 2, "the list was read");
    let most = held.most.load(Ordering::SeqCst);
    assert!(most <= 2 * PIECE + PIECE / 2, "{most} bytes of it were held at a time");
}

#[tokio::test]
async fn a_list_that_ends_in_the_middle_is_told_and_keeps_no_answer_waiting() {
    let scene = Scene::new().await;
    scene.deliver(&question(1));
    scene.pass().await;
    let ticket = scene.desk.tickets()[0].id.clone();
    scene.agent_says(&ticket, "Use the extinguisher.").await;
    scene.clock.advance(LONG);
    scene.desk.faults.add(Fault::on("GET", LIST, Effect::Truncate));
    scene.troubled_pass().await;
    assert_eq!(scene.outgoing(OutboxState::Sent).await, 1);
    let told = scene.mailbox_row().await.last_error.expect("trouble");
    assert!(told.contains("list its tickets") && told.contains("broke off"), "{told}");

    scene.desk.faults.clear();
    scene.settle_down().await;
    assert_eq!(scene.mailbox_row().await.last_error, None);
}
