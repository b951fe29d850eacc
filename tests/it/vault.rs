//! The vault as a whole: which keys it needs, another key, and what tampering and wrong keys come to.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mintgate::base::clock::Timestamp;
use mintgate::base::id::hex;
use mintgate::base::secret::{ExposeSecret, SecretString};
use mintgate::middleware::session_shield::{self, Found, Sessions};
use mintgate::oauth::source::{Resource, TokenSource};
use mintgate::store::seal::{Sealer, SealingKey};
use mintgate::store::{self, FlowRow, SealedField, SessionRow, Store, StoreAt};
use mintgate::token::install::InstallSecret;
use mintgate::token::upkeep::{RekeyError, census, rekey};
use mintgate::token::vault::{Vault, VaultError};
use tokio::process::Command;
use tokio::runtime::Handle;

use crate::support::installation::{Installation, MAILBOX, mailbox};
use crate::support::program::{MINTGATE, Scene};
use crate::support::sign_in::Browser;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// Runs each test on SQLite and on PostgreSQL, in an empty store of its own.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                let folder = tempfile::tempdir().expect("a folder");
                super::$test(mintgate::store::StoreAt::Sqlite(folder.path().join("store.db"))).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                if let Some(place) = crate::support::postgres::database() {
                    super::$test(place).await;
                }
            })+
        }
    };
}

on_both!(
    another_key_opens_everything_and_the_old_one_nothing,
    cut_off_after_any_field_a_rekey_goes_on,
    a_field_that_no_key_opens_stops_a_rekey_before_it_begins,
    a_rekey_does_not_come_between_a_refresh_and_its_record,
    every_changed_byte_and_every_cut_is_noticed_in_every_kind_of_field,
    no_field_opens_in_another_fields_place,
);

/// A store that holds every kind of sealed field, and the key that they need.
struct Filled {
    store: Arc<dyn Store>,
    key: SealingKey,
}

impl Filled {
    async fn at(place: &StoreAt) -> Self {
        let (store, key) = (store::open(place).await.expect("a store"), SealingKey::random());
        let sealer = Arc::new(Sealer::new(key.clone()));
        InstallSecret::of(&store, &sealer).await.expect("a secret");
        let vault = Vault::new(store.clone(), sealer);
        for id in ["one", "two"] {
            let name = format!("mailbox/{id}/tokens");
            let sealed = vault.seal(&name, "tokens", 1, b"a refresh token").await.expect("sealed");
            assert!(store.put_sealed(&name, 0, &sealed).await.expect("written"));
            add_flow(&store, &vault, id).await;
            add_session(&store, &vault, id).await;
        }
        Self { store, key }
    }

    fn sealer(&self) -> Arc<Sealer> {
        Arc::new(Sealer::new(self.key.clone()))
    }

    async fn fields(&self) -> Vec<SealedField> {
        self.store.sealed_fields(NOW).await.expect("listed")
    }
}

async fn add_flow(store: &Arc<dyn Store>, vault: &Vault, id: &str) {
    let row = FlowRow {
        id: id.to_owned(),
        state_hash: id.as_bytes().to_vec(),
        session: b"session".to_vec(),
        sealed: vault.seal(id, "flow", 0, b"a verifier").await.expect("sealed"),
        created_at: NOW,
        expires_at: NOW + Duration::from_secs(600),
        parked: None,
        parked_at: None,
    };
    assert!(store.start_flow(&row, NOW, 5, 100).await.expect("started"));
    let parked = vault.seal(id, "parked", 0, b"a code").await.expect("sealed");
    assert!(store.park_flow(id, &parked, NOW).await.expect("parked"));
}

async fn add_session(store: &Arc<dyn Store>, vault: &Vault, id: &str) {
    let expires_at = NOW + Duration::from_secs(3600);
    let name = hex(id.as_bytes());
    let row = SessionRow {
        id: id.as_bytes().to_vec(),
        owner: b"owner".to_vec(),
        sealed: vault
            .seal(&name, "desk session", expires_at.0, b"a token of the desk")
            .await
            .expect("sealed"),
        created_at: NOW,
        expires_at,
    };
    store.add_session(&row, NOW).await.expect("added");
}

