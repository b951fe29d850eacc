//! The apps that are registered at providers: those that the configuration names, and at the other providers
//! what an administrator has entered, which lies sealed in the store.
//!
//! What is entered is used at once: whoever needs an app looks first, so that what another process has written
//! is seen without anybody telling of it. Does not judge what is entered and asks no provider.

mod written;

use std::sync::Arc;

use arc_swap::ArcSwap;
use tracing::{error, info};

use crate::base::clock::Timestamp;
use crate::base::id::hex;
use crate::base::report::Report;
use crate::base::secret::sha256;
use crate::oauth::app::{App, Apps, Vendor};
use crate::oauth::locations::Locations;
use crate::store::seal::Sealer;
use crate::store::{SealedRow, Store};
use crate::token::vault::{Vault, VaultError};

/// What the seal binds a record to.
const PURPOSE: &str = "registration";

/// A registration that was entered.
#[derive(Debug, Clone)]
pub struct Registration {
    pub app: App,
    pub set_at: Timestamp,
    /// The administrator's name at the desk.
    pub set_by: String,
}

/// What the store has for a provider.
#[derive(Debug)]
pub struct Entered {
    /// Tells this registration from what was there before and what comes after; no secret.
    pub mark: String,
    /// Why it cannot be read, where it cannot.
    pub registration: Result<Registration, VaultError>,
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Done,
    /// Somebody else has changed it since it was looked at; nothing was done.
    Overtaken,
}

/// The registrations of this installation, as they are now.
pub struct Registrations {
    configured: Apps,
    locations: Locations,
    store: Arc<dyn Store>,
    vault: Vault,
    present: ArcSwap<Present>,
}

struct Present {
    /// The records that `apps` was made of.
    rows: Vec<Option<SealedRow>>,
    apps: Arc<Apps>,
}

impl Registrations {
    /// `configured` until the first look; where a provider is, the operator alone says.
    pub fn new(
        store: Arc<dyn Store>,
        sealer: Arc<Sealer>,
        configured: Apps,
        locations: Locations,
    ) -> Arc<Self> {
        let vault = Vault::new(Arc::clone(&store), sealer);
        let present = Present { rows: Vec::new(), apps: Arc::new(configured.clone()) };
        Arc::new(Self { configured, locations, store, vault, present: ArcSwap::from_pointee(present) })
    }

    /// What was there at the last look.
    pub fn apps(&self) -> Arc<Apps> {
        Arc::clone(&self.present.load().apps)
    }

    /// The app that the configuration names, which wins over one that was entered.
    pub fn configured(&self, vendor: Vendor) -> Option<&App> {
        self.configured.of(vendor)
    }

    pub fn locations(&self) -> &Locations {
        &self.locations
    }

    /// What is there now. Reads one row for each provider that the configuration leaves open, and opens it only
    /// where it has changed.
    ///
    /// # Errors
    /// When the store cannot be read. A record that does not open counts as none, and the log says so.
    pub async fn look(&self) -> Result<Arc<Apps>, VaultError> {
        let open = Vendor::ALL.into_iter().filter(|vendor| self.configured.of(*vendor).is_none());
        let open: Vec<Vendor> = open.collect();
        let mut rows = Vec::with_capacity(open.len());
        for &vendor in &open {
            rows.push(self.store.sealed(&name(vendor)).await?);
        }
        let present = self.present.load();
        if present.rows == rows {
            return Ok(Arc::clone(&present.apps));
        }
        let mut entered = Vec::new();
        for (vendor, row) in open.into_iter().zip(&rows) {
            let Some(row) = row else { continue };
            match self.read(vendor, row).await {
                Ok(registration) => entered.push(registration.app),
                Err(failure) => {
                    error!(provider = vendor.word(), error = %Report(&failure),
                        "the registration that was entered cannot be used");
                }
            }
        }
        let apps = Arc::new(self.configured.and(entered));
        self.present.store(Arc::new(Present { rows, apps: Arc::clone(&apps) }));
        info!("the registrations at providers were read");
        Ok(apps)
    }

