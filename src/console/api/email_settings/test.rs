//! Tests of reading and of sending, with what is stored or with what is sent. What is sent is not kept.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::audit::Outcome;
use crate::base::clock::Timestamp;
use crate::base::id::{MailboxId, short_id};
use crate::base::secret::{ExposeSecret, SecretString};
use crate::console::advice::in_english;
use crate::console::api::email_settings::parts::Which;
use crate::console::api::email_settings::servers::{Entered, Fields, IMAP, SMTP, is_same_server};
use crate::console::api::parts::{Answer, Ordered, Problems, Refused};
use crate::console::form::secret;
use crate::console::guard::Client;
use crate::console::limits::Work;
use crate::console::shared::Shared;
use crate::mailbox::settings::{MailboxSettings, Provider, Server, SignIn};
use crate::mailbox::{Check, Mailbox};
use crate::oauth::source::{PasswordSource, Purpose};
use crate::store::{MailboxRow, MailboxState};
use crate::web::local::Admin;

/// What is left out is as it is stored; a blank password is the stored one.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Incoming {
    #[schema(nullable = false, max_length = 253, example = "imap.example.com")]
    imap_host: Option<String>,
    #[schema(nullable = false, minimum = 1, maximum = 65535)]
    imap_port: Option<u16>,
    /// `false` is STARTTLS.
    #[schema(nullable = false)]
    imap_use_ssl: Option<bool>,
    #[schema(nullable = false, max_length = 255)]
    imap_username: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = String, write_only, max_length = 1024)]
    imap_password: SecretString,
}

/// What is left out is as it is stored; a blank password is the stored one.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    #[schema(nullable = false, max_length = 253, example = "smtp.example.com")]
    smtp_host: Option<String>,
    #[schema(nullable = false, minimum = 1, maximum = 65535)]
    smtp_port: Option<u16>,
    #[schema(nullable = false)]
    smtp_use_ssl: Option<bool>,
    /// STARTTLS.
    #[schema(nullable = false)]
    smtp_use_tls: Option<bool>,
    #[schema(nullable = false, max_length = 255)]
    smtp_username: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = String, write_only, max_length = 1024)]
    smtp_password: SecretString,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Tested {
    /// Whether every step passed.
    success: bool,
    message: String,
    steps: Vec<Step>,
    /// What can be done, when a step failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Step {
    step: &'static str,
    passed: bool,
    took_ms: u64,
    /// What was seen, or what is wrong.
    text: String,
}

/// Signs in to read, and opens the folder.
#[utoipa::path(post, path = "/api/tickets/email-settings/test-imap/", tag = "email-settings", params(Which),
    request_body = Incoming, responses((status = 200, body = Tested), Problems))]
pub async fn incoming(
    State(shared): State<Arc<Shared>>,
    client: Client,
    which: Which,
    Ordered(admin, sent): Ordered<Incoming>,
) -> Result<Answer<Tested>, Refused> {
    let entered = Entered {
        host: sent.imap_host.as_deref(),
        port: sent.imap_port,
        ssl: sent.imap_use_ssl,
        start_tls: None,
        user: sent.imap_username.as_deref(),
        password: Some(&sent.imap_password),
    };
    let wanted = Wanted { purpose: Purpose::Incoming, fields: &IMAP, entered };
    wanted.run(&shared, &client, &admin, &which).await
}

/// Signs in to send; sends nothing.
#[utoipa::path(post, path = "/api/tickets/email-settings/test-smtp/", tag = "email-settings", params(Which),
    request_body = Outgoing, responses((status = 200, body = Tested), Problems))]
pub async fn outgoing(
    State(shared): State<Arc<Shared>>,
    client: Client,
    which: Which,
    Ordered(admin, sent): Ordered<Outgoing>,
) -> Result<Answer<Tested>, Refused> {
    let entered = Entered {
        host: sent.smtp_host.as_deref(),
        port: sent.smtp_port,
        ssl: sent.smtp_use_ssl,
        start_tls: sent.smtp_use_tls,
        user: sent.smtp_username.as_deref(),
        password: Some(&sent.smtp_password),
    };
    let wanted = Wanted { purpose: Purpose::Outgoing, fields: &SMTP, entered };
    wanted.run(&shared, &client, &admin, &which).await
}

/// What is tried, and the connected mailbox it belongs to.
type Tried = (Arc<dyn Mailbox>, Option<MailboxId>);

struct Wanted<'w> {
    purpose: Purpose,
    fields: &'static Fields,
    entered: Entered<'w>,
}