/// How many fields each key opens.
async fn opened(store: &Arc<dyn Store>, sealer: &Arc<Sealer>) -> BTreeMap<String, usize> {
    let census = census(store, sealer, NOW).await.expect("counted");
    assert!(census.closed.is_empty(), "{:?}", census.closed);
    census.opened
}

async fn another_key_opens_everything_and_the_old_one_nothing(place: StoreAt) {
    let filled = Filled::at(&place).await;
    let old = filled.sealer();
    let both = Arc::new(Sealer::new(SealingKey::random()).with_earlier(filled.key.clone()));
    assert_eq!(opened(&filled.store, &both).await, BTreeMap::from([(old.active_key_id(), 9)]));

    let moved = rekey(&filled.store, &both, NOW).await.expect("moved");

    assert_eq!(moved, 9);
    assert_eq!(opened(&filled.store, &both).await, BTreeMap::from([(both.active_key_id(), 9)]));
    let left = census(&filled.store, &old, NOW).await.expect("counted");
    assert_eq!((left.opened.len(), left.closed.len()), (0, 9));
    assert!(left.closed[0].1.to_string().contains(&both.active_key_id()), "the unknown key is named");
    assert_eq!(rekey(&filled.store, &both, NOW).await.expect("nothing to do"), 0);
}

async fn cut_off_after_any_field_a_rekey_goes_on(place: StoreAt) {
    let filled = Filled::at(&place).await;
    let count = filled.fields().await.len();
    let mut key = filled.key.clone();
    for done in 0..count {
        let next = SealingKey::random();
        let both = Arc::new(Sealer::new(next.clone()).with_earlier(key));
        let before = filled.fields().await;
        rekey(&filled.store, &both, NOW).await.expect("moved");
        // What a run that was cut off leaves behind: the first fields moved, the others as they were.
        for (old, new) in before.iter().zip(filled.fields().await).skip(done) {
            assert!(filled.store.reseal(&new, &old.sealed).await.expect("set back"));
        }
        assert_eq!(opened(&filled.store, &both).await.values().sum::<usize>(), count);

        let moved = rekey(&filled.store, &both, NOW).await.expect("goes on");

        assert_eq!(moved, count - done);
        key = next;
    }
}

async fn a_field_that_no_key_opens_stops_a_rekey_before_it_begins(place: StoreAt) {
    let filled = Filled::at(&place).await;
    let stranger = Vault::new(filled.store.clone(), Arc::new(Sealer::new(SealingKey::random())));
    add_session(&filled.store, &stranger, "zzz").await;
    let before = filled.fields().await;

    let both = Arc::new(Sealer::new(SealingKey::random()).with_earlier(filled.key.clone()));
    let refused = rekey(&filled.store, &both, NOW).await.expect_err("refused");

    assert!(matches!(&refused, RekeyError::Closed { count: 1, .. }), "{refused}");
    assert!(refused.to_string().contains("not among the configured keys"), "{refused}");
    assert_eq!(filled.fields().await, before);
}

async fn a_rekey_does_not_come_between_a_refresh_and_its_record(place: StoreAt) {
    const NAME: &str = "mailbox/one/tokens";
    let filled = Filled::at(&place).await;
    let read = filled.store.sealed(NAME).await.expect("read").expect("there");
    let both = Arc::new(Sealer::new(SealingKey::random()).with_earlier(filled.key.clone()));

    rekey(&filled.store, &both, NOW).await.expect("moved");

    // A gateway that read before and asked the provider meanwhile still writes what it was given.
    let vault = Vault::new(filled.store.clone(), both.clone());
    let sealed = vault.seal(NAME, "tokens", read.version + 1, b"rotated").await.expect("sealed");
    assert!(filled.store.put_sealed(NAME, read.version, &sealed).await.expect("written"));
    opened(&filled.store, &both).await;
}