    /// What was entered for a provider, whether it is used or not.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn entered(&self, vendor: Vendor) -> Result<Option<Entered>, VaultError> {
        let Some(row) = self.store.sealed(&name(vendor)).await? else { return Ok(None) };
        let registration = self.read(vendor, &row).await;
        Ok(Some(Entered { mark: mark(&row), registration }))
    }

    /// Keeps a registration in the place of the one that `seen` marks; empty where there was none.
    pub async fn keep(&self, registration: &Registration, seen: &str) -> Result<Changed, VaultError> {
        let name = name(registration.app.vendor());
        let row = self.store.sealed(&name).await?;
        if row.as_ref().map(mark).unwrap_or_default() != seen {
            return Ok(Changed::Overtaken);
        }
        let version = row.map_or(0, |row| row.version);
        let plain = written::bytes(registration);
        let sealed = self.vault.seal(&name, PURPOSE, version + 1, &plain).await?;
        let done = self.store.put_sealed(&name, version, &sealed).await?;
        self.after(done).await
    }

    /// Forgets the registration that `seen` marks.
    pub async fn remove(&self, vendor: Vendor, seen: &str) -> Result<Changed, VaultError> {
        let name = name(vendor);
        let row = self.store.sealed(&name).await?.filter(|row| mark(row) == seen);
        let Some(row) = row else { return Ok(Changed::Overtaken) };
        let done = self.store.delete_sealed_version(&name, row.version).await?;
        self.after(done).await
    }

    async fn after(&self, done: bool) -> Result<Changed, VaultError> {
        self.look().await?;
        Ok(if done { Changed::Done } else { Changed::Overtaken })
    }

    async fn read(&self, vendor: Vendor, row: &SealedRow) -> Result<Registration, VaultError> {
        let plain = self.vault.open(&row.name, PURPOSE, row.version, &row.sealed).await?;
        let garbled = || VaultError::Garbled { record: row.name.clone() };
        written::read(&plain, vendor, &self.locations).ok_or_else(garbled)
    }
}

fn name(vendor: Vendor) -> String {
    format!("app/{}/{PURPOSE}", vendor.word())
}

