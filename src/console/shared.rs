//! What the handlers share, and the questions more than one of them asks.

use std::error::Error;
use std::sync::Arc;

use http::{HeaderMap, StatusCode, Uri};
use tokio::sync::Mutex;
use tracing::error;

use crate::base::audit::{Event, Outcome, Record};
use crate::base::clock::Timestamp;
use crate::base::id::{MailboxId, short_id};
use crate::base::report::Report;
use crate::base::secret::HashKey;
use crate::console::Parts;
use crate::console::findings::Findings;
use crate::console::guard::Client;
use crate::console::language::{Languages, Texts};
use crate::console::limits::Limits;
use crate::console::page::{self, Page};
use crate::console::reading::Reading;
use crate::console::settings_form::Fixed;
use crate::console::wizard::Tests;
use crate::mailbox::settings::{MailboxSettings, Provider, SignIn};
use crate::oauth::app::Apps;
use crate::oauth::flow::Wanted;
use crate::store::MailboxRow;
use crate::store::orders::Order;
use crate::token::password::Passwords;
use crate::token::vault::Vault;
use crate::web::local::Admin;
use crate::web::sender::{asked_host, authority};

pub struct Shared {
    pub parts: Parts,
    pub vault: Vault,
    pub form_key: HashKey,
    /// Of the links by which a tenant's administrator agrees to the app's permissions.
    pub consent_key: HashKey,
    pub languages: Languages,
    pub passwords: Passwords,
    pub tests: Tests,
    pub reading: Reading,
    pub limits: Limits,
    pub findings: Findings,
    /// Held while a mailbox is being added.
    pub connecting: Mutex<()>,
}

impl Shared {
    pub fn new(parts: Parts) -> Self {
        let vault = Vault::new(Arc::clone(&parts.store), Arc::clone(&parts.sealer));
        let form_key = parts.secret.derive("console form token");
        let consent_key = parts.secret.derive("console consent link");
        let passwords = Passwords::new(Arc::clone(&parts.store), Arc::clone(&parts.sealer));
        Self {
            vault,
            form_key,
            consent_key,
            languages: Languages::new(),
            passwords,
            tests: Tests::default(),
            reading: Reading::default(),
            findings: Findings::default(),
            limits: Limits::new(Arc::clone(&parts.clock)),
            connecting: Mutex::default(),
            parts,
        }
    }

    /// What [`crate::console::Console`] picked for the request; English where nothing was.
    pub fn texts(&self, picked: Option<&Arc<Texts>>) -> Arc<Texts> {
        Arc::clone(picked.unwrap_or_else(|| self.languages.pick(None, None)))
    }

    /// The mailbox that a path names.
    pub async fn mailbox(&self, id: &str) -> Result<MailboxRow, Page> {
        let absent = || page::problem(StatusCode::NOT_FOUND, &page::NOT_CONNECTED);
        let id = MailboxId::parse(id).ok_or_else(absent)?;
        let row = self.parts.store.mailbox(&id).await.map_err(|failure| Self::broken(&failure))?;
        row.ok_or_else(absent)
    }

    /// The mailbox of an address.
    pub async fn mailbox_of(&self, address: &str) -> Result<Option<MailboxRow>, Page> {
        let rows = self.parts.store.mailboxes().await.map_err(|failure| Self::broken(&failure))?;
        Ok(rows.into_iter().find(|row| row.address.eq_ignore_ascii_case(address)))
    }

    /// What is registered at providers now; what another gateway has written is seen by this.
    pub async fn apps(&self) -> Result<Arc<Apps>, Page> {
        self.parts.registrations.look().await.map_err(|failure| Self::broken(&failure))
    }

    /// The id that the mailbox of an address gets when it is connected: that of an earlier connection, so that
    /// what waits since then goes on.
    pub async fn mailbox_id_for(&self, address: &str) -> Result<MailboxId, Page> {
        let former =
            self.parts.store.former_mailbox(address).await.map_err(|failure| Self::broken(&failure))?;
        Ok(former.unwrap_or_else(|| MailboxId::parse(&short_id()).expect("short ids are plain")))
    }

    /// The app's id at a provider.
    pub fn client_id(&self, provider: Provider) -> Option<String> {
        let apps = self.parts.registrations.apps();
        let app = provider.vendor().and_then(|vendor| apps.of(vendor));
        app.map(|app| app.client_id().to_owned())
    }