async fn every_changed_byte_and_every_cut_is_noticed_in_every_kind_of_field(place: StoreAt) {
    let filled = Filled::at(&place).await;
    let sealer = filled.sealer();
    for field in
        filled.fields().await.into_iter().filter(|field| !format!("{:?}", field.place).contains("two"))
    {
        let length = field.sealed.len();
        // Through the store only here and there; the sealing itself is tried at every byte in its own tests.
        let flips = (0..length).step_by(7).map(|at| {
            let mut changed = field.sealed.clone();
            changed[at] ^= 0x40;
            changed
        });
        let cuts = (0..length).step_by(11).map(|length| field.sealed[..length].to_vec());
        for changed in flips.chain(cuts) {
            assert!(filled.store.reseal(&field, &changed).await.expect("changed"));
            let census = census(&filled.store, &sealer, NOW).await.expect("counted");
            assert_eq!(census.closed.len(), 1, "{:?}: {} of {length} bytes", field.place, changed.len());
            let damaged = SealedField { sealed: changed, ..field.clone() };
            assert!(filled.store.reseal(&damaged, &field.sealed).await.expect("mended"));
        }
    }
    assert_eq!(opened(&filled.store, &sealer).await.values().sum::<usize>(), 9);
}

async fn no_field_opens_in_another_fields_place(place: StoreAt) {
    let filled = Filled::at(&place).await;
    let fields = filled.fields().await;
    for here in &fields {
        for there in fields.iter().filter(|there| there.place != here.place) {
            assert!(filled.store.reseal(here, &there.sealed).await.expect("swapped in"));
            let census = census(&filled.store, &filled.sealer(), NOW).await.expect("counted");
            assert_eq!(census.closed.len(), 1, "{:?} in the place of {:?}", there.place, here.place);
            let swapped = SealedField { sealed: there.sealed.clone(), ..here.clone() };
            assert!(filled.store.reseal(&swapped, &here.sealed).await.expect("put back"));
        }
    }
}

#[tokio::test]
async fn a_store_opened_with_a_wrong_key_is_left_as_it_is() {
    let filled = Filled::at(&StoreAt::Sqlite(":memory:".into())).await;
    let before = filled.fields().await;
    let wrong = Arc::new(Sealer::new(SealingKey::random()));

    let refused = InstallSecret::of(&filled.store, &wrong).await.err().expect("refused");

    assert!(matches!(refused, VaultError::Sealed { .. }));
    assert_eq!(filled.fields().await, before);
}