/// Every sealing has a random part, so that no two are alike.
fn mark(row: &SealedRow) -> String {
    hex(&sha256(&row.sealed)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::{ExposeSecret, SecretString};
    use crate::oauth::google::GoogleApp;
    use crate::oauth::provider::MicrosoftApp;
    use crate::store::seal::SealingKey;
    use crate::store::{StoreAt, open};

    const SECRET: &str = "hunter8Q~0123456789012345678901234567890";

    fn microsoft(client_id: &str) -> Registration {
        let Locations { microsoft: authority, graph, .. } = Locations::default();
        Registration {
            app: App::Microsoft(MicrosoftApp {
                client_id: client_id.to_owned(),
                client_secret: SecretString::from(SECRET),
                secret_expires: Some(Timestamp(1_900_000_000_000)),
                tenant: "contoso.example".to_owned(),
                authority,
                graph,
            }),
            set_at: Timestamp(7),
            set_by: "Ada Admin".to_owned(),
        }
    }

    fn google() -> App {
        App::Google(GoogleApp {
            client_id: "g".to_owned(),
            client_secret: SecretString::from("s"),
            authority: Locations::default().google,
        })
    }

    struct Scene {
        store: Arc<dyn Store>,
        sealer: Arc<Sealer>,
    }

    impl Scene {
        async fn new() -> Self {
            let store = open(&StoreAt::Sqlite(":memory:".into())).await.expect("a store");
            Self { store, sealer: Arc::new(Sealer::new(SealingKey::random())) }
        }

        fn process(&self, configured: Apps) -> Arc<Registrations> {
            let (store, sealer) = (Arc::clone(&self.store), Arc::clone(&self.sealer));
            Registrations::new(store, sealer, configured, Locations::default())
        }
    }

    async fn present(registrations: &Registrations) -> Option<String> {
        let apps = registrations.look().await.expect("looked");
        apps.of(Vendor::Microsoft).map(|app| app.client_id().to_owned())
    }

    #[tokio::test]
    async fn what_is_entered_is_used_at_once_here_and_in_another_process() {
        let scene = Scene::new().await;
        let (one, two) = (scene.process(Apps::default()), scene.process(Apps::default()));
        assert_eq!(present(&two).await, None);
        assert_eq!(one.keep(&microsoft("first"), "").await.expect("kept"), Changed::Done);
        assert_eq!(one.apps().of(Vendor::Microsoft).map(App::client_id), Some("first"));
        assert_eq!(present(&two).await.as_deref(), Some("first"));
        let seen = two.entered(Vendor::Microsoft).await.expect("read").expect("there").mark;
        assert_eq!(two.remove(Vendor::Microsoft, &seen).await.expect("removed"), Changed::Done);
        assert_eq!(present(&one).await, None);
        // Begins with the same version again.
        one.keep(&microsoft("second"), "").await.expect("kept");
        assert_eq!(present(&two).await.as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn it_reads_back_as_it_was_entered_and_lies_sealed() {
        let scene = Scene::new().await;
        let registrations = scene.process(Apps::default());
        registrations.keep(&microsoft("first"), "").await.expect("kept");
        let read = registrations.entered(Vendor::Microsoft).await.expect("read").expect("there");
        let read = read.registration.expect("it opens");
        let App::Microsoft(app) = &read.app else { panic!("{read:?}") };
        assert!(app.client_secret.expose_secret() == SECRET);
        assert_eq!(
            (app.tenant.as_str(), app.secret_expires),
            ("contoso.example", Some(Timestamp(1_900_000_000_000)))
        );
        assert_eq!((read.set_at, read.set_by.as_str()), (Timestamp(7), "Ada Admin"));
        let row = scene.store.sealed("app/microsoft/registration").await.expect("read").expect("there");
        assert!(!row.sealed.windows(16).any(|part| SECRET.as_bytes().windows(16).any(|own| own == part)));
    }

    #[tokio::test]
    async fn of_two_who_change_the_same_one_the_second_is_told() {
        let scene = Scene::new().await;
        let registrations = scene.process(Apps::default());
        assert_eq!(registrations.keep(&microsoft("first"), "").await.expect("kept"), Changed::Done);
        assert_eq!(registrations.keep(&microsoft("second"), "").await.expect("asked"), Changed::Overtaken);
        let seen = registrations.entered(Vendor::Microsoft).await.expect("read").expect("there").mark;
        assert_eq!(registrations.keep(&microsoft("third"), &seen).await.expect("kept"), Changed::Done);
        let removed = registrations.remove(Vendor::Microsoft, &seen).await.expect("asked");
        assert_eq!((removed, present(&registrations).await.as_deref()), (Changed::Overtaken, Some("third")));
    }

    #[tokio::test]
    async fn what_the_configuration_names_wins_and_the_rest_is_entered() {
        let scene = Scene::new().await;
        let registrations = scene.process(Apps::default().and([google()]));
        registrations.keep(&microsoft("first"), "").await.expect("kept");
        let entered = Registration {
            app: App::Google(GoogleApp {
                client_id: "other".to_owned(),
                client_secret: SecretString::from("s"),
                authority: Locations::default().google,
            }),
            ..microsoft("")
        };
        registrations.keep(&entered, "").await.expect("kept");
        let apps = registrations.look().await.expect("looked");
        assert_eq!(apps.of(Vendor::Google).map(App::client_id), Some("g"));
        assert_eq!(apps.of(Vendor::Microsoft).map(App::client_id), Some("first"));
    }

    #[tokio::test]
    async fn what_another_key_sealed_counts_as_none_and_can_be_removed() {
        let scene = Scene::new().await;
        scene.process(Apps::default()).keep(&microsoft("first"), "").await.expect("kept");
        let other = Scene { sealer: Arc::new(Sealer::new(SealingKey::random())), ..scene };
        let registrations = other.process(Apps::default());
        assert_eq!(present(&registrations).await, None);
        let entered = registrations.entered(Vendor::Microsoft).await.expect("read").expect("there");
        assert!(entered.registration.is_err());
        let removed = registrations.remove(Vendor::Microsoft, &entered.mark).await.expect("removed");
        assert_eq!(removed, Changed::Done);
        assert!(registrations.entered(Vendor::Microsoft).await.expect("read").is_none());
    }
}