impl Wanted<'_> {
    async fn run(
        &self,
        shared: &Shared,
        client: &Client,
        admin: &Admin,
        which: &Which,
    ) -> Result<Answer<Tested>, Refused> {
        let (mailbox, connected) = self.mailbox(shared, which).await?;
        shared.admit(client, admin, Work::Test)?;
        let checks = mailbox.probe_half(self.purpose).await;
        let tested = Tested::of(checks, shared.parts.clock.now());
        let outcome = if tested.success { Outcome::Success } else { Outcome::Failure };
        shared.note_action(client, admin, outcome, "connection tested", connected.as_ref());
        Ok(Answer(StatusCode::OK, tested))
    }

    /// The connected mailbox, or one made of what was sent; and the id of the connected one.
    async fn mailbox(&self, shared: &Shared, which: &Which) -> Result<Tried, Refused> {
        let unusable =
            || Refused::new(StatusCode::CONFLICT, "This mailbox cannot be tested as it is stored.");
        if self.entered.is_empty() {
            let row = which.to_change(shared).await?;
            let mailbox = (shared.parts.mailboxes)(&row).ok_or_else(unusable)?;
            return Ok((mailbox, Some(row.id)));
        }
        let row = match self.entered.host {
            // A server that belongs to no mailbox yet.
            Some(_) if !which.names_one() => which.only(shared).await.ok().flatten(),
            _ => Some(which.to_change(shared).await?),
        };
        let settings = row.as_ref().map(|row| MailboxSettings::parse(&row.settings)).transpose();
        let settings = settings.map_err(|refused| Refused::broken(&refused))?;
        let own = row.as_ref().zip(settings.as_ref().filter(|own| own.sign_in == SignIn::Password));
        let stored = own.and_then(|(_, settings)| match self.purpose {
            Purpose::Incoming => settings.incoming.as_ref(),
            Purpose::Outgoing => settings.outgoing.as_ref(),
        });
        let address = own.map(|(row, _)| row.address.as_str()).unwrap_or_default();
        let server = self.entered.over(stored, address, self.fields);
        let server = server.map_err(|sentence| Refused::new(StatusCode::UNPROCESSABLE_ENTITY, sentence))?;
        let password = self.password(shared, own.map(|(row, _)| row), stored, &server).await?;
        let folder = own.and_then(|(_, settings)| settings.folder.clone());
        let trial = trial(server, address, folder);
        let tried = (shared.parts.trials)(&trial, password).ok_or_else(unusable)?;
        Ok((tried, row.map(|row| row.id)))
    }

    async fn password(
        &self,
        shared: &Shared,
        row: Option<&MailboxRow>,
        stored: Option<&Server>,
        server: &Server,
    ) -> Result<SecretString, Refused> {
        if let Some(typed) = self.entered.new_password() {
            return Ok(typed.clone());
        }
        let missing = || {
            let sentence = format!(
                "`{}` is missing; a stored password is only sent to the server it was given for.",
                self.fields.password
            );
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, sentence)
        };
        let row = row.filter(|_| is_same_server(stored, server)).ok_or_else(missing)?;
        let kept = shared.passwords.password(&row.id, self.purpose).await;
        let kept = kept.map_err(|_| missing())?;
        if kept.expose_secret().is_empty() { Err(missing()) } else { Ok(kept) }
    }
}

/// A row that is never stored. Only one of its servers is called; the other one stands there because a
/// mailbox has both.
fn trial(server: Server, address: &str, folder: Option<String>) -> MailboxRow {
    let settings = MailboxSettings {
        provider: Provider::Other,
        sign_in: SignIn::Password,
        folder,
        incoming: Some(server.clone()),
        outgoing: Some(server.clone()),
        ..MailboxSettings::default()
    };
    let address = if address.contains('@') { address } else { server.user.as_str() };
    MailboxRow {
        id: MailboxId::parse(&short_id()).expect("short ids are plain"),
        kind: "imap".to_owned(),
        address: address.to_owned(),
        state: MailboxState::Connected,
        scopes: String::new(),
        connected_at: Default::default(),
        accept_since: Default::default(),
        last_poll_at: None,
        last_mail_at: None,
        last_error: None,
        failing_since: None,
        settings: settings.to_json(),
    }
}

impl Tested {
    fn of(checks: Vec<Check>, now: Timestamp) -> Self {
        let success = !checks.is_empty() && checks.iter().all(|check| check.outcome.is_ok());
        let hint =
            checks.iter().find_map(|check| check.outcome.as_ref().err().map(|told| in_english(told, now)));
        let message = if success { "The connection works." } else { "The connection does not work." };
        let steps = checks.into_iter().map(|check| Step::of(check, now)).collect();
        Self { success, message: message.to_owned(), steps, hint }
    }
}

impl Step {
    fn of(check: Check, now: Timestamp) -> Self {
        let passed = check.outcome.is_ok();
        let (Ok(told) | Err(told)) = &check.outcome;
        Self { step: check.step, passed, took_ms: check.took_ms, text: in_english(told, now) }
    }
}