    /// When the client secret that opens a mailbox with these settings ends, as far as it is known.
    pub fn secret_end(&self, settings: &MailboxSettings) -> Option<Timestamp> {
        let is_ours = settings.provider == Provider::Microsoft && settings.sign_in == SignIn::OAuth;
        self.parts.registrations.apps().microsoft().filter(|_| is_ours)?.secret_expires
    }

    /// When the present access token of a mailbox ends; `None` while none is loaded.
    pub fn token_expiry(&self, mailbox: &MailboxId) -> Option<Timestamp> {
        self.parts.keeper.status(mailbox).expires_at
    }

    /// How the browser reached the console, when the provider will send it back elsewhere.
    pub fn other_host(&self, headers: &HeaderMap, uri: &Uri) -> Option<String> {
        let public = self.parts.public_url.as_ref().and_then(authority)?;
        asked_host(headers, uri).filter(|asked| !public.eq_ignore_ascii_case(asked)).map(str::to_owned)
    }

    /// What the configuration decides of the mailbox of `address`: where `mail.from` names one, the name and
    /// the Reply-To beside it are that one's alone.
    pub fn fixed(&self, address: &str) -> Fixed {
        let (fixed, sender) = (&self.parts.fixed, self.parts.from_address.as_deref());
        if sender.is_none_or(|sender| sender.eq_ignore_ascii_case(address)) {
            return fixed.clone();
        }
        Fixed { from_name: None, reply_to: None, ..fixed.clone() }
    }

    /// That a value is the configuration's, and where it is said.
    pub fn set_by(&self, setting: &str, t: &Texts) -> String {
        match self.parts.origins.of(setting) {
            Some(origin) => t.say("set-by").set("origin", origin).to_string(),
            None => t.say("set-by-configuration").to_string(),
        }
    }

    /// Where a value is said, or could be.
    pub fn said_by<'s>(&'s self, setting: &str, usual: &'s str) -> &'s str {
        self.parts.origins.of(setting).unwrap_or(usual)
    }

    /// Who has to sign in for a further mailbox: the configured sender, where there is one.
    pub fn newcomer(&self) -> Wanted {
        self.parts.from_address.clone().map_or(Wanted::Anybody, Wanted::Owner)
    }

    /// Tells the audit what an administrator did, or tried to.
    pub fn note(&self, client: &Client, admin: &Admin, event: Event, outcome: Outcome, detail: &'static str) {
        self.note_about(client, admin, event, (outcome, detail), None);
    }

    /// [`Shared::note`] with the mailbox it is about, where there is one.
    pub fn note_about(
        &self,
        client: &Client,
        admin: &Admin,
        event: Event,
        (outcome, detail): (Outcome, &'static str),
        mailbox: Option<&MailboxId>,
    ) {
        let record = Record::new(event, outcome, detail).by(&admin.user_id).named(&admin.name);
        self.parts.audit.record(Record { client: client.0, mailbox, ..record });
    }

    /// [`Shared::note_about`] something done to a mailbox or its mails.
    pub fn note_action(
        &self,
        client: &Client,
        admin: &Admin,
        outcome: Outcome,
        detail: &'static str,
        mailbox: Option<&MailboxId>,
    ) {
        self.note_about(client, admin, Event::ConsoleAction, (outcome, detail), mailbox);
    }

    /// The connected mailbox that a sign-in is for, as far as it is known before somebody signs in.
    pub async fn mailbox_wanted(&self, wanted: &Wanted) -> Result<Option<MailboxId>, Page> {
        let address = match wanted {
            Wanted::Anybody => return Ok(None),
            Wanted::Owner(address) | Wanted::Member(address) => address,
        };
        Ok(self.mailbox_of(address).await?.map(|row| row.id))
    }

    /// Asks the worker to take in mail from before the mailbox was connected.
    pub async fn import_old_mail(
        &self,
        client: &Client,
        admin: &Admin,
        mailbox: &MailboxId,
        since: Timestamp,
    ) -> Result<(), Page> {
        let order = Order::ImportSince { mailbox: mailbox.clone(), since };
        let left = self.parts.store.add_hint(&order.hint(), self.parts.clock.now()).await;
        left.map_err(|failure| Self::broken(&failure))?;
        self.note_action(client, admin, Outcome::Success, "old mail asked for", Some(mailbox));
        Ok(())
    }

    /// The page of a failure that is ours; what failed is only logged.
    pub fn broken(failure: &(dyn Error + 'static)) -> Page {
        error!(error = %Report(failure), "the console could not use the store");
        page::problem(StatusCode::SERVICE_UNAVAILABLE, &page::BROKEN)
    }
}
