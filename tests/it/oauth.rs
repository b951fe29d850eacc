//! The keeper against a real token endpoint and a real store: one refresh at a time, nothing lost,
//! nothing asked in a loop.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use mintgate::base::clock::Timestamp;
use mintgate::base::secret::ExposeSecret;
use mintgate::oauth::source::{AccessToken, Resource, TokenError, TokenSource};
use mintgate::sandbox::fault::{Effect, Fault};
use mintgate::sandbox::identity::{Problem, Rotation};
use mintgate::store::MailboxState;
use mintgate::token::keeper::Keeper;
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::sync::watch;

use crate::support::installation::{Installation, MAILBOX, MINUTE, START, mailbox};
use crate::support::sign_in::Browser;

/// The token is due, but still good.
const DUE: Duration = Duration::from_secs(54 * 60);
const HOUR: Duration = Duration::from_secs(3600);

/// The store as on a full disk.
const REFUSE_ALL: &str =
    "CREATE TRIGGER full BEFORE UPDATE ON sealed_record BEGIN SELECT RAISE(ABORT, 'full'); END";
/// Version 2 is the claim; what follows it is the rotated token.
const REFUSE_THE_ROTATED: &str = "CREATE TRIGGER full BEFORE UPDATE ON sealed_record \
                                  WHEN OLD.version = 2 BEGIN SELECT RAISE(ABORT, 'full'); END";
const REFUSE_NOTHING: &str = "DROP TRIGGER full";

async fn connected() -> Installation {
    let installation = Installation::start().await;
    installation.knows("microsoft-graph", MAILBOX).await;
    let console = installation.console();
    let page = Browser::admin(&console, 1).connect(&*installation.http, MAILBOX).await;
    assert_eq!(page.location(), "/admin/exchange", "{}", page.text());
    assert_eq!(installation.sandbox.identity.tokens_given(), 1);
    installation
}

async fn token(keeper: &Keeper) -> Result<AccessToken, TokenError> {
    keeper.token(&mailbox(), Resource::Graph).await
}

async fn good_token(keeper: &Keeper) -> String {
    token(keeper).await.expect("a token").secret.expose_secret().to_owned()
}

fn given(installation: &Installation) -> u32 {
    installation.sandbox.identity.tokens_given()
}

fn refuse_tokens(installation: &Installation, status: u16, retry_after: Option<&str>) {
    let effect = Effect::RefuseBefore { status, retry_after: retry_after.map(str::to_owned) };
    installation.sandbox.identity.faults.add(Fault::on("POST", "*/oauth2/v2.0/token", effect));
}

async fn state(installation: &Installation) -> MailboxState {
    installation.store.mailbox(&mailbox()).await.expect("read").expect("a row").state
}

async fn database(installation: &Installation, statement: &'static str) {
    let path = installation.database();
    let url = format!("sqlite://{}", path.display());
    let mut connection = SqliteConnection::connect(&url).await.expect("connected");
    connection.execute(statement).await.expect("executed");
}