/// A token as the desk makes them; nobody checks its signature here.
fn desk_token(now: Timestamp) -> SecretString {
    let claims = format!(r#"{{"data":{{"id":"u1","sessionId":"s"}},"exp":{}}}"#, now.seconds() + 3600);
    SecretString::from(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
}

#[tokio::test]
async fn mailbox_flow_and_session_live_on_under_another_key() {
    let mut installation = Installation::start().await;
    installation.knows("microsoft-graph", MAILBOX).await;
    let console = installation.console();
    let connected = Browser::admin(&console, 1).connect(&*installation.http, MAILBOX).await;
    assert!(connected.status().is_redirection(), "{}", connected.text());
    let parked = Browser::admin(&console, 1).sign_in(&*installation.http, MAILBOX).await;
    let browser = session_shield::Browser { agent: None, client: [127, 0, 0, 1].into() };
    let given =
        sessions(&installation).begin(&desk_token(installation.now()), &browser).await.expect("begun");

    let (key, old) = (SealingKey::random(), installation.key.clone());
    let both = Arc::new(Sealer::new(key.clone()).with_earlier(old));
    let moved = rekey(&installation.store, &both, installation.now()).await.expect("moved");
    // As after a restart with the new key alone.
    installation.sealer = Arc::new(Sealer::new(key));
    installation.secret =
        InstallSecret::of(&installation.store, &installation.sealer).await.expect("the same secret");
    installation.keeper = installation.another_keeper();

    assert_eq!(moved, 5, "secret, tokens, flow, parked answer, session");
    let sessions = sessions(&installation);
    assert!(sessions.belongs(given.handle.expose_secret(), given.cookie.expose_secret()));
    assert!(matches!(sessions.find(given.handle).await, Found::Live(_)));
    installation.keeper.token(&mailbox(), Resource::Graph).await.expect("a token");
    let console = installation.console();
    let completed = Browser::admin(&console, 1).get(&parked.onward().expect("a way on")).await;
    assert!(completed.status().is_redirection(), "{}", completed.text());
}

/// The shield's sessions as a gateway of this installation has them.
fn sessions(installation: &Installation) -> Arc<Sessions> {
    let key = installation.secret.derive("session handles");
    let sessions = Arc::new(Sessions::new(installation.sealer.clone(), key, installation.clock.clone()));
    sessions.open(installation.store.clone(), Handle::current());
    sessions
}

/// `mintgate vault …` on a scene's start-up file: exit code, and what it said.
async fn vault(scene: &Scene, act: &str) -> (i32, String) {
    let asked = Command::new(MINTGATE).args(["vault", act, "--config"]).arg(&scene.config).output();
    told(asked.await.expect("it starts"))
}

fn told(output: Output) -> (i32, String) {
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("an exit code"), String::from_utf8(text).expect("text"))
}

#[tokio::test]
async fn a_new_key_is_brought_in_by_three_commands_and_the_old_one_is_worth_nothing() {
    let scene = Scene::start().await;
    let folder = scene.config.parent().expect("a folder");
    let (old, new) = (folder.join("vault.key"), folder.join("new.key"));
    scene.start_program().await.kill();
    let original = fs::read_to_string(&scene.config).expect("read");
    let with =
        |vault: &str| fs::write(&scene.config, format!("{original}vault: {{ {vault} }}\n")).expect("written");
    let (old_key, new_key) = (old.display(), new.display());

    let made =
        Command::new(MINTGATE).args(["vault", "make-key"]).arg(&new).output().await.expect("it starts");
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert_eq!(fs::metadata(&new).expect("there").permissions().mode() & 0o777, 0o600);
    with(&format!("keyFile: '{new_key}', previousKeyFiles: ['{old_key}']"));
    let (code, text) = vault(&scene, "check").await;
    assert!(code == 0 && text.contains("earlier; `mintgate vault rekey` moves them"), "{code}: {text}");
    let (code, text) = vault(&scene, "rekey").await;
    assert!(code == 0 && text.contains("OK: 1 field(s) sealed anew"), "{code}: {text}");
    with(&format!("keyFile: '{new_key}'"));
    let (code, text) = vault(&scene, "check").await;
    assert!(code == 0 && text.contains("OK: everything opens"), "{code}: {text}");
    with(&format!("keyFile: '{old_key}'"));
    let (code, text) = vault(&scene, "check").await;
    assert!(code == 1 && text.contains("not among the configured keys"), "{code}: {text}");
    let run = Command::new(MINTGATE).args(["run", "--config"]).arg(&scene.config).output();
    let (code, text) = told(run.await.expect("it starts"));
    assert!(code == 1 && text.contains("the vault's key does not fit the store"), "{code}: {text}");
}

#[tokio::test]
async fn a_rekey_beside_a_gateway_on_one_sqlite_file_is_refused() {
    let scene = Scene::start().await;
    let _program = scene.start_program().await;

    let (code, text) = vault(&scene, "rekey").await;

    assert!(code == 1 && text.contains("is in use; one SQLite file serves one mintgate"), "{code}: {text}");
}

#[tokio::test]
async fn an_earlier_key_that_is_not_there_is_named_with_its_place() {
    let scene = Scene::start().await;
    let original = fs::read_to_string(&scene.config).expect("read");
    fs::write(&scene.config, format!("{original}vault: {{ previousKeyFiles: [none.key] }}\n"))
        .expect("written");

    let (code, text) = vault(&scene, "check").await;

    assert!(code == 1 && text.contains("key file `none.key` is not there"), "{code}: {text}");
    assert!(text.contains("mintgate.yml:14:29"), "{text}");
}
