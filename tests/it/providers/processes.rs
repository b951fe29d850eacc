//! Two gateways on one PostgreSQL share a mailbox's refresh token, at a provider that takes the whole grant
//! back when a refresh token is used twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{join_all, pending};
use http::{Request, Response};
use mintgate::base::clock::Timestamp;
use mintgate::base::secret::ExposeSecret;
use mintgate::oauth::source::{Resource, TokenError, TokenSource};
use mintgate::store::{self, MailboxState, Store, StoreAt};
use mintgate::token::keeper::Keeper;
use mintgate::token::record::Claim;
use mintgate::token::vault::{Vault, Versioned};
use mintgate::web::call::{BodyStream, CallError, HttpCall};
use tokio::sync::Notify;

use super::promises::Connected;
use crate::support::installation::{Installation, client_of, mailbox};
use crate::support::oidc_provider::OidcProvider;
use crate::support::postgres::database;

const HOUR: Duration = Duration::from_secs(3600);

/// The way to the provider: counts refreshes, and may end there.
struct Way {
    inner: Arc<dyn HttpCall>,
    asked: Arc<AtomicU32>,
    /// Rung when an answer came that nobody will ever read.
    swallowed: Option<Arc<Notify>>,
}

#[async_trait]
impl HttpCall for Way {
    async fn open(&self, request: Request<Bytes>) -> Result<Response<BodyStream>, CallError> {
        let refreshes = request.body().windows(13).any(|part| part == b"refresh_token");
        let answer = self.inner.open(request).await;
        if refreshes {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if let Some(swallowed) = &self.swallowed {
                swallowed.notify_one();
                pending::<()>().await;
            }
        }
        answer
    }
}

/// A mailbox that is connected at the strict provider, on a store that others can open too.
struct Scene {
    place: StoreAt,
    asked: Arc<AtomicU32>,
    connected: Connected,
    _provider: OidcProvider,
}

impl Scene {
    async fn new() -> Option<Self> {
        let (place, provider) = (database()?, OidcProvider::start().await?);
        let connected = Connected::on(Some(&place), &provider).await;
        Some(Self { place, asked: Arc::default(), connected, _provider: provider })
    }

    fn installation(&self) -> &Installation {
        &self.connected.installation
    }

    /// A process of its own, with its own connections to the store.
    async fn process(&self, swallowed: Option<Arc<Notify>>) -> Arc<Keeper> {
        let store: Arc<dyn Store> = store::open(&self.place).await.expect("a store");
        let Installation { sealer, apps, registrations, clock, audit, .. } = self.installation();
        let authority = apps.iter().next().expect("an app").authority().clone();
        let way = Way { inner: client_of(&[&authority]), asked: self.asked.clone(), swallowed };
        let (clock, audit) = (clock.clone(), audit.clone());
        Keeper::new(store, sealer.clone(), Arc::new(way), registrations.clone(), clock, audit)
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    async fn state(&self) -> MailboxState {
        let row = self.installation().store.mailbox(&mailbox()).await.expect("read");
        row.expect("a mailbox").state
    }

    /// A process that is killed when the provider's answer has reached its machine and before it is
    /// written down.
    async fn kill_one_between_answer_and_vault(&self) {
        let swallowed = Arc::new(Notify::new());
        let dying = self.process(Some(swallowed.clone())).await;
        let asking = tokio::spawn(async move { dying.token(&mailbox(), Resource::Graph).await });
        swallowed.notified().await;
        asking.abort();
    }

    /// The time of whoever has claimed the refresh is over.
    async fn end_claim(&self) {
        let vault = Vault::new(self.installation().store.clone(), self.installation().sealer.clone());
        let Versioned { mut record, version } = vault.read(&mailbox()).await.expect("opens").expect("there");
        let claim = record.claim.expect("somebody has claimed it");
        record.claim = Some(Claim::new(&claim.holder, Timestamp(0)));
        assert!(vault.write(&mailbox(), &record, version).await.expect("written"));
    }
}

async fn token(keeper: &Keeper) -> Result<String, TokenError> {
    let token = keeper.token(&mailbox(), Resource::Graph).await?;
    Ok(token.secret.expose_secret().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_ask_in_two_processes_one_refresh_is_made() {
    let Some(scene) = Scene::new().await else { return };
    let (one, two) = (scene.process(None).await, scene.process(None).await);
    for round in 1..=4 {
        scene.installation().clock.advance(HOUR);
        let asks = (0..20).flat_map(|_| [token(&one), token(&two)]);
        let given: Vec<String> =
            join_all(asks).await.into_iter().collect::<Result<_, _>>().expect("tokens for everybody");
        assert!(given.iter().all(|token| *token == given[0]), "one token for all");
        assert_eq!(scene.asked(), round);
    }
    assert_eq!(scene.state().await, MailboxState::Connected, "nothing was taken back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_another_process_refreshes_the_old_token_serves() {
    let Some(scene) = Scene::new().await else { return };
    let one = scene.process(None).await;
    let before = token(&one).await.expect("a token");
    // Due, and good for some minutes more.
    scene.installation().clock.advance(Duration::from_secs(54 * 60));
    scene.kill_one_between_answer_and_vault().await;
    assert_eq!(token(&one).await.expect("the old token"), before);
    assert_eq!(scene.asked(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_process_whose_clock_is_ahead_does_not_refresh_beside_another() {
    let Some(scene) = Scene::new().await else { return };
    let clock = &scene.installation().clock;
    let ahead = scene.process(None).await;
    let before = token(&ahead).await.expect("a token");
    // Due by every clock, and good for some minutes more.
    clock.advance(Duration::from_secs(54 * 60));
    scene.kill_one_between_answer_and_vault().await;

    // Longer than a claim lasts.
    clock.advance(Duration::from_secs(150));

    assert_eq!(token(&ahead).await.expect("the old token"), before);
    assert_eq!(scene.asked(), 1, "the other one may still be asking");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_that_a_crash_lost_asks_for_an_admin_once_where_rotation_is_strict() {
    let Some(scene) = Scene::new().await else { return };
    let survivor = scene.process(None).await;
    scene.installation().clock.advance(HOUR);
    scene.kill_one_between_answer_and_vault().await;

    scene.end_claim().await;
    let refused = token(&survivor).await;
    assert!(matches!(refused, Err(TokenError::NeedsReconnect { .. })), "{refused:?}");
    assert_eq!(scene.state().await, MailboxState::NeedsReconnect);
    let asked = scene.asked();
    for _ in 0..3 {
        scene.installation().clock.advance(HOUR);
        let still = token(&survivor).await;
        assert!(matches!(still, Err(TokenError::NeedsReconnect { .. })), "{still:?}");
    }
    assert_eq!(scene.asked(), asked, "the provider is not asked in vain");
}