#[tokio::test]
async fn a_token_is_given_again_without_asking_until_it_is_due() {
    let installation = connected().await;
    let first = good_token(&installation.keeper).await;
    installation.clock.advance(40 * MINUTE);
    assert_eq!(good_token(&installation.keeper).await, first);
    installation.clock.advance(14 * MINUTE);
    assert_ne!(good_token(&installation.keeper).await, first);
    assert_eq!(given(&installation), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_callers_make_one_token_request() {
    let installation = connected().await;
    installation.clock.advance(HOUR);
    let tokens = join_all((0..100).map(|_| good_token(&installation.keeper))).await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(given(&installation), 2);
}

#[tokio::test]
async fn a_restart_finds_the_token_in_the_vault() {
    let installation = connected().await;
    let before = good_token(&installation.keeper).await;
    assert_eq!(good_token(&installation.another_keeper()).await, before);
    assert_eq!(given(&installation), 1);
}

#[tokio::test]
async fn mail_servers_get_a_token_of_their_own_from_the_same_sign_in() {
    let installation = connected().await;
    let graph = good_token(&installation.keeper).await;
    let mail = installation.keeper.token(&mailbox(), Resource::Mail).await.expect("a token");
    assert!(mail.grants("IMAP.AccessAsUser.All") && mail.grants("SMTP.Send"), "{:?}", mail.scopes);
    assert_ne!(mail.secret.expose_secret(), graph);
    assert_eq!(given(&installation), 2);
    let restarted = installation.another_keeper();
    let again = restarted.token(&mailbox(), Resource::Mail).await.expect("a token");
    assert_eq!(again.secret.expose_secret(), mail.secret.expose_secret());
    assert_eq!(good_token(&restarted).await, graph, "neither has driven the other out");
    assert_eq!(given(&installation), 2);
}

#[tokio::test]
async fn rotation_is_followed_through_many_refreshes() {
    let installation = connected().await;
    installation.sandbox.identity.change(|settings| settings.rotation = Rotation::RetireAtOnce);
    for round in 2..=6 {
        installation.clock.advance(HOUR);
        good_token(&installation.keeper).await;
        assert_eq!(given(&installation), round);
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_stored_is_not_given_and_not_lost() {
    let installation = connected().await;
    installation.sandbox.identity.change(|settings| settings.rotation = Rotation::RetireAtOnce);
    installation.clock.advance(HOUR);
    database(&installation, REFUSE_THE_ROTATED).await;
    assert!(matches!(token(&installation.keeper).await, Err(TokenError::Vault { .. })));
    database(&installation, REFUSE_NOTHING).await;
    installation.clock.advance(MINUTE);
    good_token(&installation.keeper).await;
    assert_eq!(given(&installation), 2, "the rotated token was kept in memory, not asked for again");
    assert!(token(&installation.another_keeper()).await.is_ok(), "it is in the vault now");
    assert_eq!(given(&installation), 2);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_noticed_before_the_provider_is_asked() {
    let installation = connected().await;
    installation.clock.advance(HOUR);
    database(&installation, REFUSE_ALL).await;
    assert!(matches!(token(&installation.keeper).await, Err(TokenError::Vault { .. })));
    assert_eq!(given(&installation), 1);
}

#[tokio::test]
async fn a_crash_between_the_answer_and_the_vault_leaves_the_old_token_working() {
    let installation = connected().await;
    installation.clock.advance(HOUR);
    database(&installation, REFUSE_THE_ROTATED).await;
    assert!(token(&installation.keeper).await.is_err());
    assert_eq!(given(&installation), 2);
    database(&installation, REFUSE_NOTHING).await;
    installation.clock.advance(2 * MINUTE);
    let after_the_crash = installation.another_keeper();
    assert!(token(&after_the_crash).await.is_ok());
    assert_eq!(state(&installation).await, MailboxState::Connected);
}

#[tokio::test]
async fn a_dead_grant_stops_everything_until_an_admin_connects_again() {
    let installation = connected().await;
    installation.sandbox.identity.revoke(MAILBOX);
    installation.clock.advance(HOUR);
    let refused = token(&installation.keeper).await;
    let Err(TokenError::NeedsReconnect { reason, .. }) = refused else { panic!("{refused:?}") };
    assert!(reason.starts_with("the provider refused [invalid_grant (AADSTS50173)"), "{reason}");
    assert_eq!(state(&installation).await, MailboxState::NeedsReconnect);

    refuse_tokens(&installation, 500, None);
    installation.clock.advance(24 * HOUR);
    let still = token(&installation.keeper).await;
    assert!(matches!(still, Err(TokenError::NeedsReconnect { .. })), "the provider is not asked: {still:?}");

    installation.sandbox.identity.faults.clear();
    let console = installation.console();
    Browser::admin(&console, 1).connect(&*installation.http, MAILBOX).await;
    assert_eq!(state(&installation).await, MailboxState::Connected);
    good_token(&installation.keeper).await;
}

#[tokio::test]
async fn a_wrong_client_secret_stops_and_says_so() {
    let installation = connected().await;
    let problem = Problem::new(7_000_215, "invalid_client", "Invalid client secret provided.");
    installation.sandbox.identity.force_error(problem, 1);
    installation.clock.advance(HOUR);
    for _ in 0..2 {
        let refused = token(&installation.keeper).await;
        let Err(TokenError::Misconfigured { reason }) = refused else { panic!("{refused:?}") };
        assert!(reason.starts_with("the provider refused [invalid_client (AADSTS7000215)"), "{reason}");
    }
    assert_eq!(given(&installation), 1);
    assert_eq!(state(&installation).await, MailboxState::Connected, "the grant itself is not dead");
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let installation = connected().await;
    installation.clock.advance(HOUR);
    refuse_tokens(&installation, 429, Some("120"));
    let refused = token(&installation.keeper).await;
    let Err(TokenError::Unavailable { retry_at, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(retry_at, installation.now() + 2 * MINUTE);

    installation.sandbox.identity.faults.clear();
    installation.clock.advance(119 * Duration::from_secs(1));
    assert!(matches!(token(&installation.keeper).await, Err(TokenError::Unavailable { .. })));
    assert_eq!(given(&installation), 1);
    installation.clock.advance(Duration::from_secs(1));
    good_token(&installation.keeper).await;
}

#[tokio::test]
async fn while_the_provider_is_down_the_old_token_is_used_to_its_end() {
    let installation = connected().await;
    let first = good_token(&installation.keeper).await;
    refuse_tokens(&installation, 503, None);
    installation.clock.advance(DUE);
    assert_eq!(good_token(&installation.keeper).await, first);
    let (_, error) = installation.keeper.status(&mailbox()).last_error.expect("the failure is told");
    assert!(error.contains("busy"), "{error}");
    installation.clock.advance(6 * MINUTE);
    assert!(matches!(token(&installation.keeper).await, Err(TokenError::Unavailable { .. })));

    installation.sandbox.identity.faults.clear();
    installation.clock.advance(6 * MINUTE);
    good_token(&installation.keeper).await;
    assert_eq!(installation.keeper.status(&mailbox()).last_error, None);
}

#[tokio::test]
async fn a_jumping_wall_clock_makes_one_refresh_a_minute_at_most() {
    let installation = connected().await;
    good_token(&installation.keeper).await;
    for days in 1..=10 {
        installation.clock.set(START + days * 24 * HOUR);
        good_token(&installation.keeper).await;
        installation.clock.set(START);
        good_token(&installation.keeper).await;
    }
    assert_eq!(given(&installation), 1);
    installation.clock.advance(MINUTE);
    installation.clock.set(START + 11 * 24 * HOUR);
    good_token(&installation.keeper).await;
    assert_eq!(given(&installation), 2);
}

#[tokio::test]
async fn a_token_that_was_refused_is_renewed_once() {
    let installation = connected().await;
    let keeper = &installation.keeper;
    let refused = token(keeper).await.expect("a token");
    installation.sandbox.identity.end_access_tokens(MAILBOX);
    let id = mailbox();
    let renewals = (0..10).map(|_| keeper.renew(&id, Resource::Graph, &refused));
    let renewed: Vec<AccessToken> =
        join_all(renewals).await.into_iter().collect::<Result<_, _>>().expect("tokens");
    assert!(renewed.iter().all(|token| token.secret.expose_secret() != refused.secret.expose_secret()));
    assert_eq!(given(&installation), 2);

    let again = keeper.renew(&id, Resource::Graph, &renewed[0]).await;
    assert!(matches!(again, Err(TokenError::Unavailable { .. })), "{again:?}");
    assert_eq!(given(&installation), 2, "a resource that refuses everything makes no refresh storm");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_share_one_rotating_token() {
    let installation = connected().await;
    installation.sandbox.identity.change(|settings| settings.rotation = Rotation::RetireAtOnce);
    let other = installation.another_keeper();
    good_token(&other).await;
    for _ in 0..5 {
        installation.clock.advance(HOUR);
        let (one, two) = tokio::join!(token(&installation.keeper), token(&other));
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    }
    assert_eq!(state(&installation).await, MailboxState::Connected);
}

#[tokio::test]
async fn the_background_refreshes_what_is_due_and_stops() {
    let installation = connected().await;
    installation.clock.advance(DUE);
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(Arc::clone(&installation.keeper).run(stopped));
    let refreshed = async {
        while installation.keeper.status(&mailbox()).last_refresh != Some(installation.now()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), refreshed).await.expect("refreshed");
    stop.send(true).expect("it listens");
    tokio::time::timeout(Duration::from_secs(30), running).await.expect("it ends").expect("no panic");
    assert_eq!(given(&installation), 2);
}

#[tokio::test]
async fn a_mailbox_that_is_not_connected_has_no_token() {
    let installation = Installation::start().await;
    assert!(matches!(token(&installation.keeper).await, Err(TokenError::NeedsReconnect { .. })));
    let installation = connected().await;
    installation.keeper.disconnect(&mailbox()).await.expect("disconnected");
    assert!(matches!(token(&installation.keeper).await, Err(TokenError::NeedsReconnect { .. })));
    assert_eq!(installation.store.sealed_names().await.expect("names"), ["install/secret"]);
}

#[tokio::test]
async fn no_token_lies_readable_in_the_data_folder() {
    let installation = connected().await;
    let token = good_token(&installation.keeper).await;
    let mut files = 0;
    for entry in std::fs::read_dir(installation.folder()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        files += 1;
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
    assert!(files > 0);
}

#[tokio::test]
async fn a_downgraded_grant_is_refreshed_with_what_was_granted() {
    let installation = Installation::start().await;
    let granted = ["User.Read", "Mail.Read", "Mail.Send"].map(str::to_owned).to_vec();
    installation.sandbox.identity.change(|settings| settings.granted = Some(granted));
    installation.knows("microsoft-graph", MAILBOX).await;
    let console = installation.console();
    Browser::admin(&console, 1).connect(&*installation.http, MAILBOX).await;
    installation.sandbox.identity.change(|settings| settings.granted = None);
    installation.clock.advance(HOUR);
    let token = token(&installation.keeper).await.expect("a token");
    assert!(token.grants("Mail.Read") && !token.grants("Mail.ReadWrite"), "{:?}", token.scopes);
}

#[tokio::test]
async fn status_tells_when_the_token_ends_and_when_it_was_refreshed() {
    let installation = connected().await;
    let status = installation.keeper.status(&mailbox());
    assert_eq!(status.expires_at, Some(Timestamp(START.0 + 3_599_000)));
    assert_eq!(status.last_refresh, Some(START));
    let next = status.next_refresh.expect("a next refresh").since(START).as_secs();
    assert!((2591..=3168).contains(&next), "{next}");
}
